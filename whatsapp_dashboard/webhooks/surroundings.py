"""What belongs to the events of a batch, looked up once for all of them: accounts, conversations, messages and what they reply to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.domain.ids import ContactKind
from whatsapp_dashboard.domain.messages import MessageType
from whatsapp_dashboard.events.log import EventRecord
from whatsapp_dashboard.messages.message_events import chat_address, hook_type
from whatsapp_dashboard.messages.quotes import Quoted, claimed, read_quoted
from whatsapp_dashboard.models import Account, Contact, Conversation, Media, Message
from whatsapp_dashboard.models.erasure import HIDDEN_WORKSPACE
from whatsapp_dashboard.webhooks import payload_base
from whatsapp_dashboard.webhooks.payload_base import milliseconds

_PHONE_HOST, SHORT_HOST = "@s.whatsapp.net", "@c.us"
_COLUMNS = ("id", "conversation_id", "quoted_wa_id", "payload", "direction", "wa_id")


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation and who is on its other side, as they are now."""

    contact: str
    contact_name: str
    is_group: bool
    status: str
    answered_by: str
    bot_paused_until: int | None
    unread: int
    handover_reason: str = ""
    disappear_seconds: int = 0

    @property
    def who(self) -> dict[str, Any]:
        """The contact, as several events tell it."""
        return {"contact": self.contact, "contact_name": self.contact_name, "is_group": self.is_group}


NOBODY = Chat("", "", False, "", "", None, 0)
"""For what happened to a conversation that is gone."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The message of an event."""

    id: str
    conversation_id: str
    quoted_wa_id: str | None
    payload: Mapping[str, Any]
    direction: str = ""
    wa_id: str | None = None
    media: dict[str, Any] | None = None


NOTHING = Stored("", "", None, {})
"""For what happened to a message that is gone."""


@dataclass(slots=True)
class Surroundings:
    """What belongs to the events of a batch."""

    accounts: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    """Name and phone number; an account that was deleted is not here."""
    chats: dict[str, Chat] = field(default_factory=dict)
    messages: dict[str, Stored] = field(default_factory=dict)
    quoted: dict[str, Quoted] = field(default_factory=dict)
    """Our id of a message that replies to another one, to that one, where it is stored."""

    def chat_of(self, event: EventRecord) -> Chat:
        """The conversation of ``event``."""
        return self.chats.get(event.conversation_id or "", NOBODY)

    def message_of(self, event: EventRecord) -> Stored:
        """The message of ``event``."""
        return self.messages.get(event.message_id or "", NOTHING)

    def said(self, message: Stored) -> dict[str, Any]:
        """What ``message`` says besides its text, and what it refers to."""
        payload = message.payload
        return {
            "quoted": _quoted(message, self.quoted.get(message.id)),
            "place": payload_base.Place(**payload["location"]) if payload.get("location") else None,
            "cards": [payload_base.Card(name=card["name"], phones=card["phones"]) for card in payload.get("contacts", ())],
            "poll": payload_base.Poll(**payload["poll"]) if payload.get("poll") else None,
            "mentions": [short(one) if "@" in one else f"{one}{SHORT_HOST}" for one in payload.get("mentions", ())],
        }


async def look_up(session: AsyncSession, events: Sequence[EventRecord]) -> Surroundings:
    """Read what the bodies of ``events`` need."""
    found = Surroundings()
    accounts = {event.account_id for event in events if event.account_id}
    if accounts:
        statement = select(col(Account.id), col(Account.name), col(Account.phone)).where(col(Account.id).in_(accounts))
        statement = statement.where(col(Account.workspace_id) != HIDDEN_WORKSPACE)
        found.accounts = {ident: (name, phone) for ident, name, phone in await session.execute(statement)}
    # What a message says on arrival is in its event.
    others = [event for event in events if event.type != "message"]
    chats = {event.conversation_id for event in others if event.conversation_id}
    if chats:
        pairs = select(Conversation, Contact).join(Contact, col(Contact.id) == col(Conversation.contact_id))
        for conversation, contact in await session.execute(pairs.where(col(Conversation.id).in_(chats))):
            found.chats[conversation.id] = _chat(conversation, contact)
    messages = {event.message_id for event in others if event.message_id}
    if messages:
        columns = [getattr(Message, name) for name in _COLUMNS]
        rows = select(*columns, Media).outerjoin(Media, col(Media.id) == col(Message.media_id)).where(col(Message.id).in_(messages))
        found.messages = {
            row.id: Stored(**dict(zip(_COLUMNS, row, strict=False)), media=_media_of(row[-1])) for row in await session.execute(rows)
        }
    sent = [found.message_of(event) for event in events if event.type == "message.sent"]
    found.quoted = await read_quoted(session, accounts, [*sent, *(arrived(event) for event in events if event.type == "message")])
    return found


def arrived(event: EventRecord) -> Stored:
    """The message of an event that tells all of it."""
    data = event.data
    return Stored(data["message_id"], event.conversation_id or "", data.get("quoted_wa_id"), data.get("payload") or {})


def short(address: str) -> str:
    """An address as receivers get it."""
    return address.removesuffix(_PHONE_HOST) + SHORT_HOST if address.endswith(_PHONE_HOST) else address


def _quoted(message: Stored, stored: Quoted | None) -> payload_base.Quoted | None:
    if not message.quoted_wa_id:
        return None
    quoted = stored or claimed(message.payload) or Quoted("", bool(message.payload.get("quoted_from_me")), None)
    return payload_base.Quoted(
        message_id=quoted.message_id or None,
        wa_id=message.quoted_wa_id,
        from_me=quoted.from_me,
        author=chat_address(quoted.sender) if quoted.sender else None,
        type=hook_type(MessageType(quoted.type)) if quoted.type else "",
        body=quoted.text,
    )


def _chat(conversation: Conversation, contact: Contact) -> Chat:
    until = conversation.bot_paused_until
    address = f"{contact.phone}{SHORT_HOST}" if contact.phone else contact.jid or f"{contact.lid}@lid"
    return Chat(
        contact=address,
        contact_name=contact.name or contact.push_name,
        is_group=contact.kind != ContactKind.PERSON,
        status=conversation.status,
        answered_by=conversation.answered_by,
        bot_paused_until=milliseconds(until) if until else None,
        unread=conversation.unread,
        handover_reason=conversation.handover_reason,
        disappear_seconds=conversation.disappear_seconds,
    )


def _media_of(media: Media | None) -> dict[str, Any] | None:
    return {"id": media.id, "mimetype": media.mimetype, "filename": media.filename, "size": media.size} if media else None
