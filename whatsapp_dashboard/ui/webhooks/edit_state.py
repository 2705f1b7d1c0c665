"""The dialog that creates or changes a webhook, and tries it before it is saved (HOOK-1, HOOK-7)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import reflex as rx

from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.domain.principal import Principal
from whatsapp_dashboard.errors import AppError, Invalid
from whatsapp_dashboard.ui.components import toast_ok
from whatsapp_dashboard.ui.messages.state import AccountChoice
from whatsapp_dashboard.ui.state import PageState, action
from whatsapp_dashboard.ui.webhooks.lines import ALL_ACCOUNTS, EventChoice, Pair, event_choice
from whatsapp_dashboard.ui.webhooks.secret_state import SecretState
from whatsapp_dashboard.ui.webhooks.state import WebhooksState
from whatsapp_dashboard.webhooks.moving import leads_elsewhere
from whatsapp_dashboard.webhooks.views import GENERATE, KEPT, TestResult, WebhookDraft

SECRETS = ("generate", "own", "none")
WISHES = ("test", "save", "allow")
_MOST_HEADERS = 20
_TO_ERROR = "setTimeout(() => document.querySelector('[role=dialog] [role=alert]')?.scrollIntoView({block: 'center'}), 50)"


class EditState(PageState):
    """The form's beginning values, what is wrong with its fields, and what the last test found."""

    open: bool = False
    webhook_id: str = ""
    edition: int = 0
    """Counts openings, so that each begins with fresh inputs."""
    url: str = ""
    name: str = ""
    account: str = ALL_ACCOUNTS
    accounts: list[AccountChoice] = []
    choices: list[EventChoice] = []
    chosen: list[str] = []
    headers: list[Pair] = []
    signing: str = "generate"
    moved: bool = False
    """Whether the typed URL leads to another server than the stored one, which the stored secrets were given for."""
    has_secret: bool = False
    """Whether there is a stored signing secret."""
    errors: dict[str, str] = {}
    private_host: str = ""
    """What an owner would have to allow before this URL can be used."""
    wish: str = "save"
    busy: str = ""
    """``test`` or ``save`` while it runs."""
    tested: bool = False
    test_ok: bool = False
    test_words: str = ""
    test_answer: str = ""
    _stored_url: str = ""
    _stored_headers: list[str] = []

    @action
    async def create(self) -> None:
        """Open the form for a new webhook."""
        await self._begin()
        self.webhook_id = self.url = self.name = self._stored_url = ""
        self.has_secret, self._stored_headers = False, []
        here = self._parameters().get("account", "")
        self.account = here if any(choice.id == here for choice in self.accounts) else ALL_ACCOUNTS
        self.chosen, self.headers = ["message"], []
        self.open = True

    @action
    async def edit(self, webhook_id: str) -> None:
        """Open the form with the values of now."""
        row = await self._services().webhooks.get(await self._who(), webhook_id)
        await self._begin()
        self.webhook_id, self.url, self.name = row.id, row.url, row.name
        self.account, self.chosen = row.account_id or ALL_ACCOUNTS, list(row.events)
        self.headers = [Pair(new_id(), name, KEPT) for name in row.header_names]
        self.has_secret, self._stored_url, self._stored_headers = row.has_secret, row.url, list(row.header_names)
        self.open = True

    @action
    async def type_url(self, text: str) -> None:
        """The URL was typed: when it leads to another server, stored secrets are asked for again."""
        self._look_where(text)

    def _look_where(self, url: str) -> None:
        moved = bool(self._stored_url) and leads_elsewhere(url, self._stored_url)
        if moved == self.moved:
            return
        self.moved = moved
        stored = {name.lower() for name in self._stored_headers}
        before, after = (KEPT, "") if moved else ("", KEPT)
        self.headers = [
            Pair(new_id(), pair.name, after) if pair.name.lower() in stored and pair.value == before else pair for pair in self.headers
        ]

    @action
    async def set_open(self, value: bool) -> None:
        """Close the form; nothing is kept."""
        self.open = bool(value) and bool(self.edition)

    @action
    async def choose_account(self, value: str) -> None:
        """One account, or all."""
        self.account = str(value)[:64]

    @action
    async def choose_secret(self, value: str | list[str]) -> None:
        """How deliveries are signed."""
        self.signing = value if isinstance(value, str) and value in SECRETS else "generate"

    @action
    async def flip(self, name: str, on: bool) -> None:
        """Choose an event, or not."""
        known = [choice.name for choice in self.choices]
        wanted = {*self.chosen, name} if on else {*self.chosen} - {name}
        self.chosen = [known_name for known_name in known if known_name in wanted]
        self._forget("events")

    @action
    async def add_header(self) -> None:
        """One more row."""
        if len(self.headers) < _MOST_HEADERS:
            self.headers = [*self.headers, Pair(new_id(), "", "")]

    @action
    async def drop_header(self, key: str) -> None:
        """Remove a row."""
        self.headers = [pair for pair in self.headers if pair.key != key]
        self._forget("headers")

    @action
    async def name_header(self, key: str, text: str) -> None:
        """The name of a header was typed."""
        self.headers = [Pair(pair.key, text[:200], pair.value) if pair.key == key else pair for pair in self.headers]

    @action
    async def fill_header(self, key: str, text: str) -> None:
        """The value of a header was typed."""
        self.headers = [Pair(pair.key, pair.name, text[:5_000]) if pair.key == key else pair for pair in self.headers]

    @action
    async def will(self, wish: str) -> None:
        """What the form is sent for: ``test``, ``save``, or ``allow`` (allow the private host, then save)."""
        self.wish = wish if wish in WISHES else "save"

    @action
    async def submit(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """Test or save what is in the form."""
        who, wish = await self._who(), self.wish
        self.errors, self.tested = {}, False
        self.busy = "test" if wish == "test" else "save"
        self._look_where(str(form.get("url", "")))
        yield
        try:
            if wish == "allow" and self.private_host:
                await self._services().network.allow(who, self.private_host)
            self.private_host = ""
            if wish == "test":
                self._show_result(await self._services().webhooks.test_draft(who, self._draft(form), webhook_id=self.webhook_id))
                return
            async for event in self._save(who, form):
                yield event
        except AppError as error:
            self.errors = {error.field or "form": error.message}
            self.private_host = error.facts.get("host", "") if error.code == "private_network" else ""
            yield rx.call_script(_TO_ERROR)
        finally:
            self.busy = ""

    async def _save(self, who: Principal, form: dict[str, Any]) -> AsyncIterator[Any]:
        draft, webhooks = self._draft(form), self._services().webhooks
        if self.webhook_id:
            changes = {
                "url": draft.url,
                "name": draft.name,
                "account_id": draft.account_id,
                "events": draft.events,
                "headers": draft.headers,
            }
            if self.moved and self.has_secret:
                changes["secret"] = draft.secret
            saved = await webhooks.change(who, self.webhook_id, changes)
            self.open = False
            yield toast_ok("Saved", saved.webhook.name or saved.webhook.url)
            if saved.secret and self.signing == "generate":
                yield SecretState.show(saved.secret)
        else:
            saved = await webhooks.create(who, draft)
            self.open = False
            yield toast_ok("Webhook created", saved.webhook.name or saved.webhook.url)
            if saved.secret and self.signing == "generate":
                yield SecretState.show(saved.secret)
        yield WebhooksState.follow

    def _draft(self, form: dict[str, Any]) -> WebhookDraft:
        own = str(form.get("secret", "")).strip()
        # What stands in the form: the last letters may have been typed a moment ago.
        self.headers = [
            Pair(
                pair.key,
                str(form.get(f"name-{pair.key}", pair.name))[:200],
                str(form.get(f"value-{pair.key}", pair.value))[:5_000],
            )
            for pair in self.headers
        ]
        names = [pair.name.strip().lower() for pair in self.headers if pair.name.strip()]
        if len(names) != len(set(names)):
            raise Invalid("Two headers have the same name.", field="headers")
        # Left empty, a stored value is still asked for by name.
        again = {name.lower() for name in self._stored_headers} if self.moved else set()
        values = {pair.name: KEPT if not pair.value.strip() and pair.name.strip().lower() in again else pair.value for pair in self.headers}
        secret = {"generate": GENERATE, "own": own or " ", "none": None}[self.signing]
        return WebhookDraft(
            url=str(form.get("url", "")),
            name=str(form.get("name", "")),
            account_id=None if self.account == ALL_ACCOUNTS else self.account,
            events=tuple(self.chosen),
            headers={name: value for name, value in values.items() if name.strip() or value.strip()},
            secret=secret,
        )

    async def _begin(self) -> None:
        services, who = self._services(), await self._who()
        self.accounts = [AccountChoice(row.id, row.name) for row in await services.accounts.list_accounts(who)]
        self.choices = [event_choice(event) for event in services.webhooks.event_types()]
        self.errors, self.private_host, self.busy, self.tested = {}, "", "", False
        self.signing, self.moved = "generate", False
        self.edition += 1

    def _show_result(self, result: TestResult) -> None:
        self.tested, self.test_ok = True, result.succeeded
        self.test_words = f"Answered {result.status} after {result.ms} ms." if result.succeeded else result.error
        self.test_answer = result.response_body

    def _forget(self, field: str) -> None:
        if field in self.errors:
            self.errors = {name: text for name, text in self.errors.items() if name != field}
