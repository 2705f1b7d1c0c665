"""Phone numbers as people and programs write them, read into addresses (MSG-2, MSG-10).

The rules stand in docs/decisions/reading-numbers.md; here is the one place that follows them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType, ValidationResult

from whatsapp_dashboard.domain.ids import PHONE_HOSTS, Address, clip, format_phone, parse_jid, phone_variants, user_of
from whatsapp_dashboard.domain.written import readable
from whatsapp_dashboard.errors import Invalid

MAX_NUMBER_INPUT = 64
EXAMPLE = "+34600111222"
_OF_A_NUMBER = re.compile(r"[0-9 ()\[\]/.+~-]*")
_WHATSAPPS = re.compile(r"[1-9][0-9]{4,19}")
_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)  # some countries do not tell one from the other
_REASONS = {
    ValidationResult.TOO_SHORT: "is too short to be a phone number.",
    ValidationResult.TOO_LONG: "is too long to be a phone number.",
    ValidationResult.INVALID_COUNTRY_CODE: "does not begin with a known country code.",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What was understood. ``other`` (digits with country code) is what the same digits could have meant as well."""

    address: Address
    other: str | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """A number that digits may mean; ``code`` is its country code."""

    digits: str
    code: str
    possible: bool
    valid: bool
    mobile: bool


def parse_number(text: str, *, country: str | None = None, field: str = "number") -> Address:
    """Read what a person or a program gave as a recipient; see :func:`read_number`."""
    return read_number(text, country=country, field=field).address


def read_number(text: str, *, country: str | None = None, field: str = "number") -> Reading:
    """Read ``+1234567890``, ``001234567890``, ``1234567890``, a local number of ``country`` (ISO 3166 alpha-2, upper case), or
    any WhatsApp address, which is taken as it is. Signs that nobody sees are left out; digits, spaces and dashes of all scripts are read.

    Raises :class:`Invalid` about ``field`` that says what was wrong and what to do.
    """
    given = readable(text)
    if not given:
        raise Invalid(f"A phone number is needed, for example {EXAMPLE}.", code="number_missing", field=field)
    if len(given) > MAX_NUMBER_INPUT:
        raise Invalid(f"This is too long for a phone number ({len(given)} characters).", code="bad_number", field=field)
    user, at, host = given.partition("@")
    if at:
        return Reading(_whatsapps(given, user, host.strip().lower(), field))
    if not _OF_A_NUMBER.fullmatch(user):
        raise Invalid(
            f"“{clip(given)}” has letters or signs that no phone number has. Write only the number, for example {EXAMPLE}.",
            code="bad_number",
            field=field,
        )
    digits = _only_digits(user)
    if "+" in user or digits.startswith("00"):
        found = _best([_international(digits.removeprefix("00"))], unlisted=True) or _best([_local(digits, country)])
        reading = Reading(Address(phone=found.digits)) if found else None
    else:
        reading = _bare(user, digits, country)
    if reading is None:
        raise Invalid(_why_bad(given, user, digits, country), code="bad_number", field=field)
    return reading


def read_phone(text: str, *, country: str | None = None, field: str = "phone") -> tuple[str, str | None]:
    """Like :func:`read_number` where only a phone number will do: its digits, and what else they could have meant."""
    reading = read_number(text, country=country, field=field)
    if reading.address.phone is None:
        raise Invalid(f"“{clip(readable(text))}” is no phone number. Write one, for example {EXAMPLE}.", code="bad_number", field=field)
    return reading.address.phone, reading.other


def international(phone: str | None) -> str | None:
    """``+digits``, which is read the same everywhere; None for none."""
    return f"+{phone}" if phone else None


def shown(phone: str | None) -> str:
    """A number with its country, as a person checks it: ``+45 34 41 23 45 (DK)``; empty for none."""
    region = region_of(phone) if phone else ""
    return f"{format_phone(phone)} ({region})" if region else format_phone(phone)


def region_of(phone: str) -> str:
    """The country of a number (digits) in ISO 3166 alpha-2; empty when it is not known."""
    for variant in sorted(phone_variants(phone), key=lambda one: one != phone):
        if (number := _parsed("+" + variant, None)) and (region := phonenumbers.region_code_for_number(number)):
            return region
    return ""


def format_written(phone: str) -> str:
    """A number of a contact card for people: in groups when it was written with its country code, else as it is."""
    given = readable(phone)
    found = None
    if _OF_A_NUMBER.fullmatch(given) and ("+" in given or given.startswith("00") or len(_only_digits(given)) > 10):
        found = _best([_international(_only_digits(given).removeprefix("00"))])
    return format_phone(found.digits) if found else phone


def digits_to_find(text: str) -> tuple[str, ...]:
    """What to look for in stored numbers when somebody searches for ``text``; nothing when it is no part of a number or address."""
    given = readable(text)
    user, at, _ = given.partition("@")
    user = user_of(user) if at else user
    if not _OF_A_NUMBER.fullmatch(user):
        return ()
    digits = _only_digits(user).lstrip("0")  # 0049 151..., and 0151... as it is written where the number is at home
    return tuple(sorted(phone_variants(digits))) if digits else ()


def _whatsapps(given: str, user: str, host: str, field: str) -> Address:
    """An address that WhatsApp gave: it knows better than any list of numbers."""
    if host not in PHONE_HOSTS:
        return parse_jid(f"{user.strip()}@{host}", field=field)
    digits = _only_digits(user_of(user.strip())).removeprefix("00")
    if _OF_A_NUMBER.fullmatch(re.sub(r"[:_].*", "", user)) and _WHATSAPPS.fullmatch(digits):
        return Address(phone=digits)
    raise Invalid(
        f"“{clip(given)}” is not a WhatsApp address: before the @ stand the country code and the number, 5 to 20 digits, for example "
        f"{EXAMPLE[1:]}@c.us.",
        code="bad_number",
        field=field,
    )


def _bare(user: str, digits: str, country: str | None) -> Reading | None:
    """Digits without a plus: with their country code, or local in ``country``? Where both are numbers, see the decision."""
    abroad, here = _best([_international(digits)]), _best([_local(digits, country)])
    if abroad is None or here is None or abroad.digits == here.digits:
        found = abroad or here
        return Reading(Address(phone=found.digits)) if found else None
    first, second = (here, abroad) if _is_local(user, abroad, here) else (abroad, here)
    return Reading(Address(phone=first.digits), second.digits)


def _is_local(user: str, abroad: _Found, here: _Found) -> bool:
    """Which of two valid readings: a bracket around an area code, then the one that is a mobile phone, then how it is grouped;
    when nothing speaks for the local one, the international one."""
    if user.strip()[:1] in ("(", "["):
        return True
    if abroad.mobile != here.mobile:
        return here.mobile
    first, *more = re.findall(r"[0-9]+", user)
    return bool(more) and first != abroad.code


@lru_cache(maxsize=4_096)
def _international(digits: str) -> _Found | None:
    number = _parsed("+" + digits, None)
    return _found(number, digits) if number else None


def _local(digits: str, country: str | None) -> _Found | None:
    number = _parsed(digits, country) if country else None
    return _found(number, _e164(number)) if number else None


def _found(number: PhoneNumber, digits: str) -> _Found:
    """``number`` with what is known of it, or of another way WhatsApp writes it: then it stays as it was given."""
    code = str(number.country_code)
    if phonenumbers.is_valid_number(number):
        return _Found(_e164(number), code, True, True, phonenumbers.number_type(number) in _MOBILE)
    for variant in phone_variants(digits) - {digits}:
        other = _parsed("+" + variant, None)
        if other and phonenumbers.is_valid_number(other):
            return _Found(digits, code, True, True, phonenumbers.number_type(other) in _MOBILE)
    return _Found(_e164(number), code, phonenumbers.is_possible_number(number), False, False)


def _best(readings: list[_Found | None], *, unlisted: bool = False) -> _Found | None:
    """The first valid one. WhatsApp knows test and new ranges before libphonenumber does: ``unlisted`` lets a possible one through."""
    known = [found for found in readings if found is not None]
    return next((found for found in known if found.valid or (unlisted and found.possible)), None)


def _parsed(text: str, country: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None


def _why_bad(given: str, user: str, digits: str, country: str | None) -> str:
    explicit = "+" in user or digits.startswith("00")
    hint = f" Write it with + and its country code, for example {EXAMPLE}{'' if country or explicit else ' (there is no default country)'}."
    number = (None if explicit or not country else _parsed(digits, country)) or _parsed("+" + digits.removeprefix("00"), None)
    if number is None:
        return f"“{clip(given)}” does not begin with a known country code." + hint
    reason = _REASONS.get(phonenumbers.is_possible_number_with_reason(number), "is not a valid phone number.")
    return f"“{clip(given)}” {reason}" + hint


def _only_digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).lstrip("+")
