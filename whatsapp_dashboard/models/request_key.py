"""Keys under which requests came, so that each has its effect once (API-5, MSG-13)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from whatsapp_dashboard.models.base import created_field, id_field, owned_by


class RequestKey(SQLModel, table=True):
    """A key whose request has had its effect: stored in the write of the effect (``core/once.py``)."""

    __tablename__ = "request_key"
    __table_args__ = (UniqueConstraint("operator_id", "key"),)

    id: str = id_field()
    operator_id: str = owned_by("operator.id", index=False)
    key: str = Field(max_length=300)
    what: str = Field(max_length=255)
    """The route or the page's method."""
    digest: str = Field(default="", max_length=64)
    """SHA-256 of the body: the same key for something else is a mistake of the caller."""
    status: int | None = None
    answer: str | None = None
    """What the first request was answered, sealed by SecretBox."""
    created_at: datetime = created_field(index=True)
