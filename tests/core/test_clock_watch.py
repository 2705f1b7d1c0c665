"""The computer's clock is set while the program runs (DUR-1)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.support.waiting import until
from whatsapp_dashboard.core import clock_watch
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.clock_watch import ClockWatch
from whatsapp_dashboard.errors import DatabaseAway


class WrongClock(Clock):
    """Goes, but wrong."""

    wrong = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.wrong)


async def test_who_waits_for_a_time_is_told_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """DUR-1: once for each time, in order, also when the database is away at first; not when the clock is set forward."""
    monkeypatch.setattr(clock_watch, "LOOK_SECONDS", 0.01)
    clock, told = WrongClock(), []
    watch = ClockWatch(clock)
    away = [DatabaseAway("it restarts")]

    async def first() -> None:
        if away:
            raise away.pop()
        told.append("first")

    async def second() -> None:
        told.append("second")

    watch.on_set_back += [first, second]
    watch.start()
    try:
        clock.wrong = 3_600
        await until(lambda: watch._offset - clock.now().timestamp() + clock.monotonic() > -1)
        assert not told
        clock.wrong = 0
        await until(lambda: told == ["first", "second"])
        clock.wrong = -3_600
        await until(lambda: told == ["first", "second"] * 2)
    finally:
        await watch.stop()
