"""The bot with many conversations at once, with credits that run out, with a server that is killed (MSG-5, AI-3, CRED-1, DUR-1, DUR-2)."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable

import httpx
import psutil
import pytest
from sqlalchemy import text

from tests.e2e.test_durability import log_in
from tests.support.linking import linked_account
from tests.support.llm_server import Behaviour, LlmServer
from tests.support.server import Server
from tests.support.waiting import PATIENCE
from tests.support.world import World
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone

pytestmark = pytest.mark.alone

THINKING_SECONDS = 2.0
MEMORY_LIMIT = 200 * 2**20
"""Bytes that the dashboard may grow by while so many answers are made."""


async def bot(api: httpx.AsyncClient, phone: SandboxPhone, llm: LlmServer, *kinds: str, **settings: object) -> str:
    """An account whose AI asks these providers, without a delay."""
    (await api.post("/api/network/allowed", json={"value": "127.0.0.1"})).raise_for_status()
    account_id = await linked_account(api, phone, "Shop")
    asked = [{"kind": kind, "model": "m", "key": "sk-0123456789", "url": llm.url(kind), "concurrency": 1_000} for kind in kinds]
    config = {"enabled": True, "settings": {"wait_seconds": 0, "failure_text": "", **settings}, "providers": asked}
    (await api.post(f"/api/accounts/{account_id}/ai-config", json=config)).raise_for_status()
    return account_id


async def many_at_once(new_server: Callable[..., Server], world: World, count: int) -> None:
    """Everybody writes at the same moment, and again when everybody is answered.

    The first time the provider answers nobody before all of them have asked: if anybody had to wait for somebody else's answer, there
    would be none. The second time it takes its time, and the clock runs.
    """
    server = new_server(SANDBOX_WORLD=world.socket)
    await asyncio.to_thread(server.start)
    async with SandboxPhone(world.socket) as phone, httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as api, LlmServer() as llm:
        await log_in(api)
        account_id = await bot(api, phone, llm, "openai", provider_seconds=120)
        contacts = [(await phone.add_contact(f"Contact {n}", f"34600{n:06d}"))["id"] for n in range(count)]
        process = psutil.Process(server.pid)
        before, most = process.memory_info().rss, 0
        waits: list[float] = []
        for rounds, behaviour in ((1, Behaviour(together=count)), (2, Behaviour(seconds=THINKING_SECONDS))):
            llm.forget()
            llm.behave("openai", behaviour)
            waits.clear()
            began = time.monotonic()
            await phone.burst([(contact, f"question {rounds}") for contact in contacts], account_id)
            seen = len(contacts) * (rounds - 1)
            while seen < count * rounds:
                assert time.monotonic() - began < 150, f"{seen} answers\n{server.log_end()}"
                await asyncio.sleep(0.1)
                most = max(most, process.memory_info().rss)
                now = (await phone.counts())["received"]
                waits += [time.monotonic() - began] * (now - seen)
                seen = now
            if rounds == 1:
                assert llm.most_at_once == count, "nobody waits for anybody"
        waits.sort()
        p95 = waits[int(len(waits) * 0.95)]
        grown = (most - before) / 2**20
        print(
            f"\n{count} conversations at once, the provider takes {THINKING_SECONDS:g} s: p50 {waits[len(waits) // 2]:.1f} s,"
            f" p95 {p95:.1f} s, slowest {waits[-1]:.1f} s; {llm.most_at_once} requests at once; the dashboard grew by {grown:.0f} MiB"
        )
        per_contact = Counter(item.contact for item in await phone.received())
        assert set(per_contact.values()) == {2}
        assert grown < MEMORY_LIMIT / 2**20
        db = Database(f"sqlite+aiosqlite:///{server.data_dir / 'dashboard.db'}")
        async with db.engine.connect() as connection:
            ordered = "SELECT contact_id, body FROM message WHERE direction = 'incoming' ORDER BY id"
            order: dict[str, list[str]] = {}
            for contact_id, body in (await connection.execute(text(ordered))).all():
                order.setdefault(contact_id, []).append(body)
            pairs = (
                await connection.execute(
                    text("SELECT q.body, a.sent_at FROM message a JOIN message q ON q.id = a.in_reply_to ORDER BY a.contact_id, a.id")
                )
            ).all()
        await db.close()
        assert {tuple(bodies) for bodies in order.values()} == {("question 1", "question 2")}
        assert [body for body, _ in pairs] == ["question 1", "question 2"] * count, "answered in order, per contact"


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_hundred_conversations_at_once_wait_for_their_own_answer_only(new_server: Callable[..., Server], world: World) -> None:
    """MSG-5, DUR-2, AI-3: as at full size."""
    await many_at_once(new_server, world, 100)


@pytest.mark.full
@pytest.mark.timeout(600)
async def test_five_hundred_conversations_at_once_wait_for_their_own_answer_only(new_server: Callable[..., Server], world: World) -> None:
    """MSG-5, DUR-2, AI-3: none is blocked by another, order is kept per contact, memory is bounded."""
    await many_at_once(new_server, world, 500)


async def credits_under_fire(new_server: Callable[..., Server], world: World, database_url: str, kills: int) -> None:
    """200 contacts on 100 credits at 2, a third of the first provider's answers fail, and the server is killed again and again."""
    dice = random.Random(20261125)
    server = new_server(DATABASE_URL=database_url, SANDBOX_WORLD=world.socket)
    await asyncio.to_thread(server.start)
    async with SandboxPhone(world.socket) as phone, httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as api, LlmServer() as llm:
        await log_in(api)
        account_id = await bot(api, phone, llm, "openai", "mistral")
        (await api.post("/api/credits/top-up", json={"amount": 100})).raise_for_status()
        (await api.patch("/api/credits", json={"price": 2})).raise_for_status()
        broken = [Behaviour("error", status=500) if dice.random() < 0.33 else Behaviour(seconds=dice.uniform(0, 0.8)) for _ in range(400)]
        llm.behave("openai", *broken)
        llm.behave("mistral", *[Behaviour("error", status=503) if dice.random() < 0.2 else Behaviour(seconds=0.3) for _ in range(400)])
        contacts = [(await phone.add_contact(f"Contact {n}", f"34600{n:06d}"))["id"] for n in range(200)]
        writing = asyncio.create_task(_write(phone, account_id, contacts, kills))
        for _ in range(kills):
            await asyncio.sleep(dice.uniform(0.7, 3.0))
            server.kill()
            await asyncio.to_thread(server.start, wait=False)
        await asyncio.to_thread(server.wait_ready)
        await writing
        await _settled(database_url, phone, server)
        figures = await _check_credits(database_url)
        print(f"\n{kills} kills, 200 conversations on 100 credits: {figures}; {len(llm.requests())} requests")
        code, seconds = server.terminate()
    assert (code, seconds < 10) == (0, True)


async def _write(phone: SandboxPhone, account_id: str, contacts: list[str], kills: int) -> None:
    for start in range(0, len(contacts), 10):
        await phone.burst([(contact, f"from {contact}") for contact in contacts[start : start + 10]], account_id)
        await asyncio.sleep(kills * 1.5 / 20)


async def _settled(database_url: str, phone: SandboxPhone, server: Server) -> None:
    """Wait until every question is decided, nothing is queued, and no credits are set aside any more."""
    deadline = time.monotonic() + 150
    waiting = (
        "SELECT (SELECT count(*) FROM reply WHERE state = 'pending') + (SELECT count(*) FROM message WHERE status = 'queued')"
        " + (SELECT count(*) FROM credit_hold WHERE state = 'held')"
    )
    db = Database(database_url)
    while True:
        counts = await phone.counts()
        async with db.engine.connect() as connection:
            left = (await connection.execute(text(waiting))).scalar()
        if not left and counts["queued"] == 0:
            break
        assert time.monotonic() < deadline, f"{left} {counts}\n{server.log_end()}"
        await asyncio.sleep(0.3)
    await db.close()


async def _check_credits(database_url: str) -> str:
    """The ledger equals the balance; each answered message is billed once, no other is."""
    db = Database(database_url)
    async with db.engine.connect() as connection:

        async def rows(statement: str) -> list[tuple[object, ...]]:
            return [tuple(row) for row in (await connection.execute(text(statement))).all()]

        lines = await rows("SELECT type, amount, balance_before, balance_after, related_id FROM credit_entry ORDER BY id")
        ((balance, held),) = await rows("SELECT balance, held FROM credit_balance")
        sent = await rows(
            "SELECT m.id FROM message m JOIN ai_answer a ON a.message_id = m.id"
            " WHERE a.kind = 'answer' AND m.status IN ('sent', 'delivered', 'read')"
        )
        decided = dict(await rows("SELECT state, count(*) FROM reply GROUP BY state"))
    await db.close()
    total = 0
    for kind, amount, before, after, _ in lines:
        assert before == total
        total += int(str(amount)) if kind == "credit" else -int(str(amount))
        assert after == total >= 0
    assert (balance, held) == (total, 0), "the ledger equals the balance"
    billed = Counter(line[4] for line in lines if line[0] == "debit")
    assert set(billed.values()) <= {1}, "nobody pays twice"
    assert set(billed) == {row[0] for row in sent}, "each answered message is billed, no other is"
    assert len(billed) <= 50
    assert len(billed) >= 40, "credits that were set aside in vain are used by others"
    return f"{len(billed)} answered and billed, balance {balance}, decisions {decided}"


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_credits_under_fire_add_up(new_server: Callable[..., Server], world: World, empty_database_url: str) -> None:
    """CRED-1, CRED-2, DUR-1: 2 kills, on SQLite and on PostgreSQL."""
    await credits_under_fire(new_server, world, empty_database_url, 2)


@pytest.mark.full
@pytest.mark.timeout(600)
async def test_credits_under_fire_of_ten_kills_add_up(new_server: Callable[..., Server], world: World, empty_database_url: str) -> None:
    """CRED-1, CRED-2, DUR-1 at full size."""
    await credits_under_fire(new_server, world, empty_database_url, 10)
