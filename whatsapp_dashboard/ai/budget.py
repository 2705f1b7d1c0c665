"""The daily limits of an account's bot: answers and known costs since midnight in its time zone (AI-1)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.ai.views import Outcome, Today
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.ai_settings import AiSettings
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.models import Account, AiCall, AiConfig

LONGEST_SECONDS = 900.0
"""An answer that is being made for longer than this is not coming."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a day's replies add up to."""

    answers: int
    tokens: int
    micros: int


class Budget:
    """Counts what is stored plus what is being made right now, so that parallel conversations do not overrun a limit of answers."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._running: dict[str, dict[str, float]] = defaultdict(dict)
        """By account: the messages being answered, and since when."""

    async def take(self, account: Account, settings: AiSettings, job: str) -> bool:
        """Take one answer of today's for the message ``job``; :meth:`give_back` ends that. False: the limit is reached, of which operators
        are told once a day."""
        if not settings.daily_answers and not settings.daily_cost_usd:
            return True
        day = settings.hours.day_start(self._clock.now())
        async with self._db.read() as session:
            spent = await spent_since(session, account.id, day)
        now = self._clock.monotonic()
        running = {each: since for each, since in self._running[account.id].items() if now - since < LONGEST_SECONDS and each != job}
        if reached(settings, spent, len(running)):
            await self._tell(account, settings, day, spent)
            return False
        self._running[account.id] = running | {job: now}
        return True

    def give_back(self, account_id: str, job: str) -> None:
        """The answer is in the log now, or will not be made."""
        self._running[account_id].pop(job, None)

    async def _tell(self, account: Account, settings: AiSettings, day: datetime, spent: Spent) -> None:
        async with self._db.write() as session:
            config = await session.get(AiConfig, account.id, with_for_update=True)
            if config is None or (config.budget_told_at and config.budget_told_at >= day):
                return
            config.budget_told_at = self._clock.now()
            record(
                session,
                "ai.budget_reached",
                workspace_id=account.workspace_id,
                account_id=account.id,
                data={"answers": spent.answers, "cost_usd": spent.micros / 1_000_000, "limit_answers": settings.daily_answers},
            )


def reached(settings: AiSettings, spent: Spent, running: int = 0) -> bool:
    """Whether no further answer is made today."""
    if settings.daily_answers and spent.answers + running >= settings.daily_answers:
        return True
    return bool(settings.daily_cost_usd and spent.micros >= settings.daily_cost_usd * 1_000_000)


async def spent_since(session: AsyncSession, account_id: str, since: datetime) -> Spent:
    """What an account's replies took since then."""
    answered = func.sum(func.coalesce(AiCall.cost_micros, 0))
    statement = (
        select(func.count(), func.sum(col(AiCall.tokens_in) + col(AiCall.tokens_out)), answered)
        .where(col(AiCall.account_id) == account_id, col(AiCall.created_at) >= since)
        .where(col(AiCall.purpose) == "reply", col(AiCall.outcome) == Outcome.OK.value)
    )
    count, tokens, micros = (await session.execute(statement)).one()
    return Spent(count, int(tokens or 0), int(micros or 0))


async def today_of(session: AsyncSession, account_id: str, settings: AiSettings, now: datetime) -> Today:
    """What an account's bot has done today."""
    spent = await spent_since(session, account_id, settings.hours.day_start(now))
    return Today(spent.answers, spent.tokens, spent.micros / 1_000_000, reached(settings, spent))
