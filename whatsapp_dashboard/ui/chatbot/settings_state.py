"""The settings of the AI: a form that is saved at once, guards what is not saved, and follows what others change (AI-1)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import reflex as rx

from whatsapp_dashboard.ai.views import AiConfigView
from whatsapp_dashboard.domain.ai_settings import AiSettings
from whatsapp_dashboard.errors import AppError
from whatsapp_dashboard.ui.chatbot.form import changed, explained, read_form, switches_of, tab_of, values_of
from whatsapp_dashboard.ui.chatbot.tab_state import TabState
from whatsapp_dashboard.ui.components import toast_info, toast_ok
from whatsapp_dashboard.ui.components.week import DayLine, days_of
from whatsapp_dashboard.ui.state import PageState, action

_TO_ERROR = "setTimeout(() => document.querySelector('#ai-settings [role=alert]')?.scrollIntoView({block: 'center'}), 80)"


class SettingsState(PageState):
    """The form's beginning values and what is wrong with its fields."""

    account_id: str = ""
    edition: int = 0
    """Counts how often the inputs were set anew."""
    values: dict[str, str] = {}
    switches: dict[str, bool] = {}
    days: list[DayLine] = []
    zone: str = "UTC"
    errors: dict[str, str] = {}
    busy: bool = False
    newer: bool = False
    """Somebody else changed the settings since the inputs were set."""
    leaving: bool = False
    leave_to: str = ""
    _base: AiSettings | None = None
    """What the inputs were set to."""
    _newest: AiSettings | None = None

    def _clear(self) -> None:
        self.account_id, self._base, self._newest = "", None, None
        self.errors, self.newer, self.leaving, self.busy = {}, False, False, False

    def _take(self, view: AiConfigView) -> None:
        """What is stored now. Inputs that stand on the page stay until somebody asks for the newest."""
        self._newest = view.settings
        if self._base is None or self.account_id != view.account_id:
            self.account_id = view.account_id
            self._set_inputs()
        else:
            self.newer = self._newest != self._base

    def _set_inputs(self) -> None:
        settings = self._newest or AiSettings()
        self._base = settings
        self.values, self.switches = values_of(settings), switches_of(settings)
        self.days, self.zone = days_of(settings.hours), settings.hours.timezone
        self.errors, self.newer = {}, False
        self.edition += 1

    @action
    async def discard(self) -> None:
        """Set the inputs to what is stored now."""
        self._set_inputs()

    @action
    async def submit(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """Save what was changed, or nothing and say what is wrong where."""
        who = await self._who()
        settings, self.errors = read_form(form)
        wanted = changed(settings, self._base or AiSettings())
        if not self.errors and not wanted:
            self._set_inputs()
            yield toast_info("Nothing was changed")
            return
        if not self.errors:
            self.busy = True
            yield
            try:
                self._newest = (await self._services().ai.save(who, self.account_id, settings=wanted)).settings
            except AppError as error:
                self.errors = explained(error)
            finally:
                self.busy = False
        if self.errors:
            tab = next((tab for name in self.errors if (tab := tab_of(name))), "")
            if tab:
                (await self.get_state(TabState)).tab = tab
            yield rx.call_script(_TO_ERROR)
            return
        self._set_inputs()
        yield toast_ok("Saved")

    @action
    async def ask_leave(self, address: str) -> None:
        """Ask before changes that are not saved are lost on the way to another page."""
        if address.startswith("/") and address[1:2] not in ("/", "\\"):
            self.leave_to, self.leaving = address[:2_000], True

    @action
    async def set_leaving(self, value: bool) -> None:
        """Stay."""
        self.leaving = bool(value) and bool(self.leave_to)

    @action
    async def leave(self) -> Any:
        """Go, and lose what is not saved."""
        self.leaving = False
        self._set_inputs()
        return rx.redirect(self.leave_to or "/")
