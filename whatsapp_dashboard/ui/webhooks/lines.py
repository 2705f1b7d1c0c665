"""A webhook as the page shows it (HOOK-1, HOOK-6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from whatsapp_dashboard.network.allow_list import AllowedNetwork
from whatsapp_dashboard.ui.times import iso
from whatsapp_dashboard.webhooks.views import EventType, Hour, WebhookHealth, WebhookRow, WebhookState

BAR_HEIGHT = 28
"""Pixels of the tallest bar of a sparkline."""
CHIPS = 3
"""Events named on a row; the rest is a number."""
STATES = {
    WebhookState.ACTIVE: ("Active", "good"),
    WebhookState.OFF: ("Off", "neutral"),
    WebhookState.PAUSED: ("Paused", "busy"),
    WebhookState.FAILING: ("Failing", "bad"),
    WebhookState.STALLED: ("Stalled", "bad"),
}
ALL_ACCOUNTS = "all"
"""In selects, where an empty value is not allowed."""


@dataclass
class Bar:
    """One hour of a sparkline; heights in pixels."""

    good: int
    bad: int
    title: str


@dataclass
class WebhookLine:
    """One row. Times are ISO 8601 in UTC, empty where there is none."""

    id: str
    title: str
    """The name, or the URL without one."""
    url: str
    """Below the name; empty when it is the title."""
    account: str
    events: list[str]
    more_events: str
    state: str
    enabled: bool
    paused: bool
    failing_since: str
    next_probe_at: str
    quiet_until: str
    stalled_since: str
    secret: str
    previous_secret_until: str
    bars: list[Bar]
    rate: str
    """Of the finished deliveries."""
    rate_title: str
    attempts: str
    """How many attempts failed, in words; empty for none."""
    rate_tone: str
    p95: str
    waiting: int
    oldest_waiting_at: str
    dead: int
    last_failure_at: str
    last_error: str


@dataclass
class EventChoice:
    """An event in the dialog."""

    name: str
    title: str
    description: str


@dataclass
class AllowedLine:
    """An entry of the allow list."""

    value: str
    added_by: str
    added_at: str


@dataclass
class Pair:
    """A custom header as typed. ``key`` tells rows apart."""

    key: str
    name: str
    value: str


def webhook_line(row: WebhookRow, now: datetime) -> WebhookLine:
    """The row as the page shows it at ``now``."""
    health = row.health
    recent = health.last_failure_at and (health.last_success_at is None or health.last_failure_at > health.last_success_at)
    return WebhookLine(
        id=row.id,
        title=row.name or row.url,
        url=row.url if row.name else "",
        account=row.account_name or "All accounts",
        events=list(row.events[:CHIPS]),
        more_events=f"+{len(row.events) - CHIPS}" if len(row.events) > CHIPS else "",
        state=row.state.value,
        enabled=row.enabled,
        paused=row.paused_at is not None,
        failing_since=iso(row.failing_since),
        next_probe_at=iso(row.next_probe_at) if row.next_probe_at and row.next_probe_at > now else "",
        quiet_until=iso(row.quiet_until),
        stalled_since=iso(row.stalled_since),
        secret=f"signed, …{row.secret_hint}" if row.has_secret else "not signed",
        previous_secret_until=iso(row.previous_secret_until),
        bars=bars(health.hours),
        rate="–" if health.success_rate is None else percent(health.success_rate),
        rate_title=_counted(health),
        attempts=plural(health.failed, "failed attempt") if health.failed else "",
        rate_tone=_tone(health.success_rate),
        p95="–" if health.p95_ms is None else milliseconds(health.p95_ms),
        waiting=health.waiting,
        oldest_waiting_at=iso(health.oldest_waiting_at),
        dead=health.dead,
        last_failure_at=iso(health.last_failure_at),
        last_error=health.last_error if recent or row.state is WebhookState.FAILING else "",
    )


def bars(hours: tuple[Hour, ...]) -> list[Bar]:
    """A sparkline: the busiest hour has the tallest bar, and every hour with attempts has a visible one."""
    most = max((hour.succeeded + hour.failed for hour in hours), default=0)

    def height(count: int) -> int:
        return max(2, round(BAR_HEIGHT * count / most)) if count else 0

    return [
        Bar(
            height(hour.succeeded),
            height(hour.failed),
            f"{hour.start:%H}:00 UTC: {hour.succeeded:,} delivered, {plural(hour.failed, 'failed attempt')}",
        )
        for hour in hours
    ]


def plural(count: int, what: str) -> str:
    """``1 attempt``, ``1,200 attempts``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _counted(health: WebhookHealth) -> str:
    arrived, given_up = f"{health.delivered:,} deliveries arrived", f"{health.given_up:,} were given up"
    return f"In 24 hours {arrived}, {given_up}; {health.failed:,} of {plural(health.succeeded + health.failed, 'attempt')} failed."


def percent(rate: float) -> str:
    """100 % is said only when nothing failed, 0 % only when nothing went well."""
    value = rate * 100
    if 0 < value < 0.1:
        return "<0.1 %"
    if 99.9 < value < 100:
        return ">99.9 %"
    return f"{value:.1f} %".replace(".0 %", " %")


def milliseconds(ms: int) -> str:
    """``240 ms`` or ``9.1 s``."""
    return f"{ms} ms" if ms < 1_000 else f"{ms / 1_000:.1f} s"


def event_choice(event: EventType) -> EventChoice:
    """An event in the dialog: the first sentence of its description, without the marks of Markdown."""
    first = event.description.partition(". ")[0].replace("`", "")
    return EventChoice(event.name, event.title, first.rstrip(".") + ".")


def allowed_line(entry: AllowedNetwork) -> AllowedLine:
    """An entry of the allow list."""
    return AllowedLine(entry.value, entry.added_by, iso(entry.added_at))


def _tone(rate: float | None) -> str:
    if rate is None:
        return "gray"
    return "jade" if rate >= 0.99 else "amber" if rate >= 0.9 else "red"
