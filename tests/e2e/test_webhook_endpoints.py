"""Twenty endpoints, five of them bad: the good ones do not notice (HOOK-5, DUR-3)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import psutil
import pytest
from sqlalchemy import text

from tests.e2e.test_durability import log_in
from tests.support.clients import answer_of
from tests.support.linking import linked_account
from tests.support.receivers import ReceiverProcess
from tests.support.server import Server
from tests.support.waiting import PATIENCE
from tests.support.world import World
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone

pytestmark = pytest.mark.alone

GOOD = {f"good{number}": "accept" for number in range(12)} | {"talks": "say", "huge": "huge:20000000", "late": "slow:0.2"}
BAD = {"hangs": "hang", "fails": "500", "drips": "drip", "drops": "drop", "garbles": "garbage"}
MEMORY_MB = 150
"""How much the program may grow, at most."""
HOLD_HOURS = 0.005
"""Short, so that the test sees how deliveries to endpoints end that do not come back."""


@dataclass(frozen=True)
class Size:
    """How many messages come in, and how many a second. ``healthy`` of them come before the bad endpoints are there, to compare."""

    messages: int
    healthy: int
    per_second: float


SMALL = Size(messages=80, healthy=40, per_second=16)
FULL = Size(messages=10_000, healthy=1_000, per_second=35)


@pytest.mark.timeout(240)
async def test_bad_endpoints_hinder_no_good_one(new_server: Callable[..., Server], world: World) -> None:
    """HOOK-4, HOOK-5, DUR-3."""
    await run(new_server, world, SMALL)


@pytest.mark.full
@pytest.mark.timeout(1_200)
async def test_ten_thousand_events_to_twenty_endpoints(new_server: Callable[..., Server], world: World) -> None:
    """HOOK-4, HOOK-5, DUR-3 at full size."""
    await run(new_server, world, FULL)


async def run(new_server: Callable[..., Server], world: World, size: Size) -> None:
    """First only good endpoints, then bad ones besides."""
    server = new_server(SANDBOX_WORLD=world.socket, WEBHOOK_HOLD_HOURS=str(HOLD_HOURS))
    await asyncio.to_thread(server.start)
    with ReceiverProcess(len(GOOD) + len(BAD)) as receivers:
        async with SandboxPhone(world.socket) as phone, httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as api:
            await log_in(api)
            account_id = await linked_account(api, phone, "Shop")
            (await api.post("/api/network/allowed", json={"value": "127.0.0.0/8"})).raise_for_status()
            contacts = [(await phone.add_contact(f"Contact {n}", f"34600{n:06d}"))["id"] for n in range(50)]
            await make_webhooks(api, receivers, GOOD, 0)
            await write(phone, account_id, contacts, size.healthy, size.per_second, "healthy")
            await arrived(receivers, size.healthy, server)
            process = psutil.Process(server.pid)
            before = process.memory_info().rss / 2**20
            bad = await make_webhooks(api, receivers, BAD, len(GOOD))
            await write(phone, account_id, contacts, size.messages, size.per_second, "troubled")
            await arrived(receivers, size.healthy + size.messages, server)
            after = process.memory_info().rss / 2**20
            delays = await event_delays(server, await asyncio.to_thread(receivers.arrivals))
            print(f"\n{len(GOOD)} good endpoints got {size.messages} events each at {size.per_second:g}/s beside {len(BAD)} bad ones:")
            for phase, found in delays.items():
                print(f"  {phase}: event -> arrival p50 {at(found, 0.5):.0f} ms, p95 {at(found, 0.95):.0f} ms")
            print(f"  memory {before:.0f} MB, then {after:.0f} MB")
            assert after - before < MEMORY_MB
            await ended(api, bad, size.messages)


async def make_webhooks(api: httpx.AsyncClient, receivers: ReceiverProcess, behaviours: dict[str, str], first_port: int) -> set[str]:
    """One per endpoint; their ids."""
    found = set()
    for port, (name, behaviour) in enumerate(behaviours.items(), first_port):
        answer = await api.post("/api/webhooks", json={"url": receivers.url(behaviour, name, port), "name": name, "secret": "generate"})
        assert answer.status_code == 201, answer.text
        found.add(answer.json()["id"])
    return found


async def write(phone: SandboxPhone, account_id: str, contacts: list[str], count: int, per_second: float, word: str) -> None:
    """Contacts write at a steady rate."""
    began = time.monotonic()
    for number in range(count):
        await asyncio.sleep(max(0.0, began + number / per_second - time.monotonic()))
        await phone.burst([(contacts[number % len(contacts)], f"{word} {number}")], account_id)


async def arrived(receivers: ReceiverProcess, count: int, server: Server) -> None:
    """Wait until every good endpoint has so many events."""
    deadline = time.monotonic() + PATIENCE
    while True:
        counts = await asyncio.to_thread(receivers.counts)
        if all(counts.get(name, 0) >= count for name in GOOD):
            return
        assert time.monotonic() < deadline, f"{counts}\n{server.log_end()}"
        await asyncio.sleep(0.2)


async def event_delays(server: Server, arrivals: list[tuple[str, float, str, str]]) -> dict[str, list[float]]:
    """Milliseconds from each event to its arrival at each good endpoint, by phase."""
    db = Database(f"sqlite+aiosqlite:///{server.data_dir / 'dashboard.db'}")
    async with db.engine.connect() as connection:
        rows = (await connection.execute(text("SELECT id, created_at FROM event WHERE type = 'message'"))).all()
    await db.close()
    begun = {ident: datetime.fromisoformat(created_at).replace(tzinfo=UTC).timestamp() for ident, created_at in rows}
    found: dict[str, list[float]] = {}
    for name, moment, event_id, body in arrivals:
        if name in GOOD:
            found.setdefault(body.split()[0], []).append((moment - begun[event_id]) * 1_000)
    return found


async def ended(api: httpx.AsyncClient, bad: set[str], count: int) -> None:
    """Wait until every delivery to a bad endpoint is a dead letter: after its tries, or because the endpoint did not come back."""

    def over(rows: list[dict[str, Any]]) -> bool:
        return all(row["health"]["dead"] == count and row["health"]["waiting"] == 0 for row in rows if row["id"] in bad)

    rows = await answer_of(api, "/api/webhooks", over, seconds=120)
    assert {row["state"] for row in rows if row["id"] in bad} == {"failing"}
    good = [row for row in (await api.get("/api/webhooks")).json() if row["id"] not in bad]
    assert all((row["state"], row["health"]["failed"]) == ("active", 0) for row in good)


def at(values: list[float], share: float) -> float:
    """The value below which ``share`` of all are."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
