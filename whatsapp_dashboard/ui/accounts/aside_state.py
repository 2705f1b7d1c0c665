"""The events of an account that could not be stored: which, and what a person does about them (DUR-1)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from whatsapp_dashboard.domain.principal import Principal
from whatsapp_dashboard.errors import AppError
from whatsapp_dashboard.ui.components import toast_error, toast_ok
from whatsapp_dashboard.ui.state import PageState, action
from whatsapp_dashboard.ui.times import iso

SHOWN = 100


@dataclass
class AsideLine:
    """One event. ``at`` is ISO 8601 in UTC."""

    id: str
    who: str
    what: str
    reason: str
    at: str
    tries: str


class AsideState(PageState):
    """Which account's events are shown, oldest first."""

    open: bool = False
    account_id: str = ""
    name: str = ""
    lines: list[AsideLine] = []
    further: int = 0
    busy: str = ""
    """The event something is done with; ``all`` for all of them."""

    @action
    async def show(self, account_id: str) -> None:
        """Open the list of one account."""
        who = await self._who()
        row = await self._services().accounts.get(who, account_id)
        self.account_id, self.name = row.id, row.name
        await self._read(who)
        self.open = True

    @action
    async def set_open(self, value: bool) -> None:
        """Close the list; nothing changes."""
        self.open = bool(value) and bool(self.account_id)

    @action
    async def retry(self, event_id: str) -> AsyncIterator[Any]:
        """Try to store this one now."""
        async for event in self._do(event_id, self._services().set_aside.retry, "Stored"):
            yield event

    @action
    async def discard(self, event_id: str) -> AsyncIterator[Any]:
        """Remove this one for good."""
        async for event in self._do(event_id, self._services().set_aside.discard, "Discarded"):
            yield event

    @action
    async def retry_all(self) -> AsyncIterator[Any]:
        """Try to store all of them, in their order."""
        who = await self._who()
        self.busy = "all"
        yield
        try:
            done = await self._services().set_aside.retry_all(who, self.account_id)
            await self._read(who)
        finally:
            self.busy = ""
        if done.refused:
            yield toast_error(f"{done.refused:,} still cannot be stored", f"{done.stored:,} are stored now.")
        else:
            yield toast_ok(f"{done.stored:,} stored", self.name)

    async def _do(self, event_id: str, call: Any, done: str) -> AsyncIterator[Any]:
        who = await self._who()
        self.busy = event_id
        yield
        try:
            await call(who, self.account_id, event_id)
            toast = toast_ok(done, self.name)
        except AppError as error:
            toast = toast_error(error.message)
        finally:
            self.busy = ""
        await self._read(who)
        yield toast

    async def _read(self, who: Principal) -> None:
        page = await self._services().set_aside.page(who, self.account_id, limit=SHOWN)
        self.lines = [
            AsideLine(row.id, row.who or "Somebody unknown", row.what or row.kind, row.reason, iso(row.created_at), _tries(row.attempts))
            for row in page.rows
        ]
        self.further = page.total - len(page.rows)


def _tries(attempts: int) -> str:
    return f"tried {attempts} times" if attempts > 1 else ""
