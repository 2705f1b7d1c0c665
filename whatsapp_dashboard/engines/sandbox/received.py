"""What a contact's phone has, for tests to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from whatsapp_dashboard.domain.messages import MessageType


@dataclass(frozen=True, slots=True)
class Received:
    """One message on a contact's phone, as it is now."""

    wa_id: str
    seq: int
    """Position in the order of everything that was written in this world."""
    phone: str
    """Number of the account's phone."""
    contact: str
    key: str
    """Our key it was sent with."""
    asked: int
    """How often that key was sent; more than once means a retry that made no second message."""
    type: MessageType
    text: str
    content: dict[str, Any]
    at: float
    arrived_at: float
    delivered_at: float | None
    read_at: float | None
    edits: tuple[str, ...]
    """Earlier texts, oldest first."""
    revoked: bool
    reactions: dict[str, str]
    """Emoji by contact id; ``me`` is the account."""
    votes: dict[str, list[str]]


def received_from_raw(raw: dict[str, Any]) -> Received:
    """The message as the world tells it."""
    content = raw["content"]
    return Received(
        wa_id=raw["wa_id"],
        seq=raw["seq"],
        phone=raw["phone"],
        contact=raw["chat"],
        key=raw["key"],
        asked=raw["asked"],
        type=MessageType(content["type"]),
        text=content.get("text", ""),
        content=content,
        at=raw["at"],
        arrived_at=raw["arrived_at"],
        delivered_at=raw["delivered_at"],
        read_at=raw["read_at"],
        edits=tuple(raw["edits"]),
        revoked=raw["revoked"],
        reactions=raw["reactions"],
        votes=raw["votes"],
    )
