"""What pages and the API give and get of the knowledge base."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """One document (AI-5)."""

    id: str
    title: str
    kind: str
    """``text``, ``markdown``, ``csv``, ``pdf`` or ``html``; empty for a URL that was not fetched yet."""
    filename: str
    url: str
    enabled: bool
    state: str
    """``pending``, ``indexing``, ``ready`` or ``failed``. A failed one is still searched if it was ready before."""
    reason: str
    size: int
    """Bytes."""
    passages: int
    created_at: datetime
    updated_at: datetime
    indexed_at: datetime | None


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """Documents, newest first; ``next_cursor`` is empty on the last page."""

    rows: tuple[DocumentRow, ...]
    next_cursor: str
    total: int


@dataclass(frozen=True, slots=True)
class PassageRow:
    """A passage of one document."""

    position: int
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class DocumentDetail:
    """One document with its first passages."""

    row: DocumentRow
    passages: tuple[PassageRow, ...]
    text: str | None
    """All of it, if it was written here; files and pages are changed where they come from."""
