"""Conversations that a bot gave to people and nobody has taken up (AI-8, OBS-1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.models import Contact, Conversation

MOST = 50


@dataclass(frozen=True, slots=True)
class HandedOver:
    """One of them. ``since``: when its last message came or went."""

    conversation_id: str
    account_name: str
    contact_name: str
    contact_phone: str
    reason: str
    since: datetime


async def handed_over(session: AsyncSession, names: Mapping[str, str]) -> tuple[HandedOver, ...]:
    """Up to :data:`MOST` of the accounts ``names`` (id to name), the newest first."""
    statement = (
        select(Conversation, Contact)
        .join(Contact, col(Contact.id) == col(Conversation.contact_id))
        # The first condition has an index of only these conversations.
        .where(col(Conversation.handover_reason) != "", col(Conversation.account_id).in_(names), col(Conversation.status) == "active")
        .order_by(col(Conversation.last_message_at).desc(), col(Conversation.id).desc())
        .limit(MOST)
    )
    return tuple(
        HandedOver(
            conversation_id=conversation.id,
            account_name=names[conversation.account_id],
            contact_name=contact.name or contact.push_name,
            contact_phone=contact.phone or "",
            reason=conversation.handover_reason,
            since=conversation.last_message_at,
        )
        for conversation, contact in await session.execute(statement)
    )
