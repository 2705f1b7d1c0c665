"""What operators do with webhooks: create, change, pause, test, delete (HOOK-1, HOOK-3, HOOK-8)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.core import url_secrets
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.crypto import SecretBox
from whatsapp_dashboard.core.db import Database, after_commit
from whatsapp_dashboard.core.outgoing import Outgoing
from whatsapp_dashboard.core.safe_http import check_url
from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.errors import Invalid, NotFound
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.models import Account, Erasure, Webhook
from whatsapp_dashboard.webhooks.bodies import BodyBuilder
from whatsapp_dashboard.webhooks.dispatcher import Dispatcher
from whatsapp_dashboard.webhooks.drafts import check_events, check_headers, check_name
from whatsapp_dashboard.webhooks.endpoints import Endpoint, open_endpoint, open_headers, place
from whatsapp_dashboard.webhooks.fanout import catch_up
from whatsapp_dashboard.webhooks.health import health_of
from whatsapp_dashboard.webhooks.moving import check_headers_move, check_secret_moves, is_elsewhere
from whatsapp_dashboard.webhooks.payloads import EVENT_MODELS
from whatsapp_dashboard.webhooks.releasing import Release, release
from whatsapp_dashboard.webhooks.rows import state_of, webhook_row
from whatsapp_dashboard.webhooks.settling import lock_held
from whatsapp_dashboard.webhooks.signing import check_secret, new_secret
from whatsapp_dashboard.webhooks.testing import Tester
from whatsapp_dashboard.webhooks.views import (
    GENERATE,
    KEPT,
    EventType,
    SavedWebhook,
    TestResult,
    WebhookDraft,
    WebhookRow,
    WebhookState,
)

MAX_WEBHOOKS = 200
MAX_OVERLAP_HOURS = 24 * 30
_CHANGEABLE = frozenset({"url", "name", "account_id", "events", "headers", "secret", "enabled"})


class WebhookService:
    """Webhooks of the asking operator's workspace. Viewers read, operators work. Every change of what a webhook gets first turns the
    events so far into deliveries, so that each event is judged by what was set when it happened."""

    def __init__(
        self, db: Database, clock: Clock, box: SecretBox, http: Outgoing, *, bodies: BodyBuilder, dispatcher: Dispatcher, tester: Tester
    ) -> None:
        self._db = db
        self._clock = clock
        self._box = box
        self._http = http
        self._bodies = bodies
        self._dispatcher = dispatcher
        self._tester = tester
        self.on_deleted: list[Callable[[], None]] = []  # who takes away the bodies that only a deleted webhook was to get

    # -- reading

    def event_types(self) -> list[EventType]:
        """What a webhook can subscribe to (HOOK-2)."""
        return [EventType(name, model.title, model.when, model.example) for name, model in EVENT_MODELS.items()]

    async def list(self, who: Principal, *, account_id: str = "") -> list[WebhookRow]:
        """All webhooks, oldest first; with ``account_id`` those that get its events."""
        who.require(Role.VIEWER)
        mine = select(Webhook, col(Account.name)).outerjoin(Account, col(Account.id) == col(Webhook.account_id))
        mine = mine.where(col(Webhook.workspace_id) == who.workspace_id)
        if account_id:
            mine = mine.where((col(Webhook.account_id) == account_id) | col(Webhook.account_id).is_(None))
        async with self._db.read() as session:
            if account_id:
                await _check_account(session, who, account_id)
            rows = (await session.execute(mine.order_by(col(Webhook.id)))).all()
            now = self._clock.now()
            health = await health_of(session, [webhook for webhook, _ in rows], now)
        return [webhook_row(webhook, name, health[webhook.id], now) for webhook, name in rows]

    async def get(self, who: Principal, webhook_id: str) -> WebhookRow:
        """One webhook. Raises :class:`NotFound`."""
        who.require(Role.VIEWER)
        async with self._db.read() as session:
            webhook = await _owned(session, who, webhook_id)
            account = await session.get(Account, webhook.account_id) if webhook.account_id else None
            now = self._clock.now()
            health = await health_of(session, [webhook], now)
        return webhook_row(webhook, account.name if account else None, health[webhook.id], now)

    async def counts(self, who: Principal) -> dict[str, tuple[int, int]]:
        """For each account how many webhooks get its events: the active ones, and all (ACC-7)."""
        who.require(Role.VIEWER)
        async with self._db.read() as session:
            accounts = list(await session.scalars(select(col(Account.id)).where(col(Account.workspace_id) == who.workspace_id)))
            webhooks = list(await session.scalars(select(Webhook).where(col(Webhook.workspace_id) == who.workspace_id)))
        found = {}
        for account_id in accounts:
            its = [webhook for webhook in webhooks if webhook.account_id in (None, account_id)]
            found[account_id] = (sum(state_of(webhook) is WebhookState.ACTIVE for webhook in its), len(its))
        return found

    # -- changing

    async def create(self, who: Principal, draft: WebhookDraft) -> SavedWebhook:
        """Save a new webhook; it gets what happens from now on. Raises :class:`Invalid` naming the field, Refused for a URL that
        leads to a private network."""
        who.require(Role.OPERATOR)
        events, name = check_events(draft.events), check_name(draft.name)
        headers = check_headers(draft.headers, {})
        secret = _secret(draft.secret)
        await self._http.of(who.workspace_id).examine(url := url_secrets.restored(draft.url, ""))
        webhook = Webhook(id=new_id(), workspace_id=who.workspace_id, account_id=draft.account_id, name=name, url="")
        url_secrets.keep(webhook, str(check_url(url)), self._box)
        webhook.events, webhook.enabled = events, draft.enabled
        self._seal_headers(webhook, headers)
        self._seal_secret(webhook, secret)
        webhook.created_at = webhook.updated_at = self._clock.now()
        async with self._db.write() as session:
            await catch_up(session, self._bodies, self._clock.now())
            if draft.account_id:
                await _check_account(session, who, draft.account_id)
            count = select(func.count()).select_from(Webhook).where(col(Webhook.workspace_id) == who.workspace_id)
            if (await session.scalar(count) or 0) >= MAX_WEBHOOKS:
                raise Invalid(f"There are at most {MAX_WEBHOOKS} webhooks. Delete one that is not needed any more.")
            session.add(webhook)
            _tell(session, who, "webhook.created", webhook)
        await self._dispatcher.reload()
        return SavedWebhook(await self.get(who, webhook.id), secret)

    async def update(self, who: Principal, webhook_id: str, changes: dict[str, Any]) -> WebhookRow:
        """As :meth:`change`, for those who need no new secret told."""
        return (await self.change(who, webhook_id, changes)).webhook

    async def change(self, who: Principal, webhook_id: str, changes: dict[str, Any]) -> SavedWebhook:
        """Change ``url``, ``name``, ``account_id``, ``events``, ``headers``, ``secret`` or ``enabled``; what is absent stays. Raises
        :class:`Invalid` naming the field; ``secret_needed`` when the URL leads to another server and a stored secret would go along."""
        who.require(Role.OPERATOR)
        unknown = changes.keys() - _CHANGEABLE
        if unknown:
            raise Invalid(f"A webhook has no “{min(unknown)}” to change.")
        async with self._db.read() as session:
            before = url_secrets.opened(await _owned(session, who, webhook_id), self._box)
        url = str(check_url(url_secrets.restored(changes["url"], before))) if "url" in changes else before
        fresh = _secret(changes["secret"]) if changes.get("secret", KEPT) != KEPT else None
        if url != before:  # one that is kept may well be unreachable at this moment
            await self._http.of(who.workspace_id).examine(url)
        async with self._db.write() as session:
            await catch_up(session, self._bodies, self._clock.now())
            webhook = await _owned(session, who, webhook_id, lock=True)
            stored = open_headers(webhook, self._box)
            if "url" in changes:
                if is_elsewhere(url, url_secrets.opened(webhook, self._box)):
                    check_headers_move(changes.get("headers"), stored)
                    check_secret_moves(changes, has_secret=webhook.secret is not None)
                    webhook.previous_secret = webhook.previous_secret_until = None
                url_secrets.keep(webhook, url, self._box)
            if "name" in changes:
                webhook.name = check_name(changes["name"] or "")
            if "account_id" in changes:
                if changes["account_id"]:
                    await _check_account(session, who, changes["account_id"])
                webhook.account_id = changes["account_id"] or None
            if "events" in changes:
                webhook.events = check_events(changes["events"])
            if "headers" in changes:
                self._seal_headers(webhook, check_headers(changes["headers"], stored))
            if changes.get("secret", KEPT) != KEPT:
                self._seal_secret(webhook, fresh)
            if "enabled" in changes:
                webhook.enabled = bool(changes["enabled"])
            self._changed(session, who, webhook, "webhook.updated")
        await self._dispatcher.reload()
        return SavedWebhook(await self.get(who, webhook_id), fresh)

    async def toggle(self, who: Principal, webhook_id: str, enabled: bool | None = None) -> WebhookRow:
        """Switch on or off; None changes to the other. Off: no new events are queued, and what is queued waits."""
        now_on = (await self.get(who, webhook_id)).enabled
        return await self.update(who, webhook_id, {"enabled": not now_on if enabled is None else enabled})

    async def pause(self, who: Principal, webhook_id: str) -> WebhookRow:
        """Hold deliveries back; events queue up (HOOK-8)."""
        return await self._hold(who, webhook_id, paused=True)

    async def resume(self, who: Principal, webhook_id: str) -> WebhookRow:
        """Let deliveries out again; also those the breaker holds back."""
        return await self._hold(who, webhook_id, paused=False)

    async def delete(self, who: Principal, webhook_id: str) -> None:
        """Remove the webhook with its deliveries."""
        who.require(Role.OPERATOR)
        async with self._db.write() as session:
            await lock_held(session, webhook_id)
            webhook = await _owned(session, who, webhook_id, lock=True)
            _tell(session, who, "webhook.deleted", webhook)
            await session.execute(delete(Webhook).where(col(Webhook.id) == webhook_id))
            session.add(Erasure(kind="webhook", subject_id=webhook_id, created_at=self._clock.now()))
            for told in self.on_deleted:
                after_commit(session, f"deleted {webhook_id}", told)
        await self._dispatcher.reload()

    async def rotate_secret(self, who: Principal, webhook_id: str, *, overlap_hours: float = 24, secret: str | None = None) -> SavedWebhook:
        """Set a new secret, a generated one without ``secret``; the old one signs as well for ``overlap_hours``."""
        who.require(Role.OPERATOR)
        if not 0 <= overlap_hours <= MAX_OVERLAP_HOURS:
            raise Invalid(f"The overlap takes 0 to {MAX_OVERLAP_HOURS} hours.", field="overlap_hours")
        fresh = check_secret(secret) if secret else new_secret()
        async with self._db.write() as session:
            webhook = await _owned(session, who, webhook_id, lock=True)
            before = open_endpoint(webhook, self._box).secret
            self._seal_secret(webhook, fresh)
            if before and overlap_hours:
                webhook.previous_secret = self._box.seal(before.encode(), place(webhook_id, "previous_secret"))
                webhook.previous_secret_until = self._clock.now() + timedelta(hours=overlap_hours)
            self._changed(session, who, webhook, "webhook.updated")
        await self._dispatcher.reload()
        return SavedWebhook(await self.get(who, webhook_id), fresh)

    async def remove_secret(self, who: Principal, webhook_id: str) -> WebhookRow:
        """Sign no more."""
        who.require(Role.OPERATOR)
        async with self._db.write() as session:
            webhook = await _owned(session, who, webhook_id, lock=True)
            self._seal_secret(webhook, None)
            self._changed(session, who, webhook, "webhook.updated")
        await self._dispatcher.reload()
        return await self.get(who, webhook_id)

    # -- trying

    async def test(self, who: Principal, webhook_id: str) -> TestResult:
        """Send a test event once, now, whatever the webhook's state; it is in the delivery log."""
        who.require(Role.OPERATOR)
        async with self._db.read() as session:
            webhook = await _owned(session, who, webhook_id)
        return await self._tester.send(who, webhook, open_endpoint(webhook, self._box))

    async def test_draft(self, who: Principal, draft: WebhookDraft, *, webhook_id: str = "") -> TestResult:
        """Send a test event to what is not saved yet; nothing is stored. With ``webhook_id`` its secret and kept headers are used, on the
        same server. Raises :class:`Invalid` as :meth:`change` does."""
        who.require(Role.OPERATOR)
        stored: dict[str, str] = {}
        own = None if draft.secret in (GENERATE, KEPT) else _secret(draft.secret)
        if webhook_id:
            async with self._db.read() as session:
                webhook = await _owned(session, who, webhook_id)
            before, stored = open_endpoint(webhook, self._box), open_headers(webhook, self._box)
            url = str(check_url(url_secrets.restored(draft.url, before.url)))
            if is_elsewhere(url, before.url):
                check_headers_move(draft.headers, stored)
            else:
                own = before.secret
        else:
            url = str(check_url(url_secrets.restored(draft.url, "")))
        headers = check_headers(draft.headers, stored)
        await self._http.of(who.workspace_id).examine(url)
        endpoint = Endpoint(webhook_id or "draft", who.workspace_id, url, tuple(headers.items()), own)
        return await self._tester.try_out(who, endpoint)

    # -- inside

    async def _hold(self, who: Principal, webhook_id: str, *, paused: bool) -> WebhookRow:
        who.require(Role.OPERATOR)
        async with self._db.write() as session:
            webhook = await _owned(session, who, webhook_id, lock=True)
            webhook.paused_at = self._clock.now() if paused else None
            if not paused:
                await release(session, webhook_id, Release(since=webhook.last_success_at))
                webhook.failures = webhook.probes = 0
                webhook.failing_since = webhook.next_probe_at = webhook.quiet_until = None
            self._changed(session, who, webhook, "webhook.paused" if paused else "webhook.resumed")
        await self._dispatcher.reload(reset="" if paused else webhook_id)
        return await self.get(who, webhook_id)

    def _changed(self, session: AsyncSession, who: Principal, webhook: Webhook, event: str) -> None:
        webhook.updated_at = max(self._clock.now(), webhook.updated_at + timedelta(microseconds=1))
        _tell(session, who, event, webhook)

    def _seal_headers(self, webhook: Webhook, headers: dict[str, str]) -> None:
        webhook.header_names = list(headers)
        webhook.headers = self._box.seal(json.dumps(headers).encode(), place(webhook.id, "headers")) if headers else None

    def _seal_secret(self, webhook: Webhook, secret: str | None) -> None:
        webhook.secret = self._box.seal(secret.encode(), place(webhook.id, "secret")) if secret else None
        webhook.secret_hint = secret[-4:] if secret else ""
        webhook.previous_secret = webhook.previous_secret_until = None


def _secret(given: str | None) -> str | None:
    return (new_secret() if given == GENERATE else check_secret(given)) if given else None


def _tell(session: AsyncSession, who: Principal, type: str, webhook: Webhook) -> None:
    data = {"webhook_id": webhook.id, "name": webhook.name or webhook.url, "by": who.username}
    record(session, type, workspace_id=who.workspace_id, account_id=webhook.account_id, data=data)


async def _owned(session: AsyncSession, who: Principal, webhook_id: str, *, lock: bool = False) -> Webhook:
    statement = select(Webhook).where(col(Webhook.id) == webhook_id, col(Webhook.workspace_id) == who.workspace_id)
    webhook = await session.scalar(statement.with_for_update() if lock else statement)
    if webhook is None:
        raise NotFound("There is no such webhook.", code="webhook_not_found")
    return webhook


async def _check_account(session: AsyncSession, who: Principal, account_id: str) -> None:
    account = await session.get(Account, account_id)
    if account is None or account.workspace_id != who.workspace_id:
        raise NotFound("There is no such account.", code="account_not_found", field="account_id")
