"""The one way in: every conversation event of every account is stored here, once, before anything reacts (MSG-3, DUR-1)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import structlog

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database, after_commit
from whatsapp_dashboard.domain.engine_events import ConversationEvent
from whatsapp_dashboard.errors import Unavailable
from whatsapp_dashboard.messages.intake import InDoubt, Intake, Item, Stored
from whatsapp_dashboard.messages.parking import forget_old

log = structlog.get_logger(__name__)

BATCH_LIMIT = 400
"""Events stored in one write; more would keep the first of them waiting."""


def _nothing_in_doubt(_account_id: str) -> dict[str, tuple[str, str]]:
    return {}


class Inbound:
    """Events that are submitted while a write is going on are stored together in the next one, in the order they came."""

    def __init__(self, db: Database, clock: Clock, *, in_doubt: InDoubt = _nothing_in_doubt) -> None:
        self._db = db
        self._clock = clock
        self._in_doubt = in_doubt
        self._queue: deque[tuple[Item, asyncio.Future[None]]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self.on_waiting: list[Callable[[list[tuple[str, str]]], None]] = []
        """Called after the commit with (conversation id, message id) of messages that wait for a reply."""
        self.on_media: list[Callable[[], None]] = []
        """Called after the commit when there is a file to fetch."""

    async def submit(self, account_id: str, event: ConversationEvent) -> None:
        """Store ``event`` of ``account_id``; it is on disk when this returns.

        Raises :class:`NotFound` for an account that is gone, :class:`Unavailable` while the program stops, and what the
        database raises for an event it cannot store.
        """
        if self._closed:
            raise Unavailable("The dashboard is stopping.", code="stopping")
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(((account_id, event), future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain(), name="inbound")
        await future

    async def stop(self) -> None:
        """Store what was submitted, take nothing more."""
        self._closed = True
        if self._task:
            await asyncio.gather(self._task, return_exceptions=True)

    async def tick(self) -> None:
        """Forget parked events whose message never came. For the scheduler, now and then."""
        async with self._db.write() as session:
            await forget_old(session, self._clock.now())

    async def _drain(self) -> None:
        # One more turn of the loop lets the other accounts' events join this batch.
        await asyncio.sleep(0)
        while self._queue:
            batch = [self._queue.popleft() for _ in range(min(BATCH_LIMIT, len(self._queue)))]
            try:
                stored = await self._store([item for item, _ in batch])
            except Exception as error:
                await self._one_by_one(batch, error)
                continue
            for position, (_, future) in enumerate(batch):
                _settle(future, stored.failed.get(position))

    async def _one_by_one(self, batch: list[tuple[Item, asyncio.Future[None]]], error: Exception) -> None:
        """Something in the batch cannot be stored: only that one is refused."""
        if len(batch) > 1:
            log.warning("a batch of events could not be stored; each is tried alone", error=type(error).__name__, size=len(batch))
        for item, future in batch:
            failure: Exception | None = error
            if len(batch) > 1:
                try:
                    failure = (await self._store([item])).failed.get(0)
                except Exception as alone:
                    failure = alone
            if failure is not None:
                log.error("event not stored", account_id=item[0], kind=type(item[1]).__name__, exc_info=failure)
            _settle(future, failure)

    async def _store(self, items: list[Item]) -> Stored:
        async with self._db.write() as session:
            stored = await Intake(session, self._clock.now(), self._in_doubt).store(items)
            after_commit(session, "inbound", lambda: self._tell(stored))
        return stored

    def _tell(self, stored: Stored) -> None:
        if stored.waiting:
            for waiting in self.on_waiting:
                waiting(stored.waiting)
        if stored.media_accounts:
            for media in self.on_media:
                media()


def _settle(future: asyncio.Future[None], error: Exception | None) -> None:
    if future.done():
        return  # whoever submitted it was cancelled; it is stored all the same
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
