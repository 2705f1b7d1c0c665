"""What is being erased."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from whatsapp_dashboard.models.base import Json, created_field, id_field, time_field

HIDDEN_WORKSPACE = "00000000-0000-0000-0000-000000000000"
"""Where deleted accounts are until nothing is left of them; nobody works there."""
HIDDEN_NAME = "(deleted)"


class Erasure(SQLModel, table=True):
    """Something was deleted, and what hangs off it is taken away a few rows at a time. The row stays until all of it is gone, so that a
    crash in the middle is made up for at the next start."""

    id: str = id_field()
    kind: str = Field(max_length=16)
    """``account``, ``document`` or ``webhook``."""
    subject_id: str = Field(max_length=36)
    seq: int = Field(default=0, sa_type=BigInteger)
    """Where the event log ended when it was deleted: later events about it are stragglers."""
    files: list[str] = Field(default_factory=list, sa_type=Json, nullable=False)
    """Hashes of files that are to go and could not yet."""
    done_at: datetime | None = time_field()
    """When all was gone; stragglers are looked for a while longer."""
    created_at: datetime = created_field()
