"""Bots that answer bots: who is never answered, and when a bot stops and gives the conversation to people (AI-8, ACC-11).

All of it is counted from stored answers, so that a restart forgets nothing; docs/decisions/bot-loops.md says why these rules.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.domain.account_settings import AnswerLimits
from whatsapp_dashboard.domain.ids import Address, ContactKind, parse_jid, phone_variants
from whatsapp_dashboard.domain.messages import MessageStatus, Origin
from whatsapp_dashboard.errors import Invalid
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.messages.takeover import state_data, stop_bot
from whatsapp_dashboard.messages.withdrawal import AUTOMATIC
from whatsapp_dashboard.models import Account, Message
from whatsapp_dashboard.replies.repliers import Question, Skip

OWN_NUMBER = "It is from a number of this workspace: bots do not answer those."
_DAY = timedelta(days=1)


async def with_fixed_text(session: AsyncSession, question: Question, now: datetime) -> Question:
    """The question with the time of the last fixed text in its conversation, if that matters."""
    rule = question.settings.auto_reply
    if not (rule.enabled and rule.every_minutes):
        return question
    since = now - timedelta(minutes=rule.every_minutes)
    statement = (
        select(col(Message.at))
        .where(*_automatic(question.conversation.id, since, now), col(Message.origin) == Origin.AUTO_REPLY.value)
        .order_by(col(Message.at).desc())
        .limit(1)
    )
    return replace(question, fixed_text_at=await session.scalar(statement))


async def held_back(session: AsyncSession, question: Question, now: datetime) -> Skip | None:
    """Why no bot answers although one would; None when it may. A conversation that has had too many answers is given to people, in the
    caller's write: the conversation's row must be locked."""
    if not question.settings.answer_own_numbers and await _is_own(session, question):
        return Skip(OWN_NUMBER, final=True)
    reason = await _too_many(session, question, now)
    if reason is None:
        return None
    _give_to_people(session, question, reason)
    return Skip(reason, final=True)


async def enough_made(session: AsyncSession, question: Question, now: datetime) -> bool:
    """Whether as many answers were made here within a minute as may be given, counting those that were withdrawn: each was paid."""
    limit = question.settings.answer_limits.per_minute
    recent = (
        select(col(Message.id))
        .where(col(Message.conversation_id) == question.conversation.id, col(Message.origin).in_(AUTOMATIC))
        .where(col(Message.at) > now - timedelta(minutes=1), col(Message.at) <= now)
        .limit(limit)
    )
    return bool(limit) and len((await session.scalars(recent)).all()) >= limit


async def _is_own(session: AsyncSession, question: Question) -> bool:
    """Whether an account of the workspace wrote the message, however it is addressed."""
    sender = _sender(question)
    numbers: list[ColumnElement[bool]] = [col(Account.phone).in_(phone_variants(sender.phone))] if sender and sender.phone else []
    numbers += [col(Account.lid) == sender.lid] if sender and sender.lid else []
    if not numbers:
        return False
    return question.account.workspace_id in await session.scalars(select(col(Account.workspace_id)).where(or_(*numbers)))


def _sender(question: Question) -> Address | None:
    contact = question.contact
    if contact.kind == ContactKind.PERSON:
        return Address(phone=contact.phone, lid=contact.lid) if contact.phone or contact.lid else None
    try:
        return parse_jid(question.message.sender_address)
    except Invalid:
        return None  # some groups do not say who wrote


async def _too_many(session: AsyncSession, question: Question, now: datetime) -> str | None:
    """Which limit is reached, in words."""
    limits = question.settings.answer_limits
    windows = [(count, span, word) for count, span, word in _windows(limits) if count]
    if not windows:
        return None
    since = now - max(span for _, span, _ in windows)
    if given_back := question.conversation.bot_since:
        since = max(since, given_back - timedelta.resolution)
    statement = (
        select(col(Message.at))
        .where(*_automatic(question.conversation.id, since, now))
        .order_by(col(Message.at).desc())
        .limit(max(count for count, _, _ in windows))
    )
    times = list(await session.scalars(statement))
    for count, span, word in windows:
        if len(times) >= count and times[count - 1] > now - span:
            answers = "1 answer" if count == 1 else f"{count:,} answers"
            return f"The bot stopped: {answers} within {word}. Perhaps the other side is a bot too. It answers again when you hand back."
    return None


def _windows(limits: AnswerLimits) -> tuple[tuple[int, timedelta, str], ...]:
    return (
        (limits.per_minute, timedelta(minutes=1), "a minute"),
        (limits.per_hour, timedelta(hours=1), "an hour"),
        (limits.per_day, _DAY, "a day"),
    )


def _automatic(conversation_id: str, since: datetime, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Automatic answers of any kind that went out, or will, by their index."""
    return (
        col(Message.conversation_id) == conversation_id,
        col(Message.in_reply_to).is_not(None),
        col(Message.at) > since,
        col(Message.at) <= now,
        col(Message.status) != MessageStatus.FAILED.value,
    )


def _give_to_people(session: AsyncSession, question: Question, reason: str) -> None:
    conversation, account = question.conversation, question.account
    stop_bot(conversation, reason)
    where = {"workspace_id": account.workspace_id, "account_id": account.id, "conversation_id": conversation.id}
    record(session, "conversation.updated", **where, data=state_data(conversation))
    record(session, "conversation.handed_over", **where, message_id=question.message.id, data={"reason": reason})
