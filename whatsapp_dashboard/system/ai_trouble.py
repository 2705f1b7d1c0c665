"""Which accounts' bots need a person: nobody to ask, nobody who answers, or today's limit reached (AI-3, OBS-1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.ai.budget import today_of
from whatsapp_dashboard.ai.store import settings_of
from whatsapp_dashboard.models import AiConfig, AiProvider, Event

FRESH = timedelta(hours=24)
"""A failure that is older than this, with nothing after it, is no news."""


@dataclass(frozen=True, slots=True)
class AiTrouble:
    """One account's bot that is on and does not answer. ``kind`` is ``no_provider``, ``failing`` or ``limit``."""

    account_id: str
    account_name: str
    kind: str
    text: str
    since: datetime | None


async def ai_trouble(session: AsyncSession, names: Mapping[str, str], now: datetime, *, after_seq: int) -> tuple[AiTrouble, ...]:
    """The bots in trouble of the accounts ``names`` (id to name). What failed is read from the events after ``after_seq``."""
    configs = list(await session.scalars(select(AiConfig).where(col(AiConfig.enabled), col(AiConfig.account_id).in_(names))))
    if not configs:
        return ()
    on = [config.account_id for config in configs]
    usable = select(col(AiProvider.account_id)).where(col(AiProvider.enabled), col(AiProvider.account_id).in_(on)).distinct()
    with_provider = set(await session.scalars(usable))
    failed = await _failing(session, on, after_seq)
    found = []
    for config in configs:
        account_id, settings = config.account_id, settings_of(config)
        if account_id not in with_provider:
            found.append(AiTrouble(account_id, names[account_id], "no_provider", "AI is on, but there is no provider to ask.", None))
        elif (event := failed.get(account_id)) is not None and now - event.created_at < FRESH:
            reason = str(event.data.get("reason", "")) or "No provider answered."
            found.append(AiTrouble(account_id, names[account_id], "failing", reason, event.created_at))
        elif (settings.daily_answers or settings.daily_cost_usd) and (await today_of(session, account_id, settings, now)).limit_reached:
            words = "Today's limit is reached: the bot is silent until midnight."
            found.append(AiTrouble(account_id, names[account_id], "limit", words, config.budget_told_at))
    return tuple(sorted(found, key=lambda trouble: trouble.account_name.casefold()))


async def _failing(session: AsyncSession, account_ids: list[str], after_seq: int) -> dict[str, Event]:
    """By account: the newest failure, where no answer came after it."""
    # The newest part of the log is read, never all events of these types: hence no plain condition on the indexed type.
    of_ai = func.coalesce(col(Event.type), "").in_(("ai.failed", "ai.answered"))
    statement = (
        select(col(Event.account_id), col(Event.type), func.max(col(Event.seq)))
        .where(col(Event.seq) > after_seq, col(Event.account_id).in_(account_ids), of_ai)
        .group_by(col(Event.account_id), col(Event.type))
    )
    newest: dict[str, dict[str, int]] = {}
    for account_id, kind, seq in await session.execute(statement):
        newest.setdefault(str(account_id), {})[kind] = int(seq or 0)
    wanted = [seqs["ai.failed"] for seqs in newest.values() if seqs.get("ai.failed", 0) > seqs.get("ai.answered", 0)]
    if not wanted:
        return {}
    events = await session.scalars(select(Event).where(col(Event.seq).in_(wanted)))
    return {event.account_id: event for event in events if event.account_id}
