"""The delivery log: what was sent, what came back, and sending again (HOOK-6, HOOK-8)."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.ids import id_floor
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.errors import Conflict, Invalid, NotFound
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.models import Account, Webhook, WebhookAttempt, WebhookDelivery, WebhookEvent
from whatsapp_dashboard.webhooks.dispatcher import Dispatcher
from whatsapp_dashboard.webhooks.feed import DeliveryFeed, Watch
from whatsapp_dashboard.webhooks.rows import state_of
from whatsapp_dashboard.webhooks.views import (
    AttemptView,
    DeliveryDetail,
    DeliveryFilters,
    DeliveryPage,
    DeliveryRow,
    DeliveryState,
    WebhookState,
)

COUNT_LIMIT = 10_000
"""Counts stop here."""
MAX_PAGE = 200
MAX_ATTEMPTS_SHOWN = 200
_REPLAY_BATCH = 500
_WAITING = (DeliveryState.PENDING.value, DeliveryState.DELIVERING.value)


class DeliveryLog:
    """Deliveries of the asking operator's workspace. Viewers read, operators replay."""

    def __init__(self, db: Database, clock: Clock, dispatcher: Dispatcher, feed: DeliveryFeed) -> None:
        self._db = db
        self._clock = clock
        self._dispatcher = dispatcher
        self._feed = feed

    # -- reading

    async def page(self, who: Principal, filters: DeliveryFilters, *, cursor: str = "", limit: int = 50) -> DeliveryPage:
        """A page, newest first. ``cursor`` is the ``next_cursor`` of the page before. Raises :class:`Invalid`."""
        who.require(Role.VIEWER)
        if not 1 <= limit <= MAX_PAGE:
            raise Invalid(f"A page has 1 to {MAX_PAGE} deliveries.", field="limit")
        conditions = _conditions(filters)
        if cursor:
            conditions.append(col(WebhookDelivery.id) < _cursor(cursor))
        async with self._db.read() as session:
            mine = await _webhooks(session, who)
            ids = select(WebhookDelivery).where(*conditions, *_scope(filters, mine)).order_by(col(WebhookDelivery.id).desc())
            found = (await session.scalars(ids.limit(limit + 1))).all()
            names = await _account_names(session, {row.account_id for row in found if row.account_id})
        now = self._clock.now()
        rows = tuple(_row(row, mine[row.webhook_id], names.get(row.account_id or ""), now) for row in found[:limit])
        return DeliveryPage(rows, rows[-1].id if len(found) > limit else "")

    async def get(self, who: Principal, delivery_id: str) -> DeliveryDetail:
        """One delivery with its attempts, newest first. Raises :class:`NotFound`."""
        who.require(Role.VIEWER)
        async with self._db.read() as session:
            delivery, webhook = await _owned(session, who, delivery_id)
            event = await session.get_one(WebhookEvent, delivery.event_id)
            names = await _account_names(session, {delivery.account_id} if delivery.account_id else set())
            attempts = select(WebhookAttempt).where(col(WebhookAttempt.delivery_id) == delivery_id)
            tried = (await session.scalars(attempts.order_by(col(WebhookAttempt.id).desc()).limit(MAX_ATTEMPTS_SHOWN))).all()
        row = _row(delivery, webhook, names.get(delivery.account_id or ""), self._clock.now())
        return DeliveryDetail(row, event.body, tuple(_attempt(each) for each in tried))

    async def counts(self, who: Principal, filters: DeliveryFilters) -> dict[str, int]:
        """How many deliveries match in each state, whatever state ``filters`` names; at most :data:`COUNT_LIMIT` each."""
        who.require(Role.VIEWER)
        conditions = _conditions(filters, with_state=False)
        async with self._db.read() as session:
            mine = await _webhooks(session, who)
            counts = {}
            for state in DeliveryState:
                some = select(col(WebhookDelivery.id)).where(col(WebhookDelivery.state) == state.value, *conditions, *_scope(filters, mine))
                counts[state.value] = await session.scalar(select(func.count()).select_from(some.limit(COUNT_LIMIT).subquery())) or 0
        return counts

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[Watch]:
        """Be told of changes while the block runs: ``await watch.next(seconds)``."""
        async with self._feed.watch() as watch:
            yield watch

    # -- sending again

    async def replay(self, who: Principal, delivery_id: str) -> DeliveryRow:
        """Send one again, delivered or not, under the same event id; one that waits for its retry goes at once. Raises :class:`Conflict`
        while it is under way."""
        who.require(Role.OPERATOR)
        async with self._db.write() as session:
            delivery, webhook = await _owned(session, who, delivery_id, lock=True)
            if delivery.state == DeliveryState.DELIVERING:
                raise Conflict("This delivery is under way at this moment.", code="under_way")
            if delivery.state == DeliveryState.PENDING:
                if delivery.next_try_at:
                    delivery.next_try_at = self._clock.now()
            else:
                for name, value in self._queued_again().items():
                    setattr(delivery, name, value)
                delivery.replays += 1
            self._told(session, who, 1, webhook)
        self._wake()
        return (await self.get(who, delivery_id)).row

    async def replay_matching(self, who: Principal, filters: DeliveryFilters) -> int:
        """Send all finished deliveries again that match, dead letters and delivered ones; returns how many. Those that still wait go
        out by themselves. Raises :class:`Invalid` when nothing says which."""
        who.require(Role.OPERATOR)
        if filters == DeliveryFilters():
            raise Invalid("Say which deliveries: by state, event, webhook, account or time.", code="filter_needed")
        async with self._db.read() as session:
            mine = await _webhooks(session, who)
        began, count, after = self._clock.now(), 0, ""
        finished = col(WebhookDelivery.state).in_((DeliveryState.SUCCEEDED.value, DeliveryState.DEAD.value))
        before = col(WebhookDelivery.queued_at) < began  # what has been sent again since is not sent a third time
        matching = select(col(WebhookDelivery.id)).where(finished, before, *_conditions(filters), *_scope(filters, mine))
        while True:
            ids = matching.where(col(WebhookDelivery.id) > after)
            async with self._db.write() as session:
                some = list(await session.scalars(ids.order_by(col(WebhookDelivery.id)).limit(_REPLAY_BATCH).with_for_update()))
                again = update(WebhookDelivery).where(col(WebhookDelivery.id).in_(some))
                if some:
                    await session.execute(again.values(**self._queued_again(), replays=col(WebhookDelivery.replays) + 1))
                count += len(some)
                if len(some) < _REPLAY_BATCH:
                    if count:
                        self._told(session, who, count, mine.get(filters.webhook_id))
                    break
            after = some[-1]
            self._wake()
        self._wake()
        return count

    async def replay_since(self, who: Principal, webhook_id: str, since: datetime) -> int:
        """Send everything again that was queued for a webhook since then; returns how many."""
        async with self._db.read() as session:
            if webhook_id not in await _webhooks(session, who):
                raise NotFound("There is no such webhook.", code="webhook_not_found")
        return await self.replay_matching(who, DeliveryFilters(webhook_id=webhook_id, since=since))

    # -- inside

    def _queued_again(self) -> dict[str, Any]:
        return {"state": DeliveryState.PENDING.value, "tries": 0, "next_try_at": None, "finished_at": None, "queued_at": self._clock.now()}

    def _told(self, session: AsyncSession, who: Principal, count: int, webhook: Webhook | None) -> None:
        data = {"count": count, "by": who.username, "webhook_id": webhook.id if webhook else None}
        record(session, "webhook.replayed", workspace_id=who.workspace_id, data=data)

    def _wake(self) -> None:
        self._dispatcher.wake()
        self._feed.tell()


def _conditions(filters: DeliveryFilters, *, with_state: bool = True) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.state and with_state:
        if filters.state == "waiting":
            found.append(col(WebhookDelivery.state).in_(_WAITING))
        elif filters.state in list(DeliveryState):
            found.append(col(WebhookDelivery.state) == filters.state)
        else:
            raise Invalid(f"There is no state “{filters.state[:40]}”. Choose from: {', '.join(DeliveryState)}, waiting.", field="state")
    for name in ("event_type", "account_id", "event_id"):
        if value := getattr(filters, name):
            found.append(col(getattr(WebhookDelivery, name)) == value)
    for name in ("since", "until"):
        moment = getattr(filters, name)
        if moment is None:
            continue
        if moment.tzinfo is None:
            raise Invalid("A time needs its time zone, for example 2026-01-31T10:00:00Z.", field=name)
        edge = id_floor(moment)
        found.append(col(WebhookDelivery.id) >= edge if name == "since" else col(WebhookDelivery.id) < edge)
    return found


def _scope(filters: DeliveryFilters, mine: dict[str, Webhook]) -> list[ColumnElement[bool]]:
    """Only deliveries of the workspace. With one webhook its own index is walked; else all ids are, newest first, and coalesce keeps
    the database from leading with the webhooks and sorting everything they have."""
    if filters.webhook_id:
        known = filters.webhook_id if filters.webhook_id in mine else ""
        return [col(WebhookDelivery.webhook_id) == known]
    return [func.coalesce(col(WebhookDelivery.webhook_id), "").in_(list(mine))]


async def _webhooks(session: AsyncSession, who: Principal) -> dict[str, Webhook]:
    rows = await session.scalars(select(Webhook).where(col(Webhook.workspace_id) == who.workspace_id))
    return {row.id: row for row in rows}


async def _account_names(session: AsyncSession, ids: set[str]) -> dict[str, str]:
    if not ids:
        return {}
    rows = await session.execute(select(col(Account.id), col(Account.name)).where(col(Account.id).in_(ids)))
    return {row[0]: row[1] for row in rows}


async def _owned(session: AsyncSession, who: Principal, delivery_id: str, *, lock: bool = False) -> tuple[WebhookDelivery, Webhook]:
    statement = (
        select(WebhookDelivery, Webhook)
        .join(Webhook, col(Webhook.id) == col(WebhookDelivery.webhook_id))
        .where(col(WebhookDelivery.id) == delivery_id, col(Webhook.workspace_id) == who.workspace_id)
    )
    row = (await session.execute(statement.with_for_update(of=WebhookDelivery) if lock else statement)).first()
    if row is None:
        raise NotFound("There is no such delivery.", code="delivery_not_found")
    return row[0], row[1]


def _cursor(given: str) -> str:
    try:
        return str(uuid.UUID(given))
    except ValueError:
        raise Invalid("This is not a cursor of the delivery log; take it from the page before.", field="cursor") from None


def _row(delivery: WebhookDelivery, webhook: Webhook, account_name: str | None, now: datetime) -> DeliveryRow:
    return DeliveryRow(
        id=delivery.id,
        event_id=delivery.event_id,
        event_type=delivery.event_type,
        webhook_id=webhook.id,
        webhook_name=webhook.name or webhook.url,
        url=webhook.url,
        account_id=delivery.account_id,
        account_name=account_name,
        conversation_id=delivery.conversation_id,
        state=DeliveryState(delivery.state),
        attempts=delivery.attempts,
        replays=delivery.replays,
        created_at=delivery.created_at,
        next_try_at=delivery.next_try_at,
        finished_at=delivery.finished_at,
        last_status=delivery.last_status,
        last_error=delivery.last_error,
        last_ms=delivery.last_ms,
        held=_held(delivery, webhook, now),
    )


def _held(delivery: WebhookDelivery, webhook: Webhook, now: datetime) -> str:
    if delivery.state != DeliveryState.PENDING or (delivery.next_try_at and delivery.next_try_at > now):
        return ""
    state = state_of(webhook)
    if state is WebhookState.ACTIVE:
        return "quiet" if webhook.quiet_until and webhook.quiet_until > now else ""
    return state.value


def _attempt(row: WebhookAttempt) -> AttemptView:
    return AttemptView(
        id=row.id,
        number=row.number,
        round=row.round,
        started_at=row.started_at,
        ms=row.ms,
        succeeded=row.succeeded,
        status=row.status,
        error=row.error,
        address=row.address,
        request_headers=row.request_headers,
        response_headers=row.response_headers,
        response_body=row.response_body,
        response_truncated=row.response_truncated,
    )
