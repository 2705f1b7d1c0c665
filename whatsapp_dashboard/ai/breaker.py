"""Which providers are left alone for a while, and how many requests run at once (AI-3). Kept in memory, per process: after a restart
each provider gets a fresh chance."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from whatsapp_dashboard.ai.providers.base import ProviderError
from whatsapp_dashboard.core.clock import Clock

FAILURES = 3
"""Failures in a row after which a provider is left alone."""
FIRST_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(minutes=10)
_AT_ONCE_HOPELESS = frozenset({"auth", "blocked_address"})
"""What the next request cannot mend: one failure is enough."""
_NOT_ITS_FAULT = frozenset({"refused", "empty"})
"""What says nothing about the next request."""


class Resting(Exception):
    """The provider is left alone."""


@dataclass(slots=True)
class Health:
    """How one provider has been doing."""

    failures: int = 0
    rests: int = 0
    resting_until: datetime | None = None
    probing: bool = False
    last_error: str = ""
    last_ok_at: datetime | None = None
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    concurrency: int = 1


class Breakers:
    """The health of every provider, by id."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._health: dict[str, Health] = {}

    def health(self, provider_id: str) -> Health:
        """What is known of a provider; a blank one for a provider never asked."""
        return self._health.setdefault(provider_id, Health())

    def forget(self, provider_id: str) -> None:
        """The provider was changed or deleted: what was known is true of it no more."""
        self._health.pop(provider_id, None)

    async def clock_was_set_back(self) -> None:
        """Nobody rests until a time that comes late: each gets a fresh chance."""
        now = self._clock.now()
        for health in self._health.values():
            if health.resting_until is not None:
                health.resting_until = min(health.resting_until, now)

    def may_ask(self, provider_id: str) -> bool:
        """Whether it is not resting. When its rest is over one request at a time goes through, until one succeeds."""
        health = self.health(provider_id)
        if health.resting_until is None:
            return True
        return health.resting_until <= self._clock.now() and not health.probing

    @asynccontextmanager
    async def turn(self, provider_id: str, concurrency: int, seconds: float) -> AsyncIterator[None]:
        """Wait for one of ``concurrency`` turns, at most ``seconds``. Raises TimeoutError, and :class:`Resting` when the provider began to
        rest meanwhile, or is being probed."""
        health = self.health(provider_id)
        if health.concurrency != concurrency:
            health.concurrency, health.turns = concurrency, asyncio.Semaphore(concurrency)
        turns = health.turns
        async with asyncio.timeout(seconds):
            await turns.acquire()
        # Who waited here was let through before: the requests ahead may have shown that the provider is better left alone.
        if not self.may_ask(provider_id):
            turns.release()
            raise Resting
        probe = health.resting_until is not None
        health.probing = health.probing or probe
        try:
            yield
        finally:
            turns.release()
            if probe:
                health.probing = False

    def succeeded(self, provider_id: str) -> None:
        """It answered: whatever was before is over."""
        health = self.health(provider_id)
        health.failures = health.rests = 0
        health.resting_until, health.last_error, health.last_ok_at = None, "", self._clock.now()

    def failed(self, provider_id: str, error: ProviderError) -> None:
        """It did not answer; after :data:`FAILURES` in a row, or as long as it asked for itself, it rests."""
        health = self.health(provider_id)
        if error.kind in _NOT_ITS_FAULT:
            return
        now = self._clock.now()
        health.failures += 1
        health.last_error = error.message
        rest = None
        if error.retry_after is not None:
            rest = min(timedelta(seconds=max(0.0, error.retry_after)), timedelta(hours=1))
        elif health.failures >= FAILURES or health.resting_until is not None or error.kind in _AT_ONCE_HOPELESS:
            rest = min(FIRST_REST * 2**health.rests, LONGEST_REST)
            health.rests = min(health.rests + 1, 10)
        if rest is not None:
            health.resting_until = max(health.resting_until or now, now + rest)
