"""Workspaces and the operators who work in them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint, false
from sqlmodel import Field, SQLModel

from whatsapp_dashboard.models.base import created_field, id_field, owned_by, time_field

DEFAULT_WORKSPACE = "Default"


class Workspace(SQLModel, table=True):
    """The owner of accounts and operators; one named Default always exists."""

    id: str = id_field()
    name: str = Field(max_length=255, unique=True)
    created_at: datetime = created_field()


class Operator(SQLModel, table=True):
    """A person who logs in (SEC-1, SEC-6)."""

    id: str = id_field()
    workspace_id: str = owned_by("workspace.id")
    username: str = Field(max_length=64, unique=True)
    password_hash: str = Field(max_length=255)
    role: str = Field(max_length=16)
    totp_secret: str | None = Field(default=None, max_length=255)
    """Sealed by SecretBox; set but not enabled while the operator is still confirming it."""
    totp_enabled: bool = False
    totp_last_step: int | None = None
    """The last accepted time step, so that a code works once."""
    disabled: bool = False
    created_at: datetime = created_field()
    last_login_at: datetime | None = time_field()


class LoginSession(SQLModel, table=True):
    """One logged-in browser or API token (SEC-2); only the hash of its secret is stored."""

    __tablename__ = "login_session"

    id: str = id_field()
    operator_id: str = owned_by("operator.id")
    token_hash: str = Field(max_length=64, unique=True)
    kind: str = Field(default="browser", max_length=16)
    user_agent: str = Field(default="", max_length=512)
    ip: str = Field(default="", max_length=64)
    created_at: datetime = created_field()
    last_seen_at: datetime = created_field()
    expires_at: datetime = time_field(index=True)


class LoginAttempt(SQLModel, table=True):
    """One try to log in that is under way or failed, kept for the lock-out (SEC-3)."""

    __tablename__ = "login_attempt"

    id: str = id_field()
    ip: str = Field(max_length=64, index=True)
    """The address as tries are counted: IPv6 by its network (auth/addresses.py)."""
    username: str = Field(max_length=64, index=True)
    known: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """From an address this operator logged in from before; counted apart from strangers' tries."""
    reason: str | None = Field(default=None, max_length=16)
    """What was wrong; None while it is being looked at."""
    at: datetime = created_field(index=True)


class KnownAddress(SQLModel, table=True):
    """An address an operator logged in from: strangers elsewhere cannot lock them out there (SEC-3)."""

    __tablename__ = "known_address"
    __table_args__ = (UniqueConstraint("operator_id", "address"),)

    id: str = id_field()
    operator_id: str = owned_by("operator.id", index=False)
    address: str = Field(max_length=64)
    last_login_at: datetime = created_field(index=True)


class AllowedNetwork(SQLModel, table=True):
    """A private host, address or network that requests of one workspace may reach (HOOK-7, ACC-15)."""

    __tablename__ = "allowed_network"
    __table_args__ = (UniqueConstraint("workspace_id", "value"),)

    id: str = id_field()
    workspace_id: str = owned_by("workspace.id", index=False)
    value: str = Field(max_length=255)
    added_by: str = Field(max_length=64)
    added_at: datetime = created_field()
