"""The dialog that creates an account and goes straight on to linking it (ACC-1)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from whatsapp_dashboard.accounts.service import SANDBOX
from whatsapp_dashboard.errors import AppError
from whatsapp_dashboard.ui.accounts.lines import LINKABLE
from whatsapp_dashboard.ui.accounts.link_state import LinkState
from whatsapp_dashboard.ui.components import toast_ok
from whatsapp_dashboard.ui.state import PageState, action


@dataclass
class EngineChoice:
    """One engine to choose from."""

    name: str
    title: str
    summary: str
    simulated: bool


class CreateState(PageState):
    """The form, what is wrong with it, and the engines there are."""

    open: bool = False
    engines: list[EngineChoice] = []
    engine: str = ""
    name_error: str = ""
    description_error: str = ""
    error: str = ""
    busy: bool = False

    @action
    async def start(self) -> None:
        """Open the empty form."""
        infos = self._services().accounts.engines(await self._who())
        self.engines = [EngineChoice(info.name, info.title, info.summary, info.name == SANDBOX) for info in infos]
        self.engine = infos[0].name
        self._clear_errors()
        self.open = True

    @action
    async def set_open(self, value: bool) -> None:
        """Close the form."""
        self.open = bool(value)

    @action
    async def choose_engine(self, name: str) -> None:
        """How the new account will talk to WhatsApp."""
        self.engine = name[:32]

    @action
    async def submit(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """Create the account; then show its QR code."""
        who, accounts = await self._who(), self._services().accounts
        self._clear_errors()
        self.busy = True
        yield
        try:
            row = await accounts.create(
                who, name=str(form.get("name", "")), description=str(form.get("description", "")), engine=self.engine
            )
        except AppError as error:
            self._show_error(error)
            return
        finally:
            self.busy = False
        self.open = False
        if LINKABLE & row.capabilities:
            yield LinkState.show(row.id)
        else:
            yield toast_ok("Account created", row.name)

    def _show_error(self, error: AppError) -> None:
        match error.field:
            case "name":
                self.name_error = error.message
            case "description":
                self.description_error = error.message
            case _:
                self.error = error.message

    def _clear_errors(self) -> None:
        self.name_error = self.description_error = self.error = ""
