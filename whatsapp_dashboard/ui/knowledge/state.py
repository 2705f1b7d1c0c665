"""What the Knowledge page does: the documents, live, and what can be done with one (AI-5)."""

from __future__ import annotations

import asyncio
from typing import Any

import reflex as rx
import structlog

from whatsapp_dashboard.errors import AppError, DatabaseAway
from whatsapp_dashboard.ui.components import toast_ok
from whatsapp_dashboard.ui.knowledge.lines import DocumentLine, FoundLine, PartLine, document_line, found_line, part_line
from whatsapp_dashboard.ui.live import following, live
from whatsapp_dashboard.ui.state import PageState, action

REST_SECONDS = 0.3
"""At most one look at the database in this time, however fast documents are indexed."""
PAGE_SIZE = 50

log = structlog.get_logger(__name__)


class KnowledgeState(PageState):
    """One page of documents, and the one whose deletion is asked about."""

    loaded: bool = False
    failed: str = ""
    lines: list[DocumentLine] = []
    total: int = 0
    cursor: str = ""
    older: str = ""
    doomed_id: str = ""
    doomed_title: str = ""

    @action
    async def open_page(self) -> Any:
        """Read from the address which page is meant."""
        self.cursor = self._parameters().get("before", "")[:60]
        return KnowledgeState.follow

    @following
    async def follow(self) -> None:
        """Load the page and keep it current while it is open."""
        async for _ in live(self, "knowledge.updated"):
            try:
                await self._load()
            except DatabaseAway:
                raise
            except Exception:
                log.exception("the documents could not be read")
                async with self:
                    self.failed, self.loaded = "The database did not answer. This page tries again by itself.", True
            await asyncio.sleep(REST_SECONDS)

    async def _load(self) -> None:
        who = await self._who()
        page = await self._services().knowledge.list_documents(who, cursor=self.cursor, limit=PAGE_SIZE)
        lines = [document_line(row) for row in page.rows]
        async with self:
            if lines != self.lines:
                self.lines = lines
            self.total, self.older, self.failed, self.loaded = page.total, page.next_cursor, "", True

    @action
    async def switch(self, document_id: str, on: bool) -> None:
        """Search it, or not."""
        row = await self._services().knowledge.update(await self._who(), document_id, enabled=bool(on))
        self.lines = [document_line(row) if line.id == document_id else line for line in self.lines]

    @action
    async def reindex(self, document_id: str) -> None:
        """Index it again; a URL is fetched anew."""
        row = await self._services().knowledge.reindex(await self._who(), document_id)
        self.lines = [document_line(row) if line.id == document_id else line for line in self.lines]

    @action
    async def ask_delete(self, document_id: str) -> None:
        """Ask before deleting."""
        row = (await self._services().knowledge.get(await self._who(), document_id)).row
        self.doomed_id, self.doomed_title = row.id, row.title

    @action
    async def set_asking(self, value: bool) -> None:
        """Close the question; nothing changes."""
        if not value:
            self.doomed_id = ""

    @action
    async def delete(self) -> Any:
        """Delete the document that was asked about."""
        await self._services().knowledge.delete(await self._who(), self.doomed_id)
        title, self.doomed_id = self.doomed_title, ""
        return toast_ok("Deleted", title)

    @action
    async def go(self, cursor: str) -> Any:
        """Turn to older documents; an empty cursor is the newest page."""
        return rx.redirect("/knowledge" + (f"?before={cursor[:60]}" if cursor else ""))


class SearchState(PageState):
    """The search test: what a bot would be given for a question."""

    question: str = ""
    busy: bool = False
    error: str = ""
    asked: str = ""
    found: list[FoundLine] = []

    @action
    async def search(self, form: dict[str, Any]) -> Any:
        """Ask."""
        self.question = str(form.get("question", ""))[:3_000]
        self.error, self.found, self.asked = "", [], ""
        try:
            passages = await self._services().knowledge.search(await self._who(), self.question, 5)
        except AppError as error:
            self.error = error.message
            return
        self.found, self.asked = [found_line(passage, self.question) for passage in passages], self.question


class DocumentState(PageState):
    """The drawer with the passages of one document."""

    open: bool = False
    title: str = ""
    origin: str = ""
    parts: list[PartLine] = []
    more: str = ""

    @action
    async def show(self, document_id: str) -> None:
        """Open it."""
        detail = await self._services().knowledge.get(await self._who(), document_id)
        self.title, self.origin = detail.row.title, detail.row.url or detail.row.filename
        self.parts = [part_line(part) for part in detail.passages]
        hidden = detail.row.passages - len(detail.passages)
        self.more = f"and {hidden:,} more" if hidden > 0 else ""
        self.open = True

    @action
    async def set_open(self, value: bool) -> None:
        """Close it."""
        if not value:
            self.open, self.parts = False, []
