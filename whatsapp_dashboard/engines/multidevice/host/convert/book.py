"""What conversion may look up while it works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class MessageSecret:
    """What seals changes of one message; ``sender`` is the JID of its writer."""

    sender: str
    secret: bytes


class Book(Protocol):
    """What one session knows besides the message at hand. Never raises."""

    @property
    def own_phone(self) -> str:
        """The account's number (digits)."""

    @property
    def own_lid(self) -> str | None:
        """The account's LID (digits), once known."""

    def alt(self, jid: str) -> str | None:
        """The other address of a person: the LID of a phone number's JID, or the other way round."""

    def group_name(self, jid: str) -> str:
        """The subject of a group; empty when it is not known."""

    def poll(self, wa_id: str) -> tuple[str, ...] | None:
        """The options of a poll that was seen before."""

    def secrets(self, wa_id: str) -> list[MessageSecret]:
        """The secrets of the messages with this id that were seen or sent before, the newest first."""
