"""Who would answer the next message of a conversation: a bot, a person, or nobody (MSG-14, AI-8)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.domain.account_settings import AccountSettings
from whatsapp_dashboard.domain.ai_settings import AiSettings
from whatsapp_dashboard.domain.ids import ContactKind
from whatsapp_dashboard.messages.takeover import bot_may_answer
from whatsapp_dashboard.models import Account, AiConfig, AiProvider, Contact, Conversation


@dataclass(frozen=True, slots=True)
class Bots:
    """What answers by itself on an account. ``set_up`` is true outside of the answering hours too, ``awake`` only within them."""

    set_up: bool = False
    awake: bool = False
    in_groups: bool = False

    def serve(self, contact: Contact) -> bool:
        """Whether a bot is there for this contact at all."""
        if contact.opted_out or not self.set_up:
            return False
        return contact.kind == ContactKind.PERSON.value or (contact.kind == ContactKind.GROUP.value and self.in_groups)


async def read_bots(session: AsyncSession, account_ids: Collection[str], now: datetime) -> dict[str, Bots]:
    """The bots of these accounts."""
    if not account_ids:
        return {}
    provider = exists().where(col(AiProvider.account_id) == col(Account.id), col(AiProvider.enabled))
    statement = (
        select(col(Account.id), col(Account.settings), AiConfig, provider.label("has_provider"))
        .outerjoin(AiConfig, col(AiConfig.account_id) == col(Account.id))
        .where(col(Account.id).in_(account_ids))
    )
    found = {}
    for account_id, stored, ai, has_provider in await session.execute(statement):
        settings = AccountSettings.model_validate(stored)
        by_text = settings.auto_reply.enabled and bool(settings.auto_reply.text.strip())
        by_ai = ai is not None and ai.enabled and has_provider
        open_now = by_ai and AiSettings.model_validate(ai.settings).hours.is_open(now)
        found[account_id] = Bots(by_text or by_ai, by_text or open_now, settings.answer_groups)
    return found


def answers_next(conversation: Conversation, contact: Contact, bots: Bots, now: datetime) -> str:
    """``bot``, ``person`` (one has taken over, and the pause lasts) or ``nobody`` (only somebody who looks by himself)."""
    if not bot_may_answer(conversation, now):
        return "person"
    return "bot" if bots.awake and bots.serve(contact) else "nobody"
