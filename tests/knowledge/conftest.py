"""A knowledge base with everything real: both databases, the indexer, files, a web server on loopback."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.support.cast import Cast, make_cast
from tests.support.clock import MovableClock
from tests.support.waiting import until
from whatsapp_dashboard.core.addresses import Allowed
from whatsapp_dashboard.core.crypto import SecretBox
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.outgoing import Outgoing
from whatsapp_dashboard.knowledge.service import KnowledgeService
from whatsapp_dashboard.knowledge.views import DocumentRow


@dataclass
class Library:
    """The knowledge base of the Default workspace."""

    db: Database
    cast: Cast
    knowledge: KnowledgeService

    async def ready(self, document: DocumentRow) -> DocumentRow:
        """Wait until it is indexed, or has failed."""

        async def look() -> DocumentRow:
            return (await self.knowledge.get(self.cast.vic, document.id)).row

        return await until(look, lambda row: row.state in ("ready", "failed"))

    async def write(self, title: str, text: str) -> DocumentRow:
        """Ben writes a text; returns when it is indexed."""
        return await self.ready(await self.knowledge.add_text(self.cast.ben, title, text))

    async def titles(self, question: str, limit: int = 5) -> list[str]:
        """Of the passages that fit."""
        return [passage.title for passage in await self.knowledge.search(self.cast.vic, question, limit)]


@pytest.fixture
async def library(db: Database, clock: MovableClock) -> AsyncIterator[Library]:
    """An empty one; loopback is allowed."""
    http = Outgoing(lambda _: Allowed.parse(["127.0.0.1/32"]), user_agent="Test")
    knowledge = KnowledgeService(db, clock, SecretBox(os.urandom(32)), http, max_mb=2)
    await knowledge.indexer.start()
    yield Library(db, await make_cast(db), knowledge)
    await knowledge.indexer.stop()
    await http.close()
