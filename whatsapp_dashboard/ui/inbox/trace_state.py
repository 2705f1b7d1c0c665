"""What an answer of the bot was made of, read when somebody asks for it (AI-3, AI-5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from whatsapp_dashboard.errors import AppError
from whatsapp_dashboard.ui.state import PageState, action
from whatsapp_dashboard.ui.times import iso
from whatsapp_dashboard.ui.traces import TraceLine, trace_line


class TraceState(PageState):
    """One answer, in a drawer."""

    open: bool = False
    message_id: str = ""
    loaded: bool = False
    failed: str = ""
    at: str = ""
    trace: TraceLine = TraceLine()

    @action
    async def show(self, message_id: str) -> AsyncIterator[Any]:
        """Open the drawer at once; what it shows follows."""
        who = await self._who()
        self.message_id, self.loaded, self.failed, self.trace = message_id[:64], False, "", TraceLine()
        self.open = True
        yield
        try:
            found = await self._services().ai_log.trace(who, self.message_id)
        except AppError as error:
            self.failed = error.message
        else:
            self.failed = "" if found else "Nothing was written down about this message."
            self.trace, self.at = (trace_line(found), iso(found.created_at)) if found else (TraceLine(), "")
        self.loaded = True

    @action
    async def set_open(self, value: bool) -> None:
        """Close the drawer."""
        self.open = bool(value) and bool(self.message_id)
