"""Decides about every incoming message, once: who answers it, or why nobody does (MSG-5, DUR-1).

The decision each message waits for is a row that was stored with the message. Settling it and queueing the answer are one
write, so that a crash at any point leaves either the question or the answer, never none and never two.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import structlog
from sqlalchemy import select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database, is_unique_violation
from whatsapp_dashboard.core.keyed_worker import KeyedWorker
from whatsapp_dashboard.core.outage import PAUSE_SECONDS, outlast
from whatsapp_dashboard.core.steady import SteadyTask
from whatsapp_dashboard.errors import DatabaseAway
from whatsapp_dashboard.events.bus import EventBus
from whatsapp_dashboard.events.log import EventRecord
from whatsapp_dashboard.messages.outbound import Outbound
from whatsapp_dashboard.messages.takeover import end_expired
from whatsapp_dashboard.models import Reply
from whatsapp_dashboard.replies.loops import held_back, with_fixed_text
from whatsapp_dashboard.replies.questions import mark_settled, read_question, with_earlier
from whatsapp_dashboard.replies.repliers import Answer, Question, Replier, Skip
from whatsapp_dashboard.replies.rethinking import is_overtaken, take_back_for_more, withdraw_for_change
from whatsapp_dashboard.replies.rules import why_silent

log = structlog.get_logger(__name__)

_PAGE = 1_000
_AT_ONCE = 2_000
"""Conversations that are decided about at the same time; most of them wait for somebody else's computer."""


@dataclass(frozen=True, slots=True)
class _Open:
    """A question for which a replier needs time."""

    question: Question
    replier: int
    latest: str
    """The newest message of the conversation that the router had heard of before it read the question."""
    changes: int
    """Of how many changes to its messages it had heard."""


@dataclass(frozen=True, slots=True)
class _Thinking:
    """A replier that takes its time, and what for."""

    task: asyncio.Task[Answer | Skip]
    open: _Open


class ReplyRouter:
    """One decision at a time per conversation, conversations in parallel (MSG-5)."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        outbound: Outbound,
        repliers: Sequence[Replier],
        *,
        bus: EventBus | None = None,
        parallel: int = _AT_ONCE,
    ) -> None:
        self._db = db
        self._clock = clock
        self._outbound = outbound
        self._repliers = tuple(repliers)
        self._worker = KeyedWorker("replies", parallel=parallel)
        self._taken: set[str] = set()
        self._latest: dict[str, str] = {}
        """The newest message taken of each conversation that is being decided about."""
        self._changes: Counter[str] = Counter()
        """Changes to messages of these conversations, heard of meanwhile."""
        self._thinking: dict[str, _Thinking] = {}
        self._watch = SteadyTask("replies:take-overs", lambda: self._watch_people(bus)) if bus else None

    async def start(self) -> None:
        """Go on with what an earlier run left undecided, in order (DUR-4)."""
        if self._watch:
            self._watch.start()
        await self._load()

    async def stop(self, seconds: float = 4.0) -> None:
        """Finish what runs, within ``seconds``; the rest is still pending at the next start."""
        if self._watch:
            await self._watch.stop()
        await self._worker.close(seconds)

    async def idle(self) -> None:
        """Wait until nothing is being decided."""
        await self._worker.idle()

    def take(self, waiting: Sequence[tuple[str, str]]) -> None:
        """Decide about these stored messages: (conversation id, message id), in order."""
        for conversation_id, message_id in waiting:
            if message_id not in self._taken:
                self._taken.add(message_id)
                self._latest[conversation_id] = max(message_id, self._latest.get(conversation_id, ""))
                self._worker.submit(conversation_id, lambda one=message_id, where=conversation_id: self._decide(where, one))  # type: ignore[misc]
                self._tell_of_more(conversation_id, message_id)

    def changed(self, messages: Sequence[tuple[str, str, bool]]) -> None:
        """These stored messages were edited or (True) deleted by who wrote them: (conversation id, message id, deleted). What is being
        answered is read anew, within the bounds that hold when more comes; what was answered is, if nobody has seen the answer yet."""
        for conversation_id, message_id, deleted in messages:
            thinking = self._thinking.get(conversation_id)
            if conversation_id in self._latest:
                self._changes[conversation_id] += 1
            if thinking and message_id in thinking.open.question.ids:
                replier = self._repliers[thinking.open.replier]
                if deleted or (replier.together and replier.may_begin_anew(thinking.open.question, self._clock.now())):
                    thinking.task.cancel()
            else:
                self._worker.submit(conversation_id, lambda where=conversation_id, what=message_id: self._reconsider(where, what))  # type: ignore[misc]

    async def tick(self) -> None:
        """End pauses that are over, and take up decisions that failed. For the scheduler, every few seconds."""
        async with self._db.write() as session:
            await end_expired(session, self._clock.now())
        await self._load()

    async def _load(self) -> None:
        """Take up what is pending."""
        # By its index, and in the order of that: in any other, SQLite looks at every reply there ever was.
        place = tuple_(col(Reply.account_id), col(Reply.message_id))
        after = ("", "")
        while True:
            statement = (
                select(col(Reply.conversation_id), col(Reply.account_id), col(Reply.message_id))
                .where(col(Reply.state) == "pending", place > after)
                .order_by(col(Reply.account_id), col(Reply.message_id))
                .limit(_PAGE)
            )
            async with self._db.read() as session:
                rows = (await session.execute(statement)).all()
            self.take([(conversation, message) for conversation, _account, message in rows])
            if len(rows) < _PAGE:
                return
            after = rows[-1][1], rows[-1][2]

    # -- interrupting

    def _tell_of_more(self, conversation_id: str, message_id: str) -> None:
        """More has come for a replier that answers everything together: it begins anew, with all of it."""
        thinking = self._thinking.get(conversation_id)
        if thinking and message_id > thinking.open.latest:
            replier = self._repliers[thinking.open.replier]
            if replier.together and replier.may_begin_anew(thinking.open.question, self._clock.now()):
                thinking.task.cancel()

    async def _watch_people(self, bus: EventBus) -> None:
        """Cancel what is being made for a conversation that a person took over or closed (AI-8): the decision is then looked at anew."""

        def wanted(event: EventRecord) -> bool:
            return event.type == "conversation.updated" and event.conversation_id in self._thinking

        async with bus.subscribe(wanted) as subscription:
            while True:
                for event in await subscription.next():
                    thinking = self._thinking.get(event.conversation_id or "")
                    if thinking and (event.data.get("answered_by") == "human" or event.data.get("status") == "closed"):
                        thinking.task.cancel()

    # -- deciding

    async def _decide(self, conversation_id: str, message_id: str) -> None:
        try:
            while True:
                heard = self._latest.get(conversation_id, ""), self._changes[conversation_id]
                open_ = await outlast(lambda heard=heard: self._settle_at_once(message_id, *heard))  # type: ignore[misc]
                if open_ is None or await self._think(open_):
                    return
        finally:
            self._taken.discard(message_id)
            if self._latest.get(conversation_id) == message_id:
                del self._latest[conversation_id]
                self._changes.pop(conversation_id, None)

    async def _reconsider(self, conversation_id: str, message_id: str) -> None:
        """An answer in the queue to a message that was changed is withdrawn, and its questions are decided about anew."""
        replier = next((each for each in self._repliers if each.together), None)
        if replier is not None:
            self.take(await outlast(lambda: withdraw_for_change(self._db, self._clock, self._outbound, replier, message_id)))

    async def _think(self, open_: _Open) -> bool:
        """Let a replier take its time, and store what it says. False: the question has changed meanwhile, look at it anew."""
        conversation_id = open_.question.conversation.id
        more = self._repliers[open_.replier].together and self._latest.get(conversation_id, "") > open_.latest
        if more or self._changes[conversation_id] != open_.changes:
            return False  # more has come, or some of it was changed, while the question was read
        task = asyncio.create_task(self._ask(open_), name=f"reply:{open_.question.message.id}")
        thinking = self._thinking[conversation_id] = _Thinking(task, open_)
        try:
            outcome = await task
        except DatabaseAway:
            await asyncio.sleep(PAUSE_SECONDS)
            return False
        except asyncio.CancelledError:
            if cast("asyncio.Task[None]", asyncio.current_task()).cancelling():
                raise  # the program stops
            return False
        finally:
            if self._thinking.get(conversation_id) is thinking:  # else another question of a conversation that was merged into this one
                del self._thinking[conversation_id]
        return await outlast(lambda: self._store(open_, outcome))

    async def _ask(self, open_: _Open) -> Answer | Skip:
        """The first answer, beginning with the replier that needs time, or the last reason why there is none."""
        outcome: Answer | Skip = Skip("Nobody answers for this account.")
        for replier in self._repliers[open_.replier :]:
            outcome = replier.glance(open_.question) or await replier.decide(open_.question)
            if isinstance(outcome, Answer) or outcome.final:
                break
        return outcome

    def _glance(self, question: Question) -> Answer | Skip | int:
        """What can be said at once; else the number of the replier that needs time."""
        silent = why_silent(question, self._clock.now())
        outcome: Answer | Skip = Skip(silent or "Nobody answers for this account.")
        if silent:
            return outcome
        for number, replier in enumerate(self._repliers):
            said = replier.glance(question)
            if said is None:
                return number
            outcome = said
            if isinstance(outcome, Answer) or outcome.final:
                break
        return outcome

    async def _settle_at_once(self, message_id: str, latest: str, changes: int) -> _Open | None:
        """Settle the question in one write if nobody has to wait for anything; else return it, with all that waits beside it."""
        try:
            async with self._db.write() as session:
                question = await read_question(session, message_id, lock=True)
                if question is None:
                    return None  # decided before, or deleted with its account
                now = self._clock.now()
                question = await with_fixed_text(session, question, now)
                outcome = self._glance(question)
                if not isinstance(outcome, Skip):
                    outcome = await held_back(session, question, now) or outcome
                if not isinstance(outcome, int):
                    await self._finish(session, question, outcome)
                    return None
                if self._repliers[outcome].together:
                    await take_back_for_more(session, question, self._repliers[outcome], now, self._outbound.in_doubt(question.account.id))
                    question = await with_earlier(session, question, now)
                return _Open(question, outcome, latest, changes)
        except IntegrityError as error:
            await self._was_answered(message_id, error)
            return None

    async def _store(self, open_: _Open, outcome: Answer | Skip) -> bool:
        """Write down what a replier said after some time. False: it was overtaken, the question is still open."""
        question = open_.question
        replier = self._repliers[open_.replier]
        message_id = question.message.id
        try:
            async with self._db.write() as session:
                now = self._clock.now()
                fresh = await read_question(session, message_id, lock=True)
                if fresh is None or await is_overtaken(session, question, fresh, replier, now):
                    if outcome.after:
                        await outcome.after(session, None)
                    return fresh is None
                # A person may have taken over while the answer was made.
                if silent := why_silent(fresh, now):
                    outcome = Skip(silent, after=outcome.after)
                elif isinstance(outcome, Answer) and (held := await held_back(session, fresh, now)):
                    outcome = replace(held, after=outcome.after)
                await self._finish(session, fresh, outcome, [message.id for message in question.earlier])
        except IntegrityError as error:
            await self._was_answered(message_id, error)
        return True

    async def _finish(self, session: AsyncSession, question: Question, outcome: Answer | Skip, earlier: Sequence[str] = ()) -> None:
        """Settle the question, and queue the answer."""
        answered = isinstance(outcome, Answer)
        reason = outcome.reason if isinstance(outcome, Skip) else ""
        message = None
        mine = await mark_settled(session, question.message.id, earlier, answered=answered, reason=reason, now=self._clock.now())
        if mine and isinstance(outcome, Answer):
            message = await self._outbound.enqueue(
                session,
                account=question.account,
                conversation=question.conversation,
                contact=question.contact,
                content=outcome.content,
                origin=outcome.origin,
                in_reply_to=question.message.id,
                excuse=outcome.excuse,
            )
        if outcome.after:
            await outcome.after(session, message)

    async def _was_answered(self, message_id: str, error: IntegrityError) -> None:
        """The answer is there already: settle the question. Raises any other ``error``."""
        if not is_unique_violation(error):
            raise error
        log.warning("this message was answered before", message_id=message_id)
        async with self._db.write() as session:
            await mark_settled(session, message_id, (), answered=True, reason="", now=self._clock.now())
