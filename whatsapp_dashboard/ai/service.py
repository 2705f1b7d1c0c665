"""What operators do with the AI of an account: settings, and its providers in their order (AI-1, AI-2, AI-9)."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.ai.breaker import Breakers
from whatsapp_dashboard.ai.budget import today_of
from whatsapp_dashboard.ai.drafts import check_draft, connection_of
from whatsapp_dashboard.ai.providers.base import ProviderError, without_key
from whatsapp_dashboard.ai.providers.registry import Providers
from whatsapp_dashboard.ai.store import owned_account, place, providers_of, settings_of
from whatsapp_dashboard.ai.views import KEPT, AiConfigView, KindView, ModelView, ProviderDraft, ProviderView
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.crypto import SecretBox
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.outgoing import Outgoing
from whatsapp_dashboard.domain.ai_settings import AiSettings
from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.domain.nulls import without_nulls
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.errors import Conflict, Invalid, NotFound, Unavailable
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.models import Account, AiConfig, AiProvider

MAX_PROVIDERS = 20
LIST_SECONDS = 15.0
"""How long a provider may take to list its models."""


class AiService:
    """The AI of accounts of the asking operator's workspace. Viewers read, operators work."""

    def __init__(self, db: Database, clock: Clock, box: SecretBox, http: Outgoing, *, providers: Providers, breakers: Breakers) -> None:
        self._db = db
        self._clock = clock
        self._box = box
        self._http = http
        self._providers = providers
        self._breakers = breakers

    # -- reading

    def kinds(self, who: Principal) -> list[KindView]:
        """The kinds of provider there are."""
        who.require(Role.VIEWER)
        return [KindView(**{name: getattr(kind, name) for name in KindView.__dataclass_fields__}) for kind in self._providers.kinds()]

    async def get(self, who: Principal, account_id: str) -> AiConfigView:
        """How an account answers. Raises :class:`NotFound`."""
        who.require(Role.VIEWER)
        now = self._clock.now()
        async with self._db.read() as session:
            account = await owned_account(session, who, account_id)
            config = await session.get(AiConfig, account_id)
            settings = settings_of(config)
            providers = await providers_of(session, account_id)
            today = await today_of(session, account_id, settings, now)
        return AiConfigView(
            account_id=account_id,
            account_name=account.name,
            enabled=bool(config and config.enabled),
            settings=settings,
            providers=tuple(self._view(row) for row in providers),
            today=today,
            open_now=settings.hours.is_open(now),
        )

    async def counts(self, who: Principal) -> dict[str, bool]:
        """For each account whether its AI is on (ACC-7)."""
        who.require(Role.VIEWER)
        mine = select(col(Account.id), col(AiConfig.enabled)).outerjoin(AiConfig, col(AiConfig.account_id) == col(Account.id))
        async with self._db.read() as session:
            rows = await session.execute(mine.where(col(Account.workspace_id) == who.workspace_id))
            return {account_id: bool(enabled) for account_id, enabled in rows}

    async def models(self, who: Principal, account_id: str, draft: ProviderDraft, provider_id: str = "") -> list[ModelView]:
        """The models a provider offers, asked now. Raises :class:`Invalid` when it refuses, :class:`Unavailable` when
        it does not answer."""
        who.require(Role.OPERATOR)
        connection = await connection_of(self._db, self._box, self._providers, who, account_id, draft=draft, provider_id=provider_id)
        try:
            found = await self._providers.models(connection, LIST_SECONDS)
        except ProviderError as error:
            if error.kind in ("auth", "invalid"):
                raise Invalid(error.message, code=f"provider_{error.kind}", field="key" if error.kind == "auth" else None) from None
            if error.kind == "blocked_address":
                await self._http.of(who.workspace_id).examine(draft.url)  # says why, and what an owner can allow
            raise Unavailable(error.message, code="provider_failed") from None
        key = connection.key
        return [ModelView(without_key(each.id, key), without_key(each.name, key), each.takes_images, each.takes_audio) for each in found]

    async def lacks_providers(self) -> bool:
        """Whether an account has AI on and nobody to ask: for the health route (OBS-5)."""
        asked = select(col(AiProvider.account_id)).where(col(AiProvider.enabled))
        lonely = select(col(AiConfig.account_id)).where(col(AiConfig.enabled), col(AiConfig.account_id).not_in(asked))
        async with self._db.read() as session:
            return await session.scalar(lonely.limit(1)) is not None

    # -- changing

    async def save(
        self, who: Principal, account_id: str, *, enabled: bool | None = None, settings: dict[str, Any] | None = None
    ) -> AiConfigView:
        """Switch the AI, change settings; what is absent stays. Raises :class:`Invalid` naming the field, :class:`Conflict` when it
        is to be switched on without a provider."""
        who.require(Role.OPERATOR)
        async with self._db.write() as session:
            account = await owned_account(session, who, account_id, lock=True)
            config = await session.get(AiConfig, account_id)
            if config is None:
                config = AiConfig(account_id=account_id)
                session.add(config)
            if settings is not None:
                config.settings = _merged(settings_of(config), settings).model_dump(mode="json")
            if enabled is not None:
                if enabled and not any(row.enabled for row in await providers_of(session, account_id)):
                    raise Conflict("Add a provider first: there is nobody to ask.", code="no_provider")
                config.enabled = enabled
            config.updated_at = self._clock.now()
            data = {"enabled": config.enabled} | ({"changed": sorted(settings)} if settings else {})
            self._tell(session, who, account, data)
        return await self.get(who, account_id)

    async def reset(self, who: Principal, account_id: str) -> None:
        """Delete everything about the AI of an account, the keys too."""
        who.require(Role.OPERATOR)
        async with self._db.write() as session:
            account = await owned_account(session, who, account_id, lock=True)
            ids = [row.id for row in await providers_of(session, account_id)]
            await session.execute(delete(AiProvider).where(col(AiProvider.account_id) == account_id))
            await session.execute(delete(AiConfig).where(col(AiConfig.account_id) == account_id))
            self._tell(session, who, account, {"enabled": False, "changed": ["deleted"]})
        for provider_id in ids:
            self._breakers.forget(provider_id)

    async def add_provider(self, who: Principal, account_id: str, draft: ProviderDraft) -> ProviderView:
        """Add a provider, to be asked last. Raises :class:`Invalid` naming the field, Refused for a URL on a private network."""
        who.require(Role.OPERATOR)
        draft = check_draft(self._providers, draft)
        async with self._db.read() as session:
            await owned_account(session, who, account_id)
        if draft.url:
            await self._http.of(who.workspace_id).examine(draft.url)
        now = self._clock.now()
        row = AiProvider(id=new_id(), account_id=account_id, position=0, kind=draft.kind, model=draft.model, created_at=now)
        async with self._db.write() as session:
            account = await owned_account(session, who, account_id, lock=True)
            count, last = (
                await session.execute(
                    select(func.count(), func.max(col(AiProvider.position))).where(col(AiProvider.account_id) == account_id)
                )
            ).one()
            if count >= MAX_PROVIDERS:
                raise Invalid(f"An account has at most {MAX_PROVIDERS} providers. Delete one that is not needed any more.")
            row.position = (last or 0) + 1
            self._apply(row, draft, "")
            session.add(row)
            self._tell(session, who, account, {"changed": ["providers"], "provider": row.kind})
        return self._view(row)

    async def update_provider(self, who: Principal, account_id: str, provider_id: str, draft: ProviderDraft) -> ProviderView:
        """Change a provider; a key of ``KEPT`` keeps the stored one."""
        who.require(Role.OPERATOR)
        draft = check_draft(self._providers, draft)
        async with self._db.read() as session:
            before = (await self._owned(session, who, account_id, provider_id)).url
        if draft.url and draft.url != before:
            await self._http.of(who.workspace_id).examine(draft.url)
        async with self._db.write() as session:
            account = await owned_account(session, who, account_id, lock=True)
            row = await self._owned(session, who, account_id, provider_id)
            stored = row.api_key or ""
            if draft.key == KEPT and stored and (draft.kind != row.kind or draft.url != row.url):
                # Whoever could send a stored key to an address of their own could read it.
                raise Invalid("Enter the key again: it was given for another address.", code="key_needed", field="key")
            self._apply(row, draft, stored)
            self._tell(session, who, account, {"changed": ["providers"], "provider": row.kind})
        self._breakers.forget(provider_id)
        return self._view(row)

    async def set_providers(self, who: Principal, account_id: str, wanted: list[tuple[str, ProviderDraft]]) -> None:
        """Have exactly these providers, in this order: each with the id of a stored one, or an empty text for a new one."""
        who.require(Role.OPERATOR)
        if len(wanted) > MAX_PROVIDERS:
            raise Invalid(f"An account has at most {MAX_PROVIDERS} providers.", field="providers")
        async with self._db.read() as session:
            await owned_account(session, who, account_id)
            stored = {row.id: row for row in await providers_of(session, account_id)}
        kept = [provider_id for provider_id, _ in wanted if provider_id]
        if len(set(kept)) < len(kept) or not set(kept) <= stored.keys():
            raise NotFound("One of these providers is not there, or is there twice.", code="provider_not_found")
        for provider_id in stored.keys() - set(kept):
            await self.delete_provider(who, account_id, provider_id)
        order = []
        for provider_id, draft in wanted:
            if provider_id:
                order.append((await self.update_provider(who, account_id, provider_id, draft)).id)
            else:
                order.append((await self.add_provider(who, account_id, draft)).id)
        await self.order_providers(who, account_id, order)

    async def delete_provider(self, who: Principal, account_id: str, provider_id: str) -> None:
        """Delete a provider and its key."""
        who.require(Role.OPERATOR)
        async with self._db.write() as session:
            account = await owned_account(session, who, account_id, lock=True)
            row = await self._owned(session, who, account_id, provider_id)
            await session.delete(row)
            self._tell(session, who, account, {"changed": ["providers"], "provider": row.kind})
        self._breakers.forget(provider_id)

    async def order_providers(self, who: Principal, account_id: str, provider_ids: list[str]) -> None:
        """Ask them in this order. Raises :class:`Conflict` when these are not all of the account's."""
        who.require(Role.OPERATOR)
        async with self._db.write() as session:
            account = await owned_account(session, who, account_id, lock=True)
            rows = {row.id: row for row in await providers_of(session, account_id)}
            if sorted(rows) != sorted(provider_ids):
                raise Conflict("The providers were changed meanwhile; look at the list again.", code="providers_changed")
            for position, provider_id in enumerate(provider_ids, 1):
                rows[provider_id].position = position
            self._tell(session, who, account, {"changed": ["providers"]})

    # -- parts

    async def _owned(self, session: AsyncSession, who: Principal, account_id: str, provider_id: str) -> AiProvider:
        await owned_account(session, who, account_id)
        row = await session.get(AiProvider, provider_id)
        if row is None or row.account_id != account_id:
            raise NotFound("There is no such provider.", code="provider_not_found")
        return row

    def _apply(self, row: AiProvider, draft: ProviderDraft, stored: str) -> None:
        for name in ("kind", "label", "model", "url", "takes_images", "takes_audio", "concurrency", "enabled"):
            setattr(row, name, getattr(draft, name))
        if draft.key != KEPT:
            row.api_key = self._box.seal(draft.key.encode(), place(row.id)) if draft.key else None
            row.key_hint = draft.key[-4:] if len(draft.key) >= 12 else ""
        elif not stored:
            raise Invalid("There is no stored key; enter one.", code="key_needed", field="key")
        row.updated_at = self._clock.now()

    def _view(self, row: AiProvider) -> ProviderView:
        health = self._breakers.health(row.id)
        kind = self._providers.kind(row.kind)
        return ProviderView(
            id=row.id,
            kind=row.kind,
            kind_title=kind.title,
            label=row.label or kind.title,
            model=row.model,
            url=row.url,
            has_key=row.api_key is not None,
            key_hint=row.key_hint,
            takes_images=row.takes_images,
            takes_audio=row.takes_audio,
            concurrency=row.concurrency,
            enabled=row.enabled,
            resting_until=health.resting_until if health.resting_until and health.resting_until > self._clock.now() else None,
            last_error=health.last_error,
            last_ok_at=health.last_ok_at,
        )

    def _tell(self, session: AsyncSession, who: Principal, account: Account, data: dict[str, Any]) -> None:
        record(session, "ai.config", workspace_id=who.workspace_id, account_id=account.id, data=data | {"by": who.username})


def _merged(old: AiSettings, changes: dict[str, Any]) -> AiSettings:
    unknown = changes.keys() - AiSettings.model_fields.keys()
    if unknown:
        raise Invalid(f"The AI has no setting “{min(unknown)[:64]}”.", field=min(unknown)[:64])
    try:
        return AiSettings.model_validate(old.model_dump(mode="json") | without_nulls(AiSettings, changes))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "longest_wait_seconds"
        raise Invalid(f"{name}: {first['msg'].removeprefix('Value error, ')}.", code="bad_setting", field=name) from None
