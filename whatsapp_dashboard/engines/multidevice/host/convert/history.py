"""The past that a phone hands over after linking: stored, never answered (ACC-8)."""

from __future__ import annotations

from collections.abc import Iterator

from whatsapp_dashboard.domain.engine_events import ContactSeen, MessageReceived, TimerChanged
from whatsapp_dashboard.domain.ids import Address, ContactKind
from whatsapp_dashboard.engines.multidevice.host.convert.book import Book
from whatsapp_dashboard.engines.multidevice.host.convert.content import content_of
from whatsapp_dashboard.engines.multidevice.host.convert.envelope import Envelope, time_of
from whatsapp_dashboard.engines.multidevice.host.convert.ids import address_of_text, wa_id_of
from whatsapp_dashboard.engines.multidevice.host.convert.unwrap import unwrap
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb, history_pb, web_pb

_LIVE_KINDS = frozenset({ContactKind.PERSON, ContactKind.GROUP, ContactKind.CHANNEL})
"""Kinds of chats whose past is kept; status updates of the past are gone after a day."""


def history_events(sync: history_pb.HistorySync, book: Book) -> Iterator[MessageReceived | ContactSeen | TimerChanged]:
    """Who is who, then the messages of each chat, the newest last.

    Rows without people's content (system notes, changes of other messages) and rows that make no sense are left out. Reactions and
    votes of the past are left out too: they would be told as new ones.
    """
    yield from _people(sync, book)
    for conversation in sync.conversations:
        chat = _chat(conversation, book)
        if chat is None or chat.kind not in _LIVE_KINDS:
            continue
        name = (conversation.name or conversation.displayName).strip()
        if chat.is_person and (name or (chat.phone and chat.lid)):
            yield ContactSeen(chat, name=name)
        chat_name = "" if chat.is_person else name
        rows = sorted(conversation.messages, key=lambda row: (row.message.messageTimestamp, row.msgOrderID))
        for row in rows:
            event = _message(row.message, chat, chat_name, book)
            if event is not None:
                yield event
        # Behind the messages: the conversation is there then, and what it says now counts more than old messages.
        if conversation.HasField("ephemeralExpiration") or conversation.HasField("ephemeralSettingTimestamp"):
            set_at = conversation.ephemeralSettingTimestamp or conversation.conversationTimestamp
            yield TimerChanged(chat, conversation.ephemeralExpiration, time_of(set_at))


def _people(sync: history_pb.HistorySync, book: Book) -> Iterator[ContactSeen]:
    for pair in sync.phoneNumberToLidMappings:
        address = address_of_text(pair.pnJID, book, pair.lidJID)
        if address is not None and address.phone and address.lid:
            yield ContactSeen(address)
    for row in sync.pushnames:
        name = row.pushname.strip()
        address = address_of_text(row.ID, book)
        if address is not None and address.is_person and name not in ("", "-"):
            yield ContactSeen(address, push_name=name)


def _chat(conversation: history_pb.Conversation, book: Book) -> Address | None:
    other = conversation.pnJID if conversation.ID.endswith("lid") else conversation.lidJID
    return address_of_text(conversation.ID, book, other)


def _message(row: web_pb.WebMessageInfo, chat: Address, chat_name: str, book: Book) -> MessageReceived | None:
    wa_id = wa_id_of(row.key.ID)
    if wa_id is None or not row.HasField("message"):
        return None
    content = content_of(_latest(row.message, wa_id), book)
    if content is None:
        return None
    envelope = Envelope(
        wa_id=wa_id,
        chat=chat,
        at=time_of(row.messageTimestamp),
        from_me=row.key.fromMe,
        sender=_sender(row, chat, book),
        sender_name=_name(row),
        chat_name=chat_name,
    )
    return envelope.holding(content, history=True)


def _latest(message: e2e_pb.Message, wa_id: str) -> e2e_pb.Message:
    """An edited message of the past holds its edit in place of itself."""
    change = unwrap(message).message.protocolMessage
    return change.editedMessage if change.HasField("editedMessage") and wa_id == change.key.ID else message


def _sender(row: web_pb.WebMessageInfo, chat: Address, book: Book) -> Address | None:
    if chat.is_person:
        return chat
    writer = row.participant or row.key.participant
    if not writer and row.key.fromMe and book.own_phone:
        writer = f"{book.own_phone}@s.whatsapp.net"
    return address_of_text(writer, book)


def _name(row: web_pb.WebMessageInfo) -> str:
    name = row.pushName.strip()
    return name if name not in ("", "-") else row.verifiedBizName
