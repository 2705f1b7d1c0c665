"""Notices when somebody sets the computer's clock (DUR-1).

What is due at a time of day would come late by as much as the clock was set back: whoever waits for such a time is told, and looks anew.
What lasts so many seconds is measured by :meth:`Clock.monotonic`, which nobody sets, and needs no telling.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.outage import outlast
from whatsapp_dashboard.core.steady import SteadyTask

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
STEP_SECONDS = 3.0
"""A smaller difference between two looks is a clock that is being slowed or hurried, or a busy computer."""


class ClockWatch:
    """Calls ``on_set_back``, one after the other, when the clock was set back. Each must bear to be called twice."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.on_set_back: list[Callable[[], Awaitable[None]]] = []
        self._loop = SteadyTask("clock-watch", self._look)
        self._offset = 0.0

    def start(self) -> None:
        """Begin to look."""
        self._offset = self._difference()
        self._loop.start()

    async def stop(self) -> None:
        """Look no more."""
        await self._loop.stop()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            step = self._difference() - self._offset
            if step <= -STEP_SECONDS:
                log.warning("the computer's clock was set back; what waited for a time is looked at anew", seconds=round(-step))
                for tell in self.on_set_back:
                    await outlast(tell)
            elif step >= STEP_SECONDS:
                log.warning("the computer's clock was set forward, or it slept", seconds=round(step))
            self._offset += step

    def _difference(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic()
