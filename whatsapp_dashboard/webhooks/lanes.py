"""A lane per endpoint: how many requests run at once, and one after the other within a conversation (HOOK-5, MSG-5)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import structlog

from whatsapp_dashboard.webhooks.endpoints import Endpoint
from whatsapp_dashboard.webhooks.schedule import Breaker

log = structlog.get_logger(__name__)

WINDOW = 40
"""Deliveries a lane claims ahead, so that its requests never wait for the database."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this process holds."""

    id: str
    webhook_id: str
    event_id: str
    event_type: str
    conversation_id: str | None
    attempts: int
    tries: int
    replays: int
    claim_id: str
    body: bytes = b""


@dataclass(slots=True)
class Gate:
    """Whether deliveries may go out."""

    enabled: bool
    paused: bool
    breaker: Breaker
    quiet_until: datetime | None = None

    def look_anew(self, now: datetime) -> None:
        """A rest and the wait for the next probe end ``now`` at the latest."""
        if self.quiet_until:
            self.quiet_until = min(self.quiet_until, now)
        if self.breaker.next_probe_at:
            self.breaker.next_probe_at = min(self.breaker.next_probe_at, now)

    def room(self, now: datetime, window: int) -> int:
        """How many may be under way: all of ``window``, one (a probe) or none."""
        if not self.enabled or self.paused or (self.quiet_until and now < self.quiet_until):
            return 0
        if self.breaker.failing_since is None:
            return window
        return 1 if self.breaker.next_probe_at and now >= self.breaker.next_probe_at else 0


Deliver = Callable[["Lane", Claimed], Awaitable[None]]


class Lane:
    """The claimed deliveries of one endpoint. ``deliver`` sends one and never raises; ``on_room`` is told when more can be claimed."""

    def __init__(
        self,
        endpoint: Endpoint,
        gate: Gate,
        parallel: int,
        deliver: Callable[[Lane, Claimed], Awaitable[None]],
        on_room: Callable[[], None],
    ) -> None:
        self.endpoint = endpoint
        self.gate = gate
        self.more = True
        """Whether there may be due deliveries that are not claimed yet."""
        self._parallel = parallel
        self._window = max(WINDOW, 2 * parallel)
        self._deliver = deliver
        self._on_room = on_room
        self._chains: dict[str, deque[Claimed]] = {}
        self._ready: deque[str] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._size = 0

    @property
    def busy(self) -> bool:
        """Whether anything is claimed."""
        return self._size > 0

    def room(self, now: datetime) -> int:
        """How many deliveries to claim now."""
        return max(0, self.gate.room(now, self._window) - self._size)

    def add(self, claimed: list[Claimed]) -> None:
        """Take deliveries in their order."""
        for item in claimed:
            key = item.conversation_id or item.id
            if key in self._chains:
                self._chains[key].append(item)
            else:
                self._chains[key] = deque([item])
                self._ready.append(key)
        self._size += len(claimed)
        self._pump()

    def drain(self) -> list[Claimed]:
        """Forget what has not begun, and return it: the gate has closed."""
        waiting = [item for chain in self._chains.values() for item in chain]
        self._chains.clear()
        self._ready.clear()
        self._size = len(self._running)
        self.more = True
        return waiting

    async def close(self, seconds: float) -> list[Claimed]:
        """Begin nothing more, let what runs end within ``seconds``, cut the rest. Returns what did not begin."""
        waiting = self.drain()
        if self._running:
            _, late = await asyncio.wait(set(self._running), timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        return waiting

    def _pump(self) -> None:
        while self._ready and len(self._running) < self._parallel:
            key = self._ready.popleft()
            task = asyncio.create_task(self._run(key, self._chains[key].popleft()))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _run(self, key: str, item: Claimed) -> None:
        try:
            await self._deliver(self, item)
        finally:
            # Both counts in one step: what has ended is not counted as running in this turn of the loop.
            self._running.discard(cast("asyncio.Task[None]", asyncio.current_task()))
            self._size -= 1
            chain = self._chains.get(key)
            if chain:
                self._ready.append(key)
            else:
                self._chains.pop(key, None)
            asyncio.get_running_loop().call_soon(self._pump)
            if self.more and self._size <= self._window // 2:
                self._on_room()
