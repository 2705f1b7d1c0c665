"""The AI of an account as one of those who may answer a message: when, whether it may, and what is written down of it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.ai.budget import Budget
from whatsapp_dashboard.ai.call_rows import call_rows, passage_rows, step_rows
from whatsapp_dashboard.ai.chats import StoredChat
from whatsapp_dashboard.ai.failover import Asked
from whatsapp_dashboard.ai.gathering import Gatherer
from whatsapp_dashboard.ai.providers.registry import Providers
from whatsapp_dashboard.ai.responder import Draft, Responder
from whatsapp_dashboard.ai.store import Setup, read_setup, settings_of
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.crypto import SecretBox
from whatsapp_dashboard.core.db import Database, after_commit
from whatsapp_dashboard.core.outage import outlast
from whatsapp_dashboard.credits.service import CreditService
from whatsapp_dashboard.domain.messages import Content, MessageType, Origin
from whatsapp_dashboard.errors import DatabaseAway
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.messages.content import MAX_TEXT
from whatsapp_dashboard.models import AiAnswer, AiConfig, Message
from whatsapp_dashboard.replies.repliers import After, Answer, Question, Skip

log = structlog.get_logger(__name__)

EXCUSE_EVERY = timedelta(minutes=30)
"""A conversation is told once in this time that nobody can answer, or that files cannot be opened."""


class AiReplier:
    """Answers everything that waits in a conversation with one text (AI-1 to AI-6, CRED-1)."""

    together = True

    def __init__(
        self,
        db: Database,
        clock: Clock,
        box: SecretBox,
        *,
        providers: Providers,
        responder: Responder,
        gatherer: Gatherer,
        budget: Budget,
        credits: CreditService,
    ) -> None:
        self._db = db
        self._clock = clock
        self._box = box
        self._providers = providers
        self._responder = responder
        self._gatherer = gatherer
        self._budget = budget
        self._credits = credits

    def glance(self, question: Question) -> Skip | None:
        """Why it certainly does not answer; None when it may."""
        if question.ai is None or not question.ai.enabled:
            return Skip("AI is off.")
        if not settings_of(question.ai).hours.is_open(self._clock.now()):
            return Skip("It came outside of the answering hours.")
        return None

    def may_begin_anew(self, question: Question, now: datetime) -> bool:
        """Until the first message has waited for the longest wait of the settings."""
        first = question.earlier[0] if question.earlier else question.message
        return now < first.created_at + timedelta(seconds=settings_of(question.ai).longest_wait_seconds)

    async def decide(self, question: Question) -> Answer | Skip:
        """Wait for more, then ask the providers."""
        draft = Draft()
        try:
            return await self._decide(question, draft)
        except asyncio.CancelledError:
            await asyncio.shield(self._note_cancelled(question, draft.asked))
            raise
        except DatabaseAway:
            raise  # it is decided anew when the database is back
        except Exception:
            # Asked again and again, a question that fails here would cost money each time.
            log.exception("answering by AI failed", account_id=question.account.id, message_id=question.message.id)
            return await self._excuse(question, draft, "The dashboard failed while it made the answer; its log says why.")

    async def _decide(self, question: Question, draft: Draft) -> Answer | Skip:
        settings = settings_of(question.ai)
        first = question.earlier[0] if question.earlier else question.message
        wait = settings.answer_at(first.created_at, question.message.created_at) - self._clock.now()
        wait = min(wait, timedelta(seconds=settings.wait_seconds))  # longer only when the clock was set back
        if wait > timedelta(0):
            await self._clock.sleep(wait.total_seconds())
        async with self._db.read() as session:
            config = await session.get(AiConfig, question.account.id)
            setup = await read_setup(session, self._box, self._providers, question.account, config)
        if not setup.targets:
            return Skip("AI is on, but no provider is set up.")
        if not await self._budget.take(question.account, setup.settings, question.message.id):
            return Skip("Today's limit of the AI is reached.", final=True)
        outcome: Answer | Skip | None = None
        try:
            outcome = await self._answer(question, setup, draft)
        finally:
            if outcome is None or outcome.after is None:  # else when it is in the log
                self._budget.give_back(question.account.id, question.message.id)
        return outcome

    async def _answer(self, question: Question, setup: Setup, draft: Draft) -> Answer | Skip:
        gathered = await self._gatherer.gather(question, setup.settings, setup.targets)
        if gathered.unreadable:
            reason = "It is a file that no provider of this account can take."
            return await self._say(question, draft, "media", setup.settings.media_text, reason)
        if not await self._credits.reserve(question.account.workspace_id, question.message.id):
            return Skip("The credits are used up.", final=True)
        contact = question.contact
        await self._responder.respond(
            setup,
            gathered.lines,
            gathered.question,
            draft,
            contact_name=contact.name or contact.push_name,
            contact_phone=contact.phone or "",
            now=self._clock.now(),
            chat=lambda target: StoredChat(self._db, self._clock, question.conversation.id, target.id),
        )
        if not draft.asked.answered:
            errors = [step.error for step in draft.asked.steps if step.error]
            return await self._excuse(question, draft, f"No provider answered. {errors[-1] if errors else ''}".strip())
        text = draft.text[:MAX_TEXT]
        return Answer(Content(MessageType.TEXT, text), Origin.AI, self._after(question, draft, "answer"))

    async def _excuse(self, question: Question, draft: Draft, reason: str) -> Answer | Skip:
        """When nobody answers: the account's friendly text, once."""
        return await self._say(question, draft, "failure", settings_of(question.ai).failure_text, reason)

    async def _say(self, question: Question, draft: Draft, kind: str, text: str, reason: str) -> Answer | Skip:
        after = self._after(question, draft, kind, reason)
        if not text.strip() or await self._said_lately(question.conversation.id, kind):
            return Skip(reason, final=True, after=after)
        return Answer(Content(MessageType.TEXT, text.strip()), Origin.AI, after, excuse=True)

    async def _said_lately(self, conversation_id: str, kind: str) -> bool:
        since = self._clock.now() - EXCUSE_EVERY
        statement = select(col(AiAnswer.message_id)).where(col(AiAnswer.conversation_id) == conversation_id, col(AiAnswer.kind) == kind)
        async with self._db.read() as session:
            return await session.scalar(statement.where(col(AiAnswer.created_at) > since).limit(1)) is not None

    def _after(self, question: Question, draft: Draft, kind: str, reason: str = "") -> After:
        """What is written together with the decision: the calls, the trace, the credits."""

        async def after(session: AsyncSession, message: Message | None) -> None:
            account, conversation = question.account, question.conversation
            after_commit(session, f"budget:{question.message.id}", lambda: self._budget.give_back(account.id, question.message.id))
            session.add_all(call_rows(draft.asked.steps, question, self._clock.now()))
            where = {"workspace_id": account.workspace_id, "account_id": account.id, "conversation_id": conversation.id}
            if kind == "failure":
                record(session, "ai.failed", **where, message_id=question.message.id, data={"reason": reason[:500]})
            if message is None or kind != "answer":
                await self._credits.release(session, question.message.id)
            if message is None:
                return
            if kind == "answer":
                await self._credits.bind(session, question.message.id, message.id)
                record(session, "ai.answered", **where, message_id=message.id, data={"model": draft.asked.steps[-1].model})
            session.add(
                AiAnswer(
                    message_id=message.id,
                    account_id=account.id,
                    conversation_id=conversation.id,
                    kind=kind,
                    question_ids=[each.id for each in (*question.earlier, question.message)],
                    passages=passage_rows(draft.passages),
                    steps=step_rows(draft.asked.steps),
                    created_at=self._clock.now(),
                )
            )

        return after

    async def _note_cancelled(self, question: Question, asked: Asked) -> None:
        """Write down what was asked in vain, and give the credits back."""

        async def note() -> None:
            async with self._db.write() as session:
                session.add_all(call_rows(asked.steps, question, self._clock.now()))
                await self._credits.release(session, question.message.id)

        try:
            await outlast(note)
        except Exception:
            log.exception("a cancelled answer could not be written down", message_id=question.message.id)
