"""What every table shares: the naming of constraints (so that Alembic can change them), ids, and times."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Integer, MetaData
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from whatsapp_dashboard.core.utc_datetime import UtcDateTime
from whatsapp_dashboard.domain.ids import new_id

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

metadata: MetaData = SQLModel.metadata

BigSerial = BigInteger().with_variant(Integer(), "sqlite")
"""A number the database counts up by itself; SQLite does that only for INTEGER."""

Json = JSON().with_variant(JSONB(), "postgresql")


def utc_now() -> datetime:
    """The time now, for ``created_at`` defaults."""
    return datetime.now(UTC)


def id_field() -> Any:
    """A primary key made by :func:`new_id`."""
    return Field(default_factory=new_id, primary_key=True, max_length=36)


def time_field(*, index: bool = False) -> Any:
    """A UTC time that may be absent."""
    return Field(default=None, sa_type=UtcDateTime, nullable=True, index=index)


def created_field(*, index: bool = False) -> Any:
    """A UTC time set when the row is made."""
    return Field(default_factory=utc_now, sa_type=UtcDateTime, nullable=False, index=index)


def owned_by(target: str, *, index: bool = True) -> Any:
    """A foreign key to ``target`` (``table.column``); this row is deleted together with the row it points to."""
    return Field(foreign_key=target, ondelete="CASCADE", index=index, max_length=36)
