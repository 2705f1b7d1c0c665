"""How conversations are read: keyset pages along indexes, whatever their number (MSG-7)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, case, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.domain.account_status import AccountStatus
from whatsapp_dashboard.domain.ids import Address, ContactKind
from whatsapp_dashboard.domain.principal import Principal
from whatsapp_dashboard.errors import Invalid
from whatsapp_dashboard.messages.answering import Bots, answers_next, read_bots, read_fixed_texts
from whatsapp_dashboard.messages.conversation_search import matches, read_hits
from whatsapp_dashboard.messages.conversation_views import ConversationFilters, ConversationRow, Counts, Hit
from whatsapp_dashboard.models import Account, Contact, Conversation, Message

_SEPARATOR = "~"
RowsStatement = Select[Conversation, Contact, str, str, str, bool]


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


def rows_statement(who: Principal) -> RowsStatement:
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
    if filters.waiting:
        found.append(col(Conversation.waiting_since).is_not(None))
    if text := filters.text.strip():
        found.append(matches(text))
    return found


def behind(cursor: str) -> ColumnElement[bool]:
    """Conversations older than the cursor."""
    at, row_id = parse_cursor(cursor)
    return tuple_(col(Conversation.last_message_at), col(Conversation.id)) < (at, row_id)


async def read_rows(session: AsyncSession, statement: RowsStatement, now: datetime, text: str = "") -> list[ConversationRow]:
    """The results of a :func:`rows_statement` as views, with who answers next and where ``text`` was said."""
    rows = (await session.execute(statement)).all()
    bots = await read_bots(session, {row[0].account_id for row in rows}, now)
    hits = await read_hits(session, [row[0].id for row in rows], text)
    texts = await read_fixed_texts(session, bots, [row[0] for row in rows], now)
    views = []
    for row in rows:
        mine = bots.get(row[0].account_id, Bots())
        next_one = answers_next(row[0], row[1], mine, now, texts.get(row[0].id))
        views.append(_to_row(row, next_one, has_bot=mine.serve(row[1]), hit=hits.get(row[0].id)))
    return views


def _to_row(row: Row[Conversation, Contact, str, str, str, bool], answers: str, *, has_bot: bool, hit: Hit | None) -> ConversationRow:
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
        disappear_seconds=conversation.disappear_seconds,
        unread=conversation.unread,
        last_message_at=conversation.last_message_at,
        last_inbound_at=conversation.last_inbound_at,
        preview=conversation.last_message_preview,
        preview_direction=conversation.last_message_direction,
        preview_type=conversation.last_message_type,
        preview_status=message_status or "",
        preview_unconfirmed=bool(unconfirmed),
        waiting_since=conversation.waiting_since,
        answers_next=answers,
        has_bot=has_bot,
        hit=hit,
        created_at=conversation.created_at,
        handover_reason=conversation.handover_reason,
    )


def address_of(contact: Contact) -> Address:
    """The contact's address on WhatsApp."""
    return Address(ContactKind(contact.kind), contact.phone, contact.lid, contact.jid)


async def read_counts(session: AsyncSession, who: Principal, account_id: str) -> Counts:
    """How many conversations each of the inbox' lists has, along the index of each."""
    mine = [col(Account.workspace_id) == who.workspace_id, col(Conversation.status) == "active"]
    if account_id:
        mine.append(col(Conversation.account_id) == account_id)

    def count(*more: Any) -> Any:
        found = select(func.count()).select_from(Conversation).join(Account, col(Account.id) == col(Conversation.account_id))
        return found.where(*mine, *more).scalar_subquery()

    unread, waiting = col(Conversation.unread) > 0, col(Conversation.waiting_since).is_not(None)
    statement = select(count(), count(unread), count(col(Conversation.answered_by) == "human"), count(waiting))
    return Counts(*(await session.execute(statement)).one())


async def count_waiting(session: AsyncSession, who: Principal) -> int:
    """How many contacts of the workspace wait for a person, along an index of only these."""
    mine = select(col(Account.id)).where(col(Account.workspace_id) == who.workspace_id)
    found = select(func.count()).select_from(Conversation)
    found = found.where(col(Conversation.waiting_since).is_not(None), col(Conversation.account_id).in_(mine))
    return await session.scalar(found) or 0


async def count_matching(session: AsyncSession, who: Principal, account_id: str, text: str) -> Counts:
    """The same among the conversations that match ``text``, looked through once."""
    open_ = col(Conversation.status) == "active"

    def count(which: Any) -> Any:
        return func.coalesce(func.sum(case((which, 1), else_=0)), 0)

    statement = (
        select(
            func.count(),
            count(col(Conversation.unread) > 0),
            count(col(Conversation.answered_by) == "human"),
            count(col(Conversation.waiting_since).is_not(None)),
            count(~open_),
        )
        .select_from(Conversation)
        .join(Contact, col(Contact.id) == col(Conversation.contact_id))
        .join(Account, col(Account.id) == col(Conversation.account_id))
        .where(col(Account.workspace_id) == who.workspace_id, *conditions(ConversationFilters(account_id, text=text)))
    )
    return Counts(*(await session.execute(statement)).one())
