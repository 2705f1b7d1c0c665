"""One number, however it is written and wherever the account is at home, is one recipient (MSG-2, MSG-10)."""

from __future__ import annotations

import pytest

from tests.support.example_numbers import COUNTRIES, EXAMPLES, at_home, e164, hidden_signs, in_script, international_forms
from whatsapp_dashboard.domain.ids import Address, ContactKind, phone_variants, same_phone
from whatsapp_dashboard.domain.numbers import digits_to_find, format_written, parse_number, read_number, read_phone, shown
from whatsapp_dashboard.errors import Invalid

CARLA = "34685876583"


@pytest.mark.parametrize("form", range(len(list(international_forms(EXAMPLES["ES"])))))
def test_every_countrys_number_is_read_the_same_in_every_default_country(form: int) -> None:
    """MSG-2: 245 default countries, 244 numbers, each form of :func:`international_forms`; none becomes somebody else's."""
    written = {e164(number): list(international_forms(number))[form] for number in EXAMPLES.values()}
    wrong = [
        (country, text, read)
        for country in [None, *COUNTRIES]
        for digits, text in written.items()
        if (read := parse_number(text, country=country).phone) != digits
    ]
    assert wrong == []


def test_every_countrys_number_is_read_at_home_as_it_is_written_there() -> None:
    """MSG-2: with the account's default country. One country's mobile numbers look like another's with its code: then both are told."""
    collisions = []
    for country, number in EXAMPLES.items():
        local = at_home(number)
        for text in (local, hidden_signs(local), in_script(local, "٠"), in_script(local, "０")):
            assert parse_number(text, country=country).phone == e164(number), (country, text)
        bare = "".join(filter(str.isdigit, local))
        reading = read_number(bare, country=country)
        if reading.address.phone != e164(number):
            collisions.append(country)
            assert reading.other == e164(number)
    assert collisions == ["CN"]


@pytest.mark.parametrize(
    ("text", "country", "phone", "other"),
    [
        # International first: a Dane for an account in Brazil.
        ("4534412345", "BR", "4534412345", "554534412345"),
        ("45 34412345", "BR", "4534412345", "554534412345"),
        ("4915112345678", "DE", "4915112345678", "494915112345678"),
        ("49151 12345678", "DE", "4915112345678", "494915112345678"),
        # A bracket is put around an area code, never around a country code without a plus.
        ("(45) 3441-2345", "BR", "554534412345", "4534412345"),
        # A mobile phone before a fixed line: people who use WhatsApp have the former.
        ("2015550123", "US", "12015550123", "2015550123"),
        ("34 98123-4567", "BR", "5534981234567", "34981234567"),
        # Both mobile: grouped like a number at home, and not grouped at all.
        ("131 2345 6789", "CN", "8613123456789", "13123456789"),
        ("13123456789", "CN", "13123456789", "8613123456789"),
        ("1 312 345 6789", "CN", "13123456789", "8613123456789"),
        # Only one reading is a number.
        ("0151 12345678", "DE", "4915112345678", None),
        ("4915112345678", "ES", "4915112345678", None),
        ("011 34 685 87 65 83", "US", CARLA, None),
    ],
)
def test_digits_that_could_be_two_numbers_follow_the_rule_and_the_other_is_named(
    text: str, country: str, phone: str, other: str | None
) -> None:
    """MSG-2: docs/decisions/reading-numbers.md."""
    reading = read_number(text, country=country)
    assert (reading.address.phone, reading.other) == (phone, other)
    assert parse_number(f"+{phone}", country=country).phone == phone


@pytest.mark.parametrize(
    "text",
    [
        "\u202a+34 685 87 65 83\u202c",
        "\u2066+34\u00a0685\u202f87\u200965\u300083\u2069", "+34‐685‑87‒65–83", "＋３４（６８５）８７－６５－８３",
        "+34−685—87―65⁃83", "٠٠٣٤ ٦٨٥ ٨٧ ٦٥ ٨٣", "+۳۴۶۸۵۸۷۶۵۸۳", "+३४ ६८५ ८७ ६५ ८३", "\ufeff34685876583", "+34.685·87•65．83",
        "+34\t685\n876583", "+3️4️685876583", "[+34] 685/87/65/83", "+34~685~876583", "+0034 685 876 583", "34685876583＠c.us",
        "34685876583:7@S.WhatsApp.net", "+34 685 876 583@c.us", "34685876583:99@hosted",
    ],
)  # fmt: skip
def test_what_is_copied_from_anywhere_is_read(text: str) -> None:
    """MSG-2: signs nobody can see are dropped; dashes, spaces and digits of all of Unicode are read."""
    assert parse_number(text) == Address(phone=CARLA)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("+34 685²", "letters or signs"),
        ("+34 685 87 65 8३x", "letters or signs"),
        ("☎ +34 685876583", "letters or signs"),
        ("049151@c.us", "before the @ stand the country code"),
        ("123@c.us", "5 to 20 digits"),
        ("abc@s.whatsapp.net", "before the @ stand"),
        ("+34 68587658", "too short"),
        ("+999 123456789", "known country code"),
        ("0151 12345678", "known country code.*no default country"),
        ("\u200b\u202a\u202c", "is needed"),
        ("12@lid.example", "not a WhatsApp address"),
    ],
)
def test_a_bad_number_says_what_is_wrong_and_what_to_do(text: str, says: str) -> None:
    """MSG-2."""
    with pytest.raises(Invalid, match=says) as caught:
        parse_number(text, field="phone")
    assert caught.value.field == "phone"
    assert "example" in caught.value.message or "@" in text


@pytest.mark.parametrize("address", ["998877665544332@lid", "998877665544332:3@lid", "998877665544332_1:3@hosted.lid"])
def test_a_hidden_identity_stays_one_in_every_country(address: str) -> None:
    """MSG-2: fifteen digits that could be a number as well."""
    assert all(parse_number(address, country=country) == Address(lid="998877665544332") for country in COUNTRIES)


@pytest.mark.parametrize("address", ["34600111222-1430000000@g.us", "120363041234567890@newsletter", "status@broadcast", "1234@broadcast"])
def test_groups_channels_and_status_stay_what_they_are(address: str) -> None:
    """MSG-2, ACC-8."""
    for country in COUNTRIES:
        read = parse_number(address, country=country)
        assert (str(read), read.kind is ContactKind.PERSON, read.phone) == (address, False, None)


def test_where_only_a_phone_will_do_other_addresses_are_refused() -> None:
    """MSG-2: linking and contact cards."""
    assert read_phone("4534412345", country="BR") == ("4534412345", "554534412345")
    for address in ("998877665544332@lid", "120363001@g.us"):
        with pytest.raises(Invalid, match=r"is no phone number\. Write one") as caught:
            read_phone(address)
        assert caught.value.field == "phone"


@pytest.mark.parametrize(
    ("text", "country", "phone"),
    [
        ("5215512345678@c.us", None, "5215512345678"),
        ("+52 1 55 1234 5678", None, "5215512345678"),
        ("0052 1 55 1234 5678", "DE", "5215512345678"),
        ("5215512345678", "BR", "5215512345678"),
        ("55 1234 5678", "MX", "525512345678"),
        ("+54 11 2345 6789", None, "541123456789"),
        ("+54 11 15 2345 6789", None, "5491123456789"),
        ("011 15 2345-6789", "AR", "5491123456789"),
        ("+55 11 8765-4321", None, "551187654321"),
        ("551187654321", "AR", "551187654321"),
        ("(11) 8765-4321", "BR", "551187654321"),
        ("(11) 98765-4321", "BR", "5511987654321"),
    ],
)
def test_the_older_ways_of_mexico_brazil_and_argentina_are_read(text: str, country: str | None, phone: str) -> None:
    """MSG-2: as they are; which one is written to is WhatsApp's word (MSG-10)."""
    assert parse_number(text, country=country).phone == phone


def test_ways_to_write_one_number_are_a_set_that_each_of_them_has() -> None:
    """MSG-10: whichever comes first, the same numbers are one person, and no others are."""
    numbers = {e164(number) for number in EXAMPLES.values()}
    numbers |= {f"5511{first}{second}1234567" for first in ("9", "") for second in "0123456789"}
    numbers |= {"5215512345678", "525512345678", "5491123456789", "541123456789", "5493511234567"}
    for number in numbers:
        for variant in phone_variants(number):
            assert phone_variants(variant) == phone_variants(number), number
            assert same_phone(number, variant)
    # A fixed line in São Paulo, and a mobile number given out after the ninth digit came: two people.
    assert not same_phone("551123456789", "5511923456789")
    assert not same_phone("525512345678", "525512345679")
    assert not same_phone(None, None)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("0151 1234", "4915112345678"), ("+49 151", "4915112345678"), ("0049151", "4915112345678"), ("4915112345678@c.us", "4915112345678"),
        ("+52 1 55 1234 5678", "525512345678"), ("+55 11 8765 4321", "5511987654321"), ("\u202a685 87\u202c", CARLA), ("٦٨٥", CARLA),
        ("998877665544332:4@lid", "998877665544332"),
    ],
)  # fmt: skip
def test_a_number_is_found_however_it_is_typed(typed: str, stored: str) -> None:
    """MSG-2, MSG-7."""
    assert any(digits in stored for digits in digits_to_find(typed))
    assert not any(digits in "1" * 15 for digits in digits_to_find(typed))


@pytest.mark.parametrize("text", ["", "Carla", "5 mm", "0", "()", "\u202a"])
def test_what_is_no_part_of_a_number_is_not_looked_for_in_numbers(text: str) -> None:
    """MSG-7."""
    assert digits_to_find(text) == ()


def test_a_number_is_shown_with_its_country() -> None:
    """MSG-2: what a person compares before sending."""
    assert shown("4534412345") == "+45 34 41 23 45 (DK)"
    assert shown("5215512345678").endswith("(MX)")
    assert shown(None) == ""
    assert format_written("0034 685876583") == format_written("34685876583") == "+34 685 87 65 83"
    assert format_written("0151 1234") == "0151 1234"
    assert format_written("Reception") == "Reception"

