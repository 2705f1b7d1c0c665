"""How endpoints did in the last 24 hours, for the list of webhooks (HOOK-6)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.domain.ids import id_floor
from whatsapp_dashboard.models import Webhook, WebhookAttempt, WebhookDelivery, WebhookHour
from whatsapp_dashboard.webhooks.views import Hour, WebhookHealth

HOURS = 24
_LATEST = 500
"""Attempts the 95th percentile is taken of."""

_FRESH = (col(WebhookDelivery.state) == "pending", col(WebhookDelivery.next_try_at).is_(None))
_RETRY = (col(WebhookDelivery.state) == "pending", col(WebhookDelivery.next_try_at).is_not(None))
_CLAIMED = (col(WebhookDelivery.state) == "delivering",)
_DEAD = (col(WebhookDelivery.state) == "dead",)


async def health_of(session: AsyncSession, webhooks: Sequence[Webhook], now: datetime) -> dict[str, WebhookHealth]:
    """The health of each of ``webhooks``, by its id."""
    ids = [webhook.id for webhook in webhooks]
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    first = this_hour - timedelta(hours=HOURS - 1)
    counted: dict[tuple[str, datetime], tuple[int, int]] = {}
    for row in await session.scalars(select(WebhookHour).where(col(WebhookHour.webhook_id).in_(ids), col(WebhookHour.hour) >= first)):
        counted[row.webhook_id, row.hour] = (row.succeeded, row.failed)
    waiting = [await _counts(session, ids, which) for which in (_FRESH, _RETRY, _CLAIMED)]
    dead = await _counts(session, ids, _DEAD)
    given_up = await _counts(session, ids, (*_DEAD, col(WebhookDelivery.id) >= id_floor(now - timedelta(hours=HOURS))))
    found = {}
    for webhook in webhooks:
        hours = tuple(
            Hour(at, *counted.get((webhook.id, at), (0, 0))) for at in (first + timedelta(hours=number) for number in range(HOURS))
        )
        many = sum(counts.get(webhook.id, 0) for counts in waiting)
        found[webhook.id] = WebhookHealth(
            hours=hours,
            succeeded=sum(hour.succeeded for hour in hours),
            failed=sum(hour.failed for hour in hours),
            given_up=given_up.get(webhook.id, 0),
            p95_ms=await _p95(session, webhook.id, now - timedelta(hours=HOURS)),
            waiting=many,
            dead=dead.get(webhook.id, 0),
            oldest_waiting_at=await _oldest(session, webhook.id) if many else None,
            last_success_at=webhook.last_success_at,
            last_failure_at=webhook.last_failure_at,
            last_error=webhook.last_error,
        )
    return found


async def _counts(session: AsyncSession, ids: list[str], which: tuple[Any, ...]) -> dict[str, int]:
    """How many deliveries are in a state; each is counted along an index of its own."""
    column = col(WebhookDelivery.webhook_id)
    rows = await session.execute(select(column, func.count()).where(column.in_(ids), *which).group_by(column))
    return {row[0]: row[1] for row in rows}


async def _p95(session: AsyncSession, webhook_id: str, since: datetime) -> int | None:
    latest = select(col(WebhookAttempt.ms), col(WebhookAttempt.started_at)).where(col(WebhookAttempt.webhook_id) == webhook_id)
    rows = await session.execute(latest.order_by(col(WebhookAttempt.id).desc()).limit(_LATEST))
    times = sorted(ms for ms, started_at in rows if started_at >= since)
    return times[math.ceil(0.95 * len(times)) - 1] if times else None


async def _oldest(session: AsyncSession, webhook_id: str) -> datetime | None:
    """Since when the delivery at the head of the queue has been waiting."""
    queued = select(col(WebhookDelivery.queued_at)).where(col(WebhookDelivery.webhook_id) == webhook_id)
    heads = (
        queued.where(*_FRESH).order_by(col(WebhookDelivery.seq)).limit(1),
        queued.where(*_RETRY).order_by(col(WebhookDelivery.next_try_at)).limit(1),
        queued.where(*_CLAIMED).limit(1),
    )
    times = [at for head in heads if (at := await session.scalar(head))]
    return min(times, default=None)
