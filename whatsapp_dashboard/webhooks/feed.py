"""Tells open pages that something about deliveries has changed in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Watch:
    """One listener."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()

    async def next(self, timeout: float) -> bool:
        """Wait until something has changed, at most ``timeout`` seconds; False when nothing did."""
        try:
            async with asyncio.timeout(timeout):
                await self.changed.wait()
        except TimeoutError:
            return False
        self.changed.clear()
        return True


class DeliveryFeed:
    """All listeners."""

    def __init__(self) -> None:
        self._watches: set[Watch] = set()

    def tell(self) -> None:
        """Something has changed."""
        for watch in self._watches:
            watch.changed.set()

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[Watch]:
        """Listen while the block runs."""
        watch = Watch()
        self._watches.add(watch)
        try:
            yield watch
        finally:
            self._watches.discard(watch)
