"""What the list of the inbox does: filters from the address, pages, and rows that keep themselves current (MSG-7)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import reflex as rx
import structlog

from whatsapp_dashboard.domain.principal import Principal
from whatsapp_dashboard.errors import AppError
from whatsapp_dashboard.events.log import EventRecord
from whatsapp_dashboard.messages.conversation_views import ConversationFilters, ConversationRow, Counts
from whatsapp_dashboard.ui.inbox.first_step import FirstStep, first_step
from whatsapp_dashboard.ui.inbox.lines import Line, aged, conversation_line, order
from whatsapp_dashboard.ui.live import following, live
from whatsapp_dashboard.ui.state import PageState, action
from whatsapp_dashboard.ui.times import ASK_ZONE, known_zone

PAGE_SIZE = 40
MOST_SHOWN = 200
REST_SECONDS = 0.25
TICK_SECONDS = 30.0
TABS = ("all", "unread", "waiting", "human", "closed")
STAYING = ("unread", "waiting")
"""Lists in which a conversation that was opened stays until the list is left, although it does not belong there any more."""
COUNT_SECONDS = 5.0
"""So seldom at most a search is counted anew while things happen: it looks through everything that was said."""

_LIST_EVENTS = ("account.created", "account.updated", "account.deleted", "session.status", "conversation.merged", "ai.config")
_ROW_EVENTS = (
    "message", "message.queued", "message.sent", "message.status", "message.edited", "message.revoked", "conversation.updated",
    "conversation.created", "conversation.waiting",
)  # fmt: skip

log = structlog.get_logger(__name__)


@dataclass
class AccountChoice:
    """One account to filter by or to write from."""

    id: str
    name: str
    ready: bool


class InboxState(PageState):
    """The list and its filters. The open conversation is ThreadState's."""

    loaded: bool = False
    failed: str = ""
    lines: list[Line] = []
    older: str = ""
    loading_older: bool = False
    tab: str = "all"
    account: str = ""
    text: str = ""
    edition: int = 0
    """Counts how often the filters came from outside, so that the inputs are drawn anew."""
    query: str = ""
    """The filters as the end of an address."""
    accounts: list[AccountChoice] = []
    first: FirstStep = FirstStep()
    """What to do first, while there is no conversation at all."""
    active: int = 0
    unread: int = 0
    waiting: int = 0
    human: int = 0
    closed: int = 0
    """Known only while something is searched for."""
    zone: str = ""
    _asked: list[str] = []
    """Addresses that our own inputs asked for and that have not arrived yet, the newest last."""
    _staying: list[str] = []
    """Conversations that were opened in this list."""
    _counted: float = 0.0

    @action
    async def arrive(self) -> Any:
        """Read the filters from the address; ask the browser once for its time zone."""
        from whatsapp_dashboard.ui.inbox.thread_state import ThreadState

        wanted = from_address(self._parameters())
        address = to_query(*wanted)
        if address in self._asked:
            self._asked = self._asked[self._asked.index(address) + 1 :]
        if self._asked:
            # Somebody types faster than addresses change: the newest one is still on its way.
            wanted = (self.tab, self.account, self.text)
        if wanted != (self.tab, self.account, self.text):
            self.tab, self.account, self.text = wanted
            self.edition += 1
            self.loaded, self._staying = False, []
        self.query = to_query(*wanted)
        if not self.zone:
            return rx.call_script(ASK_ZONE, callback=InboxState.take_zone)
        return [InboxState.follow, ThreadState.arrive]

    @action
    async def take_zone(self, zone: Any) -> Any:
        """The reader's time zone, as the browser tells it."""
        from whatsapp_dashboard.ui.inbox.thread_state import ThreadState

        self.zone = known_zone(zone)
        return [InboxState.follow, ThreadState.arrive]

    @following
    async def follow(self) -> None:
        """Load the list and keep it current: only rows that something happened to are read again."""
        first = True
        async for events in live(self, *_LIST_EVENTS, *_ROW_EVENTS, every=TICK_SECONDS):
            try:
                if first or any(event.type in _LIST_EVENTS for event in events):
                    await self._load()
                    first = False
                elif events:
                    await self._touch(events)
                else:
                    await self._tick()
            except AppError:
                raise
            except Exception:
                log.exception("the inbox could not be read")
                async with self:
                    self.failed, self.loaded = "The database did not answer. This page tries again by itself.", True
            await asyncio.sleep(REST_SECONDS)

    async def _load(self) -> None:
        who, services = await self._who(), self._services()
        filters, zone, now = self._filters(), self.zone, services.clock.now()
        limit = min(MOST_SHOWN, max(PAGE_SIZE, len(self.lines))) if self.loaded else PAGE_SIZE
        page = await services.conversations.page(who, filters, limit=limit)
        staying = await self._read_staying(who, {row.id for row in page.rows})
        counts = await services.conversations.counts(who, filters.account_id, filters.text)
        accounts = await services.accounts.list_accounts(who)
        anybody = ConversationFilters(account_id=filters.account_id, status="")
        begun = bool(page.rows) or bool((await services.conversations.page(who, anybody, limit=1)).rows)
        async with self:
            self.first = FirstStep() if begun else first_step(accounts, filters.account_id)
            lines = [conversation_line(row, now, zone, filters.text) for row in (*page.rows, *staying)]
            self.lines = sorted(lines, key=order, reverse=True)
            self.older = page.older or ""
            self._count(counts)
            self.accounts = [AccountChoice(row.id, row.name, row.status == "ready") for row in accounts]
            self.failed, self.loaded = "", True

    async def _touch(self, events: list[EventRecord]) -> None:
        """Read the rows again that the events are about, and put them where they belong now."""
        who, services = await self._who(), self._services()
        ids = {event.conversation_id for event in events if event.conversation_id}
        filters, zone, now = self._filters(), self.zone, services.clock.now()
        rows = await services.conversations.get_many(who, sorted(ids), filters)
        rows += [row for row in await self._read_staying(who, {row.id for row in rows}) if row.id in ids]
        counts = None
        if not filters.text or services.clock.monotonic() - self._counted > COUNT_SECONDS:
            counts = await services.conversations.counts(who, filters.account_id, filters.text)
        async with self:
            kept = [line for line in self.lines if line.id not in ids]
            last = order(self.lines[-1]) if self.lines and self.older else None
            fresh = [conversation_line(row, now, zone, filters.text) for row in rows]
            kept += [line for line in fresh if last is None or order(line) >= last]
            lines = sorted(kept, key=order, reverse=True)
            if lines != self.lines:
                self.lines = lines
            if counts:
                self._count(counts)

    def _count(self, counts: Counts) -> None:
        self.active, self.unread, self.human, self.waiting = counts.active, counts.unread, counts.human, counts.waiting
        self.closed, self._counted = counts.closed or 0, self._services().clock.monotonic()

    async def _read_staying(self, who: Principal, shown: set[str]) -> list[ConversationRow]:
        """The conversations that were opened in this list and do not belong there any more."""
        missing = [one for one in self._staying if one not in shown]
        if not missing:
            return []
        anyhow = replace(self._filters(), unread=False, waiting=False, status="")
        return await self._services().conversations.get_many(who, missing, anyhow)

    def _stay(self, conversation_id: str) -> None:
        """The conversation was opened: it does not leave the list because it was read or answered."""
        if self.tab in STAYING and conversation_id and conversation_id not in self._staying:
            self._staying = [*self._staying[-49:], conversation_id]

    async def _tick(self) -> None:
        now = self._services().clock.now()
        async with self:
            lines = [aged(line, now, self.zone) for line in self.lines]
            if lines != self.lines:
                self.lines = lines

    def _filters(self) -> ConversationFilters:
        status = "closed" if self.tab == "closed" else "" if self.text else "active"
        return ConversationFilters(
            account_id=self.account, status=status, answered_by="human" if self.tab == "human" else "",
            unread=self.tab == "unread", waiting=self.tab == "waiting", text=self.text,
        )  # fmt: skip

    @action
    async def load_older(self) -> None:
        """One more page at the end of the list."""
        if not self.older:
            return
        who, services = await self._who(), self._services()
        page = await services.conversations.page(who, self._filters(), self.older, PAGE_SIZE)
        now = services.clock.now()
        known = {line.id for line in self.lines}
        self.lines += [conversation_line(row, now, self.zone, self.text) for row in page.rows if row.id not in known]
        self.older = page.older or ""

    @action
    async def show_tab(self, tab: str) -> Any:
        """Show one of the lists."""
        return self._go(tab if tab in TABS else "all", self.account, self.text)

    @action
    async def show_account(self, account_id: str) -> Any:
        """Show one account's conversations; ``all`` shows all."""
        return self._go(self.tab, "" if account_id == "all" else account_id, self.text)

    @action
    async def search(self, text: str) -> Any:
        """Show conversations whose contact or messages match."""
        return self._go(self.tab, self.account, text)

    @action
    async def clear(self) -> Any:
        """Take all filters away."""
        self.edition += 1
        return self._go("all", "", "")

    def _go(self, tab: str, account: str, text: str) -> Any:
        wanted = (tab, account[:64], text.strip()[:200])
        if wanted == (self.tab, self.account, self.text):
            return None
        self.tab, self.account, self.text = wanted
        self.query = to_query(*wanted)
        self.loaded, self._staying = False, []
        self._asked = [*self._asked[-9:], self.query]
        opened = opened_in(self._parameters())
        query = (urlencode({"c": opened}) if opened else "") + self.query
        return rx.redirect("/inbox" + ("?" + query.lstrip("&") if query else ""), replace=True)


def opened_in(parameters: Mapping[str, str]) -> str:
    """The conversation an address opens; empty for none."""
    return (parameters.get("c") or parameters.get("conversation") or "")[:64]


def from_address(parameters: Mapping[str, str]) -> tuple[str, str, str]:
    """Tab, account and search text of an address."""
    tab = parameters.get("show", "all")
    return tab if tab in TABS else "all", parameters.get("account", "")[:64], parameters.get("q", "").strip()[:200]


def to_query(tab: str, account: str, text: str) -> str:
    """The filters as the end of an address that has parameters already: empty, or beginning with ``&``."""
    found = {"show": tab if tab != "all" else "", "account": account, "q": text}
    query = urlencode({name: value for name, value in found.items() if value})
    return "&" + query if query else ""
