"""What the AI usage page does: figures and the log of calls by the filters of its address, live (AI-6)."""

from __future__ import annotations

import asyncio
from typing import Any

import reflex as rx
import structlog

from whatsapp_dashboard.ai.views import CallPage
from whatsapp_dashboard.errors import DatabaseAway, Invalid, NotFound
from whatsapp_dashboard.ui.ai_usage.filters import NAMES, USUAL_DAYS, days_of, from_address, to_address, to_filters
from whatsapp_dashboard.ui.ai_usage.lines import CallLine, Figures, ModelLine, call_line, day_bars, figures, model_line
from whatsapp_dashboard.ui.components.bars import BarLine
from whatsapp_dashboard.ui.live import following, live
from whatsapp_dashboard.ui.messages.state import AccountChoice
from whatsapp_dashboard.ui.state import PageState, action

PAGE_SIZE = 50
REST_SECONDS = 2.0
"""Sums over many calls are read at most this often."""
IDLE_SECONDS = 10.0
"""Tests and tries are no events; they are seen after this time."""

log = structlog.get_logger(__name__)


class UsageState(PageState):
    """The figures, and one page of the log. ``filters`` is what the address says."""

    loaded: bool = False
    failed: str = ""
    filters: dict[str, str] = {}
    cursor: str = ""
    accounts: list[AccountChoice] = []
    kinds: list[AccountChoice] = []
    figures: Figures = Figures()
    models: list[ModelLine] = []
    bars: list[BarLine] = []
    lines: list[CallLine] = []
    older: str = ""

    @action
    async def open_page(self) -> Any:
        """Read the filters from the address."""
        parameters = self._parameters()
        self.filters, self.cursor = from_address(parameters), parameters.get("cursor", "")[:60]
        return UsageState.follow

    @following
    async def follow(self) -> None:
        """Load the page and keep it current while it is open."""
        async for _ in live(self, "ai.answered", "ai.failed", "ai.config", every=IDLE_SECONDS):
            try:
                await self._load()
            except DatabaseAway:
                raise
            except Exception:
                log.exception("the calls to AI providers could not be read")
                async with self:
                    self.failed, self.loaded = "The database did not answer. This page tries again by itself.", True
            await asyncio.sleep(REST_SECONDS)

    async def _load(self) -> None:
        who, services = await self._who(), self._services()
        filters, cursor = self.filters, self.cursor
        accounts = [AccountChoice(row.id, row.name) for row in await services.accounts.list_accounts(who)]
        kinds = [AccountChoice(kind.name, kind.title) for kind in services.ai.kinds(who)]
        page, usage, failed = CallPage((), ""), None, ""
        try:
            usage = await services.ai_log.usage(who, account_id=filters.get("account", ""), days=days_of(filters))
            page = await services.ai_log.page(who, to_filters(filters), cursor=cursor, limit=PAGE_SIZE)
        except (Invalid, NotFound) as error:
            failed = error.message
        lines = [call_line(row) for row in page.rows]
        async with self:
            if (filters, cursor) != (self.filters, self.cursor):
                return
            self.accounts, self.kinds = accounts, kinds
            if usage is not None:
                self.figures, self.bars = figures(usage), day_bars(usage)
                self.models = [model_line(line) for line in usage.by_model]
            if lines != self.lines:
                self.lines = lines
            self.older, self.failed, self.loaded = page.cursor, failed, True

    @action
    async def filter(self, name: str, value: str) -> Any:
        """Set one filter; the address changes, and the page with it."""
        if name not in NAMES:
            return None
        usual = "all" if name != "days" else USUAL_DAYS
        wanted = {**self.filters, name: "" if value == usual else str(value)[:60]}
        return rx.redirect(to_address(wanted), replace=True)

    @action
    async def clear(self) -> Any:
        """Take all filters away."""
        return rx.redirect(to_address({}), replace=True)

    @action
    async def go(self, cursor: str) -> Any:
        """Turn to older calls; an empty cursor is the newest page."""
        return rx.redirect(to_address(self.filters, cursor[:60]))
