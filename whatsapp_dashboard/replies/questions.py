"""The questions that wait, as rows: reading them with all that decides about their answer, and settling them once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.domain.account_settings import AccountSettings
from whatsapp_dashboard.messages.contacts import lock_accounts
from whatsapp_dashboard.messages.waiting import settle
from whatsapp_dashboard.models import Account, AiConfig, Contact, Conversation, Message, Reply
from whatsapp_dashboard.replies.repliers import Question
from whatsapp_dashboard.replies.rules import why_silent

TOGETHER = "Answered together with a later message."


async def read_question(session: AsyncSession, message_id: str, *, lock: bool = False, settled: bool = False) -> Question | None:
    """The message with all that decides about its answer; None when it waits for no decision. With ``lock``, in a write, nobody else
    changes the conversation until the write ends. ``settled``: one that was decided about."""
    if lock and session.get_bind().dialect.name == "postgresql":
        # Contacts of the account may be merged at the same time: take turns, or both wait for each other's rows.
        account_id = await session.scalar(select(col(Reply.account_id)).where(col(Reply.message_id) == message_id))
        await lock_accounts(session, [account_id] if account_id else [])
    statement = (
        select(Message, Conversation, Contact, Account, AiConfig)
        .join(Reply, col(Reply.message_id) == col(Message.id))
        .join(Conversation, col(Conversation.id) == col(Message.conversation_id))
        .join(Contact, col(Contact.id) == col(Message.contact_id))
        .join(Account, col(Account.id) == col(Message.account_id))
        .outerjoin(AiConfig, col(AiConfig.account_id) == col(Message.account_id))
        .where(col(Message.id) == message_id, col(Reply.state) != "pending" if settled else col(Reply.state) == "pending")
    )
    row = (await session.execute(statement.with_for_update(of=Conversation) if lock else statement)).first()
    if row is None:
        return None
    message, conversation, contact, account, ai = row
    return Question(message, conversation, contact, account, AccountSettings.model_validate(account.settings), ai)


async def with_earlier(session: AsyncSession, question: Question, now: datetime) -> Question:
    """The newest message of the conversation that waits and may be answered, with the ones before it."""
    waiting = [message for message in await _waiting(session, question) if why_silent(replace(question, message=message), now) is None]
    return replace(question, message=waiting[-1], earlier=tuple(waiting[:-1])) if waiting else question


async def covered_by(session: AsyncSession, conversation_id: str, answers: Sequence[Message]) -> list[Message]:
    """The messages, oldest first, that these answers in the conversation answer."""
    asked = [answer.in_reply_to for answer in answers]
    settled = select(col(Reply.settled_at)).where(col(Reply.message_id).in_(asked))
    statement = (
        select(Message)
        .join(Reply, col(Reply.message_id) == col(Message.id))
        .where(col(Reply.conversation_id) == conversation_id)
        # What was answered together was settled in one write.
        .where(col(Reply.message_id).in_(asked) | ((col(Reply.reason) == TOGETHER) & col(Reply.settled_at).in_(settled)))
        .order_by(col(Message.id))
    )
    return list(await session.scalars(statement))


async def open_again(session: AsyncSession, questions: Sequence[Message]) -> None:
    """Let settled questions wait for a decision once more."""
    reopened = update(Reply).where(col(Reply.message_id).in_([message.id for message in questions]))
    await session.execute(reopened.values(state="pending", reason="", settled_at=None))
    settle(session, {message.conversation_id for message in questions})


async def is_more_waiting(session: AsyncSession, question: Question, now: datetime) -> bool:
    """Whether a message newer than the question waits in its conversation, and may be answered."""
    newer = [message for message in await _waiting(session, question) if message.id > question.message.id]
    return any(why_silent(replace(question, message=message), now) is None for message in newer)


async def mark_settled(
    session: AsyncSession, message_id: str, earlier: Sequence[str], *, answered: bool, reason: str, now: datetime
) -> bool:
    """Settle a question, with the ``earlier`` ones that its answer covers. False: it was settled before."""
    pending = update(Reply).where(col(Reply.state) == "pending")
    values = {"state": "answered" if answered else "skipped", "reason": reason[:255], "settled_at": now}
    mine = pending.where(col(Reply.message_id) == message_id).values(**values).returning(col(Reply.conversation_id))
    conversation_id = await session.scalar(mine)
    if conversation_id is None:
        return False
    settle(session, [conversation_id])
    if earlier:
        covered = {"state": "skipped", "reason": TOGETHER if answered else reason[:255], "settled_at": now}
        await session.execute(pending.where(col(Reply.message_id).in_(earlier)).values(**covered))
    return True


async def _waiting(session: AsyncSession, question: Question) -> list[Message]:
    statement = (
        select(Message)
        .join(Reply, col(Reply.message_id) == col(Message.id))
        .where(col(Reply.conversation_id) == question.conversation.id, col(Reply.state) == "pending")
        .order_by(col(Message.id))
    )
    return list(await session.scalars(statement))
