"""Who waits for a person: the contact had the last word, and neither a bot nor a person has answered it or will (MSG-14).

Each conversation keeps two times. ``unanswered_since`` is when the first word came that nobody has answered: it is kept up to date by
whoever stores a message (messages/last_word.py). ``waiting_since`` is the same time while nobody will answer by himself either, and is
what lists and counts look at. Everything it depends on is written in a transaction that names the conversation here (:func:`settle` or
:func:`recount`); last in that transaction the two columns are made right, so that no crash comes between.

See docs/inbox.md for what is a word and what is an answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.core.db import before_commit
from whatsapp_dashboard.domain.account_settings import AccountSettings
from whatsapp_dashboard.domain.ids import ContactKind
from whatsapp_dashboard.domain.messages import Direction, MessageStatus, Origin
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.models import Account, AiAnswer, Contact, Conversation, Message, Reply
from whatsapp_dashboard.models.base import metadata

EVENT = "conversation.waiting"
_MARKS = "waiting"
_CONVERSATION, _MESSAGE = metadata.tables[str(Conversation.__tablename__)], metadata.tables[str(Message.__tablename__)]


def settle(session: AsyncSession, conversation_ids: Iterable[str]) -> None:
    """In this write, something changed that decides whether these conversations wait."""
    _mark(session, conversation_ids, anew=False)


def recount(session: AsyncSession, conversation_ids: Iterable[str]) -> None:
    """Like :func:`settle`, when stored words or answers changed: what is unanswered is looked up among the messages again."""
    _mark(session, conversation_ids, anew=True)


async def settle_groups(session: AsyncSession, account: Account) -> None:
    """The account answers groups from now on, or does not any more."""
    groups = (
        select(col(Conversation.id))
        .join(Contact, col(Contact.id) == col(Conversation.contact_id))
        .where(col(Conversation.account_id) == account.id, col(Contact.kind) == ContactKind.GROUP.value)
        .where(col(Conversation.unanswered_since).is_not(None))
    )
    settle(session, await session.scalars(groups))


def may_wait(kind: str, status: str, answered_by: str, *, answers_groups: bool) -> bool:
    """Whether anybody is expected to answer here at all: in an open conversation with a person; in a group when the account answers
    groups, or while a person has taken it over; never in channels, broadcast lists and status updates."""
    if status != "active":
        return False
    if kind == ContactKind.GROUP.value:
        return answers_groups or answered_by == "human"
    return kind == ContactKind.PERSON.value


def _mark(session: AsyncSession, conversation_ids: Iterable[str], *, anew: bool) -> None:
    marks: dict[str, bool] = session.info.setdefault(_MARKS, {})
    for one in conversation_ids:
        marks[one] = marks.get(one, False) or anew
    if marks:
        before_commit(session, _MARKS, _make_right, early=True)


async def _make_right(session: AsyncSession) -> None:
    marks: dict[str, bool] = session.info.pop(_MARKS, {})
    undecided = exists().where(col(Reply.conversation_id) == col(Conversation.id), col(Reply.state) == "pending")
    columns = [_CONVERSATION.c[name] for name in ("id", "account_id", "status", "answered_by", "unanswered_since", "waiting_since")]
    statement = (
        select(*columns, col(Contact.kind), col(Account.workspace_id), undecided.label("undecided"))
        .join(Contact, col(Contact.id) == _CONVERSATION.c.contact_id)
        .join(Account, col(Account.id) == _CONVERSATION.c.account_id)
        .where(_CONVERSATION.c.id.in_(marks))
        .order_by(_CONVERSATION.c.id)
        .with_for_update(of=_CONVERSATION)
    )
    rows = (await session.execute(statement)).all()
    answering = await _answering_groups(session, {row.account_id for row in rows if row.kind == ContactKind.GROUP.value})
    for row in rows:
        since = await first_unanswered(session, row.id) if marks[row.id] else row.unanswered_since
        expected = may_wait(row.kind, row.status, row.answered_by, answers_groups=row.account_id in answering)
        waiting = since if expected and not row.undecided else None
        if (since, waiting) == (row.unanswered_since, row.waiting_since):
            continue
        values = {"unanswered_since": since, "waiting_since": waiting}
        await session.execute(update(_CONVERSATION).where(_CONVERSATION.c.id == row.id).values(values))
        if waiting != row.waiting_since:
            _tell(session, row, waiting)


def _tell(session: AsyncSession, row: Any, waiting: datetime | None) -> None:
    record(
        session,
        EVENT,
        workspace_id=row.workspace_id,
        account_id=row.account_id,
        conversation_id=row.id,
        data={"since": waiting.isoformat() if waiting else None},
    )


async def _answering_groups(session: AsyncSession, account_ids: set[str]) -> set[str]:
    if not account_ids:
        return set()
    rows = await session.execute(select(col(Account.id), col(Account.settings)).where(col(Account.id).in_(account_ids)))
    return {row.id for row in rows if AccountSettings.model_validate(row.settings).answer_groups}


async def first_unanswered(session: AsyncSession, conversation_id: str) -> datetime | None:
    """When the first word came that nobody has answered, from the messages themselves; None when there is none."""
    word = _MESSAGE.alias("word").c
    statement = (
        select(word.at)
        .join(_CONVERSATION, _CONVERSATION.c.id == word.conversation_id)
        .where(word.conversation_id == conversation_id, word.direction == Direction.INCOMING.value)
        .where(word.history.is_(False), word.revoked_at.is_(None))
        .where(word.id > func.coalesce(_CONVERSATION.c.dealt_with, ""), word.id > func.coalesce(_last_of_ours(conversation_id), ""))
        .where(~_answered_on_phone(conversation_id, word))
        .order_by(word.id)
        .limit(1)
    )
    found: datetime | None = await session.scalar(statement)
    return found


def _is_answer(said: Any) -> tuple[ColumnElement[bool], ...]:
    """What reached the contact, or still will, and is an answer: not the sentence by which the AI excuses itself."""
    excuse = exists().where(col(AiAnswer.message_id) == said.id, col(AiAnswer.kind) != "answer")
    return (
        said.direction == Direction.OUTGOING.value,
        said.status != MessageStatus.FAILED.value,
        said.revoked_at.is_(None),
        or_(said.origin != Origin.AI.value, ~excuse),
    )


def _last_of_ours(conversation_id: str) -> Any:
    """The newest answer that went through the dashboard: it answers everything that was stored before it."""
    ours = _MESSAGE.alias("ours").c
    newest = select(ours.id).where(ours.conversation_id == conversation_id, ours.origin != Origin.PHONE.value, *_is_answer(ours))
    return newest.order_by(ours.id.desc()).limit(1).scalar_subquery()


def _answered_on_phone(conversation_id: str, word: Any) -> ColumnElement[bool]:
    """Whoever types on the phone has read what was written before, and that is known by WhatsApp's clock: what was missed while offline
    may be told in any order."""
    typed = _MESSAGE.alias("typed").c
    after = and_(typed.id > word.id, typed.at >= word.at)
    caught_up = and_(word.recovered.is_(True), typed.at > word.at)
    return exists().where(
        typed.conversation_id == conversation_id, typed.origin == Origin.PHONE.value, *_is_answer(typed), or_(after, caught_up)
    )
