"""From the event log to deliveries: one transaction turns events into exactly one delivery per webhook that wants them (HOOK-4).

The log is followed with a stored cursor. Whoever changes which events a webhook gets first brings the cursor up to date in the same
transaction (:func:`catch_up`), so that each event is judged by what was set when it happened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database, after_commit, insert_ignore
from whatsapp_dashboard.core.steady import SteadyTask
from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.events.log import EventRecord, last_seq, read_after
from whatsapp_dashboard.models import EventCursor, Webhook, WebhookDelivery
from whatsapp_dashboard.models.base import metadata
from whatsapp_dashboard.webhooks.bodies import DELETED, BodyBuilder
from whatsapp_dashboard.webhooks.surroundings import look_up

log = structlog.get_logger(__name__)

CURSOR = "webhooks"
BATCH = 200
"""Events of one transaction: on SQLite all other writers wait for it."""
_POLL_SECONDS = 1.0
"""Events of other processes are seen within this time; our own wake the reader at once."""
_REST_SECONDS = 0.015
"""After a write: what happens meanwhile shares the next one."""
_SAVE_EVERY = 1_000
"""After so many events that no webhook wanted the cursor is stored nevertheless."""

_EVENT = metadata.tables["webhook_event"]
_DELIVERY = metadata.tables["webhook_delivery"]
_BLANK = WebhookDelivery(webhook_id="", event_id="", event_type="", seq=0).model_dump()


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Which events a webhook gets."""

    id: str
    workspace_id: str
    account_id: str | None
    events: frozenset[str]

    def wants(self, event: EventRecord) -> bool:
        """Whether ``event`` is one of them."""
        if event.type not in self.events or event.workspace_id != self.workspace_id:
            return False
        return self.account_id is None or self.account_id == event.account_id


async def subscribers(session: AsyncSession) -> list[Subscriber]:
    """Every webhook that is on. Paused and failing ones too: their events queue up."""
    columns = select(col(Webhook.id), col(Webhook.workspace_id), col(Webhook.account_id), col(Webhook.events))
    rows = await session.execute(columns.where(col(Webhook.enabled).is_(True)).order_by(col(Webhook.id)))
    return [Subscriber(ident, workspace_id, account_id, frozenset(events)) for ident, workspace_id, account_id, events in rows]


@dataclass(frozen=True, slots=True)
class ReadAhead:
    """Events read before the write: the next ones that anybody may want while the cursor stands at ``cursor``."""

    cursor: int
    events: list[EventRecord]


async def fan_out(session: AsyncSession, bodies: BodyBuilder, now: datetime, ahead: ReadAhead | None = None) -> tuple[int, int]:
    """Turn the next events into deliveries and move the cursor, in the caller's write. Returns how many events were read, and the
    seq of the last."""
    # Locked on PostgreSQL, so that of several processes one at a time does this.
    cursor = select(col(EventCursor.seq)).where(col(EventCursor.name) == CURSOR).with_for_update()
    seq = (await session.execute(cursor)).scalar_one()
    events = ahead.events if ahead and ahead.cursor == seq else await read_after(session, seq, limit=BATCH)
    if not events:
        return 0, seq
    hooks = await subscribers(session)
    matches = [(event, wanted) for event in events if (wanted := [hook for hook in hooks if hook.wants(event)])]
    if matches:
        await _insert(session, matches, bodies, now)
    await session.execute(update(EventCursor).where(col(EventCursor.name) == CURSOR).values(seq=events[-1].seq))
    return len(events), events[-1].seq


async def catch_up(session: AsyncSession, bodies: BodyBuilder, now: datetime) -> None:
    """Turn all events so far into deliveries."""
    while (await fan_out(session, bodies, now))[0]:
        pass


async def _insert(session: AsyncSession, matches: list[tuple[EventRecord, list[Subscriber]]], bodies: BodyBuilder, now: datetime) -> None:
    around = await look_up(session, [event for event, _ in matches])
    built: list[dict[str, object]] = []
    deliveries: list[dict[str, object]] = []
    for event, hooks in matches:
        body = bodies.build(event, around)
        if body is None:
            continue
        owner = None if event.type == DELETED else event.account_id  # what goes with the account when it is deleted
        built.append({"id": event.id, "type": event.type, "account_id": owner, "body": body, "created_at": now})
        deliveries += [delivery_row(hook.id, event, now) for hook in hooks]
    if built:
        await session.execute(insert(_EVENT), built)
        await session.execute(insert(_DELIVERY), deliveries)
        fresh = {str(row["id"]): str(row["body"]).encode() for row in built}
        after_commit(session, f"bodies of {built[0]['id']}", lambda: bodies.recent.add(fresh))


def delivery_row(webhook_id: str, event: EventRecord, now: datetime) -> dict[str, object]:
    """A delivery of ``event`` that waits for its first try."""
    return _BLANK | {
        "id": new_id(),
        "webhook_id": webhook_id,
        "event_id": event.id,
        "event_type": event.type,
        "account_id": event.account_id,
        "conversation_id": event.conversation_id,
        "seq": event.seq,
        "queued_at": now,
        "created_at": now,
    }


class FanOut:
    """Follows the event log for all webhooks. ``on_new`` is called when there are new deliveries."""

    def __init__(self, db: Database, clock: Clock, bodies: BodyBuilder, on_new: Callable[[], None]) -> None:
        self._db = db
        self._clock = clock
        self._bodies = bodies
        self._on_new = on_new
        self._wake = asyncio.Event()
        self._loop = SteadyTask("webhook-fan-out", self._follow)
        self._seen = 0
        """No event up to here is still to be turned into a delivery."""
        self._saved = 0

    async def start(self) -> None:
        """Begin to follow, at the stored cursor; at the very first start with what happens from now on."""
        async with self._db.write() as session:
            await session.execute(insert_ignore(session, EventCursor).values(name=CURSOR, seq=await last_seq(session)))
            self._seen = self._saved = (
                await session.execute(select(col(EventCursor.seq)).where(col(EventCursor.name) == CURSOR))
            ).scalar_one()
        self._loop.start()

    async def stop(self) -> None:
        """Stop following; what is left is read at the next start."""
        await self._loop.stop()

    def wake(self) -> None:
        """Something was committed: look now."""
        self._wake.set()

    async def _follow(self) -> None:
        while True:
            self._wake.clear()
            while await self._step():
                pass
            try:
                async with asyncio.timeout(_POLL_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _step(self) -> bool:
        """Look at the next events; write only when somebody wants one. Returns whether there may be more."""
        async with self._db.read() as session:
            # The events first: a webhook that is changed after this read has had its events brought up to date by who changes it.
            events = await read_after(session, self._seen, limit=BATCH)
            hooks = await subscribers(session) if events else []
        if not events:
            return False
        last = events[-1].seq
        wanted = any(hook.wants(event) for event in events for hook in hooks)
        if not wanted and last - self._saved < _SAVE_EVERY:
            self._seen = last
            return len(events) == BATCH
        async with self._db.write() as session:
            count, seq = await fan_out(session, self._bodies, self._clock.now(), ReadAhead(self._saved, events))
        self._seen = max(self._seen, seq) if count else last
        self._saved = seq
        if wanted:
            self._on_new()
            await asyncio.sleep(_REST_SECONDS)
        return len(events) == BATCH or self._seen < last
