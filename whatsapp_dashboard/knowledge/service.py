"""What operators do with the knowledge base, and what bots ask of it (AI-5)."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer
from sqlmodel import col

from whatsapp_dashboard.core import url_secrets
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.crypto import SecretBox
from whatsapp_dashboard.core.db import Database, after_commit
from whatsapp_dashboard.core.masking import masked
from whatsapp_dashboard.core.outgoing import Outgoing
from whatsapp_dashboard.core.safe_http import check_url
from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.errors import Conflict, Invalid, NotFound, TooLarge
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.knowledge.extraction import MAX_CHARACTERS, kind_of, tidy
from whatsapp_dashboard.knowledge.indexing import Indexer
from whatsapp_dashboard.knowledge.search import Passage, search
from whatsapp_dashboard.knowledge.views import DocumentDetail, DocumentPage, DocumentRow, PassageRow
from whatsapp_dashboard.models import Erasure, KnowledgeDocument, KnowledgePassage

MAX_DOCUMENTS = 10_000
MAX_PAGE = 200
MAX_TITLE = 255
MAX_QUESTION = 2_000
SHOWN_PASSAGES = 200
"""Passages that one document shows; the rest are searched all the same."""


class KnowledgeService:
    """Documents of the asking operator's workspace. Viewers read, operators work."""

    def __init__(self, db: Database, clock: Clock, box: SecretBox, http: Outgoing, *, max_mb: int) -> None:
        self._db = db
        self._clock = clock
        self._box = box
        self._http = http
        self._max_bytes = max_mb * 2**20
        self.on_deleted: list[Callable[[], None]] = []
        """Who takes away copies of a deleted document."""
        self.indexer = Indexer(db, clock, box, http, max_bytes=self._max_bytes)

    # -- for bots

    async def has_documents(self, workspace_id: str) -> bool:
        """Whether there is anything to search."""
        mine = select(col(KnowledgeDocument.id)).where(
            col(KnowledgeDocument.workspace_id) == workspace_id,
            col(KnowledgeDocument.enabled),
            col(KnowledgeDocument.indexed_at).is_not(None),
        )
        async with self._db.read() as session:
            return await session.scalar(mine.limit(1)) is not None

    async def passages(self, workspace_id: str, question: str, limit: int = 4) -> list[Passage]:
        """The passages that fit a question, best first."""
        async with self._db.read() as session:
            return await search(session, workspace_id, question, limit)

    # -- reading

    async def list_documents(self, who: Principal, *, cursor: str = "", limit: int = 50) -> DocumentPage:
        """Documents, newest first. Raises :class:`Invalid`."""
        who.require(Role.VIEWER)
        if not 1 <= limit <= MAX_PAGE:
            raise Invalid(f"A page has 1 to {MAX_PAGE} documents.", field="limit")
        mine = col(KnowledgeDocument.workspace_id) == who.workspace_id
        statement = _light().where(mine).order_by(col(KnowledgeDocument.id).desc()).limit(limit + 1)
        if cursor:
            statement = statement.where(col(KnowledgeDocument.id) < _cursor(cursor))
        async with self._db.read() as session:
            found = list(await session.scalars(statement))
            total = await session.scalar(select(func.count()).select_from(KnowledgeDocument).where(mine)) or 0
        rows = tuple(_row(document) for document in found[:limit])
        return DocumentPage(rows, rows[-1].id if len(found) > limit else "", total)

    async def get(self, who: Principal, document_id: str) -> DocumentDetail:
        """One document with its first passages. Raises :class:`NotFound`."""
        who.require(Role.VIEWER)
        parts = select(KnowledgePassage).where(col(KnowledgePassage.document_id) == document_id)
        async with self._db.read() as session:
            document = await _owned(session, who, document_id)
            searched = parts.where(col(KnowledgePassage.generation) == document.generation)
            passages = await session.scalars(searched.order_by(col(KnowledgePassage.position)).limit(SHOWN_PASSAGES))
            shown = tuple(PassageRow(each.position, each.heading, each.text) for each in passages)
            body = select(col(KnowledgeDocument.body)).where(col(KnowledgeDocument.id) == document_id)
            text = await session.scalar(body) if _is_written(document) else None
        return DocumentDetail(_row(document), shown, text)

    async def search(self, who: Principal, question: str, limit: int = 5) -> list[Passage]:
        """What a bot would be given for this question. Raises :class:`Invalid`."""
        who.require(Role.VIEWER)
        if not question.strip():
            raise Invalid("Write a question.", field="q")
        if len(question) > MAX_QUESTION:
            raise Invalid(f"A question has at most {MAX_QUESTION} characters.", field="q")
        if not 1 <= limit <= 20:
            raise Invalid("From 1 to 20 passages.", field="limit")
        return await self.passages(who.workspace_id, question, limit)

    # -- changing

    async def add_text(self, who: Principal, title: str, text: str) -> DocumentRow:
        """Add a text (Markdown headings structure it). Raises :class:`Invalid`, :class:`Conflict` when it is there already."""
        who.require(Role.OPERATOR)
        return await self._add(who, _title(title), kind="markdown", **_text(text))

    async def add_file(self, who: Principal, data: bytes, filename: str, mimetype: str = "", title: str = "") -> DocumentRow:
        """Add a text, Markdown, CSV, HTML or PDF file; it is read in the background. Raises :class:`Invalid`, :class:`TooLarge`,
        :class:`Conflict` when it is there already."""
        who.require(Role.OPERATOR)
        if not data:
            raise Invalid("The file is empty.", code="empty_file", field="file")
        if len(data) > self._max_bytes:
            raise TooLarge(f"A file has at most {self._max_bytes / 2**20:g} MiB.")
        name = " ".join(filename.replace("\\", "/").rpartition("/")[2].split())[:255]
        kind = kind_of(name, mimetype, data)
        return await self._add(
            who, _title(title or name or "Document"), kind=kind, filename=name, raw=data, sha256=_hash(data), size=len(data)
        )

    async def add_url(self, who: Principal, url: str, title: str = "") -> DocumentRow:
        """Add what stands at a URL; it is fetched in the background. Raises :class:`Invalid`, Refused for a private network,
        :class:`Conflict` when it is there already."""
        who.require(Role.OPERATOR)
        address = str(check_url(url_secrets.restored(url, "")))
        await self._http.of(who.workspace_id).examine(address)
        seen = url_secrets.shown(address)
        named = "" if title.strip() in (url.strip(), address) else masked(title, url_secrets.hidden(address))
        return await self._add(who, _title(named or seen[:MAX_TITLE]), kind="", address=address, fetch=True)

    async def update(
        self, who: Principal, document_id: str, *, title: str | None = None, text: str | None = None, enabled: bool | None = None
    ) -> DocumentRow:
        """Rename, write anew what was written here, take it out of the search and back. Raises :class:`Invalid`, :class:`TooLarge`,
        :class:`NotFound`, :class:`Conflict` when the text is there already or comes from a file or a URL."""
        who.require(Role.OPERATOR)
        written = _text(text) if text is not None else {}
        async with self._db.write() as session:
            document = await _owned(session, who, document_id, lock=True)
            if title is not None and (name := _title(title)) != document.title:
                document.title = name
                self._again(document)  # the title is searched too
            if written and written["sha256"] != document.sha256:
                if not _is_written(document):
                    words = "Only a text that was written here can be changed. Add the new file, and delete this one."
                    raise Conflict(words, code="not_a_text")
                await self._refuse_twin(session, who, col(KnowledgeDocument.sha256) == written["sha256"])
                for column, value in written.items():
                    setattr(document, column, value)
                self._again(document)
            if enabled is not None:
                document.enabled = enabled
            self._changed(session, who, document)
        return _row(document)

    async def reindex(self, who: Principal, document_id: str) -> DocumentRow:
        """Index it again; what stands at a URL is fetched anew. Raises :class:`NotFound`."""
        who.require(Role.OPERATOR)
        async with self._db.write() as session:
            document = await _owned(session, who, document_id, lock=True)
            self._again(document)
            document.fetch = bool(document.url)
            self._changed(session, who, document)
        return _row(document)

    async def delete(self, who: Principal, document_id: str) -> None:
        """Delete it with its passages. Raises :class:`NotFound`."""
        who.require(Role.OPERATOR)
        async with self._db.write() as session:
            document = await _owned(session, who, document_id, lock=True)
            await session.delete(document)
            session.add(Erasure(kind="document", subject_id=document_id, created_at=self._clock.now()))
            for told in self.on_deleted:
                after_commit(session, f"deleted {document_id}", told)
            data = {"document_id": document_id, "state": "deleted", "by": who.username}
            record(session, "knowledge.updated", workspace_id=who.workspace_id, data=data)

    # -- parts

    async def _add(self, who: Principal, title: str, *, address: str = "", **columns: Any) -> DocumentRow:
        now = self._clock.now()
        document = KnowledgeDocument(id=new_id(), workspace_id=who.workspace_id, title=title, created_at=now, updated_at=now, **columns)
        url_secrets.keep(document, address, self._box)
        mine = col(KnowledgeDocument.workspace_id) == who.workspace_id
        same = col(KnowledgeDocument.url) == document.url if document.url else col(KnowledgeDocument.sha256) == document.sha256
        async with self._db.write() as session:
            await self._refuse_twin(session, who, same, address)
            count = await session.scalar(select(func.count()).select_from(KnowledgeDocument).where(mine)) or 0
            if count >= MAX_DOCUMENTS:
                raise Conflict(f"There are at most {MAX_DOCUMENTS:,} documents. Delete some first.", code="too_many_documents")
            session.add(document)
            self._changed(session, who, document)
        return _row(document)

    async def _refuse_twin(self, session: AsyncSession, who: Principal, same: ColumnElement[bool], address: str = "") -> None:
        for twin in await session.scalars(_light().where(col(KnowledgeDocument.workspace_id) == who.workspace_id, same)):
            if url_secrets.opened(twin, self._box) == address or not address:  # addresses may differ in their secrets only
                raise Conflict(f"This is there already: “{twin.title}”.", code="document_exists")

    def _again(self, document: KnowledgeDocument) -> None:
        document.state, document.reason, document.tries = "pending", "", 0
        document.asked += 1

    def _changed(self, session: AsyncSession, who: Principal, document: KnowledgeDocument) -> None:
        document.updated_at = self._clock.now()
        data = {"document_id": document.id, "state": document.state, "by": who.username}
        record(session, "knowledge.updated", workspace_id=who.workspace_id, data=data)
        after_commit(session, "knowledge indexer", self.indexer.wake)


def _light() -> Any:
    """Documents without their texts and files, which may be large."""
    return select(KnowledgeDocument).options(defer(KnowledgeDocument.body), defer(KnowledgeDocument.raw))  # type: ignore[arg-type]


async def _owned(session: AsyncSession, who: Principal, document_id: str, *, lock: bool = False) -> KnowledgeDocument:
    statement = _light().where(col(KnowledgeDocument.id) == document_id, col(KnowledgeDocument.workspace_id) == who.workspace_id)
    document: KnowledgeDocument | None = await session.scalar(statement.with_for_update() if lock else statement)
    if document is None:
        raise NotFound("There is no such document.", code="document_not_found")
    return document


def _title(given: str) -> str:
    title = " ".join(given.split())
    if not title:
        raise Invalid("Give it a title.", field="title")
    if len(title) > MAX_TITLE:
        raise Invalid(f"A title has at most {MAX_TITLE} characters.", field="title")
    return title


def _text(given: str) -> dict[str, Any]:
    """The columns of a text that is written here."""
    body = tidy(given[: MAX_CHARACTERS + 1])
    if not body:
        raise Invalid("Write the text.", field="text")
    if len(given) > MAX_CHARACTERS:
        raise TooLarge(f"A text has at most {MAX_CHARACTERS:,} characters. Split it into several documents.")
    data = body.encode()
    return {"body": body, "sha256": _hash(data), "size": len(data)}


def _is_written(document: KnowledgeDocument) -> bool:
    """Whether its text was written here, and not taken from a file or a URL."""
    return not document.url and not document.filename


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _cursor(given: str) -> str:
    try:
        return str(uuid.UUID(given))
    except ValueError:
        raise Invalid("This is not a cursor of this list; take it from the page before.", field="cursor") from None


def _row(document: KnowledgeDocument) -> DocumentRow:
    return DocumentRow(**{name: getattr(document, name) for name in DocumentRow.__dataclass_fields__})
