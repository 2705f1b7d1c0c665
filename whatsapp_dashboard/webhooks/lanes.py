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
    settling: bool = False
    """The endpoint is proved to be back, and what had failed meanwhile is not queued again yet: nothing may overtake it."""

    def look_anew(self, now: datetime) -> None:
        """A rest and the wait for the next probe end ``now`` at the latest."""
        if self.quiet_until:
            self.quiet_until = min(self.quiet_until, now)
        if self.breaker.next_probe_at:
            self.breaker.next_probe_at = min(self.breaker.next_probe_at, now)

    def room(self, now: datetime, window: int) -> int:
        """How many may be under way: all of ``window``, one (a probe) or none."""
        if not self.enabled or self.paused or self.settling or (self.quiet_until and now < self.quiet_until):
            return 0
        if self.breaker.failing_since is None:
            return window
        return 1 if self.breaker.next_probe_at and now >= self.breaker.next_probe_at else 0


class Lane:
    """The claimed deliveries of one endpoint. ``deliver`` sends one; ``on_room`` is told when more can be claimed.

    Nothing is counted that could be looked at: how much is claimed is the length of what is there, so that no end, however it
    comes, leaves a number behind that is wrong.
    """

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
        self.moves = 0
        """Grows with each attempt that begins or ends: one that stays the same while something is due says that the lane stands still."""
        self.refused: set[str] = set()
        """Deliveries that failed, since the latest success, because nobody took the connection."""
        self._parallel = parallel
        self._window = max(WINDOW, 2 * parallel)
        self._deliver = deliver
        self._on_room = on_room
        self._chains: dict[str, deque[Claimed]] = {}
        self._ready: deque[str] = deque()
        """Conversations whose next delivery may begin: none of them is under way."""
        self._under_way: dict[str, Claimed] = {}
        """By conversation."""
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def busy(self) -> bool:
        """Whether anything is claimed."""
        return self._size > 0

    @property
    def held(self) -> set[str]:
        """The ids of what is claimed."""
        waiting = {item.id for chain in self._chains.values() for item in chain}
        return waiting | {item.id for item in self._under_way.values()}

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
                if key not in self._under_way:
                    self._ready.append(key)
        self._pump()

    def drain(self) -> list[Claimed]:
        """Forget what has not begun, and return it: the gate has closed."""
        waiting = [item for chain in self._chains.values() for item in chain]
        self._chains.clear()
        self._ready.clear()
        self.more = True
        return waiting

    def cut(self) -> list[Claimed]:
        """Forget everything, break off what runs, and return it all: the lane is given up."""
        waiting = [*self._under_way.values(), *self.drain()]
        for task in self._tasks.values():
            task.cancel()
        return waiting

    async def close(self, seconds: float) -> list[Claimed]:
        """Begin nothing more, let what runs end within ``seconds``, cut the rest. Returns what did not begin."""
        waiting = self.drain()
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks.values()), timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        return waiting

    @property
    def _size(self) -> int:
        return len(self._under_way) + sum(len(chain) for chain in self._chains.values())

    def _pump(self) -> None:
        while self._ready and len(self._under_way) < self._parallel:
            key = self._ready.popleft()
            chain = self._chains[key]
            item = self._under_way[key] = chain.popleft()
            if not chain:
                del self._chains[key]
            self.moves += 1
            task = self._tasks[key] = asyncio.create_task(self._run(key, item))
            # Also of a task that is cancelled before its first step.
            task.add_done_callback(lambda ended, key=key: self._ended(key, ended))  # type: ignore[misc]

    async def _run(self, key: str, item: Claimed) -> None:
        try:
            await self._deliver(self, item)
        except Exception:
            log.exception("a delivery failed for a reason of our own; its claim runs out", webhook_id=item.webhook_id, delivery_id=item.id)
        finally:
            # In the same step as the end itself: whoever looks in this turn of the loop finds it ended.
            self._ended(key, cast("asyncio.Task[None]", asyncio.current_task()))

    def _ended(self, key: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(key) is not task:
            return
        del self._tasks[key], self._under_way[key]
        self.moves += 1
        if key in self._chains:
            self._ready.append(key)
        asyncio.get_running_loop().call_soon(self._pump)
        if self.more and self._size <= self._window // 2:
            self._on_room()
