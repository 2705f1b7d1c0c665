"""Reads and indexes documents in the background, one after the other. What was under way when the program ended goes on at the next
start; what was indexed before is searched until the new index is there.

Passages are written a few at a time, as a new generation that is searched from the moment all of it is there: a document of a million
words must not keep the messages of a conversation waiting for the database.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.core import url_secrets
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.crypto import SecretBox
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.outgoing import Outgoing
from whatsapp_dashboard.core.steady import SteadyTask
from whatsapp_dashboard.errors import AppError, DatabaseAway
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.knowledge import worker
from whatsapp_dashboard.knowledge.extraction import kind_of
from whatsapp_dashboard.models import KnowledgeDocument, KnowledgePassage
from whatsapp_dashboard.models.base import metadata

log = structlog.get_logger(__name__)

FETCH_SECONDS = 30.0
MAX_TRIES = 3
"""How often a document is begun that the program did not live to see the end of."""
BATCH = 100
"""Passages that are written or deleted in one write."""
_PASSAGE = metadata.tables["knowledge_passage"]


@dataclass(frozen=True, slots=True)
class _Read:
    """What a document says."""

    body: str
    kind: str
    title: str = ""
    """Empty: keep the present one."""
    data: bytes | None = None
    """The file, when it was fetched just now."""


class Indexer:
    """One document at a time: indexing must not slow conversations down."""

    def __init__(self, db: Database, clock: Clock, box: SecretBox, http: Outgoing, *, max_bytes: int) -> None:
        self._db = db
        self._clock = clock
        self._box = box
        self._http = http
        self._max_bytes = max_bytes
        self._wake = asyncio.Event()
        self._loop = SteadyTask("knowledge-indexer", self._run)
        self._cleared = False

    async def start(self) -> None:
        """Go on with what waits."""
        self._cleared = False
        self._loop.start()

    async def stop(self) -> None:
        """Stop; what is under way is begun anew at the next start."""
        await self._loop.stop()

    def wake(self) -> None:
        """There is a document to index."""
        self._wake.set()

    async def _run(self) -> None:
        while True:
            if not self._cleared:
                await self._clear_left()
                self._cleared = True
            while document := await self._next():
                await self._index(document)
            await self._wake.wait()
            self._wake.clear()

    async def _next(self) -> KnowledgeDocument | None:
        """The oldest document that waits, marked as begun."""
        waiting = select(KnowledgeDocument).where(col(KnowledgeDocument.state).in_(("pending", "indexing")))
        async with self._db.read() as session:
            if await session.scalar(select(waiting.limit(1).exists())) is not True:
                return None
        async with self._db.write() as session:
            oldest = waiting.order_by(col(KnowledgeDocument.id)).limit(1).with_for_update(skip_locked=True)
            document = await session.scalar(oldest)
            if document is None:
                return None
            document.tries += 1
            document.begun += 1
            if document.tries > MAX_TRIES:
                self._fail(session, document, "The program ended each time while it was read; it is left alone.")
                return document
            document.state, document.reason = "indexing", ""
            _tell(session, document)
        return document

    async def _index(self, document: KnowledgeDocument) -> None:
        if document.state != "indexing":
            return
        try:
            read, rows = await self._read(document)
        except DatabaseAway:
            raise
        except AppError as error:
            async with self._db.write() as session:
                fresh = await session.get(KnowledgeDocument, document.id, with_for_update=True)
                if fresh is not None and _is_wanted(fresh, document):
                    self._fail(session, fresh, error.message)
            return
        if not await self._write(document.id, document.begun, rows):
            return  # deleted meanwhile
        async with self._db.write() as session:
            fresh = await session.get(KnowledgeDocument, document.id, with_for_update=True)
            wanted = fresh is not None and _is_wanted(fresh, document)
            if fresh is not None and wanted:
                self._finish(session, fresh, document.begun, read, len(rows))
        generation = col(KnowledgePassage.generation)
        await self._clear(document.id, generation < document.begun if wanted else generation == document.begun)

    def _finish(self, session: AsyncSession, document: KnowledgeDocument, generation: int, read: _Read, passages: int) -> None:
        """From the end of this write the new passages are searched."""
        document.generation, document.passages = generation, passages
        document.body, document.raw, document.kind = read.body, None, read.kind
        if read.data is not None:
            document.sha256, document.size, document.fetch = hashlib.sha256(read.data).hexdigest(), len(read.data), False
        document.title = (read.title or document.title)[:255]
        document.state, document.reason, document.tries = "ready", "", 0
        document.indexed_at = document.updated_at = self._clock.now()
        _tell(session, document)

    async def _write(self, document_id: str, generation: int, rows: Sequence[dict[str, Any]]) -> bool:
        """Write the passages of a new generation. False: the document is gone."""
        there = select(col(KnowledgeDocument.id)).where(col(KnowledgeDocument.id) == document_id)
        for start in range(0, len(rows), BATCH):
            async with self._db.write() as session:
                if await session.scalar(there.with_for_update(read=True, key_share=True)) is None:
                    return False
                some = [{**row, "document_id": document_id, "generation": generation} for row in rows[start : start + BATCH]]
                await session.execute(insert(_PASSAGE), some)
        return True

    async def _clear(self, document_id: str, which: ColumnElement[bool]) -> None:
        """Delete these passages of a document."""
        old = select(col(KnowledgePassage.id)).where(col(KnowledgePassage.document_id) == document_id, which).limit(BATCH)
        while True:
            async with self._db.write() as session:
                gone = await session.execute(
                    delete(KnowledgePassage).where(col(KnowledgePassage.id).in_(old)).returning(col(KnowledgePassage.id))
                )
                if len(gone.all()) < BATCH:
                    return

    async def _clear_left(self) -> None:
        """Delete the old passages of documents whose new ones were ready when the program ended."""
        left = (
            select(col(KnowledgeDocument.id), col(KnowledgeDocument.generation))
            .join(KnowledgePassage, col(KnowledgePassage.document_id) == col(KnowledgeDocument.id))
            .where(col(KnowledgePassage.generation) != col(KnowledgeDocument.generation), col(KnowledgeDocument.state) == "ready")
            .distinct()
        )
        async with self._db.read() as session:
            found = [(row[0], row[1]) for row in await session.execute(left)]
        for document_id, generation in found:
            await self._clear(document_id, col(KnowledgePassage.generation) != generation)

    async def _read(self, document: KnowledgeDocument) -> tuple[_Read, list[dict[str, Any]]]:
        """What it says, and its passages."""
        if document.url and document.fetch:
            url = url_secrets.opened(document, self._box)
            file = await self._http.of(document.workspace_id).fetch(url, seconds=FETCH_SECONDS, limit=self._max_bytes)
            kind = kind_of(file.filename if "." in file.filename else "", file.mimetype, file.data)
            unnamed = document.title == document.url[:255]
            # A page may name its own address, with what is secret in it; bots tell its text to customers.
            private = url_secrets.hidden(url)
            text, title, rows = await worker.index_file(kind, file.data, document.title, rename=unnamed, private=private)
            return _Read(text, kind, title, file.data), rows
        if document.raw is not None:
            text, _, rows = await worker.index_file(document.kind, document.raw, document.title)
            return _Read(text, document.kind), rows
        return _Read(document.body, document.kind), await worker.index_text(document.body, document.kind, document.title)

    def _fail(self, session: AsyncSession, document: KnowledgeDocument, reason: str) -> None:
        """What was indexed before stays; the reason is shown."""
        document.state, document.reason, document.updated_at = "failed", reason[:500], self._clock.now()
        document.tries = 0
        _tell(session, document)


def _is_wanted(document: KnowledgeDocument, begun: KnowledgeDocument) -> bool:
    """Whether what was begun still is to end: nobody asked for it anew meanwhile, and no other process was faster."""
    return document.state == "indexing" and document.asked == begun.asked


def _tell(session: AsyncSession, document: KnowledgeDocument) -> None:
    data = {"document_id": document.id, "state": document.state, "passages": document.passages}
    record(session, "knowledge.updated", workspace_id=document.workspace_id, data=data)
