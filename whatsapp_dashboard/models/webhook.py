"""Webhooks, the events built for them, and every delivery with its attempts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from whatsapp_dashboard.core.utc_datetime import UtcDateTime
from whatsapp_dashboard.models.base import Json, created_field, id_field, owned_by, time_field

_FRESH = text("state = 'pending' AND next_try_at IS NULL")
_RETRY = text("state = 'pending' AND next_try_at IS NOT NULL")
_CLAIMED = text("state = 'delivering'")
_DEAD = text("state = 'dead'")


class Webhook(SQLModel, table=True):
    """An endpoint that gets events (HOOK-1), and how it has been doing (HOOK-5)."""

    id: str = id_field()
    workspace_id: str = owned_by("workspace.id")
    account_id: str | None = Field(default=None, foreign_key="account.id", ondelete="CASCADE", index=True, max_length=36)
    """None: all accounts of the workspace."""
    name: str = Field(default="", max_length=255)
    url: str = Field(max_length=2_048)
    """As it is shown: with a mask in place of each secret in it."""
    url_sealed: str | None = None
    """All of it, sealed, when it has secrets (SEC-7)."""
    events: list[str] = Field(default_factory=list, sa_type=Json, nullable=False)
    headers: str | None = None
    """Custom headers as a JSON object, sealed: values are often tokens (SEC-7)."""
    header_names: list[str] = Field(default_factory=list, sa_type=Json, nullable=False)
    secret: str | None = None
    """Sealed (SEC-7)."""
    secret_hint: str = Field(default="", max_length=4)
    previous_secret: str | None = None
    """Sealed; signs as well until ``previous_secret_until`` (HOOK-3)."""
    previous_secret_until: datetime | None = time_field()
    enabled: bool = True
    paused_at: datetime | None = time_field()

    failures: int = 0
    """Failed attempts in a row."""
    failing_since: datetime | None = time_field()
    """Since when the breaker holds deliveries back."""
    probes: int = 0
    """Probes that failed since then."""
    next_probe_at: datetime | None = time_field()
    quiet_until: datetime | None = time_field()
    """The endpoint asked by Retry-After to be left alone until then."""
    stalled_since: datetime | None = time_field()
    """Since when deliveries are due and not taken: a fault of ours, which the watchdog mends."""
    last_success_at: datetime | None = time_field()
    last_failure_at: datetime | None = time_field()
    last_error: str = Field(default="", max_length=500)
    created_at: datetime = created_field()
    updated_at: datetime = created_field()


class WebhookEvent(SQLModel, table=True):
    """An event as receivers get it: built once, sent by all its deliveries."""

    __tablename__ = "webhook_event"

    id: str = Field(primary_key=True, max_length=36)
    """Of the event; what receivers see as ``webhook-id``."""
    type: str = Field(max_length=64)
    account_id: str | None = Field(default=None, foreign_key="account.id", ondelete="CASCADE", index=True, max_length=36)
    body: str
    created_at: datetime = created_field(index=True)


class WebhookDelivery(SQLModel, table=True):
    """One event on its way to one endpoint (HOOK-4)."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("webhook_id", "event_id"),
        Index("ix_webhook_delivery_webhook_id_id", "webhook_id", "id"),
        Index("ix_webhook_delivery_fresh", "webhook_id", "seq", postgresql_where=_FRESH, sqlite_where=_FRESH),
        Index("ix_webhook_delivery_retry", "webhook_id", "next_try_at", postgresql_where=_RETRY, sqlite_where=_RETRY),
        Index("ix_webhook_delivery_claimed", "webhook_id", "claimed_until", postgresql_where=_CLAIMED, sqlite_where=_CLAIMED),
        Index("ix_webhook_delivery_dead", "webhook_id", "id", postgresql_where=_DEAD, sqlite_where=_DEAD),
    )

    id: str = id_field()
    webhook_id: str = owned_by("webhook.id", index=False)
    event_id: str = owned_by("webhook_event.id")
    event_type: str = Field(max_length=64)
    account_id: str | None = Field(default=None, max_length=36)
    conversation_id: str | None = Field(default=None, max_length=36)
    seq: int = Field(sa_type=BigInteger)
    """Place in the event log: the order of first attempts."""
    state: str = Field(default="pending", max_length=16)
    """``pending``, ``delivering``, ``succeeded`` or ``dead``."""
    attempts: int = 0
    tries: int = 0
    """Attempts since it was queued or replayed: what the retry schedule counts."""
    replays: int = 0
    next_try_at: datetime | None = time_field()
    """When a failed one is tried again; None before the first try, and when it goes out at once because its endpoint is back."""
    claim_id: str | None = Field(default=None, max_length=80)
    """Who delivers it now: a result counts only while this is still the claim (owner and number)."""
    claimed_until: datetime | None = time_field()
    queued_at: datetime = created_field()
    """When it was queued or replayed: what the longest wait is counted from."""
    created_at: datetime = created_field()
    finished_at: datetime | None = time_field()
    last_status: int | None = None
    last_error: str = Field(default="", max_length=500)
    last_ms: int | None = None


class WebhookAttempt(SQLModel, table=True):
    """One request and what came back (HOOK-6)."""

    __tablename__ = "webhook_attempt"
    __table_args__ = (Index("ix_webhook_attempt_webhook_id_id", "webhook_id", "id"),)

    id: str = id_field()
    delivery_id: str = owned_by("webhook_delivery.id")
    webhook_id: str = Field(max_length=36)
    number: int
    round: int = 0
    started_at: datetime = created_field()
    ms: int
    succeeded: bool
    status: int | None = None
    error: str = Field(default="", max_length=500)
    address: str = Field(default="", max_length=64)
    request_headers: dict[str, Any] = Field(default_factory=dict, sa_type=Json, nullable=False)
    response_headers: dict[str, Any] = Field(default_factory=dict, sa_type=Json, nullable=False)
    response_body: str = ""
    response_truncated: bool = False


class WebhookHour(SQLModel, table=True):
    """How many attempts of an endpoint went well and failed in one hour: what the sparkline shows."""

    __tablename__ = "webhook_hour"

    webhook_id: str = Field(primary_key=True, foreign_key="webhook.id", ondelete="CASCADE", max_length=36)
    hour: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    succeeded: int = 0
    failed: int = 0
