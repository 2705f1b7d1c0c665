"""Accounts, the lease that says who runs one, and its stored credentials."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Field, SQLModel

from whatsapp_dashboard.models.base import Json, created_field, id_field, owned_by, time_field


class Account(SQLModel, table=True):
    """One WhatsApp number and what is known about its session."""

    id: str = id_field()
    workspace_id: str = owned_by("workspace.id")
    name: str = Field(max_length=255)
    description: str = Field(default="", max_length=2_000)
    engine: str = Field(max_length=32)
    settings: dict[str, Any] = Field(default_factory=dict, sa_type=Json, nullable=False)
    """Read and written as domain.account_settings.AccountSettings."""

    status: str = Field(default="disconnected", max_length=16, index=True)
    status_reason: str = Field(default="", max_length=500)
    status_code: str = Field(default="", max_length=32, sa_column_kwargs={"server_default": text("''")})
    """The reason for programs: a DisconnectCause while the session is down for one, else empty."""
    status_changed_at: datetime = created_field()
    wanted: bool = False
    """Whether the operator wants it connected: started at program start when it is also linked (ACC-4)."""
    linked: bool = False
    """Whether credentials are stored that can bring the session back without a scan."""
    phone: str | None = Field(default=None, max_length=32, index=True)
    lid: str | None = Field(default=None, max_length=32, index=True)
    push_name: str = Field(default="", max_length=255)
    platform: str = Field(default="", max_length=64)
    linked_at: datetime | None = time_field()
    connected_since: datetime | None = time_field()
    last_inbound_at: datetime | None = time_field()
    last_receipt_at: datetime | None = time_field()
    last_proof_at: datetime | None = time_field()
    """When WhatsApp last answered on this session (ACC-9)."""
    attempt: int = 0
    """Reconnect attempts since it was last ready."""
    next_attempt_at: datetime | None = time_field()
    gap_started_at: datetime | None = time_field()
    """Begin of the latest time offline (ACC-10)."""
    gap_ended_at: datetime | None = time_field()
    restricted_until: datetime | None = time_field()
    """WhatsApp refuses sends until then; the breaker of ACC-11."""
    restriction: str = Field(default="", max_length=500)
    created_at: datetime = created_field()
    updated_at: datetime = created_field()


class SessionLease(SQLModel, table=True):
    """Which process runs an account, and until when it may believe so."""

    __tablename__ = "session_lease"

    account_id: str = Field(primary_key=True, foreign_key="account.id", ondelete="CASCADE", max_length=36)
    owner: str = Field(max_length=64, index=True)
    until: datetime = time_field()


class SessionCredential(SQLModel, table=True):
    """The linked device of an account, sealed by SecretBox (SEC-7)."""

    __tablename__ = "session_credential"

    account_id: str = Field(primary_key=True, foreign_key="account.id", ondelete="CASCADE", max_length=36)
    sealed: str
    updated_at: datetime = created_field()
