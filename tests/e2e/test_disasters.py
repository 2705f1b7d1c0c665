"""What can befall the computer befalls the real program in the middle of its work: it goes on by itself, nothing is lost, doubled or
reordered (DUR-1, DUR-2, DUR-3, ACC-5, OBS-5)."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.e2e.test_durability import log_in
from tests.support.disasters import HOUR, Disaster, SteppedClock, connections_ended, database_locked, disk_full, postgres_killed, stopped
from tests.support.llm_server import LlmServer
from tests.support.ports import ReservedPort
from tests.support.postgres import PostgresServer
from tests.support.receivers import Receivers
from tests.support.server import Server
from tests.support.small_disk import SmallDisk
from tests.support.stream import Stream
from tests.support.waiting import PATIENCE, until
from tests.support.watch import ANSWER_SECONDS, Watch
from tests.support.world import World
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone

pytestmark = [pytest.mark.alone, pytest.mark.timeout(300)]

MESSAGES = 500
CONTACTS = 20
ALIVE_SECONDS = 60
"""After a disaster every account answers again within this time, without a hand."""
SHORT = 3.0
LOG_LINES_A_MINUTE = 600
TRACEBACKS_A_MINUTE = 20


@dataclass
class Place:
    """A dashboard whose database lies where things happen."""

    server: Server
    url: str
    disk: SmallDisk
    postgres: PostgresServer | None

    @property
    def file(self) -> Path:
        """The SQLite file."""
        return Path(self.url.removeprefix("sqlite+aiosqlite:///"))


@pytest.fixture(scope="module")
def lonely_postgres() -> Iterator[tuple[PostgresServer, SmallDisk]]:
    """A PostgreSQL that nobody else uses, on a small disk."""
    disk, port = SmallDisk(Path(tempfile.mkdtemp(prefix="wa-postgres-")), 160), ReservedPort()
    postgres = PostgresServer.start(disk.folder, port)
    yield postgres, disk
    postgres.stop()
    port.free()
    disk.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, new_server: Callable[..., Server], world: World, tmp_path: Path) -> Iterator[Place]:
    """A dashboard on each database, not yet started."""
    if request.param == "postgresql":
        postgres, disk = request.getfixturevalue("lonely_postgres")
        url = postgres.create()
        yield Place(new_server(DATABASE_URL=url, SANDBOX_WORLD=world.socket), url, disk, postgres)
        postgres.drop(url)
        return
    disk = SmallDisk(tmp_path / "disk", 48)
    data = disk.folder / "data"
    yield Place(new_server(DATA_DIR=str(data), SANDBOX_WORLD=world.socket), f"sqlite+aiosqlite:///{data}/dashboard.db", disk, None)
    disk.close()


async def survives(place: Place, world: World, disaster: Disaster, seconds: float) -> None:
    """Let ``disaster`` befall the program for ``seconds`` while 500 messages come in; then compare all witnesses."""
    server = place.server
    async with AsyncExitStack() as opened:
        phone = await opened.enter_async_context(SandboxPhone(world.socket))
        api = await opened.enter_async_context(httpx.AsyncClient(base_url=server.url, timeout=PATIENCE))
        llm, receivers = [await opened.enter_async_context(one) for one in (LlmServer(), Receivers())]
        await asyncio.to_thread(server.start)
        await log_in(api)
        stream = await Stream(phone, api, llm, receivers).open(CONTACTS)
        watch = Watch(api, stream.accounts[0], "+34677000000")
        listener = (await phone.add_contact("Listener", "34677000000"))["id"]
        log_began, began = len(server.log), time.monotonic()
        writing = asyncio.create_task(stream.write(MESSAGES, seconds + 3, random.Random(20261127)))
        await stream.answered(30, PATIENCE)
        watching = asyncio.create_task(watch.run()) if disaster.answering else None
        async with disaster.strike():
            await asyncio.sleep(seconds)
            if not disaster.writable:
                await until(watch.not_ready, seconds=ANSWER_SECONDS)
        ended = time.monotonic()
        await stream.all_alive(ALIVE_SECONDS)
        await until(lambda: ready(api), seconds=ALIVE_SECONDS)
        alive_seconds = time.monotonic() - ended
        if watching:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        await writing
        await stream.settled(place.url, PATIENCE)
        lasted = time.monotonic() - began
        log = server.log[log_began:]
        code, stop_seconds = server.terminate()
        figures = await stream.check(place.url)
        answers = watch.check(writable=disaster.writable)
        heard = Counter(item.text for item in await phone.received(listener))
    lines, traces = log.count("\n"), log.count("Traceback")
    print(
        f"\n{disaster.name}, {seconds:g} s, {place.url.partition('+')[0]}: {figures}; alive after {alive_seconds:.1f} s; "
        f"API: {answers or 'not asked'}; {lines} lines and {traces} tracebacks in the log"
    )
    assert set(watch.accepted) <= set(heard), "accepted means stored, and stored means sent"
    assert set(heard.values()) <= {1}
    assert (code, stop_seconds < 10) == (0, True)
    assert lines / lasted * 60 < LOG_LINES_A_MINUTE, log[-4_000:]
    assert traces / lasted * 60 < TRACEBACKS_A_MINUTE, log[-4_000:]


async def ready(api: httpx.AsyncClient) -> bool:
    """Whether the program says that it is."""
    return (await api.get("/health/ready")).status_code == 200


def lasting(full: float, *marks: pytest.MarkDecorator) -> pytest.MarkDecorator:
    """So many seconds at full size, a few otherwise."""
    return pytest.mark.parametrize("seconds", [pytest.param(SHORT, marks=marks), pytest.param(full, marks=pytest.mark.full)])


on = {name: pytest.mark.parametrize("place", [name], indirect=True) for name in ("sqlite", "postgresql")}
on_both = pytest.mark.parametrize("place", ["sqlite", pytest.param("postgresql", marks=pytest.mark.full)], indirect=True)


@lasting(15)
@on["postgresql"]
async def test_postgresql_is_killed_and_comes_back(place: Place, world: World, seconds: float) -> None:
    """DUR-1, DUR-2, DUR-3, ACC-5, OBS-5: nothing can be read or written meanwhile."""
    assert place.postgres
    await survives(place, world, postgres_killed(place.postgres), seconds)


@lasting(43, pytest.mark.full)
@on["postgresql"]
async def test_postgresql_ends_all_connections_again_and_again(place: Place, world: World, seconds: float) -> None:
    """DUR-1, DUR-2, DUR-3, ACC-5: every write may break off anywhere."""
    await survives(place, world, connections_ended(place.url), seconds)


@lasting(43)
@on["sqlite"]
async def test_the_disk_is_full_for_a_while(place: Place, world: World, seconds: float) -> None:
    """DUR-1, DUR-2, DUR-3, ACC-5, OBS-5: everything can be read, nothing written."""
    await survives(place, world, disk_full(place.disk, place.server, None), seconds)


@lasting(43, pytest.mark.full)
@on["postgresql"]
async def test_the_disk_of_postgresql_is_full_for_a_while(place: Place, world: World, seconds: float) -> None:
    """DUR-1, DUR-2, DUR-3, ACC-5, OBS-5: what needs more room cannot be written; PostgreSQL may give up and be started again."""
    await survives(place, world, disk_full(place.disk, place.server, place.postgres), seconds)


@lasting(50)
@on["sqlite"]
async def test_another_process_locks_the_database(place: Place, world: World, seconds: float) -> None:
    """DUR-1, DUR-2, DUR-3, ACC-5, OBS-5: at full size for longer than SQLite is told to wait."""
    await survives(place, world, database_locked(place.file), seconds)


@lasting(60)
@on_both
async def test_the_program_stands_still(place: Place, world: World, seconds: float) -> None:
    """DUR-1, DUR-2, DUR-3, ACC-5: as with a computer that sleeps."""
    await survives(place, world, stopped(place.server), seconds)


@lasting(60)
@on_both
@pytest.mark.parametrize("hours", [-1, pytest.param(1, marks=pytest.mark.full)])
async def test_the_clock_is_wrong_for_a_while(place: Place, world: World, tmp_path: Path, hours: int, seconds: float) -> None:
    """DUR-1, DUR-2, DUR-3, ACC-5: it jumps back and forward, or forward and back, and nobody waits for an hour to come again."""
    clock = SteppedClock(tmp_path / "clock", place.server)
    await survives(place, world, clock.wrong(hours * HOUR), seconds)
