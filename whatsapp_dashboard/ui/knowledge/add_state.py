"""The dialog that adds texts and URLs; files go from the browser straight to the API (AI-5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from whatsapp_dashboard.errors import AppError
from whatsapp_dashboard.ui.components import toast_ok
from whatsapp_dashboard.ui.state import PageState, action

WAYS = ("file", "text", "url")


class AddState(PageState):
    """How a document is added, and what is wrong with what was typed."""

    open: bool = False
    way: str = "file"
    edition: int = 0
    """Counts openings, so that each begins with fresh inputs."""
    error: str = ""
    private_host: str = ""
    """What an owner would have to allow before this URL can be fetched."""
    allowing: bool = False
    busy: bool = False

    @action
    async def start(self) -> None:
        """Open the dialog."""
        await self._who()
        self.error, self.private_host, self.busy, self.allowing = "", "", False, False
        self.edition += 1
        self.open = True

    @action
    async def set_open(self, value: bool) -> None:
        """Close the dialog; nothing is kept."""
        if not value:
            self.open = False

    @action
    async def choose(self, way: str | list[str]) -> None:
        """A file, a text or a URL."""
        self.way = way if isinstance(way, str) and way in WAYS else "file"
        self.error = self.private_host = ""

    @action
    async def will_allow(self, value: bool) -> None:
        """The form is sent to allow the private host, then add the URL."""
        self.allowing = bool(value)

    @action
    async def submit(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """Add the text or the URL."""
        who, services = await self._who(), self._services()
        self.error, self.busy = "", True
        yield
        try:
            if self.allowing and self.private_host:
                await services.network.allow(who, self.private_host)
            self.private_host = ""
            title = str(form.get("title", ""))
            if self.way == "url":
                row = await services.knowledge.add_url(who, str(form.get("url", "")), title)
            else:
                row = await services.knowledge.add_text(who, title, str(form.get("text", "")))
            self.open = False
            yield toast_ok("Added", row.title)
        except AppError as error:
            self.error = error.message
            self.private_host = error.facts.get("host", "") if error.code == "private_network" else ""
        finally:
            self.busy = self.allowing = False
