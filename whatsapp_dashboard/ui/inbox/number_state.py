"""Which number was understood, said under the field before anything is sent (MSG-2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reflex as rx

from whatsapp_dashboard.domain.ids import format_phone
from whatsapp_dashboard.domain.numbers import read_phone, region_of
from whatsapp_dashboard.errors import Invalid
from whatsapp_dashboard.ui.accounts.countries import COUNTRIES
from whatsapp_dashboard.ui.inbox.thread_state import ThreadState
from whatsapp_dashboard.ui.state import PageState, action

RECIPIENT_ID, CARD_ID = "new-number", "card-numbers"
_SHOWN = 10
"""A contact card has no more numbers."""


@dataclass
class Understood:
    """One number as it was understood, and what the same digits could mean as well: for people, and as it would be typed."""

    text: str
    other: str = ""
    other_typed: str = ""


class NumberState(PageState):
    """What stands under the field of the open dialog."""

    read: list[Understood] = []
    _parts: list[str] = []
    _field: str = ""
    _country: str | None = None

    @action
    async def look(self, form: dict[str, Any]) -> None:
        """Read the recipient of a new message, for the account that is chosen to write it."""
        await self._look(RECIPIENT_ID, str(form.get("account", "")), [str(form.get("number", ""))])

    @action
    async def look_for(self, account_id: str, form: dict[str, Any]) -> None:
        """Another account was chosen: it may be at home elsewhere."""
        await self._look(RECIPIENT_ID, account_id, [str(form.get("number", ""))])

    @action
    async def look_at_card(self, form: dict[str, Any]) -> None:
        """Read the numbers of a contact card."""
        thread = await self.get_state(ThreadState)
        await self._look(CARD_ID, thread.head.account_id, str(form.get("phones", "")).split(","))

    @action
    async def take_other(self, position: int) -> Any:
        """Put the other number into the field, with plus and country code: there it can mean nothing else."""
        if not 0 <= position < len(self.read) or not self.read[position].other:
            return None
        self._parts[position] = self.read[position].other_typed
        self._read()
        return rx.set_value(self._field, ", ".join(self._parts))

    async def _look(self, field: str, account_id: str, parts: list[str]) -> None:
        self._field, self._parts = field, [part.strip() for part in parts if part.strip()][:_SHOWN]
        self._country = None
        if self._parts and account_id:
            self._country = (await self._services().accounts.get(await self._who(), account_id)).settings.default_country
        self._read()

    def _read(self) -> None:
        """Nothing is said of what cannot be read: sending it says why."""
        try:
            self.read = [_understood(*read_phone(part, country=self._country)) for part in self._parts]
        except Invalid:
            self.read = []

    def _clear(self) -> None:
        self.read, self._parts = [], []


def _understood(phone: str, other: str | None) -> Understood:
    return Understood(_with_country(phone), _with_country(other), f"+{other}") if other else Understood(_with_country(phone))


def _with_country(phone: str) -> str:
    country = COUNTRIES.get(region_of(phone))
    return f"{format_phone(phone)}, {country.name}" if country else format_phone(phone)
