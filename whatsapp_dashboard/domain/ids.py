"""Every identifier of the field is made and read here: phone numbers, WhatsApp addresses, our own ids (MSG-2).

WhatsApp knows a person by phone number (``34600111222@s.whatsapp.net``, written ``@c.us`` by older systems) and by a
hidden identity (``123456@lid``). An :class:`Address` holds whichever of both is known.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import phonenumbers
import uuid_utils

from whatsapp_dashboard.errors import Invalid

PHONE_HOSTS = frozenset({"s.whatsapp.net", "c.us", "hosted"})
"""Before these stands a phone number."""
_LID_HOSTS = frozenset({"lid", "hosted.lid"})
_DEVICE = re.compile(r"[:._]")  # where the device of a person begins: 34600111222:12@..., 34600111222.0:12@..., 123_1:4@...
_DIGITS = re.compile(r"[0-9]{1,20}")
_VARIANTS = (
    # A ninth digit was put before the eight that began with 6 to 9; behind it stand 0 to 5 only in numbers given out since.
    (re.compile(r"(55[1-9][1-9])9([6-9][0-9]{7})"), r"\1\2"),
    (re.compile(r"(55[1-9][1-9])([6-9][0-9]{7})"), r"\g<1>9\2"),
    (re.compile(r"521([2-9][0-9]{9})"), r"52\1"),
    (re.compile(r"52([2-9][0-9]{9})"), r"521\1"),
    (re.compile(r"549([1-3][0-9]{9})"), r"54\1"),
    (re.compile(r"54([1-3][0-9]{9})"), r"549\1"),
)


def new_id() -> str:
    """Make an id that sorts by creation time (UUID version 7, RFC 9562)."""
    return str(uuid_utils.uuid7())


def new_id_at(at: datetime, nth: int = 0) -> str:
    """Make an id that sorts as if made at ``at``, ``nth`` milliseconds later: for what is stored after its time."""
    return str(uuid_utils.uuid7(nanoseconds=int(at.timestamp() * 1_000 + nth) * 1_000_000))


def id_after(last: str, at: datetime) -> str:
    """Make an id for ``at`` that sorts after ``last``, also when another machine made that one and its clock is ahead of ours."""
    made = new_id_at(at)
    return made if made > last else str(uuid.UUID(int=uuid.UUID(last).int + 1))


def id_floor(at: datetime) -> str:
    """An id below every id made at ``at`` or later: finds rows by time through the index of their ids."""
    milliseconds = f"{int(at.timestamp() * 1000):012x}"
    return f"{milliseconds[:8]}-{milliseconds[8:]}-0000-0000-000000000000"


def time_of_id(made: str) -> datetime:
    """When an id was made, to the millisecond."""
    return datetime.fromtimestamp((uuid.UUID(made).int >> 80) / 1_000, UTC)


class ContactKind(StrEnum):
    """What is on the other side of a conversation."""

    PERSON = "person"
    GROUP = "group"
    CHANNEL = "channel"
    BROADCAST = "broadcast"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class Address:
    """The other side of a conversation. A person has ``phone`` (digits only, E.164) or ``lid`` (digits) or both;
    anything else has ``jid`` (``...@g.us``, ``...@newsletter``, ``...@broadcast``)."""

    kind: ContactKind = ContactKind.PERSON
    phone: str | None = None
    lid: str | None = None
    jid: str | None = None

    def __post_init__(self) -> None:
        if not (self.phone or self.lid or self.jid):
            raise ValueError("an address needs a phone number, a LID or a JID")

    def __str__(self) -> str:
        """The address as WhatsApp writes it, the phone number preferred."""
        if self.phone:
            return f"{self.phone}@s.whatsapp.net"
        if self.lid:
            return f"{self.lid}@lid"
        return self.jid or ""

    @property
    def is_person(self) -> bool:
        """Whether a single person answers here."""
        return self.kind is ContactKind.PERSON


def parse_jid(jid: str, *, alt: str | None = None, field: str = "number") -> Address:
    """Read a WhatsApp address; ``alt`` is the same person's other address, where the engine reports it. The device is left out.

    Raises :class:`Invalid` about ``field`` for text that is not a WhatsApp address.
    """
    user, _, host = jid.strip().partition("@")
    person = user_of(user)
    if host in PHONE_HOSTS and _DIGITS.fullmatch(person):
        lid = parse_jid(alt).lid if alt else None
        return Address(phone=person, lid=lid)
    if host in _LID_HOSTS and _DIGITS.fullmatch(person):
        phone = parse_jid(alt).phone if alt else None
        return Address(phone=phone, lid=person)
    if host == "g.us" and user:
        return Address(ContactKind.GROUP, jid=f"{user}@g.us")
    if host == "newsletter" and user:
        return Address(ContactKind.CHANNEL, jid=f"{user}@newsletter")
    if host == "broadcast" and user:
        kind = ContactKind.STATUS if user == "status" else ContactKind.BROADCAST
        return Address(kind, jid=f"{user}@broadcast")
    raise Invalid(f"“{clip(jid)}” is not a WhatsApp address.", code="bad_address", field=field)


def user_of(user: str) -> str:
    """What stands before the ``@`` of a person's address, without the device."""
    return _DEVICE.split(user, maxsplit=1)[0]


def clip(text: str) -> str:
    """The beginning of what somebody typed, for a sentence about it."""
    return text if len(text) <= 40 else text[:39] + "…"


def format_phone(phone: str | None) -> str:
    """Digits as people read them (``+34 600 11 12 22``); the digits with a plus sign when the plan is unknown."""
    if not phone:
        return ""
    try:
        return phonenumbers.format_number(phonenumbers.parse("+" + phone, None), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    except phonenumbers.NumberParseException:
        return "+" + phone


def phone_variants(phone: str) -> frozenset[str]:
    """All ways the same WhatsApp person may appear as digits, ``phone`` included (MSG-10). Each of them has the same ways.

    Brazil writes mobile numbers with or without the ninth digit, Mexico with or without a 1 after 52, Argentina with or
    without a 9 after 54; WhatsApp reports either.
    """
    for shape, other in _VARIANTS:
        if found := shape.fullmatch(phone):
            return frozenset({phone, found.expand(other)})
    return frozenset({phone})


def same_phone(one: str | None, other: str | None) -> bool:
    """Whether two numbers (digits) are one person's, however WhatsApp writes them."""
    return one is not None and other is not None and other in phone_variants(one)
