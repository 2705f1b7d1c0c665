"""What the message log page does: filters from the address, pages, and a notice of new messages (MSG-8)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import reflex as rx

from whatsapp_dashboard.errors import AppError, Invalid, NotFound
from whatsapp_dashboard.messages.log_views import LogPage
from whatsapp_dashboard.ui.live import following, live
from whatsapp_dashboard.ui.messages.filters import NAMES, export_address, from_address, to_address, to_filters
from whatsapp_dashboard.ui.messages.lines import LogLine, log_line
from whatsapp_dashboard.ui.state import PageState, action
from whatsapp_dashboard.ui.times import ASK_ZONE, known_zone

PAGE_SIZE = 50
MOST_COUNTED = 100
REST_SECONDS = 0.5

EVENTS = (
    "message", "message.queued", "message.sent", "message.status", "message.edited", "message.revoked", "account.created",
    "account.updated", "account.deleted",
)  # fmt: skip
_NEW = ("message", "message.queued")


@dataclass
class AccountChoice:
    """One account to filter by."""

    id: str
    name: str


class MessagesState(PageState):
    """One page of the log. ``filters`` is what the address says; ``edition`` counts how often the inputs were set anew."""

    loaded: bool = False
    failed: str = ""
    accounts: list[AccountChoice] = []
    filters: dict[str, str] = {}
    cursor: str = ""
    edition: int = 0
    zone: str = ""
    lines: list[LogLine] = []
    newer: str = ""
    older: str = ""
    searched_to: str = ""
    fresh: int = 0
    export: str = "/api/messages/export.csv"

    @action
    async def open_page(self) -> Any:
        """Read the filters from the address; ask the browser for its time zone once, because days depend on it."""
        parameters = self._parameters()
        wanted = from_address(parameters)
        if wanted != self.filters:
            # Another address than this page's own inputs made: draw them anew with its values.
            self.filters = wanted
            self.edition += 1
        self.cursor = parameters.get("cursor", "")[:60]
        if not self.zone:
            return rx.call_script(ASK_ZONE, callback=MessagesState.take_zone)
        return MessagesState.follow

    @action
    async def take_zone(self, zone: Any) -> Any:
        """The reader's time zone, as the browser tells it."""
        self.zone = known_zone(zone)
        return MessagesState.follow

    @following
    async def follow(self) -> None:
        """Load the page and keep its rows current; new messages are counted, so that rows never jump."""
        async for events in live(self, *EVENTS):
            shown = {line.id for line in self.lines}
            changed = not events or any(event.type not in _NEW and event.message_id in shown for event in events)
            if changed or any(event.type.startswith("account.") for event in events) or not shown:
                await self._load()
            elif any(event.type in _NEW for event in events):
                await self._count_fresh()
            await asyncio.sleep(REST_SECONDS)

    async def _load(self) -> None:
        who, services = await self._who(), self._services()
        accounts = [AccountChoice(row.id, row.name) for row in await services.accounts.list_accounts(who)]
        try:
            filters = to_filters(self.filters, self.zone)
            page = await services.message_log.page(who, filters, self.cursor, PAGE_SIZE)
            if self.cursor.startswith("newer-") and page.newer is None and len(page.rows) < PAGE_SIZE:
                # The top was reached: the whole newest page says more than its first few rows.
                page = await services.message_log.page(who, filters, "", PAGE_SIZE)
        except (Invalid, NotFound) as error:
            page, failed, export = LogPage((), None, None), error.message, ""
        except AppError:
            raise
        else:
            failed, export = "", export_address(self.filters, self.zone)
        lines = [log_line(row) for row in page.rows]
        async with self:
            self.accounts, self.failed, self.export = accounts, failed, export
            if lines != self.lines:
                self.lines = lines
            self.newer, self.older = page.newer or "", page.older or ""
            self.searched_to = page.searched_to.isoformat() if page.searched_to else ""
            self.fresh, self.loaded = 0, True

    async def _count_fresh(self) -> None:
        top = self.lines[0].id if self.lines else ""
        if self.newer or self.failed or not top:
            return
        filters = to_filters(self.filters, self.zone)
        count = await self._services().message_log.count_newer(await self._who(), filters, top, MOST_COUNTED)
        async with self:
            self.fresh = count

    @action
    async def filter(self, name: str, value: str) -> Any:
        """Set one filter; the address changes, and the page with it."""
        if name not in NAMES:
            return None
        wanted = {**self.filters, name: "" if value == "all" else str(value).strip()}
        self.filters = {key: value for key, value in wanted.items() if value}
        return rx.redirect(to_address(self.filters), replace=True)

    @action
    async def clear(self) -> Any:
        """Take all filters away."""
        return rx.redirect("/messages", replace=True)

    @action
    async def go(self, cursor: str) -> Any:
        """Turn to a neighbouring page; an empty cursor is the newest."""
        if not cursor and not self.cursor:
            return MessagesState.follow
        return rx.redirect(to_address(self.filters, cursor[:60]))
