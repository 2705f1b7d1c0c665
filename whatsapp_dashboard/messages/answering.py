"""Who would answer the next message of a conversation: a bot, a person, or nobody (MSG-14, AI-8)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.domain.account_settings import AccountSettings
from whatsapp_dashboard.domain.ai_settings import AiSettings
from whatsapp_dashboard.domain.ids import ContactKind
from whatsapp_dashboard.domain.messages import MessageStatus, Origin
from whatsapp_dashboard.messages.takeover import bot_may_answer
from whatsapp_dashboard.models import Account, AiConfig, AiProvider, Contact, Conversation, Message


@dataclass(frozen=True, slots=True)
class Bots:
    """What answers by itself on an account. ``set_up`` is true outside of the answering hours too, ``by_ai`` and ``by_text`` only within
    them."""

    set_up: bool = False
    by_ai: bool = False
    by_text: bool = False
    text_every: timedelta = timedelta(0)
    """A conversation gets the fixed text at most once in this time."""
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
        rule = settings.auto_reply
        by_text = rule.enabled and bool(rule.text.strip())
        by_ai = ai is not None and ai.enabled and has_provider
        found[account_id] = Bots(
            set_up=by_text or by_ai,
            by_ai=by_ai and AiSettings.model_validate(ai.settings).hours.is_open(now),
            by_text=by_text and rule.is_due(now),
            text_every=timedelta(minutes=rule.every_minutes),
            in_groups=settings.answer_groups,
        )
    return found


async def read_fixed_texts(
    session: AsyncSession, bots: dict[str, Bots], conversations: Iterable[Conversation], now: datetime
) -> dict[str, datetime]:
    """Conversation id to when the fixed text was last said there, where that decides who answers."""
    asked = [one.id for one in conversations if (found := bots.get(one.account_id)) and found.by_text and not found.by_ai]
    if not asked:
        return {}
    longest = max(found.text_every for found in bots.values())
    statement = (
        select(col(Message.conversation_id), func.max(col(Message.at)))
        # The first conditions have an index of only automatic answers.
        .where(col(Message.conversation_id).in_(asked), col(Message.in_reply_to).is_not(None), col(Message.at) > now - longest)
        .where(col(Message.origin) == Origin.AUTO_REPLY.value)
        .where(col(Message.status) != MessageStatus.FAILED.value)
        .group_by(col(Message.conversation_id))
    )
    return {row[0]: row[1] for row in await session.execute(statement)}


def answers_next(conversation: Conversation, contact: Contact, bots: Bots, now: datetime, text_at: datetime | None = None) -> str:
    """``bot``, ``person`` (one has taken over, and the pause lasts) or ``nobody`` (only somebody who looks by himself); ``text_at`` is when
    the fixed text was last said."""
    if not bot_may_answer(conversation, now):
        return "person"
    fixed_text = bots.by_text and (text_at is None or text_at <= now - bots.text_every)
    return "bot" if bots.serve(contact) and (bots.by_ai or fixed_text) else "nobody"
