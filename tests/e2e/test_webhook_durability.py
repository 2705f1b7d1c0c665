"""Webhooks when the program is killed: real process, real receivers that live on, both databases (HOOK-4, DUR-3, DUR-4)."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import text

from tests.e2e.test_durability import log_in
from tests.support.linking import linked_account
from tests.support.receivers import ReceiverProcess
from tests.support.server import Server
from tests.support.waiting import PATIENCE
from tests.support.world import World
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone
from whatsapp_dashboard.webhooks.lanes import WINDOW

pytestmark = pytest.mark.alone

ALIVE_SECONDS = (0.2, 1.2)
"""For how long the program lives, after it is ready, before it is killed again."""
SETTLE_SECONDS = 120


@dataclass(frozen=True)
class Size:
    """How hard the proof is. Each message goes to each of the good endpoints, and to a bad one."""

    messages: int
    endpoints: int
    kills: int
    contacts: int = 20


SMALL = Size(messages=80, endpoints=2, kills=3)
FULL = Size(messages=1_000, endpoints=3, kills=60)


@pytest.mark.timeout(240)
async def test_a_few_kills_lose_no_delivery(new_server: Callable[..., Server], world: World, empty_database_url: str) -> None:
    """HOOK-4, DUR-3, DUR-4."""
    await kill_and_check(new_server, world, empty_database_url, SMALL)


@pytest.mark.full
@pytest.mark.timeout(900)
async def test_sixty_kills_in_three_thousand_deliveries_lose_none(
    new_server: Callable[..., Server], world: World, empty_database_url: str
) -> None:
    """HOOK-4, DUR-3, DUR-4 at full size."""
    await kill_and_check(new_server, world, empty_database_url, FULL)


async def kill_and_check(new_server: Callable[..., Server], world: World, database_url: str, size: Size) -> None:
    """Kill the program again and again while contacts write; then ask the receivers what they got."""
    dice = random.Random(20260103)
    server = new_server(DATABASE_URL=database_url, SANDBOX_WORLD=world.socket)
    await asyncio.to_thread(server.start)
    names = [f"good{number}" for number in range(size.endpoints)]
    with ReceiverProcess(size.endpoints + 1) as receivers:
        async with SandboxPhone(world.socket) as phone, httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as api:
            await log_in(api)
            account_id = await linked_account(api, phone, "Shop")
            (await api.post("/api/network/allowed", json={"value": "127.0.0.0/8"})).raise_for_status()
            for port, name in enumerate([*names, "bad"]):
                url = receivers.url("accept" if name != "bad" else "500", name, port)
                answer = await api.post("/api/webhooks", json={"url": url, "events": ["message"], "secret": "generate"})
                assert answer.status_code == 201, answer.text
            contacts = [(await phone.add_contact(f"Contact {n}", f"34600{n:06d}"))["id"] for n in range(size.contacts)]
            writing = asyncio.create_task(write(phone, account_id, contacts, size, dice))
            began = time.monotonic()
            for _ in range(size.kills):
                await asyncio.sleep(dice.uniform(*ALIVE_SECONDS))
                server.kill()
                await asyncio.to_thread(server.start)
            await writing
            await settled(receivers, names, size.messages, server)
            seconds = time.monotonic() - began
            arrivals = await asyncio.to_thread(receivers.arrivals)
            code, _ = server.terminate()
    assert code == 0
    stored, contact_of = await what_is_stored(database_url)
    assert len(stored) == size.messages
    doubles = 0
    for name in names:
        got = [(event_id, body) for endpoint, _, event_id, body in arrivals if endpoint == name]
        assert {event_id for event_id, _ in got} == stored, f"{name} got every event of the log and nothing else"
        counted = Counter(event_id for event_id, _ in got)
        doubles += sum(counted.values()) - len(counted)
        check_order(got, contact_of)
    print(f"\n{size.kills} kills, {size.messages * size.endpoints} deliveries, {seconds:.0f} s: none lost, {doubles} arrived twice")
    assert doubles <= size.kills * size.endpoints * WINDOW


async def write(phone: SandboxPhone, account_id: str, contacts: list[str], size: Size, dice: random.Random) -> None:
    """Contacts write, spread over the time of the kills."""
    count = 0
    pause = size.kills * (sum(ALIVE_SECONDS) / 2 + 2.0) / (size.messages / 10)
    while count < size.messages:
        burst = [(dice.choice(contacts), f"message {count + n:05d}") for n in range(min(10, size.messages - count))]
        await phone.burst(burst, account_id)
        count += len(burst)
        await asyncio.sleep(pause)


async def settled(receivers: ReceiverProcess, names: list[str], messages: int, server: Server) -> None:
    """Wait until every good endpoint has every event."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        counts = await asyncio.to_thread(receivers.counts)
        if all(counts.get(name, 0) >= messages for name in names):
            break
        assert time.monotonic() < deadline, f"{counts}\n{server.log_end()}"
        await asyncio.sleep(0.2)
    await asyncio.sleep(1)


async def what_is_stored(database_url: str) -> tuple[set[str], dict[str, str]]:
    """The ids of all message events, and for each text who wrote it."""
    db = Database(database_url)
    async with db.engine.connect() as connection:
        events = set((await connection.execute(text("SELECT id FROM event WHERE type = 'message'"))).scalars())
        messages = (await connection.execute(text("SELECT body, contact_id FROM message WHERE direction = 'incoming'"))).all()
        held = (await connection.execute(text("SELECT count(*) FROM webhook_delivery WHERE state = 'delivering'"))).scalar()
    await db.close()
    assert held == 0, "an orderly stop gives back what it holds"
    return events, {row.body: row.contact_id for row in messages}


def check_order(got: list[tuple[str, str]], contact_of: dict[str, str]) -> None:
    """First arrivals of one conversation come in its order."""
    seen: set[str] = set()
    lists: defaultdict[str, list[str]] = defaultdict(list)
    for event_id, body in got:
        if event_id not in seen:
            seen.add(event_id)
            lists[contact_of[body]].append(body)
    for bodies in lists.values():
        assert bodies == sorted(bodies)
