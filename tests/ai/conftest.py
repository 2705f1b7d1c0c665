"""A bot with everything real but the time: database, pipeline, SDKs, and a server that speaks the providers' formats."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from tests.support.clock import MovableClock
from tests.support.llm_server import Behaviour, LlmServer
from tests.support.pipeline import Pipeline
from whatsapp_dashboard.ai.breaker import Breakers
from whatsapp_dashboard.ai.budget import Budget
from whatsapp_dashboard.ai.call_log import AiLog
from whatsapp_dashboard.ai.failover import Failover
from whatsapp_dashboard.ai.gathering import Gatherer
from whatsapp_dashboard.ai.providers.registry import Providers
from whatsapp_dashboard.ai.replier import AiReplier
from whatsapp_dashboard.ai.responder import Responder
from whatsapp_dashboard.ai.service import AiService
from whatsapp_dashboard.ai.trying import AiTrying
from whatsapp_dashboard.ai.views import CallFilters, CallRow, ProviderDraft, ProviderView, Trace
from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.core.addresses import Allowed
from whatsapp_dashboard.core.crypto import SecretBox
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.outgoing import Outgoing
from whatsapp_dashboard.credits.service import CreditService
from whatsapp_dashboard.knowledge.service import KnowledgeService
from whatsapp_dashboard.messages.media import MediaStore
from whatsapp_dashboard.replies.auto_reply import AutoReplier

KEY = "sk-planted-0123456789"


@dataclass
class Bot:
    """One account whose AI is on, and the server it asks."""

    house: Pipeline
    server: LlmServer
    ai: AiService
    trying: AiTrying
    log: AiLog
    breakers: Breakers
    knowledge: KnowledgeService
    credits: CreditService
    providers: list[ProviderView] = field(default_factory=list)

    async def provider(self, kind: str = "openai", *, model: str = "gpt-4.1-mini", **draft: Any) -> ProviderView:
        """One more provider, to be asked last."""
        values = {"kind": kind, "model": model, "key": KEY, "url": self.server.url(kind)} | draft
        view = await self.ai.add_provider(self.house.cast.ben, self.house.account, ProviderDraft(**values))
        self.providers.append(view)
        return view

    async def turn_on(self, **settings: Any) -> None:
        """The AI answers, at once unless the settings say otherwise."""
        await self.ai.save(self.house.cast.ben, self.house.account, enabled=True, settings={"wait_seconds": 0} | settings)

    async def advance(self, seconds: float) -> None:
        """Time passes."""
        await cast(MovableClock, self.house.clock).advance(seconds)

    async def calls(self) -> list[CallRow]:
        """The log, oldest first."""
        page = await self.log.page(self.house.cast.vic, CallFilters(), limit=200)
        return list(reversed(page.rows))

    async def trace(self) -> Trace:
        """What the newest outgoing message was made of."""
        message = (await self.house.messages_of(direction="outgoing"))[-1]
        trace = await self.log.trace(self.house.cast.vic, message.id)
        assert trace is not None
        return trace

    def asked(self, kind: str = "") -> list[str]:
        """The last words of each request."""
        return [one.said.turns[-1][1] for one in self.server.requests(kind)]


@pytest.fixture
async def server() -> AsyncIterator[LlmServer]:
    """The providers."""
    async with LlmServer() as running:
        yield running


@pytest.fixture
async def bot(db: Database, clock: MovableClock, tmp_path: Path, server: LlmServer) -> AsyncIterator[Bot]:
    """An account without AI yet."""
    settings = Settings(data_dir=tmp_path, _env_file=None)  # type: ignore[call-arg]
    box = SecretBox(b"k" * 32)
    http = Outgoing(lambda _: Allowed.parse(["127.0.0.1/32"]), user_agent="Test")
    providers, breakers = Providers(http), Breakers(clock)
    failover = Failover(providers, breakers)
    knowledge = KnowledgeService(db, clock, box, http, max_mb=5)
    credits = CreditService(db, clock)
    responder = Responder(failover, knowledge)
    replier = AiReplier(
        db,
        clock,
        box,
        providers=providers,
        responder=responder,
        gatherer=Gatherer(db, clock, MediaStore(db, settings)),
        budget=Budget(db, clock),
        credits=credits,
    )
    house = await Pipeline(db, clock, tmp_path, [replier, AutoReplier(clock)]).open()
    trying = AiTrying(db, clock, box, providers=providers, breakers=breakers, failover=failover, responder=responder)
    ai = AiService(db, clock, box, http, providers=providers, breakers=breakers)
    try:
        yield Bot(house, server, ai, trying, AiLog(db, clock), breakers, knowledge, credits)
    finally:
        await house.close()
        await providers.close()
        await http.close()


def says(text: str, **more: Any) -> Behaviour:
    """The provider answers with this."""
    return Behaviour(text=text, **more)
