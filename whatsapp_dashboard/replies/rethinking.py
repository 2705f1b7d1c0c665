"""When an answer must be made anew: its contact wrote more, or changed or deleted what was asked (AI-1)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.messages import Origin
from whatsapp_dashboard.messages.outbound import Outbound
from whatsapp_dashboard.messages.withdrawal import CHANGED, NEWER, queued_replies, withdraw_replies
from whatsapp_dashboard.models import Message
from whatsapp_dashboard.replies.loops import enough_made
from whatsapp_dashboard.replies.questions import covered_by, is_more_waiting, open_again, read_question
from whatsapp_dashboard.replies.repliers import Question, Replier


async def is_overtaken(session: AsyncSession, question: Question, fresh: Question, replier: Replier, now: datetime) -> bool:
    """Whether the answer to ``question`` is not one to ``fresh``, which it has become meanwhile: something was deleted, or, while it may
    still be put off, something was edited or more has come."""
    seen = {message.id: message for message in (*question.earlier, question.message)}
    columns = select(col(Message.id), col(Message.edited_at), col(Message.revoked_at)).where(col(Message.id).in_(seen))
    rows = (await session.execute(columns)).all()
    if any(revoked != seen[ident].revoked_at for ident, _, revoked in rows):
        return True
    if not (replier.together and replier.may_begin_anew(question, now)):
        return False
    return any(edited != seen[ident].edited_at for ident, edited, _ in rows) or await is_more_waiting(session, fresh, now)


async def take_back_for_more(session: AsyncSession, question: Question, replier: Replier, now: datetime, in_doubt: Collection[str]) -> None:
    """An answer that is still in the queue is withdrawn, and what it answered waits again: one answer to all of it follows. It stays
    when they have waited for as long as they may, or a contact who writes on and on would never get one; and when so many were made
    already that a bot must be writing, for each of them is paid."""
    where = question.conversation.id
    covered = await _withdrawable(session, where, in_doubt)
    if covered and replier.may_begin_anew(replace(question, earlier=tuple(covered)), now) and not await enough_made(session, question, now):
        await _withdraw(session, where, NEWER)


async def withdraw_for_change(db: Database, clock: Clock, outbound: Outbound, replier: Replier, message_id: str) -> list[tuple[str, str]]:
    """The same when a message that is answered was edited, or deleted: then also when it has waited for long. Returns what waits again:
    (conversation id, message id)."""
    async with db.write() as session:
        changed = await session.get(Message, message_id)
        if changed is None:
            return []
        where = changed.conversation_id
        covered = await _withdrawable(session, where, outbound.in_doubt(changed.account_id))
        if message_id not in {message.id for message in covered}:
            return []
        question = await read_question(session, covered[-1].id, lock=True, settled=True)
        if question is None:
            return []
        if changed.revoked_at is None and not replier.may_begin_anew(replace(question, earlier=tuple(covered[:-1])), clock.now()):
            return []
        return [(where, message.id) for message in await _withdraw(session, where, CHANGED)]


async def _withdrawable(session: AsyncSession, conversation_id: str, in_doubt: Collection[str]) -> list[Message]:
    """What is answered by answers that nobody has seen yet."""
    unseen = await queued_replies(session, conversation_id, Origin.AI)
    # One that the contact may have already, although its row could not say so yet, is an answer.
    if not unseen or {message.id for message in unseen} & set(in_doubt):
        return []
    return await covered_by(session, conversation_id, unseen)


async def _withdraw(session: AsyncSession, conversation_id: str, why: tuple[str, str]) -> list[Message]:
    # One may have left in this moment: its questions are answered.
    withdrawn = await withdraw_replies(session, [conversation_id], why=why, origins=(Origin.AI,))
    reopened = await covered_by(session, conversation_id, withdrawn)
    await open_again(session, reopened)
    # A message has one answer: the place is free for the one that follows.
    await session.execute(update(Message).where(col(Message.id).in_([message.id for message in withdrawn])).values(in_reply_to=None))
    return reopened
