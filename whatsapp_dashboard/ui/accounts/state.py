"""What the Accounts page does: keeps the rows current and starts or stops sessions (ACC-1, ACC-5, ACC-7)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog

from whatsapp_dashboard.domain.numbers import digits_to_find
from whatsapp_dashboard.domain.principal import Principal
from whatsapp_dashboard.errors import DatabaseAway, Invalid
from whatsapp_dashboard.ui.accounts.edit_state import EditState
from whatsapp_dashboard.ui.accounts.lines import AccountLine, account_line
from whatsapp_dashboard.ui.components import toast_info, toast_ok
from whatsapp_dashboard.ui.live import following, live
from whatsapp_dashboard.ui.pace import LOOK_SECONDS, Pace
from whatsapp_dashboard.ui.state import PageState, action
from whatsapp_dashboard.ui.times import iso

PAGE_SIZE = 50
REST_SECONDS = 0.4
"""At most one look at the database in this time, however fast things change."""
TICK_SECONDS = 10.0
"""Signs of life are shown anew this often; they alone are no event."""

EVENTS = (
    "account.created", "account.updated", "account.deleted", "session.status", "session.qr", "session.restricted",
    "message", "message.queued", "webhook.created", "webhook.updated", "webhook.deleted", "webhook.paused", "webhook.resumed",
    "webhook.failing", "webhook.recovered", "ai.config", "inbound.set_aside", "inbound.stored", "inbound.discarded",
    "webhook.stalled", "webhook.moving",
)  # fmt: skip

log = structlog.get_logger(__name__)


class AccountsState(PageState):
    """The rows that match the filter, and how many there are of each status."""

    loaded: bool = False
    failed: str = ""
    total: int = 0
    matching: int = 0
    lines: list[AccountLine] = []
    counts: dict[str, int] = {}
    query: str = ""
    status: str = ""
    shown: int = PAGE_SIZE
    edition: int = 0
    """Counts how often the search box was emptied from outside."""
    now: str = ""
    busy: str = ""
    """The account an action is running for."""

    @following
    async def watch(self) -> None:
        """Load the page and keep it current while it is open."""
        pace = Pace(TICK_SECONDS)
        async for events in live(self, *EVENTS, every=LOOK_SECONDS):
            if not pace.due(events):
                continue
            who = await self._who()
            try:
                lines, now = await self._lines(who)
            except DatabaseAway:
                raise
            except Exception:
                log.exception("the accounts could not be read")
                async with self:
                    self.failed, self.loaded = "The database did not answer. This page tries again by itself.", True
                continue
            async with self:
                self.now = iso(now)
                self._show(lines)
            await asyncio.sleep(REST_SECONDS)

    def _show(self, lines: list[AccountLine]) -> None:
        counts = Counter(line.status for line in lines)
        found = [line for line in lines if (not self.status or line.status == self.status) and _is_meant(line, self.query)]
        visible = found[: self.shown]
        if visible != self.lines:
            self.lines = visible
        if dict(counts) != self.counts:
            self.counts = dict(counts)
        self.total, self.matching = len(lines), len(found)
        self.failed, self.loaded = "", True

    async def _read(self, who: Principal) -> None:
        lines, now = await self._lines(who)
        self.now = iso(now)
        self._show(lines)

    async def _lines(self, who: Principal) -> tuple[list[AccountLine], datetime]:
        services = self._services()
        rows, webhooks, ai, aside = (
            await services.accounts.list_accounts(who),
            await services.webhooks.counts(who),
            await services.ai.counts(who),
            await services.set_aside.counts(who),
        )
        now = services.clock.now()
        lines = [
            account_line(row, now, webhooks.get(row.id, (0, 0)), ai=ai.get(row.id, False), aside=aside.get(row.id, 0)) for row in rows
        ]
        return lines, now

    @action
    async def search(self, text: str) -> None:
        """Show only accounts whose name, description, number or profile name has every word of ``text``."""
        self.query, self.shown = text[:200], PAGE_SIZE
        await self._read(await self._who())

    @action
    async def only(self, status: str) -> None:
        """Show only accounts of this status; the same once more, or an empty one, shows all."""
        self.status = "" if status == self.status else status[:20]
        self.shown = PAGE_SIZE
        await self._read(await self._who())

    @action
    async def show_all(self) -> None:
        """Take search and filter away."""
        self.query = self.status = ""
        self.edition += 1
        await self._read(await self._who())

    @action
    async def show_more(self) -> None:
        """Show one more page of rows."""
        self.shown += PAGE_SIZE
        await self._read(await self._who())

    @action
    async def reconnect(self, account_id: str) -> AsyncIterator[Any]:
        """Start the session anew (ACC-5)."""
        async for event in self._run(account_id, self._services().accounts.connect, "Connecting"):
            yield event

    @action
    async def disconnect(self, account_id: str) -> AsyncIterator[Any]:
        """Close the session and keep the link."""
        async for event in self._run(account_id, self._services().accounts.disconnect, "Disconnected"):
            yield event

    @action
    async def set_auto_reply(self, account_id: str, on: bool) -> AsyncIterator[Any]:
        """Switch the fixed reply of one account on or off."""
        who = await self._who()
        try:
            row = await self._services().accounts.update(who, account_id, settings={"auto_reply": {"enabled": on}})
        except Invalid:
            yield EditState.start(account_id, "replies")
            yield toast_info("Write the text of the reply first", "Then turn it on and save.")
            return
        self.lines = [replace(line, auto_reply=on) if line.id == account_id else line for line in self.lines]
        yield toast_ok(f"Auto-reply is {'on' if on else 'off'}", row.name)

    async def _run(self, account_id: str, call: Any, done: str) -> AsyncIterator[Any]:
        who = await self._who()
        self.busy = account_id
        yield
        try:
            row = await call(who, account_id)
        finally:
            self.busy = ""
        yield toast_ok(done, row.name)


def _is_meant(line: AccountLine, query: str) -> bool:
    """Whether the account has every word of ``query``, or its number however it is written there."""
    digits = "".join(character for character in line.phone if character.isdigit())
    text = " ".join((line.name, line.description, line.phone, digits, line.push_name, line.engine)).casefold()
    return all(word in text for word in query.casefold().split()) or any(part in digits for part in digits_to_find(query))
