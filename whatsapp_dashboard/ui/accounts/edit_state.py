"""The dialog that changes an account: every setting and every limit is visible here (ACC-1, ACC-11)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from whatsapp_dashboard.accounts.views import AccountRow
from whatsapp_dashboard.domain.account_settings import AccountSettings
from whatsapp_dashboard.errors import AppError
from whatsapp_dashboard.messages.governor import daily_limit
from whatsapp_dashboard.ui.accounts.countries import COUNTRIES, Country, find_countries
from whatsapp_dashboard.ui.components import toast_ok
from whatsapp_dashboard.ui.components.week import DayLine, days_of, explained_day, read_days
from whatsapp_dashboard.ui.state import PageState, action
from whatsapp_dashboard.ui.times import iso

NUMBERS = (
    "auto_reply.every_minutes", "takeover_minutes", "answer_recovered_minutes", "answer_limits.per_minute", "answer_limits.per_hour",
    "answer_limits.per_day", "pacing.min_ms", "pacing.max_ms", "governor.new_contacts_per_day", "governor.warm_up_days",
)  # fmt: skip
SWITCHES = (
    "auto_reply.enabled", "auto_reply.hours.enabled", "auto_reply.outside_hours", "answer_groups", "answer_own_numbers", "pacing.typing",
    "resend_unconfirmed", "governor.enabled", "governor.check_number_first",
)  # fmt: skip
TEXTS = ("auto_reply.text", "auto_reply.hours.timezone")

TAB_OF = {
    "name": "general", "description": "general", "default_country": "general", "auto_reply": "replies",
    "takeover_minutes": "bots", "answer_groups": "bots", "answer_recovered_minutes": "bots", "answer_own_numbers": "bots",
    "answer_limits": "bots",
    "pacing": "sending", "resend_unconfirmed": "sending", "governor": "safety",
}  # fmt: skip


class EditState(PageState):
    """The form's beginning values, what is wrong with its fields, and the tab in front."""

    open: bool = False
    account_id: str = ""
    edition: int = 0
    """Counts openings, so that each begins with fresh inputs."""
    title: str = ""
    tab: str = "general"
    name: str = ""
    description: str = ""
    values: dict[str, str] = {}
    switches: dict[str, bool] = {}
    days: list[DayLine] = []
    """The hours of the automatic reply."""
    country: str = ""
    country_name: str = ""
    countries: list[Country] = []
    picking: bool = False
    restriction: str = ""
    restricted_until: str = ""
    """When WhatsApp takes sends again; empty when it does."""
    today: str = ""
    """What the warm-up leaves of the daily limit now."""
    now: str = ""
    errors: dict[str, str] = {}
    busy: bool = False

    @action
    async def start(self, account_id: str, tab: str = "general") -> None:
        """Open the form with the account's values of now."""
        row = await self._services().accounts.get(await self._who(), account_id)
        flat = flatten(row.settings)
        self.account_id, self.title = row.id, row.name
        self.name, self.description = row.name, row.description
        self.values = {key: str(flat[key]) for key in (*NUMBERS, *TEXTS)}
        self.switches = {key: bool(flat[key]) for key in SWITCHES}
        self.days = days_of(row.settings.auto_reply.hours)
        self._take_country(row.settings.default_country or "")
        now = self._services().clock.now()
        restricted = row.restricted_until is not None and row.restricted_until > now
        self.restricted_until = iso(row.restricted_until) if restricted else ""
        self.restriction = (row.restriction or "WhatsApp restricted this account").rstrip(".") + "."
        self.today, self.now = limit_now(row, now), iso(now)
        self.errors, self.tab, self.busy = {}, tab if tab in TAB_OF.values() else "general", False
        self.edition += 1
        self.open = True

    @action
    async def set_open(self, value: bool) -> None:
        """Close the form; nothing is kept."""
        self.open = bool(value) and bool(self.account_id)

    @action
    async def choose_tab(self, tab: str | list[str]) -> None:
        """Bring a group of settings to the front."""
        self.tab = tab if isinstance(tab, str) and tab in TAB_OF.values() else "general"

    @action
    async def flip(self, key: str, value: bool) -> None:
        """Move a switch; kept when the form is saved."""
        if key in self.switches:
            self.switches[key] = bool(value)

    @action
    async def set_picking(self, value: bool) -> None:
        """Open or close the list of countries."""
        self.picking = bool(value)
        self.countries = find_countries("") if self.picking else []

    @action
    async def search_country(self, text: str) -> None:
        """Narrow the list of countries."""
        self.countries = find_countries(text[:60])

    @action
    async def choose_country(self, code: str) -> None:
        """Take a country; an empty code for none."""
        self._take_country(code)
        self.picking = False

    @action
    async def submit(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """Save everything at once, or nothing and say what is wrong where."""
        self.errors = {}
        settings = self._settings(form)
        if self.errors:
            self._go_to_first_error()
            return
        self.busy = True
        yield
        try:
            row = await self._services().accounts.update(
                await self._who(), self.account_id, name=str(form.get("name", "")),
                description=str(form.get("description", "")), settings=settings,
            )  # fmt: skip
        except AppError as error:
            self._show_error(error)
            return
        finally:
            self.busy = False
        self.open = False
        yield toast_ok("Saved", row.name)

    def _settings(self, form: dict[str, Any]) -> dict[str, Any]:
        """The settings as typed; what is not a number goes to ``errors``."""
        settings: dict[str, Any] = {"default_country": self.country or None}
        for key in SWITCHES:
            _put(settings, key, self.switches.get(key, False))
        for key in TEXTS:
            _put(settings, key, str(form.get(key, "")))
        hours = settings["auto_reply"]["hours"]
        hours["days"], hours["timezone"] = read_days(form), hours["timezone"].strip()
        settings["auto_reply"]["outside_hours"] &= hours["enabled"]
        for key in NUMBERS:
            given = str(form.get(key, "")).strip()
            try:
                _put(settings, key, int(given))
            except ValueError:
                self.errors[key] = "Write a whole number." if given else "Write a number."
        return settings

    def _show_error(self, error: AppError) -> None:
        key = (error.field or "form").removeprefix("settings.")
        text = error.message.removeprefix(f"{key}: ").replace("Input should be", "It must be")
        if day := explained_day(key, text):
            key, text = day
        # A rule about a whole group is shown at the field that has the last word in it.
        key = {"auto_reply": "auto_reply.text", "pacing": "pacing.max_ms"}.get(key, key)
        self.errors = {key: text[:1].upper() + text[1:]}
        self._go_to_first_error()

    def _go_to_first_error(self) -> None:
        key = next(iter(self.errors), "")
        self.tab = "replies" if key.startswith("day") else TAB_OF.get(key, TAB_OF.get(key.partition(".")[0], self.tab))

    def _take_country(self, code: str) -> None:
        found = COUNTRIES.get(code)
        self.country, self.country_name = (found.code, f"{found.name} ({found.calling})") if found else ("", "")


def limit_now(row: AccountRow, now: datetime) -> str:
    """What the warm-up leaves of the daily limit at ``now``, as a sentence; empty when it leaves all."""
    rules = row.settings.governor
    limit = daily_limit(rules, row.linked_at, now)
    if not (rules.enabled and row.linked and limit < rules.new_contacts_per_day):
        return ""
    return f" Now, in the warm-up: {limit}."


def flatten(settings: AccountSettings) -> dict[str, Any]:
    """Every setting by its dotted name."""
    found: dict[str, Any] = {}
    groups = [("", settings.model_dump(mode="json"))]
    for prefix, group in groups:
        for key, value in group.items():
            if isinstance(value, dict):
                groups.append((f"{prefix}{key}.", value))
            else:
                found[prefix + key] = value
    return found


def _put(settings: dict[str, Any], key: str, value: Any) -> None:
    *groups, name = key.split(".")
    for group in groups:
        settings = settings.setdefault(group, {})
    settings[name] = value
