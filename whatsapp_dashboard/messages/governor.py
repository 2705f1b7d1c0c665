"""The safety governor: how fast an account may send, and when it must not (ACC-11, MSG-6). Pure rules."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from whatsapp_dashboard.domain.account_settings import Governor, Pacing
from whatsapp_dashboard.domain.ids import ContactKind

WINDOW = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now: keep it queued until ``until``; ``reason`` tells people why."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Never: ``reason`` tells people why."""

    reason: str


def is_first_message(kind: str, last_inbound_at: datetime | None, approached_at: datetime | None) -> bool:
    """Whether this would be our first message to a person who never wrote. Answers are never limited."""
    return kind == ContactKind.PERSON.value and last_inbound_at is None and approached_at is None


def daily_limit(rules: Governor, linked_at: datetime | None, now: datetime) -> int:
    """How many first messages any 24 hours may hold: a tenth of the limit for a fresh link, the whole after the warm-up."""
    if rules.warm_up_days == 0 or linked_at is None:
        return rules.new_contacts_per_day
    share = min(1.0, 0.1 + 0.9 * ((now - linked_at) / timedelta(days=rules.warm_up_days)))
    return min(rules.new_contacts_per_day, math.ceil(rules.new_contacts_per_day * share))


def may_approach(
    rules: Governor, linked_at: datetime | None, now: datetime, *, count: int, oldest: datetime | None
) -> Wait | Refuse | None:
    """Whether one more stranger may be written to, after ``count`` in the last 24 hours, the first of them at ``oldest``."""
    if not rules.enabled:
        return None
    if rules.new_contacts_per_day == 0:
        return Refuse("First messages to people who never wrote are turned off for this account (daily limit 0).")
    limit = daily_limit(rules, linked_at, now)
    if count < limit:
        return None
    until = (oldest or now) + WINDOW
    warm = f" of the warm-up ({limit} of {rules.new_contacts_per_day})" if limit < rules.new_contacts_per_day else f" of {limit}"
    return Wait(until, f"The daily limit{warm} for first messages to new contacts is reached; it goes out about {_clock(until)} UTC.")


def breaker(restricted_until: datetime | None, restriction: str, now: datetime) -> Wait | None:
    """Whether WhatsApp refuses sends of this account now."""
    if restricted_until is None or restricted_until <= now:
        return None
    why = restriction or "WhatsApp restricted this account"
    return Wait(restricted_until, f"{why.rstrip('.')}. Sending is paused until {_clock(restricted_until)} UTC."[:500])


def gap_seconds(pacing: Pacing) -> float:
    """A human-like pause before the next send."""
    return random.uniform(pacing.min_ms, pacing.max_ms) / 1_000  # noqa: S311 - a delay, not a secret


def retry_seconds(attempts: int) -> float:
    """How long to wait after the ``attempts``-th failure: 2 s doubling up to 5 minutes, with jitter."""
    return min(300.0, 2.0**attempts) * random.uniform(1.0, 1.2)  # noqa: S311


def _clock(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
