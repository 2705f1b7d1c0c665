"""What a customer's phone saw, as the tests read it: messages, receipts, typing, and the outcome of a stream."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from whatsapp_dashboard.domain.messages import Content
from whatsapp_dashboard.engines.raw import content_from_raw

Raw = dict[str, Any]


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message the server has accepted from a customer."""

    wa_id: str
    chat: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Received:
    """A message a customer got, with everything that happened to it since. JIDs are as WhatsApp writes them."""

    wa_id: str
    chat: str
    """The conversation, often ``...@lid``; ``chat_alt`` is the same person's other name where it was told."""
    chat_alt: str | None
    sender: str
    sender_alt: str | None
    push_name: str
    content: Content
    at: datetime
    """When the sender says it was written; ``arrived`` is when the phone had it."""
    arrived: datetime
    offline: bool
    """It waited on the server while the phone was away."""
    undecryptable: bool
    times_seen: int
    """More than 1: the server brought the same message again."""
    reactions: dict[str, str] = field(default_factory=dict)
    edits: tuple[str, ...] = ()
    revoked: bool = False
    votes: dict[str, tuple[str, ...] | None] = field(default_factory=dict)
    """Who chose what in a poll; None for a vote that could not be decrypted."""

    @property
    def text(self) -> str:
        """What it says now: the last edit, or the text it came with."""
        return self.edits[-1] if self.edits else self.content.text


@dataclass(frozen=True, slots=True)
class Changes:
    """What others did to a customer's own message."""

    reactions: dict[str, str]
    votes: dict[str, tuple[str, ...] | None]


@dataclass(frozen=True, slots=True)
class Ticks:
    """The receipts a customer got for an own message; ``by`` is who sent them."""

    wa_id: str
    delivered: datetime | None = None
    read: datetime | None = None
    played: datetime | None = None
    failed: datetime | None = None
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Typing:
    """The presences of one person in one conversation, oldest first: ``composing``, ``recording``, ``available``."""

    chat: str
    who: str
    history: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class File:
    """A downloaded file."""

    data: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class CustomerLoad:
    """What one customer of a stream wrote and got; numbers are those in the texts, latencies are seconds."""

    name: str
    sent: tuple[int, ...]
    failed: tuple[tuple[int, str], ...]
    answered: tuple[int, ...]
    """The number in each answer, in the order of arrival, repeated when there were more answers."""
    latencies: tuple[float, ...]
    """From the first attempt to send to the first answer."""

    @property
    def missing(self) -> list[int]:
        """Texts that nobody answered."""
        return sorted(set(self.sent) - set(self.answered))

    @property
    def repeated(self) -> list[int]:
        """Texts that were answered more than once."""
        return sorted(number for number, times in Counter(self.answered).items() if times > 1)

    @property
    def out_of_order(self) -> int:
        """How many first answers came after the answer to a later text."""
        first = list(dict.fromkeys(self.answered))
        return sum(later < earlier for earlier, later in pairwise(first))


@dataclass(frozen=True, slots=True)
class StreamReport:
    """How a stream went; ``done`` when every text was written and answered. ``seconds`` from its start to the last answer."""

    done: bool
    seconds: float
    customers: dict[str, CustomerLoad]

    @property
    def sent(self) -> int:
        """Texts the server accepted."""
        return sum(len(load.sent) for load in self.customers.values())

    @property
    def answers(self) -> int:
        """Answers that arrived, repeated ones included."""
        return sum(len(load.answered) for load in self.customers.values())

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return self.answers / self.seconds if self.seconds else 0.0

    def latency(self, quantile: float) -> float:
        """The latency (seconds) that this share of the first answers did not exceed; NaN without answers."""
        values = sorted(value for load in self.customers.values() for value in load.latencies)
        return values[min(len(values) - 1, int(quantile * len(values)))] if values else float("nan")


def received_from_raw(raw: Raw) -> Received | None:
    """The message in ``raw``; None when only changes of it were seen so far (an own message, or one not here yet)."""
    if "content" not in raw:
        return None
    return Received(
        wa_id=raw["wa_id"],
        chat=raw["chat"],
        chat_alt=raw["chat_alt"],
        sender=raw["sender"],
        sender_alt=raw["sender_alt"],
        push_name=raw["push_name"],
        content=content_from_raw(raw["content"]),
        at=datetime.fromtimestamp(raw["at"], UTC),
        arrived=datetime.fromtimestamp(raw["arrived"], UTC),
        offline=raw["offline"],
        undecryptable=raw["undecryptable"],
        times_seen=raw["times_seen"],
        reactions=raw["reactions"],
        edits=tuple(raw["edits"]),
        revoked=raw["revoked"],
        votes=_votes(raw),
    )


def changes_from_raw(raw: Raw) -> Changes:
    """What others did to the message in ``raw``."""
    return Changes(raw["reactions"], _votes(raw))


def _votes(raw: Raw) -> dict[str, tuple[str, ...] | None]:
    return {who: None if options is None else tuple(options) for who, options in raw["votes"].items()}


def ticks_from_raw(raw: Raw) -> Ticks:
    """The receipts in ``raw``."""
    times = {kind: _time(raw[kind]) for kind in ("delivered", "read", "played", "failed")}
    return Ticks(raw["wa_id"], **times, by=tuple(raw["by"]))


def typing_from_raw(raw: Raw) -> Typing:
    """The presences in ``raw``."""
    return Typing(raw["chat"], raw["who"], tuple(state for state, _ in raw["history"]))


def report_from_raw(raw: Raw) -> StreamReport:
    """How far the stream in ``raw`` is."""
    customers, last = {}, raw["started"]
    for name, load in raw["customers"].items():
        begun = {number: at for number, at, _ in load["sent"]}
        first: dict[int, int] = {}
        for number, at, _ in load["replies"]:
            first.setdefault(number, at)
            last = max(last, at)
        customers[name] = CustomerLoad(
            name=name,
            sent=tuple(begun),
            failed=tuple((number, reason) for number, reason in load["failed"]),
            answered=tuple(number for number, _, _ in load["replies"]),
            latencies=tuple((at - begun[number]) / 1000 for number, at in first.items() if number in begun),
        )
    return StreamReport(raw["done"], (last - raw["started"]) / 1000, customers)
