"""A clock that tests move."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from whatsapp_dashboard.core.clock import Clock


class MovableClock(Clock):
    """Stands still at the time it was made; :meth:`advance` moves it and wakes who sleeps."""

    def __init__(self) -> None:
        self._start = super().now()
        self._passed = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return self._passed

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (self._passed + seconds, future)
        self._sleepers.append(entry)
        try:
            await future
        finally:
            self._sleepers.remove(entry)

    @property
    def sleepers(self) -> list[float]:
        """For how many more seconds each sleeper wants to sleep, shortest first."""
        return sorted(until - self._passed for until, _ in self._sleepers)

    async def advance(self, seconds: float) -> None:
        """Move ``seconds`` on, waking sleepers in the order of their times and letting each run before the next."""
        target = self._passed + seconds
        while due := sorted((until for until, future in self._sleepers if until <= target and not future.done())):
            self._passed = due[0]
            for until, future in list(self._sleepers):
                if until <= self._passed and not future.done():
                    future.set_result(None)
            for _ in range(20):
                await asyncio.sleep(0)
        self._passed = target
        for _ in range(20):
            await asyncio.sleep(0)
