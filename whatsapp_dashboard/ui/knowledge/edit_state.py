"""The dialog that renames a document, and changes the text of one that was written here (AI-5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from whatsapp_dashboard.errors import AppError
from whatsapp_dashboard.ui.components import toast_ok
from whatsapp_dashboard.ui.state import PageState, action

MOST = 200_000
"""Characters of a text that is sent to a browser to be changed; longer ones are changed by the API."""


class EditState(PageState):
    """The document that is being changed, and what is wrong with what was typed."""

    document_id: str = ""
    edition: int = 0
    """Counts openings, so that each begins with the document's own title and text."""
    title: str = ""
    text: str = ""
    editable: bool = False
    """Whether the text can be changed here."""
    note: str = ""
    """Why not, if it cannot."""
    error: str = ""
    busy: bool = False

    @action
    async def start(self, document_id: str) -> None:
        """Open the dialog."""
        detail = await self._services().knowledge.get(await self._who(), document_id)
        long = detail.text is not None and len(detail.text) > MOST
        self.title, self.editable = detail.row.title, detail.text is not None and not long
        self.text = (detail.text or "") if self.editable else ""
        self.note = f"The text has more than {MOST:,} characters; the API can change it." if long else ""
        self.error, self.busy = "", False
        self.edition += 1
        self.document_id = detail.row.id

    @action
    async def set_open(self, value: bool) -> None:
        """Close the dialog; nothing is kept."""
        if not value:
            self.document_id = self.text = ""

    @action
    async def submit(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """Save."""
        who, services = await self._who(), self._services()
        self.error, self.busy = "", True
        yield
        try:
            text = str(form.get("text", "")) if self.editable else None
            row = await services.knowledge.update(who, self.document_id, title=str(form.get("title", "")), text=text)
            self.document_id = self.text = ""
            yield toast_ok("Saved", row.title)
        except AppError as error:
            self.error = error.message
        finally:
            self.busy = False
