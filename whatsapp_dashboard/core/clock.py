"""The time, behind one small object, so that tests can move it."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime


class Clock:
    """The real clock. All times are UTC and timezone-aware."""

    def now(self) -> datetime:
        """The time now."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only ever grow, for measuring durations."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds``."""
        await asyncio.sleep(seconds)
