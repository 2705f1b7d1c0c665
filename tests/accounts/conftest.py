"""A pool on a real database with an engine whose every step the test decides."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import ClassVar

import pytest

from tests.support.waiting import until
from whatsapp_dashboard.accounts.leases import Leases
from whatsapp_dashboard.accounts.pool import SessionPool
from whatsapp_dashboard.accounts.records import AccountRecords
from whatsapp_dashboard.accounts.service import AccountService
from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.crypto import SecretBox
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.engine_events import ConversationEvent
from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import Content, SendResult
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.engines import registry
from whatsapp_dashboard.engines.base import Capability, Engine, EngineContext
from whatsapp_dashboard.models import Workspace


class ScriptedEngine(Engine):
    """Does what the test wrote into :attr:`script`: misbehaves in ways the sandbox, being well made, cannot."""

    name = "scripted"
    title = "Scripted"
    summary = "For tests of the pool."
    capabilities = frozenset({Capability.QR, Capability.TEXT})
    script: ClassVar[Callable[[ScriptedEngine], Awaitable[None]]]
    made: ClassVar[list[ScriptedEngine]]
    probing: ClassVar[Callable[[ScriptedEngine], Awaitable[None]]]

    def __init__(self, context: EngineContext) -> None:
        super().__init__(context)
        self.stopped = 0
        self.logged_out = False
        type(self).made.append(self)

    async def start(self) -> None:
        await type(self).script(self)

    async def stop(self) -> None:
        self.stopped += 1

    async def logout(self) -> None:
        self.logged_out = True

    async def probe(self) -> None:
        await type(self).probing(self)

    async def send(self, key: str, to: Address, content: Content) -> SendResult:
        raise NotImplementedError


class StoredEvents:
    """Stands where the inbox stands: remembers what was handed over."""

    def __init__(self) -> None:
        self.events: list[tuple[str, ConversationEvent]] = []

    async def submit(self, account_id: str, event: ConversationEvent) -> None:
        self.events.append((account_id, event))


class World:
    """The parts a test of the pool needs."""

    def __init__(self, db: Database, folder: Path, workspace_id: str) -> None:
        self.db = db
        self.settings = Settings(_env_file=None, data_dir=folder, probe_seconds=0.2, engine_call_seconds=3)  # type: ignore[call-arg]
        self.box = SecretBox(b"k" * 32)
        self.clock = Clock()
        self.inbox = StoredEvents()
        self.ana = Principal("ana", workspace_id, "ana", Role.OWNER, "s1")
        self.pools: list[SessionPool] = []
        self.new_process()

    def new_process(self) -> None:
        """Another process on the same database: what a restart is."""
        self.records = AccountRecords(self.db, self.box, self.clock)
        self.pool = SessionPool(self.settings, self.records, Leases(self.db, self.clock), self.clock, self.inbox)
        self.accounts = AccountService(self.db, self.pool, self.records, self.clock)
        self.pools.append(self.pool)

    async def status(self, account_id: str, wanted: str) -> None:
        """Wait until the account has the status ``wanted``."""

        async def there() -> bool:
            return (await self.accounts.get(self.ana, account_id)).status == wanted

        await until(there)

    async def reason(self, account_id: str, words: str) -> None:
        """Wait until the account's human reason has ``words`` in it."""

        async def there() -> bool:
            return words in (await self.accounts.get(self.ana, account_id)).status_reason

        await until(there)


@pytest.fixture
async def world(sqlite_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A pool without sessions, and the scripted engine among the engines."""

    async def nothing(_engine: ScriptedEngine) -> None:
        return

    monkeypatch.setitem(registry.ENGINES, "scripted", ScriptedEngine)
    ScriptedEngine.made = []
    ScriptedEngine.script = staticmethod(nothing)
    ScriptedEngine.probing = staticmethod(nothing)
    async with sqlite_db.write() as session:
        workspace = Workspace(name="Pool")
        session.add(workspace)
    made = World(sqlite_db, tmp_path, workspace.id)
    yield made
    for pool in made.pools:
        await pool.stop()
