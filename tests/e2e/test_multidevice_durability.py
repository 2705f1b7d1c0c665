"""Real numbers when things are killed: the protocol peer and the customers' real phones are the witnesses (DUR-1, DUR-2, DUR-4, ENG-2)."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from operator import not_
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.peer.customer_records import StreamReport
from tests.support.linking import answers_each, wait_ready
from tests.support.real_numbers import RealNumbers, real_numbers
from tests.support.server import Server
from tests.support.waiting import until
from whatsapp_dashboard.core.db import Database

pytestmark = pytest.mark.alone

OWNER_NUMBER = "12025550188"
ECHO = answers_each("You wrote: {{message}}")
SETTLE_SECONDS = 90


@dataclass(frozen=True)
class Size:
    """How hard a proof is: messages per customer, and how often something is killed meanwhile."""

    customers: int
    each: int
    kills: int
    per_second: float
    """Messages of one customer."""

    @property
    def messages(self) -> int:
        """All of them."""
        return self.customers * self.each


SMALL = Size(customers=8, each=24, kills=3, per_second=2)
FULL = Size(customers=20, each=100, kills=20, per_second=1.3)


@pytest.fixture
async def scene(new_server: Callable[..., Server], tmp_path: Path) -> AsyncIterator[RealNumbers]:
    """Everything up."""
    async with real_numbers(new_server(), tmp_path / "peer") as scene:
        yield scene


async def stream(scene: RealNumbers, size: Size, break_something: Callable[[random.Random], AsyncIterator[None]]) -> StreamReport:
    """Customers write while things break; returns when all is answered or nothing moves any more."""
    names = {f"c{number}": f"346001{number:05d}" for number in range(size.customers)}
    await scene.customers.add_many(names)
    running = await scene.customers.stream(list(names), to=OWNER_NUMBER, count=size.each, per_second=size.per_second)
    dice = random.Random(20260102)
    gap = size.each / size.per_second / (size.kills + 1)
    breaking = break_something(dice)
    for _ in range(size.kills):
        await asyncio.sleep(dice.uniform(0.5, 1.5) * gap)
        await anext(breaking)
    return await running.report(SETTLE_SECONDS)


async def stored(server: Server) -> dict[str, int]:
    """How often each text was stored as an incoming message."""
    db = Database(f"sqlite+aiosqlite:///{server.data_dir / 'dashboard.db'}")
    async with db.engine.connect() as connection:
        rows = await connection.execute(text("SELECT body, wa_id FROM message WHERE direction = 'incoming' AND type = 'text'"))
        found = Counter(row.body for row in rows)
    await db.close()
    return found


async def count(server: Server, where: str) -> int:
    """How many messages fit."""
    db = Database(f"sqlite+aiosqlite:///{server.data_dir / 'dashboard.db'}")
    async with db.engine.connect() as connection:
        found = int((await connection.execute(text(f"SELECT count(*) FROM message WHERE {where}"))).scalar() or 0)
    await db.close()
    return found


def told(report: StreamReport) -> str:
    """The figures of a stream."""
    missing = sum(len(load.missing) for load in report.customers.values())
    repeated = sum(len(load.repeated) for load in report.customers.values())
    disorder = sum(load.out_of_order for load in report.customers.values())
    return f"{report.sent} sent, {report.answers} answers, {missing} unanswered, {repeated} answered twice, {disorder} out of order"


async def dashboard_kills(scene: RealNumbers, size: Size) -> None:
    """SIGKILL to the dashboard, again and again."""
    await scene.link(OWNER_NUMBER, **ECHO)

    async def kill(_dice: random.Random) -> AsyncIterator[None]:
        while True:
            scene.server.kill()
            await asyncio.to_thread(scene.server.start)
            yield

    began = time.monotonic()
    report = await stream(scene, size, kill)
    texts = await stored(scene.server)
    doubt = await count(scene.server, "unconfirmed")
    print(f"\n{size.kills} kills of the dashboard, {time.monotonic() - began:.0f} s: {told(report)}; {len(texts)} stored, {doubt} in doubt")
    assert report.sent == size.messages
    assert len(texts) == size.messages, "every message is stored"
    assert set(texts.values()) == {1}, "each of them once"
    for load in report.customers.values():
        assert (load.missing, load.repeated, load.out_of_order) == ([], [], 0), load.name
    code, seconds = scene.server.terminate()
    assert (code, seconds < 10) == (0, True)
    await until(scene.hosts, not_, pause=0.1)


@pytest.mark.timeout(240)
async def test_killing_the_dashboard_loses_and_doubles_nothing(scene: RealNumbers) -> None:
    """DUR-1, DUR-2, DUR-4, MSG-3, ENG-2."""
    await dashboard_kills(scene, SMALL)


@pytest.mark.full
@pytest.mark.timeout(600)
async def test_killing_the_dashboard_twenty_times_loses_and_doubles_nothing(scene: RealNumbers) -> None:
    """DUR-1, DUR-2, DUR-4, MSG-3, ENG-2 at full size."""
    await dashboard_kills(scene, FULL)


async def host_kills(scene: RealNumbers, size: Size) -> None:
    """SIGKILL to the engine host, again and again."""
    account = await scene.link(OWNER_NUMBER, **ECHO)
    back: list[float] = []

    async def kill(_dice: random.Random) -> AsyncIterator[None]:
        while True:
            for process in scene.hosts():
                os.kill(process.pid, signal.SIGKILL)
            began = time.monotonic()
            await asyncio.sleep(0.2)
            await wait_ready(scene.api, account)
            back.append(time.monotonic() - began)
            yield

    began = time.monotonic()
    report = await stream(scene, size, kill)
    texts = await stored(scene.server)
    noted = await count(scene.server, "direction = 'incoming' AND type = 'unsupported'")
    doubt = await count(scene.server, "unconfirmed")
    silent = size.messages - len(texts) - noted
    print(f"\n{size.kills} kills of hosts, {time.monotonic() - began:.0f} s, back after {max(back):.1f} s at most: {told(report)};")
    print(f"{len(texts)} stored, {noted} lost and noted, {silent} lost in silence, {doubt} sends in doubt")
    assert report.sent == size.messages
    assert set(texts.values()) == {1}
    assert all(load.repeated == [] for load in report.customers.values()), "no double reply"


@pytest.mark.timeout(240)
async def test_killing_hosts_doubles_nothing_and_notes_what_is_lost(scene: RealNumbers) -> None:
    """DUR-1, ENG-2, ACC-6."""
    await host_kills(scene, SMALL)


@pytest.mark.full
@pytest.mark.timeout(600)
async def test_killing_hosts_twenty_times_doubles_nothing(scene: RealNumbers) -> None:
    """DUR-1, ENG-2, ACC-6 at full size."""
    await host_kills(scene, FULL)
