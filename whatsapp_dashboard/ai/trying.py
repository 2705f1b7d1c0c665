"""Trying without WhatsApp: one question to one provider, and a chat with the bot as it is set up (AI-7). Nothing is sent, nothing is
billed; the calls are in the log."""

from __future__ import annotations

import time

from whatsapp_dashboard.ai.breaker import Breakers
from whatsapp_dashboard.ai.call_rows import asked_of, call_row, passage_views
from whatsapp_dashboard.ai.chats import PassingChat
from whatsapp_dashboard.ai.drafts import check_draft, connection_of
from whatsapp_dashboard.ai.failover import Asked, Failover, Target
from whatsapp_dashboard.ai.prompting import MAX_TURN, Line
from whatsapp_dashboard.ai.providers.base import Connection, Prompt, Turn
from whatsapp_dashboard.ai.providers.registry import Providers
from whatsapp_dashboard.ai.responder import Draft, Responder
from whatsapp_dashboard.ai.store import open_key, owned_account, read_setup
from whatsapp_dashboard.ai.views import ProviderDraft, StepView, TestResult, Trace, TryResult, TryTurn
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.crypto import SecretBox
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.errors import Conflict, Invalid
from whatsapp_dashboard.models import Account, AiConfig, AiProvider

MAX_TURNS = 100
_TEST = Prompt(
    system="You are being tested. Answer in one short sentence.",
    turns=(Turn("user", "Hello! Are you there?"),),
    temperature=0.0,
    max_tokens=60,
)
_NAME = "Test contact"
"""What the prompt calls the operator who tries."""


class AiTrying:
    """Asks providers on behalf of an operator."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        box: SecretBox,
        *,
        providers: Providers,
        breakers: Breakers,
        failover: Failover,
        responder: Responder,
    ) -> None:
        self._db = db
        self._clock = clock
        self._box = box
        self._providers = providers
        self._breakers = breakers
        self._failover = failover
        self._responder = responder

    async def test(self, who: Principal, account_id: str, draft: ProviderDraft, provider_id: str = "") -> TestResult:
        """Ask the provider of a draft, saved or not, one question. Raises :class:`Invalid` for a draft that cannot be asked."""
        who.require(Role.OPERATOR)
        checked = check_draft(self._providers, draft)
        connection = await connection_of(self._db, self._box, self._providers, who, account_id, draft=draft, provider_id=provider_id)
        async with self._db.read() as session:
            account = await owned_account(session, who, account_id)
            seconds = (await read_setup(session, self._box, self._providers, account, await session.get(AiConfig, account_id))).settings
        # Under a name of its own: what fails here may be a draft's fault, and takes no turn from customers.
        target = Target(
            id=f"test:{who.operator_id}",
            workspace_id=who.workspace_id,
            kind=draft.kind,
            label=checked.label or self._providers.kind(draft.kind).title,
            model=connection.model,
            url=connection.url,
            key=connection.key,
            concurrency=1,
            images=False,
            audio=False,
        )
        asked = Asked()
        await self._failover.ask_one(target, _TEST, asked, seconds=seconds.provider_seconds, chat=lambda _: PassingChat())
        done = asked.steps[-1]
        if asked.answered and await self._is_stored(account_id, provider_id, connection):
            self._breakers.succeeded(provider_id)  # whoever mended it need not wait for its rest to end
        await self._log(account, [done], "test", provider_id)
        return TestResult(
            ok=asked.answered,
            ms=done.ms,
            answer=asked.text,
            error=done.error,
            outcome=done.outcome,
            model=done.model,
            blocked_host=asked.blocked_host,
        )

    async def chat(self, who: Principal, account_id: str, turns: list[TryTurn]) -> TryResult:
        """The bot's next line in this conversation. Raises :class:`Conflict` without a provider, :class:`Invalid`."""
        who.require(Role.OPERATOR)
        if not turns or turns[-1].role != "user" or not turns[-1].text.strip():
            raise Invalid("Write a message to the bot.", field="turns")
        if len(turns) > MAX_TURNS or any(len(turn.text) > MAX_TURN for turn in turns):
            raise Invalid(f"A chat has at most {MAX_TURNS} messages of {MAX_TURN} characters each.", field="turns")
        async with self._db.read() as session:
            account = await owned_account(session, who, account_id)
            setup = await read_setup(session, self._box, self._providers, account, await session.get(AiConfig, account_id))
        if not setup.targets:
            raise Conflict("Add a provider first: there is nobody to ask.", code="no_provider")
        keep = turns[-(setup.settings.history_limit + 1) :]
        lines = [Line(turn.role == "assistant", turn.text) for turn in keep]
        draft, began = Draft(), time.monotonic()
        chats: dict[str, PassingChat] = {}
        await self._responder.respond(
            setup,
            lines,
            turns[-1].text,
            draft,
            contact_name=_NAME,
            contact_phone="",
            now=self._clock.now(),
            chat=lambda target: chats.setdefault(target.id, PassingChat()),
        )
        ms = int((time.monotonic() - began) * 1_000)
        await self._log(account, draft.asked.steps, "try", "")
        trace = Trace("answer" if draft.asked.answered else "failure", tuple(draft.asked.steps), passage_views(draft.passages))
        return TryResult(draft.text or setup.settings.failure_text, trace, ms)

    async def _is_stored(self, account_id: str, provider_id: str, asked: Connection) -> bool:
        """Whether just what was asked is what customers' questions go to."""
        async with self._db.read() as session:
            row = await session.get(AiProvider, provider_id) if provider_id else None
        if row is None or row.account_id != account_id:
            return False
        return (row.kind, row.model, row.url, open_key(self._box, row)) == (asked.kind, asked.model.strip(), asked.url, asked.key)

    async def _log(self, account: Account, steps: list[StepView], purpose: str, provider_id: str) -> None:
        rows = [call_row(step, account, purpose, self._clock.now()) for step in asked_of(steps)]
        if purpose == "test":
            for row in rows:
                row.provider_id = provider_id or None
        async with self._db.write() as session:
            session.add_all(rows)
