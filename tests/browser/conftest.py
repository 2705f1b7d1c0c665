"""A dashboard whose sandbox world runs beside it, so that tests hold the phones in their hands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from tests.support.cast import make_cast
from tests.support.server import Server
from tests.support.world import World
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.migrations import upgrade
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone


@pytest.fixture
def world() -> Iterator[World]:
    """A running sandbox world."""
    made = World()
    made.start()
    yield made
    made.close()


@pytest.fixture
def server(new_server: Callable[..., Server], world: World) -> Server:
    """A running dashboard on SQLite with the whole cast in it and the world beside it."""
    server = new_server(SANDBOX_WORLD=world.socket)
    server.data_dir.mkdir()
    url = f"sqlite+aiosqlite:///{server.data_dir / 'dashboard.db'}"

    async def prepare() -> None:
        await upgrade(url)
        database = Database(url)
        await make_cast(database, can_log_in=True)
        await database.close()

    asyncio.run(prepare())
    server.start()
    return server


@pytest.fixture
async def phone(world: World, server: Server) -> AsyncIterator[SandboxPhone]:
    """A hand on every phone of the world."""
    async with SandboxPhone(world.socket) as held:
        yield held
