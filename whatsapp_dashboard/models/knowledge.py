"""What a workspace's bots may answer from: documents, and the passages they are split into (AI-5)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, LargeBinary, text
from sqlmodel import Field, SQLModel

from whatsapp_dashboard.models.base import BigSerial, created_field, id_field, owned_by, time_field

_WAITING = text("state IN ('pending', 'indexing')")


class KnowledgeDocument(SQLModel, table=True):
    """A text somebody wrote or uploaded, or what stands at a URL."""

    __tablename__ = "knowledge_document"
    __table_args__ = (
        Index("ix_knowledge_document_workspace_id_id", "workspace_id", "id"),
        Index("ix_knowledge_document_waiting", "id", postgresql_where=_WAITING, sqlite_where=_WAITING),
    )

    id: str = id_field()
    workspace_id: str = owned_by("workspace.id", index=False)
    title: str = Field(max_length=255)
    kind: str = Field(max_length=16)
    """``text``, ``markdown``, ``csv``, ``pdf`` or ``html``; of a URL known once it was fetched."""
    filename: str = Field(default="", max_length=255)
    url: str = Field(default="", max_length=2_048)
    """As it is shown: with a mask in place of each secret in it."""
    url_sealed: str | None = None
    """All of it, sealed, when it has secrets (SEC-7)."""
    enabled: bool = True
    state: str = Field(default="pending", max_length=16)
    """``pending``, ``indexing``, then ``ready`` or ``failed`` with the reason."""
    reason: str = Field(default="", max_length=500)
    raw: bytes | None = Field(default=None, sa_type=LargeBinary)
    """The uploaded file until its text is read."""
    body: str = ""
    """Its whole text: what it is indexed from again."""
    sha256: str = Field(default="", max_length=64)
    """Of the file or text, so that the same one is not added twice."""
    size: int = 0
    """Bytes of the file or text."""
    passages: int = 0
    generation: int = 0
    """Of its passages the ones that are searched; others are being written or deleted."""
    begun: int = 0
    """How often its indexing was begun: the generation of the passages that are being written."""
    asked: int = 0
    """How often indexing it anew was asked for: what was begun before the last time is not wanted any more."""
    fetch: bool = False
    """Whether what stands at the URL is fetched anew before it is indexed."""
    tries: int = 0
    created_at: datetime = created_field()
    updated_at: datetime = created_field()
    indexed_at: datetime | None = time_field()


class KnowledgePassage(SQLModel, table=True):
    """A part of a document, small enough to be given to a model. The words it is found by are prepared here (knowledge/terms.py); the
    databases' full-text indexes are kept by the databases themselves."""

    __tablename__ = "knowledge_passage"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigSerial)
    document_id: str = owned_by("knowledge_document.id")
    generation: int
    position: int
    heading: str = Field(default="", max_length=500)
    text: str
    head_terms: str
    """Of the title and the heading."""
    terms: str
    length: int
    """How many terms the text has."""
