"""Numbers and addresses are read as people and WhatsApp write them (MSG-2, MSG-10)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from whatsapp_dashboard.domain.ids import Address, ContactKind, id_floor, new_id, parse_jid, phone_variants
from whatsapp_dashboard.domain.numbers import parse_number
from whatsapp_dashboard.errors import Invalid


@pytest.mark.parametrize("text", ["+34600111222", "34600111222", "34600111222@c.us", "34600111222@s.whatsapp.net", " +34 600-11.12 (22) "])
def test_every_usual_writing_of_a_number_is_the_same_person(text: str) -> None:
    """MSG-2: international, bare, WhatsApp's and with signs."""
    assert parse_number(text) == Address(phone="34600111222")


def test_a_local_number_is_read_in_the_accounts_country() -> None:
    """MSG-2: the default country completes it."""
    assert parse_number("600 111 222", country="ES").phone == "34600111222"
    assert parse_number("98765 43210", country="IN").phone == "919876543210"


def test_a_bare_international_number_is_not_mistaken_for_a_local_one() -> None:
    """MSG-2: with a default country, a number with another country's code still means that country."""
    assert parse_number("+919876543210", country="ES").phone == "919876543210"
    assert parse_number("919876543210", country="ES").phone == "919876543210"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is needed"),
        ("   ", "is needed"),
        ("hello", "letters"),
        ("123", "country code|too short"),
        ("+999123456789", "country code"),
        ("+3460011122233344455", "too long"),
        ("600111222", "country code"),
        ("9" * 300, "too long"),
        ("<script>alert(1)</script>", "letters"),
        ("34600111222@example.org", "not a WhatsApp address"),
        ("@c.us", "country code"),
        ("+", "country code"),
        ("\x00", "letters"),
    ],
)
def test_a_bad_number_says_what_was_wrong(text: str, says: str) -> None:
    """MSG-2: a clear error, with the field it is about."""
    with pytest.raises(Invalid, match=says) as caught:
        parse_number(text)
    assert caught.value.field == "number"


def test_a_hidden_identity_is_kept_with_its_phone_number() -> None:
    """MSG-2: whichever of the two came first."""
    both = Address(phone="34600111222", lid="998877665544")
    assert parse_jid("998877665544@lid", alt="34600111222:12@s.whatsapp.net") == both
    assert parse_jid("34600111222@s.whatsapp.net", alt="998877665544@lid") == both


@pytest.mark.parametrize(
    ("jid", "kind"),
    [
        ("120363001@g.us", ContactKind.GROUP),
        ("120363002@newsletter", ContactKind.CHANNEL),
        ("status@broadcast", ContactKind.STATUS),
        ("1234@broadcast", ContactKind.BROADCAST),
    ],
)
def test_what_is_not_a_person_is_known_by_its_address(jid: str, kind: ContactKind) -> None:
    """ACC-8: groups, channels, broadcasts and status updates are told apart."""
    address = parse_jid(jid)
    assert address.kind is kind
    assert str(address) == jid
    assert not address.is_person


@pytest.mark.parametrize(
    ("one", "other"), [("5511987654321", "551187654321"), ("5215512345678", "525512345678"), ("5491123456789", "541123456789")]
)
def test_country_variants_of_a_number_are_one_person(one: str, other: str) -> None:
    """MSG-10: Brazil, Mexico and Argentina."""
    assert phone_variants(one) == phone_variants(other) == {one, other}


def test_ids_sort_by_the_time_they_were_made() -> None:
    """Lists are paged by id, so later ids must be greater, also within a millisecond."""
    ids = [new_id() for _ in range(1_000)]
    assert ids == sorted(ids)
    now = datetime.now(UTC)
    assert id_floor(now - timedelta(seconds=5)) < ids[0] < id_floor(now + timedelta(seconds=5))
