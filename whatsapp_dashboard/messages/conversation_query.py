"""How conversations and threads are read: keyset pages along indexes, whatever their number (MSG-7)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from whatsapp_dashboard.domain.account_status import AccountStatus
from whatsapp_dashboard.domain.ids import Address, ContactKind
from whatsapp_dashboard.domain.numbers import digits_to_find
from whatsapp_dashboard.domain.principal import Principal
from whatsapp_dashboard.errors import Invalid
from whatsapp_dashboard.messages.conversation_views import ConversationFilters, ConversationRow, MediaView, QuotedView, ThreadItem
from whatsapp_dashboard.models import Account, Contact, Conversation, Media, Message, Note, Operator

_SEPARATOR = "~"
_QUOTE_LENGTH = 200
_LID_LENGTH = 8
"""So many digits are looked for in hidden identities too; fewer stand in many of them by chance."""


def cursor_of(at: datetime, row_id: str) -> str:
    """The place behind a row, for the next page."""
    return f"{at.isoformat()}{_SEPARATOR}{row_id}"


def parse_cursor(cursor: str) -> tuple[datetime, str]:
    """Read what :func:`cursor_of` wrote. Raises :class:`Invalid` for anything else."""
    moment, separator, row_id = cursor.partition(_SEPARATOR)
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        at = None  # type: ignore[assignment]
    if not separator or at is None or at.tzinfo is None or not row_id:
        raise Invalid("This page address is damaged; begin with the first page.", code="bad_cursor", field="cursor")
    return at, row_id


def rows_statement(who: Principal) -> Select[Conversation, Contact, str, str, str, bool]:
    """Conversations of the operator's workspace with what a line shows of them."""
    return (
        select(Conversation, Contact, col(Account.name), col(Account.status), col(Message.status), col(Message.unconfirmed))
        .join(Contact, col(Contact.id) == col(Conversation.contact_id))
        .join(Account, col(Account.id) == col(Conversation.account_id))
        .outerjoin(Message, col(Message.id) == col(Conversation.last_message_id))
        .where(col(Account.workspace_id) == who.workspace_id)
    )


def conditions(filters: ConversationFilters) -> list[ColumnElement[bool]]:
    """The filters as conditions on Conversation and Contact."""
    found: list[ColumnElement[bool]] = []
    if filters.account_id:
        found.append(col(Conversation.account_id) == filters.account_id)
    if filters.status:
        found.append(col(Conversation.status) == filters.status)
    if filters.answered_by:
        found.append(col(Conversation.answered_by) == filters.answered_by)
    if filters.unread:
        found.append(col(Conversation.unread) > 0)
    if text := filters.text.strip():
        found.append(_matches(text))
    return found


def _matches(text: str) -> ColumnElement[bool]:
    """Name, push name or what was said; digits also match phone numbers however they are written."""
    low = text.lower()
    ways: list[ColumnElement[bool]] = [
        func.lower(col(Contact.name)).contains(low, autoescape=True),
        func.lower(col(Contact.push_name)).contains(low, autoescape=True),
    ]
    for digits in digits_to_find(text):
        ways.append(col(Contact.phone).contains(digits))
        if len(digits) >= _LID_LENGTH:
            ways.append(col(Contact.lid).contains(digits))
    if len(text) >= 2:
        said = aliased(Message)  # the list itself joins the last message
        words = func.lower(col(said.body)).contains(low, autoescape=True)
        ways.append(exists().where(col(said.conversation_id) == col(Conversation.id), words))
    return or_(*ways)


def behind(cursor: str) -> ColumnElement[bool]:
    """Conversations older than the cursor."""
    at, row_id = parse_cursor(cursor)
    return tuple_(col(Conversation.last_message_at), col(Conversation.id)) < (at, row_id)


def to_row(row: Row[Conversation, Contact, str, str, str, bool]) -> ConversationRow:
    """A result of :func:`rows_statement` as a view."""
    conversation, contact, account_name, account_status, message_status, unconfirmed = row
    return ConversationRow(
        id=conversation.id,
        account_id=conversation.account_id,
        account_name=account_name,
        account_status=AccountStatus(account_status),
        contact_id=contact.id,
        contact_kind=contact.kind,
        contact_name=contact.name or contact.push_name,
        contact_phone=contact.phone or "",
        contact_address=str(address_of(contact)),
        opted_out=contact.opted_out,
        status=conversation.status,
        answered_by=conversation.answered_by,
        bot_paused_until=conversation.bot_paused_until,
        unread=conversation.unread,
        last_message_at=conversation.last_message_at,
        last_inbound_at=conversation.last_inbound_at,
        preview=conversation.last_message_preview,
        preview_direction=conversation.last_message_direction,
        preview_type=conversation.last_message_type,
        preview_status=message_status or "",
        preview_unconfirmed=bool(unconfirmed),
        created_at=conversation.created_at,
        handover_reason=conversation.handover_reason,
    )


def address_of(contact: Contact) -> Address:
    """The contact's address on WhatsApp."""
    return Address(ContactKind(contact.kind), contact.phone, contact.lid, contact.jid)


async def read_thread(session: AsyncSession, conversation_id: str, cursor: str, limit: int) -> list[ThreadItem]:
    """Up to ``limit`` messages and notes behind ``cursor``, newest first."""
    messages = (
        select(Message, Media, col(Operator.username))
        .outerjoin(Media, col(Media.id) == col(Message.media_id))
        .outerjoin(Operator, col(Operator.id) == col(Message.operator_id))
        .where(col(Message.conversation_id) == conversation_id)
        .order_by(col(Message.at).desc(), col(Message.id).desc())
        .limit(limit)
    )
    notes = (
        select(Note, col(Operator.username))
        .outerjoin(Operator, col(Operator.id) == col(Note.operator_id))
        .where(col(Note.conversation_id) == conversation_id)
        .order_by(col(Note.created_at).desc(), col(Note.id).desc())
        .limit(limit)
    )
    if cursor:
        place = parse_cursor(cursor)
        messages = messages.where(tuple_(col(Message.at), col(Message.id)) < place)
        notes = notes.where(tuple_(col(Note.created_at), col(Note.id)) < place)
    found = (await session.execute(messages)).all()
    quoted = await _quoted(session, conversation_id, {message.quoted_wa_id for message, _, _ in found if message.quoted_wa_id})
    items = [to_item(message, media, operator, quoted) for message, media, operator in found]
    items += [
        ThreadItem("note", note.id, note.created_at, text=note.text, operator=operator or "", created_at=note.created_at)
        for note, operator in await session.execute(notes)
    ]
    items.sort(key=lambda item: (item.at, item.id), reverse=True)
    return items[:limit]


async def read_items(session: AsyncSession, conversation_id: str, message_ids: list[str]) -> list[ThreadItem]:
    """These messages of the conversation as thread items, for pages that show them already."""
    statement = (
        select(Message, Media, col(Operator.username))
        .outerjoin(Media, col(Media.id) == col(Message.media_id))
        .outerjoin(Operator, col(Operator.id) == col(Message.operator_id))
        .where(col(Message.conversation_id) == conversation_id, col(Message.id).in_(message_ids))
    )
    found = (await session.execute(statement)).all()
    quoted = await _quoted(session, conversation_id, {message.quoted_wa_id for message, _, _ in found if message.quoted_wa_id})
    return [to_item(message, media, operator, quoted) for message, media, operator in found]


async def _quoted(session: AsyncSession, conversation_id: str, wa_ids: set[str]) -> dict[str, QuotedView]:
    if not wa_ids:
        return {}
    statement = select(Message).where(and_(col(Message.conversation_id) == conversation_id, col(Message.wa_id).in_(wa_ids)))
    return {
        row.wa_id or "": QuotedView(
            row.id, row.direction, row.type, row.body[:_QUOTE_LENGTH] if not row.revoked_at else "", row.sender_name
        )
        for row in await session.scalars(statement)
    }


def to_item(message: Message, media: Media | None, operator: str | None, quoted: dict[str, QuotedView]) -> ThreadItem:
    """A stored message as the thread shows it. A deleted one shows that it was deleted, not what it said."""
    gone = message.revoked_at is not None
    file = None
    if media is not None and not gone:
        file = MediaView(media.id, media.state, media.reason, media.mimetype, media.size, media.filename, media.seconds)
    return ThreadItem(
        kind="message",
        id=message.id,
        at=message.at,
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
        quoted=quoted.get(message.quoted_wa_id or ""),
        reactions=message.reactions,
        votes=message.votes,
        history=message.history,
        recovered=message.recovered,
        edited=message.edited_at is not None,
        revoked=gone,
        flagged=message.flagged_at is not None and message.status == "sent",
        unconfirmed=message.unconfirmed,
        created_at=message.created_at,
        sent_at=message.sent_at,
        delivered_at=message.delivered_at,
        read_at=message.read_at,
    )
