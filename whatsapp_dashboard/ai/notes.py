"""What a model is told of a message besides its words: what it replies to, places, contacts, polls, mentions, edits (AI-10). Pure.

The words before the colon are ours. What stands behind it is the customer's, and goes between marks as data: nobody can write there
what reads like a rule of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from whatsapp_dashboard.domain.ids import format_phone
from whatsapp_dashboard.domain.messages import MessageType
from whatsapp_dashboard.messages.quotes import Quoted, claimed
from whatsapp_dashboard.models import Account, Message

MAX_NOTE = 1_000
"""Characters of one note."""
_MAX_CARDS = 10
_PHONE = "@s.whatsapp.net"


@dataclass(frozen=True, slots=True)
class Note:
    """``label`` is a sentence of ours, ``text`` what somebody else wrote."""

    label: str
    text: str = ""


def notes_of(message: Message, quoted: Quoted | None, account: Account) -> tuple[Note, ...]:
    """The notes on a message of the customer, or of a member of the group; ``quoted`` is the stored message it replies to."""
    payload = message.payload
    found = [
        _quote(message, quoted),
        _place(payload.get("location")),
        _cards(payload.get("contacts") or ()),
        _poll(payload.get("poll")),
        *_mentions(payload.get("mentions") or (), account),
        Note("The customer has edited this message. The new text could not be read; what it said before follows")
        if message.edit_unreadable
        else None,
    ]
    return tuple(Note(note.label, note.text[:MAX_NOTE]) for note in found if note)


def words_for_search(message: Message, quoted: Quoted | None) -> str:
    """What a message is about, for the knowledge base: its words, and those it replies to."""
    said = quoted or claimed(message.payload)
    place = message.payload.get("location") or {}
    return " ".join(part for part in (said.text if said else "", message.body, place.get("name", "")) if part)


def own_label(message: Message) -> str:
    """What stands for a message of ours that is more than its words."""
    poll = message.payload.get("poll")
    if message.type != MessageType.POLL or not poll:
        return ""
    chosen = dict.fromkeys(option for options in message.votes.values() for option in options)
    votes = f"; chosen so far: {', '.join(chosen)}" if chosen else ""
    return f"Poll with the options {', '.join(poll['options'])}{votes}"


def _quote(message: Message, quoted: Quoted | None) -> Note | None:
    if not message.quoted_wa_id:
        return None
    if quoted is not None:
        whose = "of ours" if quoted.from_me else "in this group" if message.sender_address else "of the customer's own"
        return Note(f"This is a reply to an earlier message {whose}", quoted.text)
    said = claimed(message.payload)
    if said is None or not said.text:
        return Note("This is a reply to an earlier message that is not known here")
    return Note("This is a reply to a message that is not stored here; the customer's phone shows it as", said.text)


def _place(place: Mapping[str, Any] | None) -> Note | None:
    if not place:
        return None
    where = f"{place['latitude']:.5f}, {place['longitude']:.5f}"
    return Note("The customer shares a place", "; ".join(part for part in (place.get("name"), place.get("address"), where) if part))


def _cards(cards: Any) -> Note | None:
    if not cards:
        return None
    lines = [": ".join(part for part in (card["name"], ", ".join(card["phones"])) if part) for card in cards[:_MAX_CARDS]]
    return Note("The customer shares contacts", "\n".join(lines))


def _poll(poll: Mapping[str, Any] | None) -> Note | None:
    if not poll:
        return None
    return Note("The customer asks by a poll", f"{poll['question']}\nOptions: {', '.join(poll['options'])}")


def _mentions(mentions: Any, account: Account) -> list[Note]:
    own = {f"{account.phone}{_PHONE}", account.phone, f"{account.lid}@lid"} - {None}
    others = [one for one in mentions if one not in own]
    notes = [Note("You are mentioned in it")] if len(others) < len(mentions) else []
    return [*notes, Note("Mentioned in it", ", ".join(_name(one) for one in others))] if others else notes


def _name(address: str) -> str:
    return format_phone(address.removesuffix(_PHONE)) if address.endswith(_PHONE) or address.isdigit() else address
