"""An engine's event as text that every database takes, and back; and in words, for people. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from whatsapp_dashboard.domain.engine_events import (
    CallReceived,
    ContactSeen,
    ConversationEvent,
    MessageEdited,
    MessageReceived,
    MessageRevoked,
    PollChanged,
    PollVoted,
    ReactionReceived,
    Receipt,
    TimerChanged,
)
from whatsapp_dashboard.domain.ids import Address, format_phone
from whatsapp_dashboard.errors import Permanent
from whatsapp_dashboard.messages.content import body_of, preview
from whatsapp_dashboard.text import clean

KINDS: dict[str, type[ConversationEvent]] = {
    "message": MessageReceived,
    "receipt": Receipt,
    "reaction": ReactionReceived,
    "edit": MessageEdited,
    "revoke": MessageRevoked,
    "poll": PollChanged,
    "vote": PollVoted,
    "timer": TimerChanged,
    "contact": ContactSeen,
    "call": CallReceived,
}
_NAMES = {kind: name for name, kind in KINDS.items()}
_WHO, _WHAT = 255, 255


def kind_of(event: ConversationEvent) -> str:
    """What kind of event it is, in a word."""
    return _NAMES[type(event)]


def write_event(event: ConversationEvent) -> str:
    """``event`` as ASCII text: what no database stores is written in escapes."""
    return json.dumps(asdict(event), default=_plain)


def read_event(kind: str, content: str) -> ConversationEvent:
    """The event that :func:`write_event` wrote. Raises :class:`Permanent` for one that is none."""
    try:
        event: ConversationEvent = _reader(kind).validate_python(json.loads(content))
    except (KeyError, ValueError, ValidationError) as error:
        raise Permanent(f"The event cannot be read: {str(error).splitlines()[0][:200]}.", code="unreadable_event") from None
    return event


def who_of(event: ConversationEvent) -> str:
    """Whom it is about: a name and a number, as far as they are known."""
    address = event.address if isinstance(event, ContactSeen) else event.chat
    match event:
        case MessageReceived():
            name = event.sender_name or event.chat_name
        case ContactSeen():
            name = event.name or event.push_name
        case _:
            name = ""
    number = _number(address)
    return clean(f"{name} ({number})" if name and number else name or number)[:_WHO]


def what_of(event: ConversationEvent) -> str:
    """What it says, in a line."""
    match event:
        case MessageReceived():
            media = event.content.media
            body = clean(body_of(event.content))
            said = preview(event.content.type, body, {}, clean(media.filename) if media else "")
            lead = "Sent from the phone: " if event.from_me else ""
        case Receipt():
            lead, said = "Receipt: ", event.kind.value
        case ReactionReceived():
            lead, said = "Reaction: ", event.emoji or "taken back"
        case MessageEdited():
            lead, said = "Edited to: ", event.text if event.readable else "a text that cannot be read"
        case MessageRevoked():
            lead, said = "", "Deleted for everyone"
        case PollChanged():
            lead, said = "Poll changed: ", ", ".join(event.options)
        case PollVoted():
            lead, said = "Vote: ", ", ".join(event.options) or "taken back"
        case ContactSeen():
            lead, said = "", "Name or number of a contact"
        case TimerChanged():
            lead, said = "", f"Messages disappear after {event.seconds:,} seconds" if event.seconds else "Messages no longer disappear"
        case CallReceived():
            lead, said = "", "Video call" if event.video else "Call"
    return clean(lead + said)[:_WHAT]


@cache
def _reader(kind: str) -> TypeAdapter[ConversationEvent]:
    return TypeAdapter(KINDS[kind])


def _number(address: Address | None) -> str:
    if address is None:
        return ""
    return format_phone(address.phone) if address.phone else str(address)


def _plain(value: Any) -> str:
    """What JSON does not know. Something that should not be there at all is kept as it prints."""
    return value.isoformat() if isinstance(value, datetime) else repr(value)
