"""What the delivery log page does: filters from the address, pages, tabs with numbers, live (HOOK-6, HOOK-8)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import reflex as rx
import structlog

from whatsapp_dashboard.errors import AppError, Invalid
from whatsapp_dashboard.ui.components import toast_info, toast_ok
from whatsapp_dashboard.ui.deliveries.filters import NAMES, from_address, to_address, to_filters
from whatsapp_dashboard.ui.deliveries.lines import DeliveryLine, delivery_line
from whatsapp_dashboard.ui.live import following, while_open
from whatsapp_dashboard.ui.messages.state import AccountChoice
from whatsapp_dashboard.ui.state import PageState, action
from whatsapp_dashboard.ui.times import ASK_ZONE, iso, known_zone
from whatsapp_dashboard.ui.webhooks.state import REST_SECONDS, changes
from whatsapp_dashboard.webhooks.delivery_log import COUNT_LIMIT
from whatsapp_dashboard.webhooks.views import DeliveryPage

PAGE_SIZE = 50
TABS = ("", "waiting", "succeeded", "dead")

log = structlog.get_logger(__name__)


class DeliveriesState(PageState):
    """One page of the log. ``filters`` is what the address says; ``edition`` counts how often the inputs were set anew."""

    loaded: bool = False
    failed: str = ""
    filters: dict[str, str] = {}
    cursor: str = ""
    edition: int = 0
    zone: str = ""
    webhooks: list[AccountChoice] = []
    accounts: list[AccountChoice] = []
    events: list[str] = []
    lines: list[DeliveryLine] = []
    older: str = ""
    numbers: dict[str, str] = {}
    """How many there are in each tab, as text."""
    now: str = ""
    asking: bool = False
    question: str = ""
    busy: bool = False

    @action
    async def open_page(self) -> Any:
        """Read the filters from the address; ask the browser for its time zone once, because days depend on it."""
        parameters = self._parameters()
        wanted = from_address(parameters)
        if wanted != self.filters:
            self.filters = wanted
            self.edition += 1
        self.cursor = parameters.get("cursor", "")[:60]
        if not self.zone:
            return rx.call_script(ASK_ZONE, callback=DeliveriesState.take_zone)
        return DeliveriesState.follow

    @action
    async def take_zone(self, zone: Any) -> Any:
        """The reader's time zone, as the browser tells it."""
        self.zone = known_zone(zone)
        return DeliveriesState.follow

    @following
    async def follow(self) -> None:
        """Load the page and keep it current while it is open."""
        async for _ in while_open(self, changes(self._services().deliveries)):
            try:
                await self._load()
            except AppError:
                raise
            except Exception:
                log.exception("the deliveries could not be read; tried again")
            await asyncio.sleep(REST_SECONDS)

    async def _load(self) -> None:
        who, services = await self._who(), self._services()
        accounts = [AccountChoice(row.id, row.name) for row in await services.accounts.list_accounts(who)]
        webhooks = [AccountChoice(row.id, row.name or row.url) for row in await services.webhooks.list(who)]
        events = [event.name for event in services.webhooks.event_types()]
        try:
            filters = to_filters(self.filters, self.zone)
            page = await services.deliveries.page(who, filters, cursor=self.cursor, limit=PAGE_SIZE)
            counts = await services.deliveries.counts(who, filters)
        except Invalid as error:
            page, counts, failed = DeliveryPage((), ""), {}, error.message
        else:
            failed = ""
        now = services.clock.now()
        lines = [delivery_line(row, now) for row in page.rows]
        async with self:
            self.accounts, self.webhooks, self.events = accounts, webhooks, events
            self.failed, self.older, self.now = failed, page.next_cursor, iso(now)
            if lines != self.lines:
                self.lines = lines
            self.numbers = numbers(counts)
            self.loaded = True

    @action
    async def filter(self, name: str, value: str) -> Any:
        """Set one filter; the address changes, and the page with it."""
        if name not in NAMES:
            return None
        wanted = {**self.filters, name: "" if value == "all" else str(value).strip()}
        self.filters = {key: text for key, text in wanted.items() if text}
        return rx.redirect(to_address(self.filters), replace=True)

    @action
    async def clear(self) -> Any:
        """Take all filters away."""
        return rx.redirect(to_address({}), replace=True)

    @action
    async def go(self, cursor: str) -> Any:
        """Turn to older deliveries; an empty cursor is the newest page."""
        return rx.redirect(to_address(self.filters, cursor[:60]))

    @action
    async def replay(self, delivery_id: str) -> Any:
        """Send one again, or try one that waits now."""
        await self._services().deliveries.replay(await self._who(), delivery_id)
        return toast_ok("Sending again")

    @action
    async def ask(self, value: bool) -> None:
        """Ask before all that match are sent again, and say how many they are; or stop asking."""
        self.asking = bool(value)
        if self.asking:
            counts = await self._services().deliveries.counts(await self._who(), to_filters(self.filters, self.zone))
            state = self.filters.get("state", "")
            many = sum(count for name, count in counts.items() if name == state or (not state and name in ("succeeded", "dead")))
            more = " or more" if COUNT_LIMIT in counts.values() else ""
            self.question = f"Send {many:,}{more} {'delivery' if many == 1 else 'deliveries'} again?"

    @action
    async def replay_all(self) -> AsyncIterator[Any]:
        """Send all finished deliveries again that match the filters."""
        who = await self._who()
        self.busy = True
        yield
        try:
            count = await self._services().deliveries.replay_matching(who, to_filters(self.filters, self.zone))
        finally:
            self.busy = False
        self.asking = False
        yield toast_ok(f"{count:,} deliveries are sent again") if count else toast_info("Nothing here is finished yet")


def numbers(counts: dict[str, int]) -> dict[str, str]:
    """The tabs' numbers; where counting stopped, with a plus."""
    waiting = counts.get("pending", 0) + counts.get("delivering", 0)
    tabs = {"waiting": waiting, "succeeded": counts.get("succeeded", 0), "dead": counts.get("dead", 0)}
    tabs[""] = sum(tabs.values())
    capped = {"waiting": max(counts.get("pending", 0), counts.get("delivering", 0)), "succeeded": tabs["succeeded"], "dead": tabs["dead"]}
    full = {name for name, count in capped.items() if count >= COUNT_LIMIT}
    return {name: f"{count:,}" + ("+" if name in full or (not name and full) else "") for name, count in tabs.items()}
