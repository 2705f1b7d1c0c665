"""The dialog that adds or changes a provider: its models by themselves, and a test before anything is saved (AI-2, AI-9)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import reflex as rx

from whatsapp_dashboard.ai.views import KEPT, ProviderDraft
from whatsapp_dashboard.domain.principal import Principal
from whatsapp_dashboard.errors import AppError, Invalid
from whatsapp_dashboard.ui.chatbot.lines import Choice, KindLine, TestLine, chosen, kind_line, masked, model_choice, taken, test_line
from whatsapp_dashboard.ui.chatbot.providers_state import ProvidersState
from whatsapp_dashboard.ui.components import toast_ok
from whatsapp_dashboard.ui.state import PageState, action, aside

WISHES = ("models", "test", "save")
_TO_ERROR = "setTimeout(() => document.querySelector('[role=dialog] [role=alert]')?.scrollIntoView({block: 'nearest'}), 50)"
_NEW = {"label": "", "url": "", "model": "", "concurrency": "20", "images": "auto", "audio": "auto"}


class EditState(PageState):
    """The form's beginning values, what is wrong with its fields, and the models. A typed key is never kept here."""

    open: bool = False
    provider_id: str = ""
    kinds: list[KindLine] = []
    kind: KindLine = KindLine()
    """The chosen one; nameless while it is being chosen."""
    edition: int = 0
    """Counts how often the inputs were set anew."""
    values: dict[str, str] = _NEW
    stored_key: str = ""
    """``••••1234`` for a key that is there already."""
    moved: bool = False
    """Whether the typed URL is another one than the stored key was given for."""
    errors: dict[str, str] = {}
    private_host: str = ""
    """What an owner would have to allow before this URL can be used."""
    wish: str = ""
    """What was last tried: ``models``, ``test`` or ``save``."""
    busy: str = ""
    models: list[Choice] = []
    models_note: str = ""
    test: TestLine = TestLine()
    _enabled: bool = True
    _asked_with: int = 0
    """Fingerprint of what the provider was last asked for its models with, in memory only."""

    @action
    async def create(self) -> None:
        """Ask which kind of provider it shall be."""
        await self._begin("")
        self.kind, self.values, self.stored_key, self._enabled = KindLine(), dict(_NEW), "", True
        self.open = True

    @action
    async def choose_kind(self, name: str) -> Any:
        """Take a kind and show its form; an empty name goes back to the choice."""
        if self.provider_id:
            return None
        self.kind = next((kind for kind in self.kinds if kind.name == name), KindLine())
        self.values = {**_NEW, "model": self.kind.default_model}
        self._forget()
        self.edition += 1
        return None

    @action
    async def edit(self, provider_id: str) -> Any:
        """Open the form with the values of now, and ask the provider for its models."""
        who = await self._who()
        cards = await self.get_state(ProvidersState)
        view = await cards._view(who, provider_id)
        await self._begin(provider_id)
        self.kind = next((kind for kind in self.kinds if kind.name == view.kind), KindLine())
        self.values = {
            "label": view.label if view.label != view.kind_title else "", "url": view.url, "model": view.model,
            "concurrency": str(view.concurrency), "images": chosen(view.takes_images), "audio": chosen(view.takes_audio),
        }  # fmt: skip
        self.stored_key, self._enabled = masked(view.has_key, view.key_hint), view.enabled
        self.open = True
        return EditState.typed(self.values)

    @action
    async def set_open(self, value: bool) -> None:
        """Close the form; nothing is kept."""
        self.open = bool(value) and bool(self.edition)

    @aside
    async def typed(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """Key or URL were typed: fill the list of models as soon as there is enough to ask with, once."""
        with_what = hash((self.kind.name, str(form.get("url", "")), str(form.get("key", ""))))
        async with self:
            self._look_where(form)
            ready = self._can_ask(form) and with_what != self._asked_with
            if ready:
                self._asked_with = with_what
        if ready:
            async for event in self._try(form, "models"):
                yield event

    @aside
    async def load_models(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """Fill the list of models now; says what is missing."""
        if self.kind.name:
            async for event in self._try(form, "models"):
                yield event

    @aside
    async def try_draft(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """Ask the provider one question, before anything is saved."""
        async for event in self._try(form, "test"):
            yield event

    @aside
    async def submit(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """Save the provider."""
        async for event in self._try(form, "save"):
            yield event

    @aside
    async def allow(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """Let requests reach the private host (owners), then do what was kept from it."""
        host, wish = self.private_host, self.wish
        if not host or wish not in WISHES:
            return
        try:
            await self._services().network.allow(await self._who(), host)
        except AppError as error:
            async with self:
                self.errors = {error.field or "form": error.message}
            return
        async for event in self._try(form, wish):
            yield event

    async def _try(self, form: dict[str, Any], wish: str) -> AsyncIterator[Any]:
        """Do it without holding the page up; a result for a form that is closed or set anew by then is not shown."""
        who = await self._who()
        async with self:
            if self.busy in ("save", wish) or not self.open:
                return
            edition, self.busy, self.wish = self.edition, wish, wish
            self.errors, self.private_host = {}, ""
            self._look_where(form)
            if wish != "models":
                self.test = TestLine()
        errors: dict[str, str] = {}
        host = ""
        try:
            await {"models": self._load, "test": self._test, "save": self._save}[wish](who, form)
        except AppError as error:
            errors = {error.field or ("models" if wish == "models" else "form"): error.message}
            host = error.facts.get("host", "") if error.code == "private_network" else ""
        finally:
            async with self:
                if self.busy == wish:
                    self.busy = ""
                here = self.open and self.edition == edition
                if here and "models" in errors:
                    self.models_note = errors["models"]
                # What was begun later has the word.
                here = here and self.wish == wish
                if here:
                    self.errors, self.private_host = errors, host or self.private_host
        if errors and here:
            yield rx.call_script(_TO_ERROR)
        elif wish == "save":
            async with self:
                self.open = False
            yield toast_ok("Provider saved" if self.provider_id else "Provider added", str(form.get("label") or self.kind.title)[:80])

    async def _load(self, who: Principal, form: dict[str, Any]) -> None:
        found = await self._services().ai.models(who, await self._account(), self._draft(form), self.provider_id)
        async with self:
            self.models = [model_choice(model) for model in found][:500]
            self.models_note = f"{len(found):,} to choose from." if found else "The provider lists none; type the name."

    async def _test(self, who: Principal, form: dict[str, Any]) -> None:
        found = test_line(await self._services().ai_trying.test(who, await self._account(), self._draft(form), self.provider_id))
        async with self:
            self.test, self.private_host = found, found.host

    async def _save(self, who: Principal, form: dict[str, Any]) -> None:
        draft, account_id, services = self._draft(form), await self._account(), self._services()
        if self.provider_id:
            await services.ai.update_provider(who, account_id, self.provider_id, draft)
        else:
            await services.ai.add_provider(who, account_id, draft)
        view = await services.ai.get(who, account_id)
        async with self:
            (await self.get_state(ProvidersState))._take(view, services.clock.now())

    async def _account(self) -> str:
        async with self:
            return (await self.get_state(ProvidersState)).account_id

    def _draft(self, form: dict[str, Any]) -> ProviderDraft:
        key = str(form.get("key", "")).strip()
        if not key and self.stored_key and "remove_key" not in form:
            key = KEPT
        given = str(form.get("concurrency", self.values["concurrency"])).strip()
        if not given.isdigit():
            raise Invalid("Write a whole number.", field="concurrency")
        return ProviderDraft(
            kind=self.kind.name,
            model=str(form.get("model", "")),
            label=str(form.get("label", "")),
            url=str(form.get("url", "")),
            key=key,
            takes_images=taken(form.get("images")),
            takes_audio=taken(form.get("audio")),
            concurrency=int(given),
            enabled=self._enabled,
        )

    def _look_where(self, form: dict[str, Any]) -> None:
        self.moved = bool(self.stored_key) and str(form.get("url", self.values["url"])).strip() != self.values["url"]

    def _can_ask(self, form: dict[str, Any]) -> bool:
        """Whether the provider can be asked for its models with what is typed so far."""
        kind = self.kind
        has_key = bool(str(form.get("key", "")).strip() or (self.stored_key and not self.moved))
        has_url = bool(str(form.get("url", "")).strip())
        return self.open and kind.lists_models and (has_key or not kind.needs_key) and (has_url or not kind.url_needed)

    async def _begin(self, provider_id: str) -> None:
        self.kinds = [kind_line(kind) for kind in self._services().ai.kinds(await self._who())]
        self.provider_id, self.moved = provider_id, False
        self._forget()
        self.edition += 1

    def _forget(self) -> None:
        self.errors, self.private_host, self.busy, self.wish = {}, "", "", ""
        self.models, self.models_note, self.test, self._asked_with = [], "", TestLine(), 0
