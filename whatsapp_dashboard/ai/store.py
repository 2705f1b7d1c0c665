"""Reads what is stored about the AI of an account: settings, and its providers with their keys opened."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.ai.failover import Target
from whatsapp_dashboard.ai.providers.base import ProviderKind
from whatsapp_dashboard.ai.providers.registry import Providers
from whatsapp_dashboard.core.crypto import SecretBox
from whatsapp_dashboard.domain.ai_settings import AiSettings
from whatsapp_dashboard.domain.principal import Principal
from whatsapp_dashboard.errors import NotFound
from whatsapp_dashboard.models import Account, AiConfig, AiProvider


@dataclass(frozen=True, slots=True)
class Setup:
    """How an account answers, with the providers it may ask, in order."""

    account: Account
    settings: AiSettings
    targets: tuple[Target, ...]


async def owned_account(session: AsyncSession, who: Principal, account_id: str, *, lock: bool = False) -> Account:
    """An account of the asking operator's workspace. Raises :class:`NotFound`."""
    account = await session.get(Account, account_id, with_for_update=lock or None)
    if account is None or account.workspace_id != who.workspace_id:
        raise NotFound("There is no such account.", code="account_not_found")
    return account


def settings_of(config: AiConfig | None) -> AiSettings:
    """The stored settings, or the defaults."""
    return AiSettings.model_validate(config.settings if config else {})


async def providers_of(session: AsyncSession, account_id: str) -> list[AiProvider]:
    """The providers of an account, in the order in which they are asked."""
    mine = select(AiProvider).where(col(AiProvider.account_id) == account_id)
    return list(await session.scalars(mine.order_by(col(AiProvider.position), col(AiProvider.id))))


async def read_setup(session: AsyncSession, box: SecretBox, providers: Providers, account: Account, config: AiConfig | None) -> Setup:
    """Everything an answer of this account needs."""
    rows = await providers_of(session, account.id)
    targets = tuple(target_of(row, account, providers.kind(row.kind), open_key(box, row)) for row in rows if row.enabled)
    return Setup(account, settings_of(config), targets)


def target_of(row: AiProvider, account: Account, kind: ProviderKind, key: str) -> Target:
    """A stored provider, ready to be asked."""
    return Target(
        id=row.id,
        workspace_id=account.workspace_id,
        kind=row.kind,
        label=row.label or kind.title,
        model=row.model,
        url=row.url,
        key=key,
        concurrency=row.concurrency,
        images=kind.takes_images(row.model) if row.takes_images is None else row.takes_images,
        audio=kind.takes_audio(row.model) if row.takes_audio is None else row.takes_audio,
    )


def place(provider_id: str) -> str:
    """Where a key belongs (SEC-7)."""
    return f"ai_provider/api_key/{provider_id}"


def open_key(box: SecretBox, row: AiProvider) -> str:
    """The stored key, or an empty text."""
    return box.open(row.api_key, place(row.id)).decode() if row.api_key else ""
