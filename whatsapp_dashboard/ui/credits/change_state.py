"""The dialogs in which owners top up, correct, and set the price (CRED-1, CRED-2)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.errors import AppError
from whatsapp_dashboard.ui.components import toast_ok
from whatsapp_dashboard.ui.credits.lines import whole
from whatsapp_dashboard.ui.credits.state import CreditsState
from whatsapp_dashboard.ui.state import PageState, action

KINDS = ("top-up", "adjust", "price")
USUAL_PRICE = 2


class ChangeState(PageState):
    """Which dialog is open, and what is wrong with what was typed."""

    kind: str = ""
    edition: int = 0
    """Counts openings, so that each begins with fresh inputs."""
    price: str = ""
    billed: bool = False
    free: str = ""
    """How much a correction can take away."""
    error: str = ""
    busy: bool = False
    key: str = ""
    """Of this opening: a form that is sent twice changes credits once."""

    @action
    async def ask(self, kind: str) -> None:
        """Open a dialog."""
        state = await self._services().credits.state(await self._who())
        self.kind = kind if kind in KINDS else ""
        self.price, self.billed, self.free = str(state.price or USUAL_PRICE), state.price > 0, f"{state.available:,}"
        self.error, self.busy, self.key = "", False, new_id()
        self.edition += 1

    @action
    async def set_open(self, value: bool) -> None:
        """Close the dialog; nothing changes."""
        if not value:
            self.kind = ""

    @action
    async def submit(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """Do what the open dialog is for."""
        who, credits = await self._who(), self._services().credits
        self.error, self.busy = "", True
        yield
        try:
            amount = whole(form.get("amount", ""), "amount")
            words = str(form.get("description", ""))
            if self.kind == "price":
                state = await credits.set_price(who, amount)
                done = toast_ok("Billing is off") if state.price == 0 else toast_ok(f"An answer costs {state.price:,} credits")
            elif self.kind == "adjust":
                row = await credits.adjust(who, amount, description=words, idempotency_key=self.key)
                done = toast_ok("Corrected", f"The balance is {row.balance_after:,}.")
            else:
                row = await credits.top_up(who, amount, description=words, idempotency_key=self.key)
                done = toast_ok("Topped up", f"The balance is {row.balance_after:,}.")
            self.kind = ""
            yield done
            yield CreditsState.follow
        except AppError as error:
            self.error = error.message
        finally:
            self.busy = False

    @action
    async def turn_off(self) -> AsyncIterator[Any]:
        """Answers cost nothing from now on."""
        await self._services().credits.set_price(await self._who(), 0)
        self.kind = ""
        yield toast_ok("Billing is off")
        yield CreditsState.follow
