"""Writes down how attempts went, many in one transaction: the attempt, the delivery's new state, how the endpoint does (HOOK-4, HOOK-6)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.core.cancelling import to_its_end
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.steady import SteadyTask
from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.errors import DatabaseAway
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.models import Webhook, WebhookDelivery
from whatsapp_dashboard.models.base import metadata
from whatsapp_dashboard.webhooks.attempt import Outcome
from whatsapp_dashboard.webhooks.lanes import Claimed
from whatsapp_dashboard.webhooks.releasing import Release, release
from whatsapp_dashboard.webhooks.views import DeliveryState

log = structlog.get_logger(__name__)

_BATCH = 200
_AGAIN_SECONDS = 1.0
_REST_SECONDS = 0.02
"""After a write: results that come meanwhile share the next one."""
_ATTEMPT = metadata.tables["webhook_attempt"]
_DELIVERY = metadata.tables["webhook_delivery"]
_HOUR = metadata.tables["webhook_hour"]
_SETTLE = (
    update(_DELIVERY)
    .where(_DELIVERY.c.id == bindparam("_id"), _DELIVERY.c.claim_id == bindparam("_claim_id"))
    .values(
        claim_id=None,
        claimed_until=None,
        **{
            name: bindparam(f"_{name}", type_=_DELIVERY.c[name].type)
            for name in ("state", "attempts", "tries", "next_try_at", "finished_at", "last_status", "last_error", "last_ms")
        },
    )
)
"""A result counts only while its claim is the valid one."""


@dataclass(frozen=True, slots=True)
class Settled:
    """An attempt that was made. ``next_try_at`` None with a failure makes the delivery a dead letter; ``notice`` is the event to tell of
    the endpoint, if it failed once too often or came back; ``release`` says what goes out at once for that."""

    item: Claimed
    outcome: Outcome
    next_try_at: datetime | None = None
    notice: str = ""
    release: Release | None = None
    costs_try: bool = True
    """False for a probe that failed: an outage burns no tries."""


StateOf = Callable[[str], dict[str, Any]]
"""A webhook's columns that say how its endpoint does, as they are now; empty for one that is gone."""


class Settler:
    """Collects results and writes them. ``state_of`` tells how an endpoint stands now; ``on_settled`` gets what was written."""

    def __init__(self, db: Database, state_of: StateOf, on_settled: Callable[[Sequence[Settled]], None]) -> None:
        self._db = db
        self._state_of = state_of
        self._on_settled = on_settled
        self._results: list[Settled] = []
        self._together = _BATCH
        """How many are written in one transaction: fewer after a failure, so that one that cannot be written keeps no other."""
        self._wake = asyncio.Event()
        self._loop = SteadyTask("webhook-settling", self._write)

    def start(self) -> None:
        """Begin to write; nothing when it does."""
        self._loop.start()

    async def stop(self) -> None:
        """Write what is there and can be written, then stop. Raises :class:`DatabaseAway`."""
        await self._loop.stop()
        unwritable = 0
        while len(self._results) > unwritable:
            alone = self._together == 1 or len(self._results) == 1
            if not await self._step() and alone:
                unwritable += 1

    @property
    def held(self) -> set[str]:
        """The ids of deliveries whose result is not written yet."""
        return {each.item.id for each in self._results}

    def add(self, result: Settled) -> None:
        """An attempt has ended."""
        self._results.append(result)
        self._wake.set()

    async def _write(self) -> None:
        while True:
            while self._results:
                # To its end, also when the program stops meanwhile: what was delivered must not be delivered again for nothing.
                written = await to_its_end(self._step())
                await asyncio.sleep(_REST_SECONDS if written else _AGAIN_SECONDS)
            await self._wake.wait()
            self._wake.clear()

    async def _step(self) -> bool:
        """Write the first ones; whether they could be written. If not, the others go first."""
        batch = self._results[: self._together]
        try:
            async with self._db.write() as session:
                await settle(session, batch, self._state_of)
        except DatabaseAway:
            raise
        except Exception:
            log.exception("results of deliveries could not be written; the others go first", count=len(batch))
            self._results = [*self._results[len(batch) :], *batch]
            self._together = 1
            return False
        del self._results[: len(batch)]
        self._together = min(2 * self._together, _BATCH)
        self._on_settled(batch)
        return True


async def settle(session: AsyncSession, batch: Sequence[Settled], state_of: StateOf) -> None:
    """Write ``batch`` in the caller's transaction."""
    batch = await _still_there(session, batch)
    if not batch:
        return
    connection = await session.connection()
    # Rows in one order everywhere, so that two processes never wait for each other.
    await connection.execute(_SETTLE, sorted((_delivery(each) for each in batch), key=lambda row: str(row["_id"])))
    await connection.execute(insert(_ATTEMPT), [_attempt(each) for each in batch])
    await _count(session, batch)
    for webhook_id in sorted({each.item.webhook_id for each in batch}):
        if columns := state_of(webhook_id):
            await session.execute(update(Webhook).where(col(Webhook.id) == webhook_id).values(**columns))
    for each in batch:
        if each.release:
            await release(session, each.item.webhook_id, each.release)
        if each.notice:
            owner = select(col(Webhook.workspace_id), col(Webhook.name), col(Webhook.url)).where(col(Webhook.id) == each.item.webhook_id)
            workspace_id, name, url = (await session.execute(owner)).one()
            data = {"webhook_id": each.item.webhook_id, "name": name or url, "error": each.outcome.error}
            record(session, each.notice, workspace_id=workspace_id, data=data)


async def _still_there(session: AsyncSession, batch: Sequence[Settled]) -> list[Settled]:
    """Those whose webhook was not deleted meanwhile."""
    ids = select(col(WebhookDelivery.id)).where(col(WebhookDelivery.id).in_([each.item.id for each in batch]))
    found = set(await session.scalars(ids.order_by(col(WebhookDelivery.id)).with_for_update()))
    return [each for each in batch if each.item.id in found]


async def lock_held(session: AsyncSession, webhook_id: str) -> None:
    """For who deletes a webhook: lock what is being delivered before the webhook itself, in the order of :func:`settle`, so that neither
    waits for the other for ever."""
    held = select(col(WebhookDelivery.id)).where(col(WebhookDelivery.webhook_id) == webhook_id, col(WebhookDelivery.state) == "delivering")
    await session.execute(held.order_by(col(WebhookDelivery.id)).with_for_update())


def _delivery(settled: Settled) -> dict[str, Any]:
    item, outcome = settled.item, settled.outcome
    ended = outcome.started_at + timedelta(milliseconds=outcome.ms)
    state = DeliveryState.PENDING if settled.next_try_at else DeliveryState.SUCCEEDED if outcome.succeeded else DeliveryState.DEAD
    return {
        "_id": item.id,
        "_claim_id": item.claim_id,
        "_state": state.value,
        "_attempts": item.attempts + 1,
        "_tries": item.tries + settled.costs_try,
        "_next_try_at": settled.next_try_at,
        "_finished_at": None if settled.next_try_at else ended,
        "_last_status": outcome.status,
        "_last_error": outcome.error,
        "_last_ms": outcome.ms,
    }


def _attempt(settled: Settled) -> dict[str, Any]:
    item, outcome = settled.item, settled.outcome
    return {
        "id": new_id(),
        "delivery_id": item.id,
        "webhook_id": item.webhook_id,
        "number": item.attempts + 1,
        "round": item.replays,
        "started_at": outcome.started_at,
        "ms": outcome.ms,
        "succeeded": outcome.succeeded,
        "status": outcome.status,
        "error": outcome.error,
        "address": outcome.address,
        "request_headers": outcome.request_headers,
        "response_headers": outcome.response_headers,
        "response_body": outcome.response_body,
        "response_truncated": outcome.response_truncated,
    }


async def _count(session: AsyncSession, batch: Sequence[Settled]) -> None:
    """Add the attempts to the counters of their hour."""
    counts: dict[tuple[str, datetime], list[int]] = {}
    for each in batch:
        hour = each.outcome.started_at.replace(minute=0, second=0, microsecond=0)
        counts.setdefault((each.item.webhook_id, hour), [0, 0])[0 if each.outcome.succeeded else 1] += 1
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    for (webhook_id, hour), (succeeded, failed) in sorted(counts.items()):
        row = make(_HOUR).values(webhook_id=webhook_id, hour=hour, succeeded=succeeded, failed=failed)
        adding = {"succeeded": _HOUR.c.succeeded + succeeded, "failed": _HOUR.c.failed + failed}
        await session.execute(row.on_conflict_do_update(index_elements=["webhook_id", "hour"], set_=adding))
