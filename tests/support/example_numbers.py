"""A mobile number of every country, and every way people and programs write one (MSG-2)."""

from __future__ import annotations

from collections.abc import Iterator

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

COUNTRIES = sorted(phonenumbers.SUPPORTED_REGIONS)
"""Every default country an account may have."""
EXAMPLES: dict[str, PhoneNumber] = {
    country: number
    for country in COUNTRIES
    if (number := phonenumbers.example_number_for_type(country, PhoneNumberType.MOBILE)) is not None
}
"""By country; one island has no mobile numbers."""
UNSEEN = "\u200b\u200e\u202a\u202c\u2066\u2069\ufeff\u00ad\ufe0f"
"""Signs that come along when a number is copied."""


def e164(number: PhoneNumber) -> str:
    """The digits with country code."""
    return phonenumbers.format_number(number, PhoneNumberFormat.E164).lstrip("+")


def spaced(number: PhoneNumber) -> str:
    """As it stands on a card: ``+34 612 34 56 78``."""
    return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)


def at_home(number: PhoneNumber) -> str:
    """As it is written in its own country."""
    return phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)


def hidden_signs(text: str) -> str:
    """``text`` with a sign nobody sees behind each of its own, and around it."""
    return "\u202a" + "".join(sign + UNSEEN[position % len(UNSEEN)] for position, sign in enumerate(text)) + "\u202c"


def in_script(text: str, zero: str) -> str:
    """``text`` with the digits of the script whose zero is given."""
    return "".join(chr(ord(zero) + int(sign)) if sign.isdigit() else sign for sign in text)


def international_forms(number: PhoneNumber) -> Iterator[str]:
    """Every form that is read the same whatever the default country is."""
    digits, grouped = e164(number), spaced(number)
    yield f"+{digits}"
    yield grouped
    yield f"00{digits}"
    yield f"00 {grouped[1:]}"
    yield digits
    yield f"{digits}@c.us"
    yield f"{digits}@s.whatsapp.net"
    yield f"{digits}:12@s.whatsapp.net"
    yield f"{digits}.0:12@s.whatsapp.net"
    yield hidden_signs(grouped)
    yield grouped.replace(" ", "\u00a0").replace("-", "\u2011")
