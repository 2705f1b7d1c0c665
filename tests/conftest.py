"""Fixtures every test may use. Real parts only: SQLite files, a PostgreSQL server, loopback HTTP, a browser."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser

from tests.peer.client import PeerClient
from tests.peer.process import PeerProcess
from tests.support.browser import ARTIFACTS, Window, launched
from tests.support.cast import PASSWORDS, Cast, make_cast, start_with_cast
from tests.support.clock import MovableClock
from tests.support.postgres import PostgresServer, find_binaries
from tests.support.server import OWNER, ROOT, Server
from tests.support.world import World
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.migrations import upgrade
from whatsapp_dashboard.ui.build import ensure_built


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The PostgreSQL server of this test run."""
    binaries = find_binaries()
    if binaries is None:
        pytest.fail("PostgreSQL's server programs are needed for the tests: apt-get install postgresql")
    server = PostgresServer(binaries)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def migrated_postgres(postgres: PostgresServer) -> str:
    """Name of a migrated, empty PostgreSQL database; tests get copies of it."""
    url = postgres.create()
    asyncio.run(upgrade(url))
    return url.rpartition("/")[2]


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file; tests get copies of it."""
    path = tmp_path_factory.mktemp("template") / "migrated.db"
    asyncio.run(upgrade(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_sqlite: Path) -> str:
    """A migrated SQLite database of this test's own."""
    path = tmp_path / "dashboard.db"
    shutil.copy(migrated_sqlite, path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
def postgres_url(postgres: PostgresServer, migrated_postgres: str) -> Iterator[str]:
    """A migrated PostgreSQL database of this test's own."""
    url = postgres.create(migrated_postgres)
    yield url
    postgres.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of this test's own: the test runs once on SQLite and once on PostgreSQL."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.create()
    yield url
    server.drop(url)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """An open, migrated database; the test runs on SQLite and on PostgreSQL."""
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def sqlite_db(sqlite_url: str) -> AsyncIterator[Database]:
    """An open, migrated SQLite database, for tests that need not run twice."""
    database = Database(sqlite_url)
    yield database
    await database.close()


@pytest.fixture
def clock() -> MovableClock:
    """A clock that stands still until the test moves it."""
    return MovableClock()


@pytest.fixture
async def cast(db: Database) -> Cast:
    """Ana, Ben, Vic and Mallory, in the database of ``db``."""
    return await make_cast(db)


@pytest.fixture(scope="session")
def built_pages() -> None:
    """The pages, built when their sources changed."""
    ensure_built(ROOT, say=print)


@pytest.fixture
def new_server(built_pages: None, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Makes dashboards (not yet started); all of them are gone when the test ends. Arguments are settings: ``DATABASE_URL=...``."""
    made: list[Server] = []

    def make(name: str = "data", **env: str) -> Server:
        server = Server(tmp_path / name, env=env)
        made.append(server)
        return server

    yield make
    for server in made:
        server.close()


@pytest.fixture
def server(new_server: Callable[..., Server]) -> Server:
    """A running dashboard on SQLite with the whole cast in it."""
    return start_with_cast(new_server())


@pytest.fixture
def world() -> Iterator[World]:
    """A sandbox world as its own process, which outlives the dashboard."""
    process = World()
    process.start()
    yield process
    process.close()


@pytest.fixture
async def api_as(server: Server) -> AsyncIterator[Callable[[str], Awaitable[httpx.AsyncClient]]]:
    """Makes HTTP clients logged in by token: ``await api_as("ben")``."""
    clients: list[httpx.AsyncClient] = []

    async def make(username: str) -> httpx.AsyncClient:
        client = httpx.AsyncClient(base_url=server.url, timeout=20)
        clients.append(client)
        answer = await client.post("/api/auth/token", json={"username": username, "password": PASSWORDS[username]})
        answer.raise_for_status()
        client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        return client

    yield make
    for client in clients:
        await client.aclose()


@pytest.fixture
async def api(api_as: Callable[[str], Awaitable[httpx.AsyncClient]]) -> httpx.AsyncClient:
    """An HTTP client of ``server``, logged in as Ana."""
    return await api_as(OWNER)


@pytest.fixture
def peer_process(tmp_path: Path) -> Iterator[PeerProcess]:
    """A protocol peer in place of WhatsApp, for engines with real numbers."""
    process = PeerProcess(tmp_path / "peer")
    process.start()
    yield process
    process.stop()


@pytest.fixture
async def peer(peer_process: PeerProcess) -> AsyncIterator[PeerClient]:
    """A hand on every phone of the peer."""
    async with peer_process.client() as client:
        yield client


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A running Chromium."""
    async with launched() as started:
        yield started


@pytest.fixture
async def window(browser: Browser, server: Server, request: pytest.FixtureRequest) -> AsyncIterator[Window]:
    """Opens tabs at ``server``: ``page = await window.log_in("ana", PASSWORDS["ana"])``."""
    opened = Window(browser, server)
    yield opened
    if _failed(request.node):
        await opened.keep_pictures(re.sub(r"\W+", "-", request.node.name))
        print("The browser's console:", *opened.console[-40:], sep="\n")
        print("The server's log ends:", server.log_end(), sep="\n")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts the real server or needs a PostgreSQL is slow, what opens a browser is marked so; nobody has to remember it."""
    for item in items:
        used = set(getattr(item, "fixturenames", ()))
        parameters = item.callspec.params.values() if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ()
        if "browser" in used:
            item.add_marker("browser")
        elif "new_server" in used or "postgres_url" in used or "postgresql" in parameters:
            item.add_marker("slow")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether the test failed, for the fixtures that keep evidence of it."""
    report = yield
    item.stash.setdefault(_REPORTS, {})[report.when] = report
    if report.when == "call" and report.failed:
        _keep_log(item)
    return report


_REPORTS = pytest.StashKey[dict[str, Any]]()


def _failed(item: pytest.Item) -> bool:
    report = item.stash.get(_REPORTS, {}).get("call")
    return bool(report and report.failed)


def _keep_log(item: pytest.Item) -> None:
    server = getattr(item, "funcargs", {}).get("server")
    if isinstance(server, Server):
        ARTIFACTS.mkdir(exist_ok=True)
        (ARTIFACTS / f"{re.sub(r'[^A-Za-z0-9]+', '-', item.name)}-server.txt").write_text(server.log)
