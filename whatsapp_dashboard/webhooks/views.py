"""What pages and the API give and get of webhooks and deliveries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class WebhookState(StrEnum):
    """How a webhook stands. ``off`` takes no new events; ``paused`` and ``failing`` take them and keep them for later."""

    ACTIVE = "active"
    OFF = "off"
    PAUSED = "paused"
    FAILING = "failing"
    """The breaker holds deliveries back, because every attempt failed lately; one delivery at a time goes out as a probe (HOOK-5)."""
    STALLED = "stalled"
    """Deliveries were due for a minute and nobody took them: a fault of the dashboard, which has begun anew with this endpoint."""


class DeliveryState(StrEnum):
    """Where one event is on its way to one endpoint."""

    PENDING = "pending"
    DELIVERING = "delivering"
    SUCCEEDED = "succeeded"
    DEAD = "dead"
    """A dead letter: given up after its last try (HOOK-4)."""


@dataclass(frozen=True, slots=True)
class WebhookDraft:
    """What an operator decides about a webhook (HOOK-1). ``account_id`` None means all accounts."""

    url: str
    name: str = ""
    account_id: str | None = None
    events: tuple[str, ...] = ("message",)
    headers: dict[str, str] = field(default_factory=dict)
    """Custom headers. In a change a value of ``KEPT`` keeps what is stored: values are write-only."""
    secret: str | None = None
    """None makes no signature; ``GENERATE`` makes a new secret. Ignored by changes: see ``rotate_secret``."""
    enabled: bool = True


GENERATE = "generate"
KEPT = "••••"


@dataclass(frozen=True, slots=True)
class Hour:
    """Attempts of one hour, for the sparkline."""

    start: datetime
    succeeded: int
    failed: int


@dataclass(frozen=True, slots=True)
class WebhookHealth:
    """How an endpoint did in the last 24 hours."""

    hours: tuple[Hour, ...]
    """24 of them, oldest first, the last one is the running hour."""
    succeeded: int
    """Attempts that the endpoint took: as many deliveries arrived."""
    failed: int
    """Attempts that it did not take. Most are tried again."""
    given_up: int
    """Dead letters among what was queued in these hours."""
    p95_ms: int | None
    """Over the latest attempts, at most 500 of the last 24 hours; None without any."""
    waiting: int
    """Deliveries pending or under way."""
    dead: int
    """Dead letters."""
    oldest_waiting_at: datetime | None
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_error: str
    """Of the latest failed attempt, in words; empty when there was none."""

    @property
    def delivered(self) -> int:
        """Deliveries that arrived."""
        return self.succeeded

    @property
    def success_rate(self) -> float | None:
        """Of the deliveries that are finished, how many arrived, from 0 to 1; None while none is."""
        total = self.delivered + self.given_up
        return self.delivered / total if total else None


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """One webhook as its line and its API object show it. Secrets never leave: only whether there is one, and its last 4 characters."""

    id: str
    workspace_id: str
    name: str
    url: str
    account_id: str | None
    account_name: str | None
    events: tuple[str, ...]
    header_names: tuple[str, ...]
    has_secret: bool
    secret_hint: str
    """The last 4 characters of the secret."""
    previous_secret_until: datetime | None
    """While a rotation overlaps: until then the old secret signs as well (HOOK-3)."""
    enabled: bool
    state: WebhookState
    paused_at: datetime | None
    failing_since: datetime | None
    next_probe_at: datetime | None
    quiet_until: datetime | None
    """The endpoint asked by Retry-After to be left alone until then."""
    stalled_since: datetime | None
    created_at: datetime
    updated_at: datetime
    health: WebhookHealth


@dataclass(frozen=True, slots=True)
class SavedWebhook:
    """A webhook that was just saved; ``secret`` is told this once, when a new one was made or set."""

    webhook: WebhookRow
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One request and what came back (HOOK-6)."""

    id: str
    number: int
    """Counts all attempts of the delivery, from 1."""
    round: int
    """0 for the first round of tries, 1 after the first replay, and so on."""
    started_at: datetime
    ms: int
    succeeded: bool
    status: int | None
    """HTTP status; None when no answer came."""
    error: str
    """Why it failed, in words; empty for a success."""
    address: str
    """The IP address that was dialled; empty when none was."""
    request_headers: dict[str, str]
    """As sent; values of custom headers masked."""
    response_headers: dict[str, str]
    response_body: str
    """At most the first 4 KB, undecodable bytes replaced."""
    response_truncated: bool


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One line of the delivery log."""

    id: str
    event_id: str
    """What receivers see as ``webhook-id``; replays keep it."""
    event_type: str
    webhook_id: str
    webhook_name: str
    """Its name, or its URL when it has none."""
    url: str
    account_id: str | None
    account_name: str | None
    conversation_id: str | None
    state: DeliveryState
    attempts: int
    """All attempts so far."""
    replays: int
    created_at: datetime
    next_try_at: datetime | None
    finished_at: datetime | None
    last_status: int | None
    last_error: str
    last_ms: int | None
    held: str
    """Why a pending delivery that is due does not go out now: ``paused``, ``failing``, ``off``, ``quiet``, ``stalled``; else empty."""


@dataclass(frozen=True, slots=True)
class DeliveryDetail:
    """One delivery with the exact request body and every attempt, newest first."""

    row: DeliveryRow
    body: str
    attempts: tuple[AttemptView, ...]


@dataclass(frozen=True, slots=True)
class DeliveryFilters:
    """Which deliveries are wanted; an empty field does not filter. ``since`` (inclusive) and ``until`` (exclusive) say when they
    were made."""

    state: str = ""
    event_type: str = ""
    webhook_id: str = ""
    account_id: str = ""
    event_id: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Newest first; ``next_cursor`` is empty at the end."""

    rows: tuple[DeliveryRow, ...]
    next_cursor: str


@dataclass(frozen=True, slots=True)
class TestResult:
    """What came back of a test event (HOOK-1)."""

    succeeded: bool
    status: int | None
    ms: int
    error: str
    address: str
    request_headers: dict[str, str]
    request_body: str
    response_headers: dict[str, str]
    response_body: str
    response_truncated: bool


@dataclass(frozen=True, slots=True)
class EventType:
    """One kind of event a webhook can ask for (HOOK-2)."""

    name: str
    title: str
    description: str
    example: dict[str, Any]
