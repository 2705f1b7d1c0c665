"""Notices a delivery that is due and that nobody takes, says so, and sets its endpoint going again (HOOK-4, HOOK-5).

Whatever has gone wrong then, it is a fault of this program: a lane that counts wrongly, a loop that has ended, a gate that was never
opened again. Nobody should have to find that out from what is missing at the receiver, nor to restart for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select, update
from sqlmodel import col

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.models import Webhook
from whatsapp_dashboard.webhooks.dispatcher import Dispatcher

log = structlog.get_logger(__name__)

PATIENCE = timedelta(seconds=60)
"""How long something may be due at an endpoint without any attempt being made there. A request takes 10 s at most."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """How an endpoint with something due stood when it was first seen so, by a clock that nobody sets. ``progress`` changes with every
    attempt, in any process."""

    at: float
    progress: tuple[Any, ...]


class Watchdog:
    """Looks at all endpoints every few seconds: for each that could get something two looks into an index, however long the log is.
    ``on_change`` is called when an endpoint came to a standstill or moves again."""

    def __init__(self, db: Database, clock: Clock, dispatcher: Dispatcher, on_change: Callable[[], None]) -> None:
        self._db = db
        self._clock = clock
        self._dispatcher = dispatcher
        self._on_change = on_change
        self._seen: dict[str, _Seen] = {}

    async def look(self) -> None:
        """Once. For the scheduler, every 10 s."""
        now = self._clock.now()
        async with self._db.read() as session:
            rows = list(await session.scalars(select(Webhook)))
        waiting = {row.id for row in rows if self._dispatcher.standing(row.id)[1]}
        waiting |= await self._dispatcher.due({row.id: row.failing_since is not None for row in rows if _may_go_out(row, now)})
        before = self._seen
        tick = self._clock.monotonic()
        self._seen = {row.id: self._see(row, tick) for row in rows if row.id in waiting}
        for row in rows:
            last, seen = before.get(row.id), self._seen.get(row.id)
            if seen and tick - seen.at >= PATIENCE.total_seconds():
                await self._set_going(row)
            elif row.stalled_since and (seen is None or (last and last.progress != seen.progress)):
                await self._tell(row, "webhook.moving", None)

    def _see(self, row: Webhook, tick: float) -> _Seen:
        progress = (row.last_success_at, row.last_failure_at, row.failing_since, row.paused_at, self._dispatcher.standing(row.id)[0])
        last = self._seen.get(row.id)
        return last if last and last.progress == progress else _Seen(tick, progress)

    async def _set_going(self, row: Webhook) -> None:
        log.error("deliveries were due and nobody took them; the endpoint's lane is made anew", webhook_id=row.id, seconds=PATIENCE.seconds)
        await self._dispatcher.revive(row.id)
        del self._seen[row.id]
        self._seen[row.id] = self._see(row, self._clock.monotonic())  # it has as long again
        if row.stalled_since is None:
            await self._tell(row, "webhook.stalled", self._clock.now() - PATIENCE)

    async def _tell(self, row: Webhook, event: str, since: datetime | None) -> None:
        """Write it where people and clients look."""
        async with self._db.write() as session:
            changed = update(Webhook).where(col(Webhook.id) == row.id).values(stalled_since=since)
            if (await session.execute(changed)).rowcount:  # type: ignore[attr-defined]
                data = {"webhook_id": row.id, "name": row.name or row.url}
                record(session, event, workspace_id=row.workspace_id, account_id=row.account_id, data=data)
        self._on_change()


def _may_go_out(row: Webhook, now: datetime) -> bool:
    """Whether the endpoint gets what is due, or a probe, now."""
    if not row.enabled or row.paused_at or (row.quiet_until and row.quiet_until > now):
        return False
    return row.failing_since is None or row.next_probe_at is None or row.next_probe_at <= now
