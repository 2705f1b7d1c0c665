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

MAX_NUMBER_INPUT = 64
_PHONE_HOSTS = frozenset({"s.whatsapp.net", "c.us"})
_USER_SUFFIX = re.compile(r"[:.]\d+$")  # the device part of a JID: 34600111222:12@...


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


def parse_jid(jid: str, *, alt: str | None = None) -> Address:
    """Read a WhatsApp address; ``alt`` is the same person's other address, where the engine reports it.

    Raises :class:`Invalid` for text that is not a WhatsApp address.
    """
    user, _, host = jid.strip().partition("@")
    user = _USER_SUFFIX.sub("", user)
    if host in _PHONE_HOSTS and user.isdigit():
        lid = parse_jid(alt).lid if alt else None
        return Address(phone=user, lid=lid)
    if host == "lid" and user.isdigit():
        phone = parse_jid(alt).phone if alt else None
        return Address(phone=phone, lid=user)
    if host == "g.us" and user:
        return Address(ContactKind.GROUP, jid=f"{user}@g.us")
    if host == "newsletter" and user:
        return Address(ContactKind.CHANNEL, jid=f"{user}@newsletter")
    if host == "broadcast" and user:
        kind = ContactKind.STATUS if user == "status" else ContactKind.BROADCAST
        return Address(kind, jid=f"{user}@broadcast")
    raise Invalid(f"“{_clip(jid)}” is not a WhatsApp address.", code="bad_address", field="number")


def parse_number(text: str, *, country: str | None = None) -> Address:
    """Read what a person typed as a recipient: ``+1234567890``, ``1234567890``, ``1234567890@c.us``, a local number of
    ``country`` (ISO 3166 alpha-2, upper case), or any WhatsApp address (MSG-2).

    Raises :class:`Invalid` that says what was wrong with it.
    """
    given = text.strip()
    if not given:
        raise Invalid("A phone number is needed, for example +34600111222.", code="number_missing", field="number")
    if len(given) > MAX_NUMBER_INPUT:
        raise Invalid(f"This is too long for a phone number ({len(given)} characters).", code="bad_number", field="number")
    user, at, host = given.partition("@")
    if at and host not in _PHONE_HOSTS:
        return parse_jid(given)
    if re.search(r"[^\d\s()./+\-\u00a0]", user):
        raise Invalid(f"“{_clip(given)}” has letters or signs that no phone number has.", code="bad_number", field="number")
    candidates = _candidates(user, country)
    for candidate in candidates:
        if phonenumbers.is_possible_number(candidate) and phonenumbers.is_valid_number(candidate):
            return Address(phone=_digits(candidate))
    # WhatsApp knows test and new ranges before libphonenumber does: a possible international number is let through.
    for candidate in candidates:
        if phonenumbers.is_possible_number(candidate) and (user.strip().startswith("+") or at):
            return Address(phone=_digits(candidate))
    raise Invalid(_why_bad(given, candidates, country), code="bad_number", field="number")


def _candidates(user: str, country: str | None) -> list[phonenumbers.PhoneNumber]:
    """The readings of a typed number, the likeliest first: with ``+`` only international, else local before bare."""
    attempts: list[tuple[str, str | None]] = []
    if user.strip().startswith("+"):
        attempts.append((user, None))
    else:
        if country:
            attempts.append((user, country))
        attempts.append(("+" + user.strip(), None))
    found = []
    for number, region in attempts:
        try:
            found.append(phonenumbers.parse(number, region))
        except phonenumbers.NumberParseException:
            continue
    return found


def _why_bad(given: str, candidates: list[phonenumbers.PhoneNumber], country: str | None) -> str:
    hint = f" Write it with its country code, for example +34600111222{'' if country else ' (the account has no default country)'}."
    if not candidates:
        return f"“{_clip(given)}” does not begin with a known country code." + hint
    reasons = {
        phonenumbers.ValidationResult.TOO_SHORT: "is too short to be a phone number.",
        phonenumbers.ValidationResult.TOO_LONG: "is too long to be a phone number.",
        phonenumbers.ValidationResult.INVALID_COUNTRY_CODE: "does not begin with a known country code.",
    }
    reason = reasons.get(phonenumbers.is_possible_number_with_reason(candidates[0]), "is not a valid phone number.")
    return f"“{_clip(given)}” {reason}" + hint


def _digits(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).lstrip("+")


def _clip(text: str) -> str:
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
    """All ways the same WhatsApp person may appear as digits, ``phone`` included (MSG-10).

    Brazil writes mobile numbers with or without the ninth digit, Mexico with or without a 1 after 52, Argentina with or
    without a 9 after 54; WhatsApp reports either.
    """
    found = {phone}
    if phone.startswith("55") and len(phone) == 13 and phone[4] == "9":
        found.add(phone[:4] + phone[5:])
    elif phone.startswith("55") and len(phone) == 12 and phone[4] in "6789":
        found.add(phone[:4] + "9" + phone[4:])
    elif phone.startswith("521") and len(phone) == 13:
        found.add("52" + phone[3:])
    elif phone.startswith("52") and len(phone) == 12:
        found.add("521" + phone[2:])
    elif phone.startswith("549") and len(phone) == 13:
        found.add("54" + phone[3:])
    elif phone.startswith("54") and len(phone) == 12:
        found.add("549" + phone[2:])
    return frozenset(found)
