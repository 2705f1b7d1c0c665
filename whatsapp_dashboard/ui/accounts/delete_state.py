"""The questions before an account is deleted or logged out (ACC-1)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from whatsapp_dashboard.accounts.views import Losses
from whatsapp_dashboard.ui.components import toast_ok
from whatsapp_dashboard.ui.state import PageState, action


class DeleteState(PageState):
    """Which question is open (``delete`` or ``log_out``), about which account, and what it says."""

    open: bool = False
    kind: str = ""
    account_id: str = ""
    title: str = ""
    text: str = ""
    busy: bool = False

    @action
    async def ask_delete(self, account_id: str) -> None:
        """Ask before deleting, and say what goes with it."""
        who = await self._who()
        row = await self._services().accounts.get(who, account_id)
        losses = await self._services().accounts.what_is_lost(who, account_id)
        self.kind, self.account_id, self.title = "delete", row.id, f"Delete “{_short(row.name)}”?"
        self.text = what_goes(losses) + (" The device stays in the phone's list of linked devices; log out first to remove it there."
                                         if row.linked else "")  # fmt: skip
        self.open = True

    @action
    async def ask_log_out(self, account_id: str) -> None:
        """Ask before unlinking."""
        row = await self._services().accounts.get(await self._who(), account_id)
        self.kind, self.account_id, self.title = "log_out", row.id, f"Log out “{_short(row.name)}”?"
        self.text = (
            "The link to the phone is removed and messages no longer arrive. To use the account again you scan a new QR code. "
            "Conversations and settings stay."
        )
        self.open = True

    @action
    async def set_open(self, value: bool) -> None:
        """Close the question; nothing changes."""
        self.open = bool(value) and bool(self.account_id)

    @action
    async def confirm(self) -> AsyncIterator[Any]:
        """Do what was asked about."""
        who, accounts = await self._who(), self._services().accounts
        self.busy = True
        yield
        try:
            if self.kind == "delete":
                await accounts.delete(who, self.account_id)
            else:
                await accounts.logout(who, self.account_id)
        finally:
            self.busy = False
        self.open = False
        yield toast_ok("Account deleted" if self.kind == "delete" else "Logged out")


def what_goes(losses: Losses) -> str:
    """One or two sentences about what deleting takes with it."""
    kept = [
        _count(losses.conversations, "conversation"), _count(losses.messages, "message"), _count(losses.media, "file"),
    ]  # fmt: skip
    parts = [part for part in kept if part]
    if not parts:
        return "It has no conversations. This cannot be undone."
    listed = parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
    text = f"{listed} will be lost with it. This cannot be undone."
    if losses.queued:
        text += f" {_count(losses.queued, 'message')} still waiting to go out will not be sent."
    return text


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}" if number else ""


def _short(name: str) -> str:
    return name if len(name) <= 60 else name[:59] + "…"
