"""Decides about every incoming message, once: who answers it, or why nobody does (MSG-5, DUR-1).

The decision each message waits for is a row that was stored with the message. Settling it and queueing the answer are one
write, so that a crash at any point leaves either the question or the answer, never none and never two.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database, is_unique_violation
from whatsapp_dashboard.core.keyed_worker import KeyedWorker
from whatsapp_dashboard.domain.account_settings import AccountSettings
from whatsapp_dashboard.messages.contacts import lock_accounts
from whatsapp_dashboard.messages.outbound import Outbound
from whatsapp_dashboard.messages.takeover import end_expired
from whatsapp_dashboard.models import Account, Contact, Conversation, Message, Reply
from whatsapp_dashboard.replies.repliers import Answer, Question, Replier, Skip
from whatsapp_dashboard.replies.rules import why_silent

log = structlog.get_logger(__name__)

_PAGE = 1_000


class ReplyRouter:
    """One message at a time per conversation, conversations in parallel (MSG-5)."""

    def __init__(self, db: Database, clock: Clock, outbound: Outbound, repliers: Sequence[Replier], *, parallel: int = 128) -> None:
        self._db = db
        self._clock = clock
        self._outbound = outbound
        self._repliers = tuple(repliers)
        self._instant = all(replier.instant for replier in self._repliers)
        self._worker = KeyedWorker("replies", parallel=parallel)
        self._taken: set[str] = set()

    async def start(self) -> None:
        """Go on with what an earlier run left undecided, in order (DUR-4)."""
        await self._load()

    async def stop(self, seconds: float = 4.0) -> None:
        """Finish what runs, within ``seconds``; the rest is still pending at the next start."""
        await self._worker.close(seconds)

    async def idle(self) -> None:
        """Wait until nothing is being decided."""
        await self._worker.idle()

    def take(self, waiting: Sequence[tuple[str, str]]) -> None:
        """Decide about these stored messages: (conversation id, message id), in order."""
        for conversation_id, message_id in waiting:
            if message_id not in self._taken:
                self._taken.add(message_id)
                self._worker.submit(conversation_id, lambda one=message_id: self._decide(one))  # type: ignore[misc]

    async def tick(self) -> None:
        """End pauses that are over, and take up decisions that failed. For the scheduler, every few seconds."""
        async with self._db.write() as session:
            await end_expired(session, self._clock.now())
        await self._load()

    async def _load(self) -> None:
        after = ""
        while True:
            statement = (
                select(col(Reply.conversation_id), col(Reply.message_id))
                .where(col(Reply.state) == "pending", col(Reply.message_id) > after)
                .order_by(col(Reply.message_id))
                .limit(_PAGE)
            )
            async with self._db.read() as session:
                rows = [(row[0], row[1]) for row in (await session.execute(statement)).all()]
            self.take(rows)
            if len(rows) < _PAGE:
                return
            after = rows[-1][1]

    async def _decide(self, message_id: str) -> None:
        try:
            outcome = None
            if not self._instant:
                async with self._db.read() as session:
                    question = await _question(session, message_id)
                if question is None:
                    return  # decided before, or deleted with its account
                outcome = await self._ask(question, self._clock.now())
            await self._settle(message_id, outcome)
        finally:
            self._taken.discard(message_id)

    async def _ask(self, question: Question, now: datetime) -> Answer | Skip:
        """The first answer, or the last reason why there is none."""
        silent = why_silent(question, now)
        outcome: Answer | Skip = Skip(silent or "Nobody answers for this account.")
        if silent:
            return outcome
        for replier in self._repliers:
            outcome = await replier.decide(question)
            if isinstance(outcome, Answer):
                break
        return outcome

    async def _settle(self, message_id: str, outcome: Answer | Skip | None) -> None:
        """Write the decision down; without an ``outcome`` the repliers, all instant, are asked here."""
        try:
            async with self._db.write() as session:
                if not self._db.is_sqlite:
                    # Contacts of the account may be merged at the same time: take turns, or both wait for each other's rows.
                    account_id = await session.scalar(select(col(Reply.account_id)).where(col(Reply.message_id) == message_id))
                    await lock_accounts(session, [account_id] if account_id else [])
                question = await _question(session, message_id, lock=True)
                if question is None:
                    return
                now = self._clock.now()
                outcome = outcome or await self._ask(question, now)
                # A person may have taken over while the answer was made.
                if isinstance(outcome, Answer) and (silent := why_silent(question, now)):
                    outcome = Skip(silent)
                answered = isinstance(outcome, Answer)
                values = {
                    "state": "answered" if answered else "skipped",
                    "reason": outcome.reason[:255] if isinstance(outcome, Skip) else "",
                    "settled_at": now,
                }
                mine = update(Reply).where(col(Reply.message_id) == message_id, col(Reply.state) == "pending").values(**values)
                result = await session.execute(mine.returning(col(Reply.message_id)))
                if result.first() is None or not isinstance(outcome, Answer):
                    return
                await self._outbound.enqueue(
                    session,
                    account=question.account,
                    conversation=question.conversation,
                    contact=question.contact,
                    content=outcome.content,
                    origin=outcome.origin,
                    in_reply_to=message_id,
                )
        except IntegrityError as error:
            if not is_unique_violation(error):
                raise
            log.warning("this message was answered before", message_id=message_id)
            async with self._db.write() as session:
                done = {"state": "answered", "settled_at": self._clock.now()}
                await session.execute(update(Reply).where(col(Reply.message_id) == message_id).values(**done))


async def _question(session: AsyncSession, message_id: str, *, lock: bool = False) -> Question | None:
    """The message with all that decides about its answer; None when it waits for no decision."""
    statement = (
        select(Message, Conversation, Contact, Account)
        .join(Reply, col(Reply.message_id) == col(Message.id))
        .join(Conversation, col(Conversation.id) == col(Message.conversation_id))
        .join(Contact, col(Contact.id) == col(Message.contact_id))
        .join(Account, col(Account.id) == col(Message.account_id))
        .where(col(Message.id) == message_id, col(Reply.state) == "pending")
    )
    row = (await session.execute(statement.with_for_update(of=Conversation) if lock else statement)).first()
    if row is None:
        return None
    message, conversation, contact, account = row
    return Question(message, conversation, contact, account, AccountSettings.model_validate(account.settings))
