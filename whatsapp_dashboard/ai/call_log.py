"""The log of calls to providers, what they add up to, and what an answer was made of (AI-5, AI-6)."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.ai.call_rows import trace_of
from whatsapp_dashboard.ai.store import owned_account
from whatsapp_dashboard.ai.views import CallFilters, CallPage, CallRow, Outcome, Trace, Usage, UsageLine
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.ids import id_floor
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.errors import Invalid, NotFound
from whatsapp_dashboard.models import Account, AiAnswer, AiCall, Message

MAX_PAGE = 200
MAX_DAYS = 366
_SAMPLE = 5_000
"""Latest calls from which the 95th percentile is read."""
_PURPOSES = ("reply", "try", "test")


class AiLog:
    """Calls of the asking operator's workspace. Viewers read."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def page(self, who: Principal, filters: CallFilters, *, cursor: str = "", limit: int = 50) -> CallPage:
        """A page, newest first. ``cursor`` is that of the page before. Raises :class:`Invalid`."""
        who.require(Role.VIEWER)
        if not 1 <= limit <= MAX_PAGE:
            raise Invalid(f"A page has 1 to {MAX_PAGE} calls.", field="limit")
        conditions = [col(AiCall.workspace_id) == who.workspace_id, *_conditions(filters)]
        if cursor:
            conditions.append(col(AiCall.id) < _cursor(cursor))
        statement = select(AiCall, col(Account.name)).join(Account, col(Account.id) == col(AiCall.account_id)).where(*conditions)
        async with self._db.read() as session:
            found = (await session.execute(statement.order_by(col(AiCall.id).desc()).limit(limit + 1))).all()
        rows = tuple(_row(call, name) for call, name in found[:limit])
        return CallPage(rows, rows[-1].id if len(found) > limit else "")

    async def usage(self, who: Principal, *, account_id: str = "", days: int = 30) -> Usage:
        """What the calls of the last ``days`` days, today included, add up to. Raises :class:`Invalid`, :class:`NotFound`."""
        who.require(Role.VIEWER)
        if not 1 <= days <= MAX_DAYS:
            raise Invalid(f"From 1 to {MAX_DAYS} days.", field="days")
        today = self._clock.now().astimezone(UTC).date()
        first = today - timedelta(days=days - 1)
        since = datetime(first.year, first.month, first.day, tzinfo=UTC)
        conditions = [col(AiCall.workspace_id) == who.workspace_id, col(AiCall.id) >= id_floor(since)]
        async with self._db.read() as session:
            if account_id:
                await owned_account(session, who, account_id)
                conditions.append(col(AiCall.account_id) == account_id)
            day = _day(session)
            by_model = (await session.execute(_sums((col(AiCall.provider_label), col(AiCall.model)), conditions))).all()
            by_day = {row[0]: row for row in await session.execute(_sums((day,), conditions))}
            latest = select(col(AiCall.provider_label), col(AiCall.model), col(AiCall.ms)).where(*conditions)
            times = (await session.execute(latest.where(col(AiCall.outcome) == "ok").order_by(col(AiCall.id).desc()).limit(_SAMPLE))).all()
        slow: dict[tuple[str, str], list[int]] = defaultdict(list)
        for label, model, ms in times:
            slow[label, model].append(ms)
        models = tuple(_line(row[0], row[1], row[2:], _p95(slow[row[0], row[1]])) for row in by_model)
        all_days = [(first + timedelta(days=number)).isoformat() for number in range(days)]
        lines = tuple(_line(each, "", by_day[each][1:] if each in by_day else (), None) for each in all_days)
        total = _line("", "", [sum(row[at] or 0 for row in by_model) for at in range(2, 7)], _p95([ms for _, _, ms in times]))
        return Usage(total, tuple(sorted(models, key=lambda line: -line.calls)), lines)

    async def trace(self, who: Principal, message_id: str) -> Trace | None:
        """What the outgoing message was made of; None when no AI made it. Raises :class:`NotFound`."""
        who.require(Role.VIEWER)
        async with self._db.read() as session:
            message = await session.get(Message, message_id)
            if message is None:
                raise NotFound("There is no such message.", code="message_not_found")
            await owned_account(session, who, message.account_id)
            row = await session.get(AiAnswer, message_id)
        return trace_of(row) if row else None


def _conditions(filters: CallFilters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.account_id:
        found.append(col(AiCall.account_id) == filters.account_id)
    if filters.provider_kind:
        found.append(col(AiCall.provider_kind) == filters.provider_kind)
    if filters.purpose:
        if filters.purpose not in _PURPOSES:
            raise Invalid(f"A purpose is one of: {', '.join(_PURPOSES)}.", field="purpose")
        found.append(col(AiCall.purpose) == filters.purpose)
    if filters.outcome:
        if filters.outcome not in ("ok", "failed"):
            raise Invalid("An outcome is ok or failed.", field="outcome")
        good = (Outcome.OK.value, Outcome.CANCELLED.value)
        found.append(col(AiCall.outcome) == "ok" if filters.outcome == "ok" else col(AiCall.outcome).not_in(good))
    for name in ("since", "until"):
        moment = getattr(filters, name)
        if moment is None:
            continue
        if moment.tzinfo is None:
            raise Invalid("A time needs its time zone, for example 2026-01-31T10:00:00Z.", field=name)
        found.append(col(AiCall.id) >= id_floor(moment) if name == "since" else col(AiCall.id) < id_floor(moment))
    return found


def _sums(groups: Sequence[Any], conditions: Sequence[ColumnElement[bool]]) -> Any:
    ok = func.sum(case((col(AiCall.outcome) == "ok", 1), else_=0))
    sums = (func.count(), ok, func.sum(col(AiCall.tokens_in)), func.sum(col(AiCall.tokens_out)), func.sum(col(AiCall.cost_micros)))
    return select(*groups, *sums).where(*conditions).group_by(*groups)


def _day(session: AsyncSession) -> Any:
    """The day of a call in UTC, as ``2026-11-25``."""
    if session.get_bind().dialect.name == "postgresql":
        return func.to_char(func.timezone("UTC", col(AiCall.created_at)), "YYYY-MM-DD")
    return func.date(col(AiCall.created_at))


def _line(label: str, model: str, sums: Sequence[Any], p95: int | None) -> UsageLine:
    calls, ok, tokens_in, tokens_out, micros = (int(each or 0) for each in (sums or (0,) * 5))
    return UsageLine(label, model, calls, ok, tokens_in, tokens_out, micros, p95)


def _p95(times: list[int]) -> int | None:
    return sorted(times)[ceil(len(times) * 0.95) - 1] if times else None


def _cursor(given: str) -> str:
    try:
        return str(uuid.UUID(given))
    except ValueError:
        raise Invalid("This is not a cursor of this log; take it from the page before.", field="cursor") from None


def _row(call: AiCall, account_name: str) -> CallRow:
    return CallRow(
        id=call.id,
        at=call.created_at,
        account_id=call.account_id,
        account_name=account_name,
        conversation_id=call.conversation_id,
        message_id=call.message_id,
        provider_label=call.provider_label,
        provider_kind=call.provider_kind,
        model=call.model,
        purpose=call.purpose,
        outcome=Outcome(call.outcome),
        error=call.error,
        tokens_in=call.tokens_in,
        tokens_out=call.tokens_out,
        cost_micros=call.cost_micros,
        ms=call.ms,
    )
