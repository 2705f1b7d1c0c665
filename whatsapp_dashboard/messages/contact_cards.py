"""The numbers on contact cards that go out: with their country code, as the phone that gets the card needs them (MSG-2)."""

from __future__ import annotations

from dataclasses import replace

from whatsapp_dashboard.domain.messages import ContactCard, Content
from whatsapp_dashboard.domain.numbers import read_phone


def with_read_numbers(content: Content, country: str | None) -> Content:
    """``content`` with the numbers of its cards as ``+digits``; local ones are numbers of ``country``. A card given whole stays.

    Raises :class:`Invalid` for what is no number.
    """
    if not content.contacts:
        return content
    return replace(content, contacts=tuple(card if card.vcard else _read(card, country) for card in content.contacts))


def _read(card: ContactCard, country: str | None) -> ContactCard:
    phones = [read_phone(phone, country=country, field="phones")[0] for phone in card.phones]
    return replace(card, phones=tuple(dict.fromkeys(f"+{phone}" for phone in phones)))
