"""One answer, from the question to the text: what the bot in WhatsApp and the "try it" chat have in common (AI-4, AI-7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from whatsapp_dashboard.ai.failover import Asked, Failover, Target
from whatsapp_dashboard.ai.prompting import Line, build_prompt, variables
from whatsapp_dashboard.ai.providers.base import ChatMemory
from whatsapp_dashboard.ai.store import Setup
from whatsapp_dashboard.ai.whatsapp_text import whatsapp_text
from whatsapp_dashboard.knowledge.search import Passage
from whatsapp_dashboard.knowledge.service import KnowledgeService

_SHORT = 4
"""A question of fewer words ("and on Sunday?") is searched for together with the one before."""


@dataclass(slots=True)
class Draft:
    """An answer in the making; what is there so far stays when it is cancelled."""

    asked: Asked = field(default_factory=Asked)
    passages: list[Passage] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The answer as it is sent: in WhatsApp's marks."""
        return whatsapp_text(self.asked.text)


class Responder:
    """Searches the knowledge base and asks the providers."""

    def __init__(self, failover: Failover, knowledge: KnowledgeService) -> None:
        self._failover = failover
        self._knowledge = knowledge

    async def respond(
        self,
        setup: Setup,
        lines: Sequence[Line],
        question: str,
        draft: Draft,
        *,
        contact_name: str,
        contact_phone: str,
        now: datetime,
        chat: Callable[[Target], ChatMemory] | None = None,
    ) -> None:
        """Fill ``draft``: the passages, then the answer of the first provider that gives one, and every step."""
        account, settings = setup.account, setup.settings
        searched = settings.use_knowledge and await self._knowledge.has_documents(account.workspace_id)
        if searched:
            draft.passages = await self._knowledge.passages(account.workspace_id, _searched_for(question, lines), settings.passages)
        values = variables(
            account_name=account.name,
            account_phone=account.phone or "",
            contact_name=contact_name,
            contact_phone=contact_phone,
            now=now,
            timezone=settings.hours.timezone,
        )
        prompt = build_prompt(settings, values, draft.passages, lines, searched=searched)
        await self._failover.ask(setup.targets, prompt, draft.asked, seconds=settings.provider_seconds, chat=chat)


def _searched_for(question: str, lines: Sequence[Line]) -> str:
    if len(question.split()) >= _SHORT:
        return question
    before = [line.text for line in lines if not line.ours and line.text and line.text not in question]
    return f"{before[-1]} {question}" if before else question
