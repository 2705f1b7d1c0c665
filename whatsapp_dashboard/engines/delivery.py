"""Events on their way from another process into the database: in order, acknowledged only when stored (DUR-1)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from whatsapp_dashboard.core.cancelling import is_being_cancelled
from whatsapp_dashboard.domain.engine_events import EngineEvent

log = structlog.get_logger(__name__)

DRAIN_SECONDS = 1.0
"""How long the end waits for events that are being stored."""


class Deliveries:
    """The numbered events of one session.

    ``emit`` returns when an event is stored; ``acknowledge`` is told the numbers of stored ones, many at once; ``on_unstored`` is called
    when one could not be stored.
    """

    def __init__(
        self,
        account_id: str,
        emit: Callable[[EngineEvent], Awaitable[None]],
        acknowledge: Callable[[list[int]], None],
        on_unstored: Callable[[], None],
    ) -> None:
        self._account_id = account_id
        self._emit = emit
        self._tell = acknowledge
        self._on_unstored = on_unstored
        self._under_way: set[asyncio.Task[None]] = set()
        self._stored: list[int] = []
        self._over = False

    def take(self, number: int, read: Callable[[], EngineEvent]) -> None:
        """Hand one event over; ``read`` makes it of what came."""
        # Tasks begin in the order they are made, so events are handed over in WhatsApp's order.
        self._start(self._deliver(number, read))

    def take_last(self, number: int, event: EngineEvent) -> None:
        """Hand over what is true only when everything before it is stored."""
        self._start(self._after(set(self._under_way), number, event))

    def close(self) -> None:
        """From now on a failure to store is no surprise."""
        self._over = True

    async def drain(self) -> None:
        """Give what is being stored a moment, acknowledge it, give the rest up."""
        self._over = True
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=DRAIN_SECONDS)
        for task in self._under_way:
            task.cancel()
        self._acknowledge()

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _after(self, before: set[asyncio.Task[None]], number: int, event: EngineEvent) -> None:
        if before:
            await asyncio.wait(before)
        await self._deliver(number, lambda: event)

    async def _deliver(self, number: int, read: Callable[[], EngineEvent]) -> None:
        try:
            await self._emit(read())
        except (Exception, asyncio.CancelledError):
            if is_being_cancelled():
                raise
            if not self._over:
                log.warning("an event could not be stored; it will be told again", account_id=self._account_id, exc_info=True)
                self._on_unstored()
            return
        if not self._stored:
            asyncio.get_running_loop().call_soon(self._acknowledge)
        self._stored.append(number)

    def _acknowledge(self) -> None:
        stored, self._stored = self._stored, []
        if stored:
            self._tell(stored)
