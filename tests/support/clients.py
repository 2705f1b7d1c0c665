"""HTTP clients of a running dashboard."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx

from tests.support.cast import PASSWORDS
from tests.support.server import Server
from tests.support.waiting import PATIENCE, until


@asynccontextmanager
async def clients_of(server: Server) -> AsyncIterator[Callable[[str], Awaitable[httpx.AsyncClient]]]:
    """Makes clients logged in by token: ``await make("ben")``."""
    async with AsyncExitStack() as opened:

        async def make(username: str) -> httpx.AsyncClient:
            client = await opened.enter_async_context(httpx.AsyncClient(base_url=server.url, timeout=PATIENCE))
            answer = await client.post("/api/auth/token", json={"username": username, "password": PASSWORDS[username]})
            answer.raise_for_status()
            client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
            return client

        yield make


async def answer_of(api: httpx.AsyncClient, path: str, fits: Callable[[Any], object], *, seconds: float = PATIENCE) -> Any:
    """Ask until the answer is as wanted; what it says."""

    async def ask() -> Any:
        return (await api.get(path)).json()

    return await until(ask, fits, seconds=seconds, pause=0.05)
