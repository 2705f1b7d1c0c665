"""The bus: hands committed events to whoever listens in this process, for pages that change by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.steady import SteadyTask
from whatsapp_dashboard.events.log import EventRecord, last_seq, read_after

_BATCH = 500
_POLL_SECONDS = 1.0
"""Events of other processes are seen within this time; our own wake the bus at once."""
QUEUE_LIMIT = 2_000


class Subscription:
    """The events one listener has not taken yet. A listener too slow for :data:`QUEUE_LIMIT` events loses the oldest and finds
    :attr:`overflowed` set: it then reads its page anew."""

    def __init__(self, wanted: Callable[[EventRecord], bool], since: int) -> None:
        self._wanted = wanted
        self._since = since
        self._queue: asyncio.Queue[EventRecord] = asyncio.Queue(QUEUE_LIMIT)
        self.overflowed = False

    def offer(self, event: EventRecord) -> None:
        """Queue ``event`` when it is wanted and from the listener's time."""
        if event.seq <= self._since or not self._wanted(event):
            return
        if self._queue.full():
            self._queue.get_nowait()
            self.overflowed = True
        self._queue.put_nowait(event)

    async def next(self, timeout: float | None = None) -> list[EventRecord]:
        """Wait for events and return all that are there; an empty list after ``timeout`` seconds without any."""
        try:
            async with asyncio.timeout(timeout):
                events = [await self._queue.get()]
        except TimeoutError:
            return []
        while not self._queue.empty():
            events.append(self._queue.get_nowait())
        return events


class EventBus:
    """Follows the event log and offers each event to all subscriptions."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._wake = asyncio.Event()
        self._subscriptions: set[Subscription] = set()
        self._loop = SteadyTask("event-bus", self._follow)
        self._seq = 0

    async def start(self) -> None:
        """Begin to follow."""
        self._loop.start()

    async def stop(self) -> None:
        """Stop following."""
        await self._loop.stop()

    def wake(self) -> None:
        """Something was committed: look now."""
        self._wake.set()

    @asynccontextmanager
    async def subscribe(self, wanted: Callable[[EventRecord], bool]) -> AsyncIterator[Subscription]:
        """Listen, while the block runs, to the events for which ``wanted`` is true, from now on."""
        async with self._db.read() as session:
            since = await last_seq(session)
        if not self._subscriptions:  # nobody listened, so nothing was followed
            self._seq = max(self._seq, since)
        subscription = Subscription(wanted, since)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    async def _follow(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_POLL_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            await self._drain()

    async def _drain(self) -> None:
        while self._subscriptions:
            async with self._db.read() as session:
                events = await read_after(session, self._seq, limit=_BATCH)
            for event in events:
                self._seq = max(self._seq, event.seq)
                for subscription in tuple(self._subscriptions):
                    subscription.offer(event)
            if len(events) < _BATCH:
                return
