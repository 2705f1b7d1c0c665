"""What the Chatbot page does: the account, the big switch, whether the bot answers now; live (AI-1)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import reflex as rx
import structlog

from whatsapp_dashboard.accounts.views import AccountRow
from whatsapp_dashboard.ai.views import AiConfigView
from whatsapp_dashboard.domain.account_status import AccountStatus
from whatsapp_dashboard.errors import Conflict, DatabaseAway, NotFound
from whatsapp_dashboard.ui.chatbot.lines import Situation, situation
from whatsapp_dashboard.ui.chatbot.providers_state import ProvidersState
from whatsapp_dashboard.ui.chatbot.settings_state import SettingsState
from whatsapp_dashboard.ui.chatbot.tab_state import TABS, TabState
from whatsapp_dashboard.ui.chatbot.trying_state import TryingState
from whatsapp_dashboard.ui.components import toast_info, toast_ok
from whatsapp_dashboard.ui.live import following, live
from whatsapp_dashboard.ui.messages.state import AccountChoice
from whatsapp_dashboard.ui.pace import LOOK_SECONDS, Pace
from whatsapp_dashboard.ui.state import PageState, action
from whatsapp_dashboard.ui.times import iso
from whatsapp_dashboard.ui.traces import dollars

REST_SECONDS = 0.4
"""At most one look at the database in this time, however fast things change."""
TICK_SECONDS = 5.0
"""What changes without an event (a provider's rest, the hour) is looked at this often."""
_EVENTS = (
    "ai.config", "ai.answered", "ai.failed", "ai.budget_reached", "account.created", "account.updated", "account.deleted", "session.status",
)  # fmt: skip

log = structlog.get_logger(__name__)


class ChatbotState(PageState):
    """Which account, and how its bot is doing."""

    loaded: bool = False
    failed: str = ""
    account_id: str = ""
    account_name: str = ""
    accounts: list[AccountChoice] = []
    enabled: bool = False
    situation: Situation = Situation()
    offline: bool = False
    """The account is not connected: nothing comes in."""
    today: str = ""
    answers_today: int = 0
    cost_today: str = ""
    switching: bool = False
    now: str = ""

    @action
    async def open_page(self) -> Any:
        """Read from the address which account is meant."""
        parameters = self._parameters()
        wanted = parameters.get("account", "")[:64]
        if wanted != self.account_id:
            self.account_id, self.loaded, self.failed = wanted, False, ""
            await self._start_over()
        if tab := parameters.get("tab", ""):
            (await self.get_state(TabState)).tab = tab if tab in TABS else "providers"
        return ChatbotState.follow

    async def _start_over(self) -> None:
        (await self.get_state(SettingsState))._clear()
        (await self.get_state(ProvidersState))._clear()
        (await self.get_state(TryingState))._clear()

    @following
    async def follow(self) -> None:
        """Load the page and keep it current while it is open."""
        pace = Pace(TICK_SECONDS)
        async for events in live(self, *_EVENTS, every=LOOK_SECONDS):
            if not pace.due(events):
                continue
            try:
                await self._load()
            except NotFound as error:
                async with self:
                    self.failed, self.loaded = error.message, True
            except DatabaseAway:
                raise
            except Exception:
                log.exception("the AI of an account could not be read")
                async with self:
                    self.failed, self.loaded = "The database did not answer. This page tries again by itself.", True
            await asyncio.sleep(REST_SECONDS)

    async def _load(self) -> None:
        services, who = self._services(), await self._who()
        rows = await services.accounts.list_accounts(who)
        wanted = self.account_id
        account = next((row for row in rows if row.id == wanted), rows[0] if rows and not wanted else None)
        view = await services.ai.get(who, account.id if account else wanted) if account or wanted else None
        async with self:
            if self.account_id != wanted:
                return
            self.accounts = [AccountChoice(row.id, row.name) for row in rows]
            if view is not None and account is not None:
                await self._show(view, account)
            self.failed, self.loaded = "", True

    async def _show(self, view: AiConfigView, account: AccountRow | None = None) -> None:
        now = self._services().clock.now()
        self.account_id, self.account_name = view.account_id, view.account_name
        self.enabled, self.situation, self.now = view.enabled, situation(view, now), iso(now)
        if account is not None:
            self.offline = account.status is not AccountStatus.READY
        micros = round(view.today.cost_usd * 1_000_000)
        self.answers_today, self.cost_today = view.today.answers, dollars(micros)
        answers = f"{view.today.answers:,} {'answer' if view.today.answers == 1 else 'answers'}"
        self.today = f"{answers}, {view.today.tokens:,} tokens" + (f", {dollars(micros)}" if micros else "")
        (await self.get_state(SettingsState))._take(view)
        (await self.get_state(ProvidersState))._take(view, now)
        (await self.get_state(TryingState)).account_id = view.account_id

    @action
    async def switch(self, on: bool) -> AsyncIterator[Any]:
        """Switch the AI of the account on or off."""
        who = await self._who()
        self.switching = True
        yield
        try:
            await self._show(await self._services().ai.save(who, self.account_id, enabled=bool(on)))
        except Conflict as error:
            if error.code != "no_provider":
                raise
            (await self.get_state(TabState)).tab = "providers"
            yield toast_info("Add a provider first", "Then switch the bot on.")
        else:
            yield toast_ok("The bot is on" if on else "The bot is off", self.account_name)
        finally:
            self.switching = False

    @action
    async def choose_account(self, account_id: str, unsaved: bool) -> Any:
        """Show another account; asked first while changes are not saved."""
        address = f"/chatbot?account={account_id[:64]}"
        if unsaved:
            return SettingsState.ask_leave(address)
        return rx.redirect(address)
