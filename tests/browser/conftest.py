"""A dashboard whose sandbox world runs beside it, so that tests hold the phones in their hands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from tests.support.cast import start_with_cast
from tests.support.server import Server
from tests.support.world import World
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone


@pytest.fixture
def server(new_server: Callable[..., Server], world: World) -> Server:
    """A running dashboard on SQLite with the whole cast in it and the world beside it."""
    return start_with_cast(new_server(SANDBOX_WORLD=world.socket))


@pytest.fixture
async def phone(world: World, server: Server) -> AsyncIterator[SandboxPhone]:
    """A hand on every phone of the world."""
    async with SandboxPhone(world.socket) as held:
        yield held
