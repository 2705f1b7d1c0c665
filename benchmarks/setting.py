"""What the measurements share: databases, a running dashboard with a world, and how figures are printed."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.postgres import PostgresServer
from tests.support.server import OWNER, OWNER_PASSWORD, ROOT, Server
from tests.support.world import World
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone
from whatsapp_dashboard.ui.build import ensure_built


@contextmanager
def databases(*, postgres: bool = True) -> Iterator[list[tuple[str, str]]]:
    """Name and URL of an empty SQLite file and an empty PostgreSQL database (real fsync on both)."""
    folder = Path(tempfile.mkdtemp(prefix="wa-bench-"))
    found = [("SQLite", f"sqlite+aiosqlite:///{folder / 'bench.db'}")]
    server = PostgresServer.start() if postgres else None
    try:
        if server:
            found.append(("PostgreSQL", server.create()))
        yield found
    finally:
        if server:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Stage:
    """A running dashboard, the phones, and a logged-in client."""

    server: Server
    phone: SandboxPhone
    api: httpx.AsyncClient
    world: World


@asynccontextmanager
async def stage(**settings: str) -> AsyncIterator[Stage]:
    """The real server and a sandbox world, each its own process."""
    ensure_built(ROOT, say=print)
    folder = Path(tempfile.mkdtemp(prefix="wa-bench-"))
    world = World()
    world.start()
    server = Server(folder / "data", env={"SANDBOX_WORLD": world.socket, "LOG_LEVEL": "warning", **settings})
    try:
        await asyncio.to_thread(server.start)
        async with SandboxPhone(world.socket) as phone, httpx.AsyncClient(base_url=server.url, timeout=30) as api:
            answer = await api.post("/api/auth/token", json={"username": OWNER, "password": OWNER_PASSWORD})
            answer.raise_for_status()
            api.headers["Authorization"] = f"Bearer {answer.json()['token']}"
            yield Stage(server, phone, api, world)
    finally:
        server.close()
        world.close()
        shutil.rmtree(folder, ignore_errors=True)


def percentiles(seconds: list[float]) -> str:
    """p50, p95, p99 and the maximum in milliseconds."""
    ordered = sorted(seconds)
    shares = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1_000 for share in (0.50, 0.95, 0.99)]
    return "p50 {:.0f} ms, p95 {:.0f} ms, p99 {:.0f} ms, max {:.0f} ms".format(*shares, ordered[-1] * 1_000)
