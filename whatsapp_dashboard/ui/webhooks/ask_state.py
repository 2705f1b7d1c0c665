"""The questions before a webhook is deleted or its deliveries are sent again (HOOK-1, HOOK-8)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from whatsapp_dashboard.ui.components import toast_info, toast_ok
from whatsapp_dashboard.ui.state import PageState, action
from whatsapp_dashboard.ui.webhooks.state import WebhooksState

SPANS = {"1": "the last hour", "6": "the last 6 hours", "24": "the last 24 hours", "72": "the last 3 days", "168": "the last 7 days"}
"""Hours to look back, and how people say it."""


class AskState(PageState):
    """Which question is open (``delete`` or ``replay``), about which webhook."""

    open: bool = False
    kind: str = ""
    webhook_id: str = ""
    title: str = ""
    text: str = ""
    span: str = "1"
    busy: bool = False

    @action
    async def ask_delete(self, webhook_id: str) -> None:
        """Ask before deleting, and say what goes with it."""
        row = await self._services().webhooks.get(await self._who(), webhook_id)
        self.kind, self.webhook_id, self.title = "delete", row.id, f"Delete “{_short(row.name or row.url)}”?"
        self.text = "Its delivery log goes with it. This cannot be undone."
        if row.health.waiting:
            many = f"{row.health.waiting:,} deliveries" if row.health.waiting > 1 else "1 delivery"
            self.text = f"{many} still waiting will not be sent, and its delivery log goes with it. This cannot be undone."
        self.open = True

    @action
    async def ask_replay(self, webhook_id: str) -> None:
        """Ask from when on deliveries shall be sent again."""
        row = await self._services().webhooks.get(await self._who(), webhook_id)
        self.kind, self.webhook_id, self.title, self.span = "replay", row.id, f"Replay “{_short(row.name or row.url)}”", "1"
        self.open = True

    @action
    async def choose_span(self, span: str) -> None:
        """How far back."""
        self.span = span if span in SPANS else "1"

    @action
    async def set_open(self, value: bool) -> None:
        """Close the question; nothing changes."""
        self.open = bool(value) and bool(self.webhook_id)

    @action
    async def confirm(self) -> AsyncIterator[Any]:
        """Do what was asked about."""
        who, services = await self._who(), self._services()
        self.busy = True
        yield
        try:
            if self.kind == "delete":
                await services.webhooks.delete(who, self.webhook_id)
                told = toast_ok("Webhook deleted")
            else:
                since = services.clock.now() - timedelta(hours=int(self.span))
                count = await services.deliveries.replay_since(who, self.webhook_id, since)
                told = toast_ok(f"{count:,} deliveries are sent again") if count else toast_info("Nothing was delivered in that time")
        finally:
            self.busy = False
        self.open = False
        yield told
        yield WebhooksState.follow


def _short(name: str) -> str:
    return name if len(name) <= 60 else name[:59] + "…"
