"""What the Credits page does: balance, chart and ledger, live (CRED-1, CRED-2)."""

from __future__ import annotations

import asyncio
from typing import Any

import reflex as rx
import structlog

from whatsapp_dashboard.credits.views import LedgerPage
from whatsapp_dashboard.errors import AppError, Invalid
from whatsapp_dashboard.ui.credits.filters import NAMES, export_address, from_address, to_address, to_filters
from whatsapp_dashboard.ui.credits.lines import DayChart, EntryLine, day_chart, entry_line, left_in_words
from whatsapp_dashboard.ui.live import following, live
from whatsapp_dashboard.ui.state import PageState, action
from whatsapp_dashboard.ui.times import ASK_ZONE, known_zone

REST_SECONDS = 0.5
"""At most one look at the database in this time, however fast answers are sent."""
PAGE_SIZE = 50
SPANS = ("30", "90")
EVENTS = ("credits.changed", "credits.exhausted", "message.queued")
"""With an answer that is queued its credits are set aside."""

log = structlog.get_logger(__name__)


class CreditsState(PageState):
    """The figures, the chart, and one page of the ledger. ``filters`` is what the address says; ``edition`` counts how often the inputs
    were set anew."""

    loaded: bool = False
    failed: str = ""
    refused: str = ""
    """Why a filter of the address cannot be used."""
    zone: str = ""
    balance: str = ""
    held: str = ""
    price: int = 0
    left: str = ""
    exhausted: bool = False
    low: bool = False
    span: str = "30"
    chart: DayChart = DayChart()
    lines: list[EntryLine] = []
    filters: dict[str, str] = {}
    edition: int = 0
    cursor: str = ""
    older: str = ""
    export: str = ""

    @action
    async def open_page(self) -> Any:
        """Read from the address which lines are meant; ask the browser for its time zone once, because days depend on it."""
        parameters = self._parameters()
        wanted = from_address(parameters)
        if wanted != self.filters:
            self.filters = wanted
            self.edition += 1
        self.cursor = parameters.get("cursor", "")[:60]
        if not self.zone:
            return rx.call_script(ASK_ZONE, callback=CreditsState.take_zone)
        return CreditsState.follow

    @action
    async def take_zone(self, zone: Any) -> Any:
        """The reader's time zone, as the browser tells it."""
        self.zone = known_zone(zone)
        return CreditsState.follow

    @following
    async def follow(self) -> None:
        """Load the page and keep it current while it is open."""
        async for _ in live(self, *EVENTS, every=10):
            try:
                await self._load()
            except AppError:
                raise
            except Exception:
                log.exception("the credits could not be read")
                async with self:
                    self.failed, self.loaded = "The database did not answer. This page tries again by itself.", True
            await asyncio.sleep(REST_SECONDS)

    async def _load(self) -> None:
        who, credits, zone = await self._who(), self._services().credits, self.zone or "UTC"
        state = await credits.state(who)
        chart = day_chart(await credits.daily(who, int(self.span), zone))
        try:
            filters = to_filters(self.filters, zone)
            page = await credits.ledger(who, filters, cursor=self.cursor, limit=PAGE_SIZE)
        except Invalid as error:
            page, refused, export = LedgerPage((), ""), error.message, ""
        else:
            refused, export = "", export_address(filters)
        lines = [entry_line(row) for row in page.rows]
        async with self:
            self.balance, self.held, self.price = f"{state.balance:,}", f"{state.held:,}", state.price
            self.left, self.exhausted, self.low = left_in_words(state), state.exhausted, state.low
            if chart != self.chart:
                self.chart = chart
            if lines != self.lines:
                self.lines = lines
            self.older, self.export, self.refused = page.next_cursor, export, refused
            self.failed, self.loaded = "", True

    @action
    async def filter(self, name: str, value: str | list[str]) -> Any:
        """Set one filter; the address changes, and the page with it."""
        if name not in NAMES or not isinstance(value, str):
            return None
        wanted = {**self.filters, name: "" if value == "all" else value.strip()}
        self.filters = {key: text for key, text in wanted.items() if text}
        return rx.redirect(to_address(self.filters), replace=True)

    @action
    async def clear(self) -> Any:
        """Take all filters away."""
        return rx.redirect(to_address({}), replace=True)

    @action
    async def go(self, cursor: str) -> Any:
        """Turn to older lines; an empty cursor is the newest page."""
        return rx.redirect(to_address(self.filters, cursor[:60]))

    @action
    async def look_back(self, span: str | list[str]) -> Any:
        """How many days the chart shows."""
        self.span = span if isinstance(span, str) and span in SPANS else "30"
        return CreditsState.follow
