"""What the Webhooks page does: the list with its health, live, and what can be done with one webhook (HOOK-1, HOOK-6, HOOK-8)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import reflex as rx
import structlog

from whatsapp_dashboard.domain.principal import Principal
from whatsapp_dashboard.errors import DatabaseAway, NotFound
from whatsapp_dashboard.ui.components import toast_error, toast_ok
from whatsapp_dashboard.ui.live import CHECK_SECONDS, following, while_open
from whatsapp_dashboard.ui.state import PageState, action
from whatsapp_dashboard.ui.times import iso
from whatsapp_dashboard.ui.webhooks.lines import AllowedLine, WebhookLine, allowed_line, webhook_line
from whatsapp_dashboard.webhooks.delivery_log import DeliveryLog

REST_SECONDS = 0.5
"""At most one look at the database in this time, however fast things change."""

log = structlog.get_logger(__name__)


async def changes(deliveries: DeliveryLog) -> AsyncIterator[bool]:
    """Something at once, whenever deliveries change, and every few seconds: other processes and tabs change webhooks too."""
    async with deliveries.watch() as watch:
        yield True
        while True:
            yield await watch.next(CHECK_SECONDS)


class WebhooksState(PageState):
    """The rows, the account they are filtered by, and the allow list."""

    loaded: bool = False
    failed: str = ""
    account_id: str = ""
    account_name: str = ""
    lines: list[WebhookLine] = []
    allowed: list[AllowedLine] = []
    now: str = ""
    busy: str = ""
    """The webhook an action is running for."""
    edition: int = 0
    """Counts how often the input of the allow list was emptied."""

    @action
    async def open_page(self) -> Any:
        """Read from the address which account is meant."""
        self.account_id = self._parameters().get("account", "")[:64]
        return WebhooksState.follow

    @following
    async def follow(self) -> None:
        """Load the page and keep it current while it is open."""
        async for _ in while_open(self, changes(self._services().deliveries)):
            try:
                await self._load()
            except NotFound:
                async with self:
                    self.account_id = ""
            except DatabaseAway:
                raise
            except Exception:
                log.exception("the webhooks could not be read")
                async with self:
                    self.failed, self.loaded = "The database did not answer. This page tries again by itself.", True
            await asyncio.sleep(REST_SECONDS)

    async def _load(self) -> None:
        services, who = self._services(), await self._who()
        rows = await services.webhooks.list(who, account_id=self.account_id)
        allowed = [allowed_line(entry) for entry in await services.network.allowed(who)]
        name = (await services.accounts.get(who, self.account_id)).name if self.account_id else ""
        now = services.clock.now()
        lines = [webhook_line(row, now) for row in rows]
        async with self:
            if lines != self.lines:
                self.lines = lines
            if allowed != self.allowed:
                self.allowed = allowed
            self.account_name, self.now = name, iso(now)
            self.failed, self.loaded = "", True

    @action
    async def test(self, webhook_id: str) -> AsyncIterator[Any]:
        """Send a test event and say what came back."""
        who = await self._who()
        self.busy = webhook_id
        yield
        try:
            result = await self._services().webhooks.test(who, webhook_id)
        finally:
            self.busy = ""
        if result.succeeded:
            yield toast_ok("The test event arrived", f"Answered {result.status} after {result.ms} ms.")
        else:
            yield toast_error("The test event failed", result.error)

    @action
    async def pause(self, webhook_id: str) -> AsyncIterator[Any]:
        """Hold deliveries back."""
        async for event in self._run(webhook_id, self._services().webhooks.pause, "Paused: events queue up"):
            yield event

    @action
    async def resume(self, webhook_id: str) -> AsyncIterator[Any]:
        """Let deliveries out again."""
        async for event in self._run(webhook_id, self._services().webhooks.resume, "Resumed"):
            yield event

    @action
    async def switch(self, webhook_id: str, on: bool) -> AsyncIterator[Any]:
        """Switch a webhook on or off."""

        async def toggle(who: Principal, ident: str) -> Any:
            return await self._services().webhooks.toggle(who, ident, bool(on))

        async for event in self._run(webhook_id, toggle, "Switched on" if on else "Switched off"):
            yield event

    @action
    async def allow(self, form: dict[str, Any]) -> Any:
        """Add a private host or network (owners)."""
        entry = await self._services().network.allow(await self._who(), str(form.get("value", "")))
        self.edition += 1
        return [toast_ok("Allowed", entry.value), WebhooksState.follow]

    @action
    async def disallow(self, value: str) -> Any:
        """Take an entry off the list (owners)."""
        await self._services().network.disallow(await self._who(), value)
        return [toast_ok("No longer allowed", value), WebhooksState.follow]

    @action
    async def show_all(self) -> Any:
        """Show the webhooks of every account."""
        return rx.redirect("/webhooks", replace=True)

    async def _run(self, webhook_id: str, call: Any, done: str) -> AsyncIterator[Any]:
        who = await self._who()
        self.busy = webhook_id
        yield
        try:
            row = await call(who, webhook_id)
        finally:
            self.busy = ""
        now = self._services().clock.now()
        self.lines = [webhook_line(row, now) if line.id == webhook_id else line for line in self.lines]
        yield toast_ok(done, row.name or row.url)
