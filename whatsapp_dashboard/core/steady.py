"""The loops of the program that must not end before it does: one way to run them (ACC-6, DUR-1).

Whatever happens in one, it is begun again; a database that is away is waited for. ``steady_tasks()`` lists those that run.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable

import structlog

from whatsapp_dashboard.core.cancelling import is_being_cancelled
from whatsapp_dashboard.errors import DatabaseAway

log = structlog.get_logger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds before it is begun again: after a fault that comes again and again, longer and longer."""
AWAY_PAUSE = 1.0
"""Seconds before it is begun again while the database is away: when it is back, all goes on at once."""
CALM_SECONDS = 60.0
"""A loop that has run for this long without a fault is forgiven the earlier ones."""

_running: weakref.WeakSet[SteadyTask] = weakref.WeakSet()


class SteadyTask:
    """Runs ``work``, a coroutine function that never returns by itself, until :meth:`stop`. ``work`` must bear to be begun anew."""

    def __init__(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        self.name = name
        self.restarts = 0
        """How often it was begun again."""
        self._work = work
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether it was started and not stopped."""
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Begin; nothing when it runs."""
        if not self.running:
            self._task = asyncio.create_task(self._keep_on(), name=self.name)
            _running.add(self)

    async def stop(self) -> None:
        """End it, and wait until it has ended."""
        _running.discard(self)
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _keep_on(self) -> None:
        pause, loop = FIRST_PAUSE, asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await self._work()
                log.error("a loop of the program ended by itself; it is begun again", loop=self.name)
            except DatabaseAway:
                self.restarts += 1
                await asyncio.sleep(AWAY_PAUSE)
                continue
            except (Exception, asyncio.CancelledError):
                if is_being_cancelled():
                    raise
                log.exception("a loop of the program failed; it is begun again", loop=self.name)
            self.restarts += 1
            if loop.time() - began > CALM_SECONDS:
                pause = FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)


def steady_tasks() -> list[SteadyTask]:
    """Every loop that runs now, by name."""
    return sorted(_running, key=lambda task: task.name)
