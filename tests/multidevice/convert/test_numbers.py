"""Numbers as the library writes them: WhatsApp's two ways, and cards made of numbers (MSG-2, MSG-10)."""

from __future__ import annotations

import pytest

from tests.multidevice.convert.build import Notes
from whatsapp_dashboard.domain.messages import ContactCard
from whatsapp_dashboard.engines.multidevice.host.convert.cards import read_vcard, vcard_of
from whatsapp_dashboard.engines.multidevice.host.convert.ids import is_own


@pytest.mark.parametrize(
    ("own", "shown"), [("525512345678", "5215512345678"), ("5511987654321", "551187654321"), ("541123456789", "5491123456789")]
)
def test_the_account_itself_is_known_by_either_way_to_write_its_number(own: str, shown: str) -> None:
    """MSG-10: what it wrote is not a customer's, and a reply to it quotes us."""
    for number, book in ((own, Notes(own_phone=own)), (shown, Notes(own_phone=own)), (own, Notes(own_phone=shown))):
        assert is_own(f"{number}:7@s.whatsapp.net", book)
    assert not is_own("4915112345678@s.whatsapp.net", Notes(own_phone=own))


def test_a_local_number_on_a_card_is_nobodys_on_whatsapp() -> None:
    """MSG-2: it stays as it is written; one with its country code opens a chat."""
    card = vcard_of(ContactCard("Ana", ("+34 685 87 65 83", "0151 1234567")))
    assert "waid=34685876583:+34685876583" in card
    assert "TEL;type=CELL;type=VOICE:0151 1234567" in card
    assert read_vcard(card) == ("Ana", ("+34685876583", "0151 1234567"))
