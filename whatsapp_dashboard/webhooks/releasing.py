"""Once an endpoint is proved to be back: what failed only because it was away waits for its own next try no longer (HOOK-4, HOOK-5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.models import WebhookAttempt, WebhookDelivery


@dataclass(frozen=True, slots=True)
class Release:
    """Which deliveries of a webhook go out at once: those tried in vain since ``since``, its latest success before (None: ever), or
    exactly ``ids``."""

    since: datetime | None = None
    ids: frozenset[str] | None = None


async def release(session: AsyncSession, webhook_id: str, which: Release) -> None:
    """Queue them as if they had never been tried, at their places in the event log: so each conversation goes on in its order. The
    tries they had still count."""
    waiting = update(WebhookDelivery).where(
        col(WebhookDelivery.webhook_id) == webhook_id,
        col(WebhookDelivery.state) == "pending",
        col(WebhookDelivery.next_try_at).is_not(None),
    )
    if which.ids is not None:
        waiting = waiting.where(col(WebhookDelivery.id).in_(which.ids))
    elif which.since is not None:
        tried = exists().where(col(WebhookAttempt.delivery_id) == col(WebhookDelivery.id), col(WebhookAttempt.started_at) >= which.since)
        waiting = waiting.where(tried)
    await session.execute(waiting.values(next_try_at=None), execution_options={"synchronize_session": False})
