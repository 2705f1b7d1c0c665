"""The one way in: every conversation event of every account is stored here, once, before anything reacts (MSG-3, DUR-1)."""

from __future__ import annotations

import asyncio
import traceback
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database, after_commit
from whatsapp_dashboard.core.outage import is_outage, outlast
from whatsapp_dashboard.domain.engine_events import ConversationEvent
from whatsapp_dashboard.domain.storable import storable
from whatsapp_dashboard.errors import Unavailable
from whatsapp_dashboard.messages.aside import reason_of, set_aside
from whatsapp_dashboard.messages.intake import InDoubt, Intake, Item, Stored
from whatsapp_dashboard.messages.parking import forget_old

log = structlog.get_logger(__name__)

T = TypeVar("T")

BATCH_LIMIT = 400
"""Events stored in one write; more would keep the first of them waiting."""


def _nothing_in_doubt(_account_id: str) -> dict[str, tuple[str, str]]:
    return {}


class Inbound:
    """Events that are submitted while a write is going on are stored together in the next one, in the order they came.

    While the database is away they wait. One that cannot be stored although the database is there is set aside, and the others go on.
    """

    def __init__(self, db: Database, clock: Clock, *, in_doubt: InDoubt = _nothing_in_doubt) -> None:
        self._db = db
        self._clock = clock
        self._in_doubt = in_doubt
        self._queue: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self.on_waiting: list[Callable[[list[tuple[str, str]]], None]] = []
        """Called after the commit with (conversation id, message id) of messages that wait for a reply."""
        self.on_changed: list[Callable[[list[tuple[str, str, bool]]], None]] = []
        """Called after the commit with (conversation id, message id, deleted) of messages that their writers changed."""
        self.on_media: list[Callable[[], None]] = []
        """Called after the commit when there is a file to fetch."""

    async def submit(self, account_id: str, event: ConversationEvent) -> None:
        """Store ``event`` of ``account_id``; it is on disk when this returns, among the messages or set aside.

        Raises :class:`NotFound` for an account that is gone, and :class:`Unavailable` while the program stops.
        """
        if self._closing.is_set():
            raise _stopping()
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(((account_id, storable(event)), future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain(), name="inbound")
        await future

    async def store_with(self, account_id: str, event: ConversationEvent, also: Callable[[AsyncSession], Awaitable[None]]) -> None:
        """Store an event that was set aside before, and do ``also`` in the same write. Raises what keeps it from being stored."""
        stored = await self._store([(account_id, storable(event))], also)
        for error in stored.failed.values():
            raise error

    async def stop(self) -> None:
        """Store what was submitted, take nothing more. What the database does not take now is told again by WhatsApp."""
        self._closing.set()
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
                await self._take(batch)
            finally:
                for _, future in batch:
                    _settle(future, _stopping())  # those that are still open: nobody waits for ever

    async def _take(self, batch: list[_Waiting]) -> None:
        """Store these, in order. What cannot be stored is found by halves: a batch is split until the one at fault is alone."""
        try:
            stored = await self._outlast(lambda: self._store([item for item, _ in batch]))
        except Exception as error:
            if is_outage(error):
                for _, future in batch:
                    _settle(future, _stopping())
            elif len(batch) > 1:
                log.warning("a batch of events could not be stored; it is split", error=type(error).__name__, size=len(batch))
                middle = len(batch) // 2
                await self._take(batch[:middle])
                await self._take(batch[middle:])
            else:
                await self._take_alone(*batch[0])
            return
        for position, (_, future) in enumerate(batch):
            _settle(future, stored.failed.get(position))

    async def _take_alone(self, item: Item, future: asyncio.Future[None]) -> None:
        """Once more, for what was in its way may be gone; then it is set aside."""
        failure: Exception | None
        try:
            failure = (await self._outlast(lambda: self._store([item]))).failed.get(0)
        except Exception as error:
            failure = error
            if not is_outage(error):
                _log("an event cannot be stored; it is set aside", item, error)
                failure = await self._keep_aside(item, error)
        _settle(future, _stopping() if failure and is_outage(failure) else failure)

    async def _keep_aside(self, item: Item, error: Exception) -> Exception | None:
        async def keep() -> None:
            async with self._db.write() as session:
                await set_aside(session, *item, error, self._clock.now())

        try:
            await self._outlast(keep)
        except Exception as failure:
            _log("an event could not even be set aside", item, failure)
            return failure
        return None

    async def _outlast(self, work: Callable[[], Awaitable[T]]) -> T:
        return await outlast(work, unless=self._closing)

    async def _store(self, items: list[Item], also: Callable[[AsyncSession], Awaitable[None]] | None = None) -> Stored:
        async with self._db.write() as session:
            stored = await Intake(session, self._clock.now(), self._in_doubt).store(items)
            if also is not None and not stored.failed:
                await also(session)
            after_commit(session, "inbound", lambda: self._tell(stored))
        return stored

    def _tell(self, stored: Stored) -> None:
        if stored.waiting:
            for waiting in self.on_waiting:
                waiting(stored.waiting)
        if stored.changed:
            for changed in self.on_changed:
                changed(stored.changed)
        if stored.media_accounts:
            for media in self.on_media:
                media()


_Waiting = tuple[Item, asyncio.Future[None]]


def _stopping() -> Unavailable:
    return Unavailable("The dashboard is stopping.", code="stopping")


def _log(what: str, item: Item, error: Exception) -> None:
    """Without the statement and its values, which are what people wrote."""
    where = "".join(traceback.format_tb(error.__traceback__)[-4:])
    log.error(what, account_id=item[0], kind=type(item[1]).__name__, reason=reason_of(error), where=where)


def _settle(future: asyncio.Future[None], error: Exception | None) -> None:
    if future.done():
        return  # whoever submitted it was cancelled; it is stored all the same
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
