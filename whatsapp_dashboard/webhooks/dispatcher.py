"""Sends what is due: claims deliveries for each endpoint that may get some, and writes down how they went (HOOK-4, HOOK-5)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import select

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.crypto import CryptoError, SecretBox
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.outgoing import Outgoing
from whatsapp_dashboard.core.steady import SteadyTask
from whatsapp_dashboard.errors import DatabaseAway
from whatsapp_dashboard.models import Webhook
from whatsapp_dashboard.webhooks.attempt import Letter, Outcome, attempt
from whatsapp_dashboard.webhooks.claims import AT_ONCE, Claims
from whatsapp_dashboard.webhooks.endpoints import open_endpoint
from whatsapp_dashboard.webhooks.lanes import Claimed, Gate, Lane
from whatsapp_dashboard.webhooks.recent import RecentBodies
from whatsapp_dashboard.webhooks.releasing import Release
from whatsapp_dashboard.webhooks.schedule import Breaker, next_try
from whatsapp_dashboard.webhooks.settling import Settled, Settler

log = structlog.get_logger(__name__)

_STEP_SECONDS = 30.0
"""A look at what is due takes milliseconds and comes every second; a loop that has not come back for so long hangs."""
_SUCCESS_SHOWN_AFTER = timedelta(seconds=5)
"""The time of the latest success is stored this often, while nothing else changes."""


class Dispatcher:
    """One per process. ``parallel`` requests run at once to one endpoint; ``on_settled`` is called when results are stored."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        box: SecretBox,
        http: Outgoing,
        *,
        parallel: int,
        recent: RecentBodies,
        on_settled: Callable[[], None],
    ) -> None:
        self._db = db
        self._clock = clock
        self._box = box
        self._http = http
        self._parallel = parallel
        self._claims = Claims(db, clock, recent)
        self._settler = Settler(db, self._state_of, self._settled)
        self._on_settled = on_settled
        self._lanes: dict[str, Lane] = {}
        self._versions: dict[str, Any] = {}
        self._marks: dict[str, dict[str, Any]] = {}
        """Per webhook the columns about its latest attempts."""
        self._stored: dict[str, dict[str, Any]] = {}
        self._storing: dict[str, dict[str, Any]] = {}
        self._dropped: set[str] = set()
        self._wake = asyncio.Event()
        self._loop = SteadyTask("webhook-dispatcher", self._run)
        self._stepped_at = 0.0
        self._dice = random.Random()  # noqa: S311 - spreads retries

    async def start(self) -> None:
        """Take up what an earlier process left, and begin."""
        await self._claims.free_dead_owners()
        await self.reload()
        self._settler.start()
        self._loop.start()

    async def stop(self, seconds: float) -> None:
        """Begin nothing new, let running requests end within ``seconds``, write down what ended and give back the rest."""
        await self._loop.stop()
        await asyncio.gather(*(lane.close(seconds) for lane in self._lanes.values()))
        await self._settler.stop()
        await self._claims.free_own()

    def wake(self) -> None:
        """There may be something new to deliver."""
        for lane in self._lanes.values():
            lane.more = True
        self._wake.set()

    def drop(self, delivery_ids: Iterable[str]) -> None:
        """These were deleted: what is claimed of them is not sent any more."""
        self._dropped.update(delivery_ids)

    async def tick(self) -> None:
        """Every second: retries and probes may be due."""
        if self._lanes:
            self.wake()

    async def keep(self) -> None:
        """Every few seconds: keep our claims, free those of dead processes, see changes that other processes made."""
        await self._claims.renew(self._settler.held.union(*(lane.held for lane in self._lanes.values())))
        await self._claims.free_expired()
        await self.reload()

    async def clock_was_set_back(self) -> None:
        """Retries, probes and rests are over: the times they wait for would come too late."""
        await self._claims.retry_now()
        now = self._clock.now()
        for lane in self._lanes.values():
            lane.gate.look_anew(now)
        self.wake()

    def standing(self, webhook_id: str) -> tuple[int, bool]:
        """How many attempts began and ended at an endpoint so far, and whether something of it is claimed here."""
        lane = self._lanes.get(webhook_id)
        return (lane.moves, lane.busy) if lane else (0, False)

    async def due(self, webhooks: Mapping[str, bool]) -> set[str]:
        """Which of these webhooks (True: it may be probed) have a delivery that nobody has claimed although its time has come."""
        return await self._claims.due(webhooks) if webhooks else set()

    async def revive(self, webhook_id: str) -> None:
        """Give up the lane of an endpoint, whatever is wrong with it, and begin a new one; and the loops, should one have ended."""
        lane = self._lanes.pop(webhook_id, None)
        self._stored.pop(webhook_id, None)
        if lane:
            await self._hand_back(lane.cut())
        if asyncio.get_running_loop().time() - self._stepped_at > _STEP_SECONDS:
            await self._loop.stop()
        self._loop.start()
        self._settler.start()
        await self.reload()

    async def reload(self, *, reset: str = "") -> None:
        """Read the webhooks anew; the breaker of ``reset`` is as it is stored, no matter how its attempts went."""
        async with self._db.read() as session:
            rows = (await session.scalars(select(Webhook))).all()
        for row in rows:
            lane = self._lanes.get(row.id)
            if lane is None or self._versions[row.id] != row.updated_at:
                lane = self._renew(lane, row)
            if lane and row.id == reset:
                lane.gate.breaker, lane.gate.quiet_until = _breaker(row), row.quiet_until
                self._marks[row.id] = _marks(row)
                self._stored.pop(row.id, None)
        here = {row.id for row in rows}
        for webhook_id in [known for known in self._lanes if known not in here]:
            self._lanes.pop(webhook_id).drain()
            del self._versions[webhook_id], self._marks[webhook_id]
            self._stored.pop(webhook_id, None)
        for lane in list(self._lanes.values()):
            if lane.busy and lane.gate.room(self._clock.now(), 1) == 0 and lane.gate.breaker.failing_since is None:
                await self._hand_back(lane.drain())
        self.wake()

    # -- inside

    def _renew(self, lane: Lane | None, row: Webhook) -> Lane | None:
        try:
            endpoint = open_endpoint(row, self._box)
        except CryptoError:
            log.exception("a webhook's secrets cannot be opened; it gets nothing", webhook_id=row.id)
            return lane
        if lane is None:
            gate = Gate(row.enabled, row.paused_at is not None, _breaker(row), row.quiet_until)
            lane = self._lanes[row.id] = Lane(endpoint, gate, self._parallel, self._deliver, self._wake.set)
            self._marks[row.id] = _marks(row)
        else:
            lane.endpoint = endpoint
            lane.gate.enabled, lane.gate.paused = row.enabled, row.paused_at is not None
        self._versions[row.id] = row.updated_at
        return lane

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._stepped_at = asyncio.get_running_loop().time()
            while await self._step():
                pass

    async def _step(self) -> bool:
        """Claim for every lane that has room. Returns whether some got all they asked for and have room again."""
        now = self._clock.now()
        asking = {lane: room for lane in self._lanes.values() if lane.more and (room := lane.room(now)) > 0}
        lanes = list(asking)
        for some in (lanes[start : start + AT_ONCE] for start in range(0, len(lanes), AT_ONCE)):
            for lane in some:
                lane.more = False
            probes = {lane.endpoint.webhook_id: probe for lane in some if (probe := lane.gate.breaker.probe)}
            claimed = await self._claims.take({lane.endpoint.webhook_id: asking[lane] for lane in some}, probes)
            unwanted: list[Claimed] = []
            for lane in some:
                got = claimed.get(lane.endpoint.webhook_id, [])
                lane.more = lane.more or len(got) >= asking[lane]
                if self._lanes.get(lane.endpoint.webhook_id) is not lane or lane.room(self._clock.now()) < len(got):
                    unwanted += got  # deleted or closed meanwhile
                else:
                    lane.add(got)
            await self._hand_back(unwanted)
        return any(lane.more and lane.room(now) > 0 for lane in asking)

    async def _deliver(self, lane: Lane, item: Claimed) -> None:
        if item.id in self._dropped:
            self._dropped.discard(item.id)
            return
        letter = Letter(item.event_id, item.event_type, item.id, item.attempts + 1, item.body)
        outcome = await attempt(self._http, self._clock, lane.endpoint, letter)
        settled = self._succeeded(lane, item, outcome) if outcome.succeeded else self._failed(lane, item, outcome)
        self._mark(item.webhook_id, outcome)
        self._settler.add(settled)
        if lane.busy and lane.gate.room(self._clock.now(), 1) == 0:
            await self._hand_back(lane.drain())

    def _succeeded(self, lane: Lane, item: Claimed, outcome: Outcome) -> Settled:
        """The endpoint is proved to be there: what it was away for goes out again, in its order, before anything else does."""
        refused, lane.refused = lane.refused, set()
        if lane.gate.breaker.succeeded():
            lane.gate.settling = True
            marks = self._marks.get(item.webhook_id, {})
            return Settled(item, outcome, notice="webhook.recovered", release=Release(since=marks.get("last_success_at")))
        return Settled(item, outcome, release=Release(ids=frozenset(refused)) if refused else None)

    def _failed(self, lane: Lane, item: Claimed, outcome: Outcome) -> Settled:
        now, breaker = self._clock.now(), lane.gate.breaker
        costs_try = not breaker.is_probe(outcome.started_at)
        closed = breaker.failed(outcome.started_at, now, reached=not outcome.unreached)
        if outcome.unreached:
            lane.refused.add(item.id)
        if outcome.retry_after:
            lane.gate.quiet_until = now + timedelta(seconds=outcome.retry_after)
        retry_at = next_try(max(1, item.tries + costs_try), now, outcome.retry_after, self._dice)
        return Settled(item, outcome, retry_at, notice="webhook.failing" if closed else "", costs_try=costs_try)

    async def _hand_back(self, items: list[Claimed]) -> None:
        if items:
            try:
                await self._claims.give_back(items)
            except DatabaseAway:
                log.warning("deliveries are not given back: the database is away; their claims run out", webhook_id=items[0].webhook_id)
            except Exception:
                log.exception("deliveries could not be given back; their claims run out", webhook_id=items[0].webhook_id)

    def _mark(self, webhook_id: str, outcome: Outcome) -> None:
        marks = self._marks.get(webhook_id)
        if marks is None:
            return
        if outcome.succeeded:
            marks["last_success_at"] = outcome.started_at
        else:
            marks["last_failure_at"], marks["last_error"] = outcome.started_at, outcome.error

    def _state_of(self, webhook_id: str) -> dict[str, Any]:
        """What the webhook's row is to say; nothing when only a moment has passed since another success."""
        lane = self._lanes.get(webhook_id)
        if lane is None:
            return {}
        breaker = lane.gate.breaker
        columns = self._marks[webhook_id] | {
            "failures": breaker.failures,
            "failing_since": breaker.failing_since,
            "probes": breaker.probes,
            "next_probe_at": breaker.next_probe_at,
            "quiet_until": lane.gate.quiet_until,
        }
        if _same_but_for_a_moment(columns, self._stored.get(webhook_id)):
            return {}
        self._storing[webhook_id] = columns
        return columns

    def _settled(self, batch: Sequence[Settled]) -> None:
        self._stored |= self._storing
        self._storing.clear()
        for webhook_id in {each.item.webhook_id for each in batch if each.release}:
            if lane := self._lanes.get(webhook_id):
                lane.gate.settling = False
                self.wake()
        self._on_settled()


def _same_but_for_a_moment(columns: dict[str, Any], stored: dict[str, Any] | None) -> bool:
    if stored is None or any(value != stored[name] for name, value in columns.items() if name != "last_success_at"):
        return False
    now, then = columns["last_success_at"], stored["last_success_at"]
    return now == then or (now is not None and then is not None and now - then < _SUCCESS_SHOWN_AFTER)


def _breaker(row: Webhook) -> Breaker:
    return Breaker(row.failures, row.failing_since, row.probes, row.next_probe_at)


def _marks(row: Webhook) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("last_success_at", "last_failure_at", "last_error")}
