"""The event log, and settings kept in the database."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.models.base import BigSerial, Json, created_field


class Event(SQLModel, table=True):
    """Something that happened, in the order it was committed. ``seq`` is what readers remember; ``id`` is what other systems
    see. Rows of deleted accounts stay, so there is no foreign key."""

    seq: int | None = Field(default=None, primary_key=True, sa_type=BigSerial)
    id: str = Field(default_factory=new_id, max_length=36, unique=True)
    type: str = Field(max_length=64, index=True)
    workspace_id: str | None = Field(default=None, max_length=36)
    account_id: str | None = Field(default=None, max_length=36)
    conversation_id: str | None = Field(default=None, max_length=36)
    message_id: str | None = Field(default=None, max_length=36)
    data: dict[str, Any] = Field(default_factory=dict, sa_type=Json, nullable=False)
    created_at: datetime = created_field(index=True)


class EventCursor(SQLModel, table=True):
    """How far a reader of the log has come, when it must not miss or repeat anything."""

    __tablename__ = "event_cursor"

    name: str = Field(primary_key=True, max_length=64)
    seq: int = Field(sa_type=BigInteger)


class Setting(SQLModel, table=True):
    """A setting changed from the dashboard rather than from the environment."""

    key: str = Field(primary_key=True, max_length=128)
    value: dict[str, Any] = Field(default_factory=dict, sa_type=Json, nullable=False)
    updated_at: datetime = created_field()
