"""What becomes of old deliveries: those no endpoint came back for are dead letters, finished ones are forgotten after a while."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, exists, or_, select, update
from sqlmodel import col

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.models import Webhook, WebhookDelivery, WebhookEvent, WebhookHour

_BATCH = 500
"""Rows of one transaction: on SQLite all other writers wait for it."""
_HOURS_KEPT = 48


class Housekeeping:
    """``hold_hours``: how long a delivery waits for an endpoint that does not come back; ``log_days``: how long finished ones are kept."""

    def __init__(self, db: Database, clock: Clock, *, hold_hours: float, log_days: float) -> None:
        self._db = db
        self._clock = clock
        self._hold = timedelta(hours=hold_hours)
        self._keep = timedelta(days=log_days)
        self._hold_hours = hold_hours

    async def sweep(self) -> None:
        """Do both."""
        now = self._clock.now()
        while await self._give_up(now):
            pass
        while await self._forget(now):
            pass
        async with self._db.read() as session:
            old = await session.scalar(select(WebhookHour).where(col(WebhookHour.hour) < now - timedelta(hours=_HOURS_KEPT)).limit(1))
        if old:
            async with self._db.write() as session:
                await session.execute(delete(WebhookHour).where(col(WebhookHour.hour) < now - timedelta(hours=_HOURS_KEPT)))

    async def _give_up(self, now: datetime) -> bool:
        closed = or_(col(Webhook.failing_since).is_not(None), col(Webhook.paused_at).is_not(None), col(Webhook.enabled).is_(False))
        async with self._db.read() as session:
            held = list(await session.scalars(select(col(Webhook.id)).where(closed)))
            late = (
                select(col(WebhookDelivery.id))
                .where(col(WebhookDelivery.webhook_id).in_(held), col(WebhookDelivery.state) == "pending")
                .where(col(WebhookDelivery.queued_at) < now - self._hold)
                .limit(_BATCH)
            )
            some = list(await session.scalars(late)) if held else []
        if not some:
            return False
        error = f"The endpoint did not come back within {self._hold_hours:g} h."
        async with self._db.write() as session:
            waiting = update(WebhookDelivery).where(col(WebhookDelivery.id).in_(some), col(WebhookDelivery.state) == "pending")
            await session.execute(waiting.values(state="dead", finished_at=now, last_error=error))
        return True

    async def _forget(self, now: datetime) -> bool:
        """Events go with the last of their deliveries; a dead letter is kept as long as a delivered one."""
        unfinished = exists().where(
            col(WebhookDelivery.event_id) == col(WebhookEvent.id), col(WebhookDelivery.state).in_(("pending", "delivering"))
        )
        lately = exists().where(col(WebhookDelivery.event_id) == col(WebhookEvent.id), col(WebhookDelivery.finished_at) >= now - self._keep)
        old = select(col(WebhookEvent.id)).where(col(WebhookEvent.created_at) < now - self._keep, ~unfinished, ~lately)
        async with self._db.read() as session:
            some = list(await session.scalars(old.order_by(col(WebhookEvent.created_at)).limit(_BATCH)))
        if some:
            async with self._db.write() as session:
                await session.execute(delete(WebhookEvent).where(col(WebhookEvent.id).in_(some), ~unfinished, ~lately))
        return bool(some)
