"""The drawer with everything known of one message, current while it is open (MSG-8)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from whatsapp_dashboard.errors import NotFound
from whatsapp_dashboard.messages.log_views import IN_DOUBT
from whatsapp_dashboard.ui.components import toast_ok
from whatsapp_dashboard.ui.live import following, live
from whatsapp_dashboard.ui.messages.lines import Fact, facts, log_line, steps, trouble
from whatsapp_dashboard.ui.state import PageState, action

EVENTS = (
    "message.sent", "message.status", "message.edited", "message.revoked", "message.reaction", "message.vote", "account.deleted",
)  # fmt: skip


class DetailState(PageState):
    """What the drawer shows."""

    open: bool = False
    message_id: str = ""
    title: str = ""
    text: str = ""
    incoming: bool = True
    conversation_id: str = ""
    steps: list[Fact] = []
    facts: list[Fact] = []
    trouble: str = ""
    """Why it may have to be sent again; empty when there is no reason to."""
    failed: bool = False
    doubt: bool = False
    asking: bool = False

    @action
    async def show(self, message_id: str) -> AsyncIterator[Any]:
        """Open the drawer for one message."""
        self.message_id, self.asking = message_id[:60], False
        await self._read()
        self.open = True
        yield DetailState.follow

    @action
    async def set_open(self, value: bool) -> None:
        """Close the drawer."""
        self.open = bool(value) and bool(self.message_id)

    @action
    async def ask_again(self, value: bool) -> None:
        """Ask before a message in doubt is sent again, or stop asking."""
        self.asking = bool(value) and self.doubt

    @action
    async def send_again(self) -> Any:
        """Send it again: what failed, is in doubt or has no proof of delivery (MSG-11)."""
        self.asking = False
        await self._services().messages.retry(await self._who(), self.message_id)
        await self._read()
        return toast_ok("Sending again")

    @following
    async def follow(self) -> None:
        """Read the message again whenever something happens to it."""
        message_id = self.message_id
        async for events in live(self, *EVENTS):
            if events and all(event.message_id != message_id for event in events):
                continue
            async with self:
                if not self.open or self.message_id != message_id:
                    return
                try:
                    await self._read()
                except NotFound:
                    self.open = False
                    return

    async def _read(self) -> None:
        detail = await self._services().message_log.get(await self._who(), self.message_id)
        line = log_line(detail.row)
        self.title = ("From " if line.incoming else "To ") + line.contact
        self.incoming, self.text = line.incoming, detail.body
        self.conversation_id = detail.row.conversation_id
        self.steps, self.facts = steps(detail), facts(detail)
        self.trouble = trouble(detail.row)
        self.failed, self.doubt = line.status == "failed", line.status == IN_DOUBT
