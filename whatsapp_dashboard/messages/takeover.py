"""When bots are silent because a person has taken over, and when they may speak again (AI-8). The one place with these rules."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.domain.account_settings import AccountSettings
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.messages.waiting import settle
from whatsapp_dashboard.models import Account, Conversation


class Answered(Protocol):
    """Whatever carries these columns: a table row or an entry in memory."""

    answered_by: str
    bot_paused_until: datetime | None
    handover_reason: str
    bot_since: datetime | None


def bot_may_answer(conversation: Answered, now: datetime) -> bool:
    """Whether nobody has taken over, or the pause is over."""
    if conversation.answered_by != "human":
        return True
    return conversation.bot_paused_until is not None and conversation.bot_paused_until <= now


def take_over(conversation: Answered, until: datetime | None) -> bool:
    """A person answers from now on, until ``until`` or (None) until handed back. A pause that lasts longer is kept. Why the bot had given
    the conversation to people is no news any more.

    Returns whether anything changed.
    """
    now_human, told = conversation.answered_by == "human", conversation.handover_reason != ""
    conversation.handover_reason = ""
    old = conversation.bot_paused_until
    if now_human and (old is None or (until is not None and old >= until)):
        return told
    conversation.answered_by, conversation.bot_paused_until = "human", until
    return True


def stop_bot(conversation: Answered, reason: str) -> None:
    """The bot gives the conversation to people, until one of them hands it back, and says why."""
    conversation.answered_by, conversation.bot_paused_until, conversation.handover_reason = "human", None, reason[:255]


def pause_after_writing(conversation: Answered, settings: AccountSettings, now: datetime) -> bool:
    """A person wrote: bots are silent for the account's time."""
    return take_over(conversation, now + timedelta(minutes=settings.takeover_minutes))


def hand_back(conversation: Answered, now: datetime) -> bool:
    """Bots answer again, and what they answered before does not count towards their limits. Returns whether anything changed."""
    if conversation.answered_by == "bot" and conversation.bot_paused_until is None:
        return False
    conversation.answered_by, conversation.bot_paused_until, conversation.handover_reason = "bot", None, ""
    conversation.bot_since = now
    return True


def state_data(conversation: Answered) -> dict[str, Any]:
    """What the event ``conversation.updated`` says about who answers."""
    until = conversation.bot_paused_until
    return {
        "answered_by": conversation.answered_by,
        "bot_paused_until": until.isoformat() if until else None,
        "handover_reason": conversation.handover_reason,
    }


async def end_expired(session: AsyncSession, now: datetime) -> int:
    """Hand back every conversation whose pause is over, with its event, so that pages show it. Returns how many there were."""
    statement = (
        select(Conversation, col(Account.workspace_id))
        .join(Account, col(Account.id) == col(Conversation.account_id))
        .where(col(Conversation.answered_by) == "human", col(Conversation.bot_paused_until) <= now)
        .order_by(col(Conversation.bot_paused_until), col(Conversation.id))  # along its index: not through all conversations
        .limit(500)
        .with_for_update(of=Conversation)
    )
    rows = (await session.execute(statement)).all()
    settle(session, [conversation.id for conversation, _ in rows])
    for conversation, workspace_id in rows:
        hand_back(conversation, now)
        record(
            session,
            "conversation.updated",
            workspace_id=workspace_id,
            account_id=conversation.account_id,
            conversation_id=conversation.id,
            data=state_data(conversation),
        )
    return len(rows)
