"""Reads the ledger: lines by filters, sums per day (CRED-2)."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import ColumnElement, Select, String, column, literal_column, select, values
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.credits.views import CreditDay, EntryRow, LedgerFilters
from whatsapp_dashboard.domain.ids import format_phone, id_floor, time_of_id
from whatsapp_dashboard.errors import Invalid
from whatsapp_dashboard.models import Contact, CreditEntry, Message, Operator

_BY_PEOPLE = col(CreditEntry.related_type) == literal_column("''")
"""Written out, so that the partial index is used."""


def lines(workspace_id: str, filters: LedgerFilters, cursor: str = "") -> Select[CreditEntry, str, str, Contact]:
    """Lines that match, newest first, each with the operator's name and whom it answers. Raises :class:`Invalid`."""
    conditions = [col(CreditEntry.workspace_id) == workspace_id, *_conditions(filters)]
    if cursor:
        conditions.append(col(CreditEntry.id) < _cursor(cursor))
    return (
        select(CreditEntry, col(Operator.username), col(Message.conversation_id), Contact)
        .outerjoin(Operator, col(Operator.id) == col(CreditEntry.operator_id))
        .outerjoin(Message, col(Message.id) == col(CreditEntry.related_id))
        .outerjoin(Contact, col(Contact.id) == col(Message.contact_id))
        .where(*conditions)
        .order_by(col(CreditEntry.id).desc())
    )


def entry_row(entry: CreditEntry, operator: str | None, conversation_id: str | None = None, contact: Contact | None = None) -> EntryRow:
    """A line as others get it."""
    return EntryRow(
        id=entry.id,
        at=entry.created_at,
        type=entry.type,
        amount=entry.amount,
        balance_before=entry.balance_before,
        balance_after=entry.balance_after,
        description=entry.description,
        related_type=entry.related_type,
        related_id=entry.related_id,
        operator=operator or "",
        contact=(contact.name or contact.push_name or format_phone(contact.phone)) if contact else "",
        conversation_id=conversation_id,
    )


async def daily_sums(session: AsyncSession, workspace_id: str, today: date, days: int, zone: tzinfo) -> list[CreditDay]:
    """The last ``days`` days until ``today`` in ``zone``, oldest first.

    However many answers there were, only what people did is read: what answers spent is what the balances at both ends of a day, of
    which each line tells, leave over.
    """
    dates = [today - timedelta(days=days - 1 - number) for number in range(days)]
    ends = [datetime.combine(each, time(), zone) for each in (*dates, today + timedelta(days=1))]
    balances = await _balances_before(session, workspace_id, ends)
    moved: defaultdict[date, list[int]] = defaultdict(lambda: [0, 0])
    by_people = (col(CreditEntry.workspace_id) == workspace_id, _BY_PEOPLE, col(CreditEntry.id) >= id_floor(ends[0]))
    columns = (col(CreditEntry.id), col(CreditEntry.type), col(CreditEntry.amount))
    for ident, kind, amount in await session.execute(select(*columns).where(*by_people)):
        moved[time_of_id(ident).astimezone(zone).date()][kind == "debit"] += amount
    found = []
    for number, each in enumerate(dates):
        (added, taken), before, after = moved[each], balances[number], balances[number + 1]
        found.append(CreditDay(each.isoformat(), before + added - taken - after, added, taken, after))
    return found


async def _balances_before(session: AsyncSession, workspace_id: str, moments: Sequence[datetime]) -> list[int]:
    """What the last line before each of the moments left: one step into the index for each."""
    floors = [id_floor(moment) for moment in moments]
    asked = values(column("floor", String), name="asked").data([(floor,) for floor in floors]).cte("asked")
    last = (
        select(col(CreditEntry.balance_after))
        .where(col(CreditEntry.workspace_id) == workspace_id, col(CreditEntry.id) < asked.c.floor)
        .order_by(col(CreditEntry.id).desc())
        .limit(1)
        .correlate(asked)
        .scalar_subquery()
    )
    found = {row[0]: row[1] or 0 for row in await session.execute(select(asked.c.floor, last))}
    return [found[floor] for floor in floors]


def time_zone(name: str) -> ZoneInfo:
    """The time zone of this name. Raises :class:`Invalid`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(f"“{name[:40]}” is not a time zone such as Europe/Madrid.", field="zone") from None


def _conditions(filters: LedgerFilters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.type:
        if filters.type not in ("credit", "debit"):
            raise Invalid("A line is a credit or a debit.", field="type")
        found.append(col(CreditEntry.type) == filters.type)
        if filters.type == "credit":
            found.append(_BY_PEOPLE)  # answers only take
    for name in ("since", "until"):
        moment = getattr(filters, name)
        if moment is None:
            continue
        if moment.tzinfo is None:
            raise Invalid("A time needs its time zone, for example 2026-01-31T10:00:00Z.", field=name)
        found.append(col(CreditEntry.id) >= id_floor(moment) if name == "since" else col(CreditEntry.id) < id_floor(moment))
    return found


def _cursor(given: str) -> str:
    try:
        return str(uuid.UUID(given))
    except ValueError:
        raise Invalid("This is not a cursor of the ledger; take it from the page before.", field="cursor") from None
