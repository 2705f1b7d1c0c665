"""When a delivery that failed is tried again, and when an endpoint that keeps failing is probed. Pure (HOOK-4, HOOK-5)."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum

RETRY_SECONDS = (30, 60, 120, 240, 480)
"""Before the second, third ... try. When the last one fails too, the delivery is a dead letter."""
JITTER = 0.1
RETRY_AFTER_LIMIT = 3_600
"""Seconds an endpoint may ask us to wait, at most."""

BREAKER_FAILURES = 10
"""Failed attempts in a row after which an endpoint is left alone except for probes."""
PROBE_SECONDS, PROBE_SECONDS_LIMIT = 5, 300
"""Before the first probe, and between two of them at most."""
PROBE_SHARE = 0.25
"""The next probe comes after this share of the time the endpoint has been failing so far: coming back costs at most so much more."""


def next_try(tries: int, now: datetime, retry_after: float | None, dice: random.Random) -> datetime | None:
    """When to try again after ``tries`` failed tries; None when that was the last one. A longer ``retry_after`` (seconds) is obeyed."""
    if tries > len(RETRY_SECONDS):
        return None
    seconds = RETRY_SECONDS[tries - 1] * (1 + JITTER * dice.random())
    return now + timedelta(seconds=max(seconds, retry_after or 0))


def next_probe(failing_since: datetime, now: datetime) -> datetime:
    """When to probe again after a probe that failed."""
    seconds = (now - failing_since).total_seconds() * PROBE_SHARE
    return now + timedelta(seconds=min(max(seconds, PROBE_SECONDS), PROBE_SECONDS_LIMIT))


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """The seconds that the header Retry-After asks for, at most :data:`RETRY_AFTER_LIMIT`; None without a usable one."""
    given = headers.get("retry-after", "").strip()
    if given.isascii() and given.isdigit():
        return float(min(int(given[:10]), RETRY_AFTER_LIMIT))
    try:
        moment = parsedate_to_datetime(given)
    except (ValueError, OverflowError):
        return None
    seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
    return min(seconds, float(RETRY_AFTER_LIMIT)) if seconds > 0 else None


class Probe(Enum):
    """Which delivery goes out to see whether an endpoint is back."""

    OLDEST = "oldest"
    """The one that waits longest: its conversation then goes on in its order."""
    RETRY = "retry"
    """Of those that failed, the one whose next try is nearest: each in turn."""
    FRESH = "fresh"
    """One that was never tried."""


@dataclass(slots=True)
class Breaker:
    """Holds deliveries back while every attempt fails, lets one at a time through as a probe, and opens the way when one succeeds."""

    failures: int = 0
    """In a row."""
    failing_since: datetime | None = None
    probes: int = 0
    """That failed since then."""
    next_probe_at: datetime | None = None
    reached: bool = False
    """Whether somebody took the connection at the latest failure: then it may lie at what was sent, and probes try other deliveries."""

    @property
    def probe(self) -> Probe | None:
        """What the next probe is to be; None while nothing is held back."""
        if self.failing_since is None:
            return None
        if not self.reached:
            return Probe.OLDEST
        return Probe.FRESH if self.probes % 2 else Probe.RETRY

    def is_probe(self, began: datetime) -> bool:
        """Whether an attempt begun at ``began`` is a probe, and not one that was under way when deliveries were first held back."""
        return self.failing_since is not None and began > self.failing_since

    def succeeded(self) -> bool:
        """Note a success. Returns whether deliveries had been held back."""
        held = self.failing_since is not None
        self.failures, self.failing_since, self.probes, self.next_probe_at = 0, None, 0, None
        return held

    def failed(self, began: datetime, now: datetime, *, reached: bool = False) -> bool:
        """Note the failure of an attempt begun at ``began``. Returns whether deliveries are held back from now on."""
        self.failures += 1
        self.reached = reached
        if self.failing_since is not None:
            if self.is_probe(began):
                self.probes += 1
                self.next_probe_at = next_probe(self.failing_since, now)
            return False
        if self.failures < BREAKER_FAILURES:
            return False
        self.failing_since = now
        self.next_probe_at = now + timedelta(seconds=PROBE_SECONDS)
        return True
