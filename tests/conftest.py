"""Fixtures every test may use. Real parts only: SQLite files, a PostgreSQL server, loopback HTTP, a browser."""

from __future__ import annotations

import asyncio
import gc
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import pytest
import structlog

from tests.peer.client import PeerClient
from tests.peer.process import PeerProcess
from tests.support import evidence
from tests.support.cast import Cast, make_cast
from tests.support.clients import clients_of
from tests.support.clock import MovableClock
from tests.support.postgres import PostgresServer
from tests.support.relay import Relay, relay_to
from tests.support.server import OWNER, ROOT, Server
from tests.support.shared import Shared
from tests.support.world import World
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.migrations import upgrade
from whatsapp_dashboard.ui.build import ensure_built

# How long an example takes depends on what else the machine does.
hypothesis.settings.register_profile("tests", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("tests")

# Local variables in tracebacks take seconds each.
_plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
structlog.configure(processors=[*structlog.get_config()["processors"][:-1], _plain])


@pytest.fixture(scope="session")
def shared(request: pytest.FixtureRequest) -> Shared:
    """What the workers of this run share."""
    return request.config.stash[_SHARED]


@pytest.fixture(scope="session")
def postgres(shared: Shared) -> PostgresServer:
    """The PostgreSQL server of this test run."""
    return PostgresServer.known(shared.once(_POSTGRES, lambda: PostgresServer.start().describe()))


@pytest.fixture(scope="session")
def migrated_postgres(shared: Shared, postgres: PostgresServer) -> str:
    """Name of a migrated, empty PostgreSQL database; tests get copies of it."""

    def make() -> str:
        url = postgres.create()
        asyncio.run(upgrade(url))
        return url.rpartition("/")[2]

    return str(shared.once("migrated-postgres", make))


@pytest.fixture(scope="session")
def migrated_sqlite(shared: Shared) -> Path:
    """A migrated, empty SQLite file; tests get copies of it."""
    path = shared.folder / "migrated.db"
    shared.once("migrated-sqlite", lambda: asyncio.run(upgrade(f"sqlite+aiosqlite:///{path}")) or True)
    return path


@pytest.fixture(scope="session")
def sqlite_with_cast(shared: Shared, migrated_sqlite: Path) -> Path:
    """A SQLite file with Ana, Ben, Vic and Mallory, who can log in; dashboards get copies of it."""
    path = shared.folder / "cast.db"

    async def make() -> bool:
        shutil.copy(migrated_sqlite, path)
        database = Database(f"sqlite+aiosqlite:///{path}")
        await make_cast(database, can_log_in=True)
        await database.close()
        return True

    shared.once("sqlite-with-cast", lambda: asyncio.run(make()))
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_sqlite: Path) -> str:
    """A migrated SQLite database of this test's own."""
    path = tmp_path / "dashboard.db"
    shutil.copy(migrated_sqlite, path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture(scope="session")
def spare_databases() -> list[str]:
    """Migrated, empty PostgreSQL databases of this process that no test uses now."""
    return []


@pytest.fixture
def postgres_url(postgres: PostgresServer, migrated_postgres: str, spare_databases: list[str]) -> Iterator[str]:
    """A migrated PostgreSQL database of this test's own."""
    url = spare_databases.pop() if spare_databases else postgres.create(migrated_postgres)
    yield url
    postgres.clear(url)
    spare_databases.append(url)


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
async def relay(postgres_url: str) -> AsyncIterator[Relay]:
    """A line to the test's PostgreSQL that can be cut."""
    async with relay_to(postgres_url) as relay:
        yield relay


@pytest.fixture
async def far_db(relay: Relay) -> AsyncIterator[Database]:
    """The test's PostgreSQL database behind that line."""
    database = Database(relay.url)
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
def new_server(built_pages: None, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Server]]:
    """Makes dashboards (not yet started); all of them are gone when the test ends. Arguments are settings: ``DATABASE_URL=...``."""
    made: list[Server] = []
    quick = not any(request.node.get_closest_marker(name) for name in ("full", "command"))

    def make(name: str = "data", **env: str) -> Server:
        server = Server(tmp_path / name, env=env, quick=quick)
        made.append(server)
        return server

    yield make
    for server in made:
        server.close()


@pytest.fixture
def new_server_with_cast(new_server: Callable[..., Server], sqlite_with_cast: Path) -> Callable[..., Server]:
    """Starts dashboards on SQLite with the whole cast in them."""

    def make(**env: str) -> Server:
        server = new_server(**env)
        server.data_dir.mkdir()
        shutil.copy(sqlite_with_cast, server.data_dir / "dashboard.db")
        server.start()
        return server

    return make


@pytest.fixture
def server(new_server_with_cast: Callable[..., Server]) -> Server:
    """A running dashboard on SQLite with the whole cast in it."""
    return new_server_with_cast()


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
    async with clients_of(server) as make:
        yield make


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


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder that all workers share, or take the one that the controller has made."""
    handed = getattr(config, "workerinput", {}).get("shared")
    config.stash[_SHARED] = Shared(Path(handed or tempfile.mkdtemp(prefix="wa-tests-")))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where it is."""
    node.workerinput["shared"] = str(node.config.stash[_SHARED].folder)


def pytest_collection_finish() -> None:
    """What is there now stays until the end: the garbage collector need not look at it again and again."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure(config: pytest.Config) -> None:
    """After the last worker: end what they shared."""
    if not hasattr(config, "workerinput"):
        shared = config.stash[_SHARED]
        if description := shared.made(_POSTGRES):
            PostgresServer.known(description).stop()
        shutil.rmtree(shared.folder, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts the real server or needs a PostgreSQL is slow, what opens a browser is marked so and runs in the browser's loop; nobody
    has to remember it."""
    for item in items:
        used = set(getattr(item, "fixturenames", ()))
        parameters = item.callspec.params.values() if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ()
        if "window" in used:
            item.add_marker("browser")
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
        elif "new_server" in used or "postgres_url" in used or "postgresql" in parameters:
            item.add_marker("slow")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep evidence of what fails."""
    report = yield
    evidence.remember(item, report)
    return report


_SHARED = pytest.StashKey[Shared]()
_POSTGRES = "postgres"
