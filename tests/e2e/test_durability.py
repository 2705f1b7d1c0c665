"""Nothing is lost, doubled or reordered when the real server is killed again and again; the sandbox world is the witness.

The world is a process of its own: it goes on when the dashboard dies, as WhatsApp does, and is asked at the end what the
contacts' phones really received.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import text

from tests.support.linking import answers_each, linked_account
from tests.support.server import OWNER, OWNER_PASSWORD, Server
from tests.support.waiting import PATIENCE
from tests.support.world import World
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone

pytestmark = pytest.mark.alone

REPLY = "Thank you, we have your message."
ALIVE_SECONDS = (0.7, 4.0)
"""The server is killed between so many seconds after its process began: also while it starts."""
SETTLE_SECONDS = 180


@dataclass(frozen=True)
class Size:
    """How hard the test is."""

    messages: int
    contacts: int
    kills: int


@dataclass
class Stream:
    """What was written: WhatsApp id to (contact, text), and per contact the ids in order."""

    written: dict[str, tuple[str, str]]
    order: dict[str, list[str]]


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_few_kills_lose_and_double_nothing(new_server: Callable[..., Server], world: World, empty_database_url: str) -> None:
    """DUR-1, DUR-2, DUR-4, MSG-3, MSG-5, ACC-4, ACC-8: 200 messages, 4 kills, on SQLite and on PostgreSQL."""
    await kill_and_check(new_server, world, empty_database_url, Size(messages=200, contacts=20, kills=4))


@pytest.mark.full
@pytest.mark.timeout(900)
async def test_twenty_kills_lose_and_double_nothing(new_server: Callable[..., Server], world: World, empty_database_url: str) -> None:
    """DUR-1, DUR-2, DUR-4, MSG-3, MSG-5: 2,000 messages from 50 contacts, 20 kills, on SQLite and on PostgreSQL."""
    await kill_and_check(new_server, world, empty_database_url, Size(messages=2_000, contacts=50, kills=20))


async def kill_and_check(new_server: Callable[..., Server], world: World, database_url: str, size: Size) -> None:
    """Run the stream against a server that is killed meanwhile, then compare all witnesses."""
    dice = random.Random(20260101)
    server = new_server(DATABASE_URL=database_url, SANDBOX_WORLD=world.socket)
    await asyncio.to_thread(server.start)
    async with SandboxPhone(world.socket) as phone, httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as api:
        await log_in(api)
        account_id = await linked_account(api, phone, "Shop", **answers_each(REPLY))
        contacts = [(await phone.add_contact(f"Contact {n}", f"34600{n:06d}"))["id"] for n in range(size.contacts)]
        await phone.switch("duplicates", True, account_id)
        stream = Stream({}, defaultdict(list))
        writing = asyncio.create_task(write(phone, account_id, contacts, size, stream, dice))
        began, killed = time.monotonic(), 0
        while killed < size.kills:
            await asyncio.sleep(dice.uniform(*ALIVE_SECONDS))
            server.kill()
            killed += 1
            await asyncio.to_thread(server.start, wait=False)
        await asyncio.to_thread(server.wait_ready)
        await writing
        await settled(phone, size, server)
        seconds = time.monotonic() - began
        repeated = (await phone.counts())["repeated"]
        print(f"\n{size.messages} messages, {killed} kills, {seconds:.0f} s, {repeated} sends repeated after a crash and refused")
        await check_database(database_url, stream, phone)
        await check_api(api, account_id, size)
        code, stop_seconds = server.terminate()
    assert (code, stop_seconds < 10) == (0, True)


async def write(phone: SandboxPhone, account_id: str, contacts: list[str], size: Size, stream: Stream, dice: random.Random) -> None:
    """Contacts write in small bursts, spread over the time of the kills; now and then the past is replayed to the account."""
    count = 0
    pause = size.kills * sum(ALIVE_SECONDS) / 2 / (size.messages / 10)
    while count < size.messages:
        burst = [(dice.choice(contacts), f"message {count + n}") for n in range(min(10, size.messages - count))]
        ids = await phone.burst(burst, account_id)
        for wa_id, (contact, body) in zip(ids, burst, strict=True):
            stream.written[wa_id] = (contact, body)
            stream.order[contact].append(wa_id)
        count += len(burst)
        if count % 100 == 0:
            await phone.replay_history(50, account_id)
        await asyncio.sleep(pause)


async def settled(phone: SandboxPhone, size: Size, server: Server) -> None:
    """Wait until the world owes the account nothing and no more replies come."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        counts = await phone.counts()
        if counts["queued"] == 0 and counts["received"] >= size.messages:
            break
        assert time.monotonic() < deadline, f"{counts}\n{server.log_end()}"
        await asyncio.sleep(0.2)
    await asyncio.sleep(2)  # a reply too many would come now


async def check_database(database_url: str, stream: Stream, phone: SandboxPhone) -> None:
    """Every message is stored once; each has one reply; the contacts got them in order."""
    db = Database(database_url)
    async with db.engine.connect() as connection:
        rows = (await connection.execute(text("SELECT id, wa_id, body FROM message WHERE direction = 'incoming' ORDER BY id"))).all()
        replies = dict((await connection.execute(text("SELECT id, in_reply_to FROM message WHERE direction = 'outgoing'"))).all())
        statuses = set((await connection.execute(text("SELECT DISTINCT status FROM message WHERE direction = 'outgoing'"))).scalars())
        events = (await connection.execute(text("SELECT message_id FROM event WHERE type = 'message'"))).scalars().all()
        waiting = (await connection.execute(text("SELECT count(*) FROM reply WHERE state = 'pending'"))).scalar()
    await db.close()
    assert sorted(row.wa_id for row in rows) == sorted(stream.written), "each message stored once"
    assert all(stream.written[row.wa_id][1] == row.body for row in rows)
    wa_id_of = {row.id: row.wa_id for row in rows}
    assert sorted(events) == sorted(wa_id_of), "one event per message"
    assert sorted(filter(None, replies.values())) == sorted(wa_id_of), "one reply per message"
    assert waiting == 0
    assert statuses <= {"sent", "delivered", "read"}

    stored_order: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        stored_order[stream.written[row.wa_id][0]].append(row.wa_id)
    assert stored_order == stream.order, "stored in the order written, per contact"

    arrived: dict[str, list[str]] = defaultdict(list)
    for item in await phone.received():
        assert item.text == REPLY
        arrived[item.contact].append(wa_id_of[replies[item.key]])
    assert arrived == stream.order, "answered exactly once and in order, on the contacts' phones"


async def check_api(api: httpx.AsyncClient, account_id: str, size: Size) -> None:
    """The API tells the same numbers."""
    await log_in(api)
    seen: dict[str, set[str]] = {"incoming": set(), "outgoing": set()}
    count, cursor = 0, ""
    while True:
        answer = await api.get(f"/api/accounts/{account_id}/messages", params={"limit": 200, "cursor": cursor})
        answer.raise_for_status()
        page = answer.json()
        for item in page["items"]:
            seen[item["direction"]].add(item["id"])
            count += 1
        cursor = page["older"] or ""
        if not cursor:
            break
    assert count == 2 * size.messages
    assert {name: len(ids) for name, ids in seen.items()} == {"incoming": size.messages, "outgoing": size.messages}


async def log_in(api: httpx.AsyncClient) -> None:
    """A fresh bearer token for the owner."""
    answer = await api.post("/api/auth/token", json={"username": OWNER, "password": OWNER_PASSWORD})
    answer.raise_for_status()
    api.headers["Authorization"] = f"Bearer {answer.json()['token']}"
