"""HTTP clients of a running dashboard."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import httpx

from tests.support.cast import PASSWORDS
from tests.support.server import Server


@asynccontextmanager
async def clients_of(server: Server) -> AsyncIterator[Callable[[str], Awaitable[httpx.AsyncClient]]]:
    """Makes clients logged in by token: ``await make("ben")``."""
    async with AsyncExitStack() as opened:

        async def make(username: str) -> httpx.AsyncClient:
            client = await opened.enter_async_context(httpx.AsyncClient(base_url=server.url, timeout=20))
            answer = await client.post("/api/auth/token", json={"username": username, "password": PASSWORDS[username]})
            answer.raise_for_status()
            client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
            return client

        yield make
