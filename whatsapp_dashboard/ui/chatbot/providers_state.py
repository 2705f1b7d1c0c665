"""The providers of the account: their order, their state, and one click to test each (AI-2, AI-3)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from whatsapp_dashboard.ai.views import KEPT, AiConfigView, ProviderDraft, ProviderView
from whatsapp_dashboard.domain.principal import Principal
from whatsapp_dashboard.errors import AppError, NotFound
from whatsapp_dashboard.ui.chatbot.lines import ProviderLine, TestLine, provider_lines, test_line
from whatsapp_dashboard.ui.components import toast_ok
from whatsapp_dashboard.ui.state import PageState, action, aside


class ProvidersState(PageState):
    """The cards, and the question before one is deleted."""

    account_id: str = ""
    lines: list[ProviderLine] = []
    said: str = ""
    """The last move, for screen readers."""
    asking: bool = False
    provider_id: str = ""
    title: str = ""
    text: str = ""
    busy: bool = False

    def _clear(self) -> None:
        self.account_id, self.lines, self.asking, self.said = "", [], False, ""

    def _take(self, view: AiConfigView, now: datetime) -> None:
        lines = provider_lines(view, now, self.lines)
        self.account_id = view.account_id
        if lines != self.lines:
            self.lines = lines

    async def _read(self, who: Principal) -> None:
        services = self._services()
        self._take(await services.ai.get(who, self.account_id), services.clock.now())

    @action
    async def move(self, provider_id: str, by: int) -> None:
        """Ask a provider one place earlier or later."""
        ids = [line.id for line in self.lines]
        if provider_id not in ids:
            return
        at = ids.index(provider_id)
        to = min(max(at + (1 if by > 0 else -1), 0), len(ids) - 1)
        ids.insert(to, ids.pop(at))
        await self._order(ids, provider_id)

    @action
    async def drop(self, provider_id: str, to: int) -> None:
        """Put a provider at a place of the list, the first is 0."""
        ids = [line.id for line in self.lines]
        if provider_id not in ids:
            return
        ids.remove(provider_id)
        ids.insert(min(max(int(to), 0), len(ids)), provider_id)
        await self._order(ids, provider_id)

    async def _order(self, ids: list[str], moved: str) -> None:
        who = await self._who()
        by_id = {line.id: line for line in self.lines}
        last = len(ids) - 1
        self.lines = [replace(by_id[ident], first=at == 0, last=at == last) for at, ident in enumerate(ids)]
        try:
            await self._services().ai.order_providers(who, self.account_id, ids)
        except AppError:
            await self._read(who)
            raise
        self.said = f"{by_id[moved].title} is now number {ids.index(moved) + 1} of {len(ids)}"

    @action
    async def switch(self, provider_id: str, on: bool) -> Any:
        """Ask a provider, or leave it out."""
        who = await self._who()
        view = await self._view(who, provider_id)
        await self._services().ai.update_provider(who, self.account_id, provider_id, replace(draft_of(view), enabled=bool(on)))
        await self._read(who)
        return toast_ok("Switched on" if on else "Switched off", view.label)

    @action
    async def ask_delete(self, provider_id: str) -> None:
        """Ask before deleting, and say what goes with it."""
        view = await self._view(await self._who(), provider_id)
        self.provider_id, self.title = view.id, f"Delete “{view.label[:60]}”?"
        self.text = "Its key is deleted too and has to be entered again. " if view.has_key else ""
        usable = [line for line in self.lines if line.enabled]
        only = [line.id for line in usable] == [provider_id]
        self.text += "It is the only provider in use: without it nobody answers." if only else "The log of its calls stays."
        self.asking = True

    @action
    async def set_asking(self, value: bool) -> None:
        """Close the question; nothing changes."""
        self.asking = bool(value) and bool(self.provider_id)

    @action
    async def delete(self) -> AsyncIterator[Any]:
        """Delete the provider that was asked about."""
        who = await self._who()
        self.busy = True
        yield
        try:
            await self._services().ai.delete_provider(who, self.account_id, self.provider_id)
        finally:
            self.busy = False
        self.asking = False
        await self._read(who)
        yield toast_ok("Provider deleted")

    @aside
    async def test(self, provider_id: str) -> None:
        """Ask one provider one question and show what came back beside it."""
        who = await self._who()
        account_id = self.account_id
        view = await self._view(who, provider_id)
        await self._mark(provider_id, TestLine("busy"))
        try:
            found = test_line(await self._services().ai_trying.test(who, account_id, draft_of(view), provider_id))
        except AppError as error:
            found = TestLine("bad", error.message)
        except Exception:
            await self._mark(provider_id, TestLine())
            raise
        await self._mark(provider_id, found)
        async with self:
            if self.account_id == account_id:
                await self._read(who)  # an answer ends its rest

    @action
    async def allow(self, provider_id: str) -> Any:
        """Let requests reach the private host a test was kept from, then test again (owners)."""
        line = next((line for line in self.lines if line.id == provider_id), None)
        if line is None or not line.test.host:
            return None
        await self._services().network.allow(await self._who(), line.test.host)
        return [toast_ok("Allowed", line.test.host), ProvidersState.test(provider_id)]

    async def _mark(self, provider_id: str, test: TestLine) -> None:
        async with self:
            self.lines = [replace(line, test=test) if line.id == provider_id else line for line in self.lines]

    async def _view(self, who: Principal, provider_id: str) -> ProviderView:
        view = await self._services().ai.get(who, self.account_id)
        found = next((provider for provider in view.providers if provider.id == provider_id), None)
        if found is None:
            raise NotFound("This provider was deleted meanwhile.", code="provider_not_found")
        return found


def draft_of(view: ProviderView) -> ProviderDraft:
    """The stored provider as a change that changes nothing; its key stays where it is (AI-9)."""
    return ProviderDraft(
        kind=view.kind,
        model=view.model,
        label=view.label if view.label != view.kind_title else "",
        url=view.url,
        key=KEPT if view.has_key else "",
        takes_images=view.takes_images,
        takes_audio=view.takes_audio,
        concurrency=view.concurrency,
        enabled=view.enabled,
    )
