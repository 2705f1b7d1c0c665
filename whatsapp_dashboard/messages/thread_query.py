"""How threads are read: keyset pages along indexes, in both directions (MSG-7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.domain.messages import Direction
from whatsapp_dashboard.errors import Conflict
from whatsapp_dashboard.messages.conversation_query import cursor_of, parse_cursor
from whatsapp_dashboard.messages.conversation_views import MediaView, QuotedView, ThreadItem, ThreadPage
from whatsapp_dashboard.messages.quotes import Quoted, claimed, read_quoted
from whatsapp_dashboard.models import Media, Message, Note, Operator

_QUOTE_LENGTH = 200


async def read_thread(session: AsyncSession, conversation_id: str, cursor: str, limit: int, *, newer: bool = False) -> list[ThreadItem]:
    """Up to ``limit`` messages and notes behind ``cursor``, newest first; with ``newer`` those before it, oldest first."""

    def page(statement: Any, *place: Any) -> Any:
        if cursor:
            at = parse_cursor(cursor)
            statement = statement.where(tuple_(*place) > at if newer else tuple_(*place) < at)
        return statement.order_by(*(part.asc() if newer else part.desc() for part in place)).limit(limit)

    messages = (
        select(Message, Media, col(Operator.username))
        .outerjoin(Media, col(Media.id) == col(Message.media_id))
        .outerjoin(Operator, col(Operator.id) == col(Message.operator_id))
        .where(col(Message.conversation_id) == conversation_id)
    )
    notes = (
        select(Note, col(Operator.username))
        .outerjoin(Operator, col(Operator.id) == col(Note.operator_id))
        .where(col(Note.conversation_id) == conversation_id)
    )
    found = (await session.execute(page(messages, col(Message.at), col(Message.id)))).all()
    items = await _to_items(session, found)
    items += [
        note_item(note, operator or "")
        for note, operator in await session.execute(page(notes, col(Note.created_at), col(Note.id)))
    ]
    items.sort(key=lambda item: (item.at, item.id), reverse=not newer)
    return items[:limit]


async def read_around(session: AsyncSession, conversation_id: str, message_id: str, limit: int) -> ThreadPage | None:
    """``limit`` messages and notes with the message in their middle; None when the conversation has no such message."""
    statement = select(col(Message.at)).where(col(Message.conversation_id) == conversation_id, col(Message.id) == message_id)
    at = await session.scalar(statement)
    if at is None:
        return None
    behind, ahead = limit - limit // 2, limit // 2
    # The place just after the message: its id and one more sign.
    older = await read_thread(session, conversation_id, cursor_of(at, message_id + "~"), behind + 1)
    newer = await read_thread(session, conversation_id, cursor_of(at, message_id), ahead + 1, newer=True)
    items = tuple(reversed(older[:behind])) + tuple(newer[:ahead])
    return ThreadPage(
        items,
        cursor_of(items[0].at, items[0].id) if len(older) > behind else None,
        cursor_of(items[-1].at, items[-1].id) if len(newer) > ahead else None,
    )


def note_item(note: Note, operator: str) -> ThreadItem:
    """A stored note as the thread shows it."""
    return ThreadItem(
        "note", note.id, note.created_at, key=note.idempotency_key or "", text=note.text, operator=operator, created_at=note.created_at
    )


async def note_under(session: AsyncSession, conversation_id: str, key: str | None, text: str) -> Note | None:
    """The note that was left under this idempotency key. Raises :class:`Conflict` when it says something else."""
    if key is None:
        return None
    note = await session.scalar(select(Note).where(col(Note.conversation_id) == conversation_id, col(Note.idempotency_key) == key))
    if note and note.text != text:
        raise Conflict("This idempotency key was used for another note.", code="idempotency_key_reused", field="idempotency_key")
    return note


async def read_items(session: AsyncSession, conversation_id: str, message_ids: list[str]) -> list[ThreadItem]:
    """These messages of the conversation as thread items, for pages that show them already."""
    statement = (
        select(Message, Media, col(Operator.username))
        .outerjoin(Media, col(Media.id) == col(Message.media_id))
        .outerjoin(Operator, col(Operator.id) == col(Message.operator_id))
        .where(col(Message.conversation_id) == conversation_id, col(Message.id).in_(message_ids))
    )
    return await _to_items(session, (await session.execute(statement)).all())


async def _to_items(session: AsyncSession, rows: Sequence[Row[Message, Media | None, str | None]]) -> list[ThreadItem]:
    messages = [message for message, _, _ in rows]
    quoted = await read_quoted(session, {message.account_id for message in messages}, messages)
    return [_to_item(message, media, operator, quoted.get(message.id)) for message, media, operator in rows]


def _view(message: Message, stored: Quoted | None) -> QuotedView | None:
    """What ``message`` replies to: as it is stored, else what the reply says of it."""
    quoted = (stored or claimed(message.payload)) if message.quoted_wa_id and not message.revoked_at else None
    if quoted is None:
        return None
    direction = Direction.OUTGOING if quoted.from_me else Direction.INCOMING
    return QuotedView(quoted.message_id, direction.value, quoted.type or "text", quoted.text[:_QUOTE_LENGTH], quoted.sender_name)


def _to_item(message: Message, media: Media | None, operator: str | None, quoted: Quoted | None) -> ThreadItem:
    """A stored message as the thread shows it. A deleted one shows that it was deleted, not what it said."""
    gone = message.revoked_at is not None
    file = None
    if media is not None and not gone:
        file = MediaView(media.id, media.state, media.reason, media.mimetype, media.size, media.filename, media.seconds)
    return ThreadItem(
        kind="message",
        id=message.id,
        at=message.at,
        key=message.idempotency_key or "",
        direction=message.direction,
        type=message.type,
        text="" if gone else message.body,
        payload={} if gone else message.payload,
        status=message.status,
        status_reason=message.status_reason,
        origin=message.origin or "",
        operator=operator or "",
        sender_name=message.sender_name,
        sender_address=message.sender_address,
        wa_id=message.wa_id or "",
        media=file,
        quoted=_view(message, quoted),
        reactions=message.reactions,
        votes=message.votes,
        history=message.history,
        recovered=message.recovered,
        edited=message.edited_at is not None,
        edit_unreadable=message.edit_unreadable,
        revoked=gone,
        flagged=message.flagged_at is not None and message.status == "sent",
        unconfirmed=message.unconfirmed,
        created_at=message.created_at,
        sent_at=message.sent_at,
        delivered_at=message.delivered_at,
        read_at=message.read_at,
    )
