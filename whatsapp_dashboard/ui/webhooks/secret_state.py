"""A secret that was just made, shown once, and its rotation (HOOK-3)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from whatsapp_dashboard.errors import AppError, Invalid
from whatsapp_dashboard.ui.components import toast_ok
from whatsapp_dashboard.ui.state import PageState, action


class SecretState(PageState):
    """The secret lives here only while its dialog is open."""

    shown: bool = False
    secret: str = ""
    rotating: bool = False
    webhook_id: str = ""
    title: str = ""
    had_one: bool = False
    error: str = ""
    busy: bool = False
    edition: int = 0

    @action
    async def show(self, secret: str) -> None:
        """Show a new secret."""
        self.secret, self.shown = secret[:300], True

    @action
    async def set_shown(self, value: bool) -> None:
        """Closed: it is gone."""
        self.shown = bool(value) and bool(self.secret)
        if not self.shown:
            self.secret = ""

    @action
    async def ask(self, webhook_id: str) -> None:
        """Open the question about a new secret."""
        row = await self._services().webhooks.get(await self._who(), webhook_id)
        self.webhook_id, self.title, self.had_one = row.id, row.name or row.url, row.has_secret
        self.error, self.rotating = "", True
        self.edition += 1

    @action
    async def set_rotating(self, value: bool) -> None:
        """Close the question; nothing changes."""
        self.rotating = bool(value) and bool(self.webhook_id)

    @action
    async def rotate(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """Make or take a new secret; the old one signs as well for the hours given."""
        who = await self._who()
        self.error, self.busy = "", True
        yield
        try:
            own = str(form.get("secret", "")).strip()
            saved = await self._services().webhooks.rotate_secret(
                who, self.webhook_id, overlap_hours=_hours(form.get("overlap", "0")), secret=own or None
            )
        except AppError as error:
            self.error = error.message
            return
        finally:
            self.busy = False
        self.rotating = False
        if own:
            yield toast_ok("The new secret is in use")
        else:
            self.secret, self.shown = saved.secret or "", True

    @action
    async def remove(self, webhook_id: str) -> Any:
        """Sign no more."""
        row = await self._services().webhooks.remove_secret(await self._who(), webhook_id)
        return toast_ok("Deliveries are no longer signed", row.name or row.url)


def _hours(given: Any) -> float:
    try:
        return float(str(given).strip().replace(",", ".") or 0)
    except ValueError:
        raise Invalid("Write the overlap as a number of hours.") from None
