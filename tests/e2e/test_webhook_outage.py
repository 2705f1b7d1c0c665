"""A receiver that refuses connections for a while, the program and the receiver as users have them: everything arrives (HOOK-4, HOOK-5)."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable

import httpx
import pytest

from tests.e2e.test_durability import log_in
from tests.support.clients import answer_of
from tests.support.linking import linked_account
from tests.support.ports import ReservedPort
from tests.support.receivers import ReceiverProcess
from tests.support.server import Server
from tests.support.waiting import PATIENCE, until
from tests.support.world import World
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone

CONTACTS, MESSAGES = 10, 450
REFUSED_SECONDS = 60
BACK_SECONDS = 30
"""Everything has arrived so long after the receiver is back."""


@pytest.mark.full
@pytest.mark.alone
@pytest.mark.timeout(400)
async def test_all_messages_of_a_minute_without_receiver_arrive_within_half_a_minute(
    new_server: Callable[..., Server], world: World, empty_database_url: str
) -> None:
    """HOOK-4, HOOK-5: 450 messages of ten contacts, none lost, each conversation in its order."""
    server = new_server(SANDBOX_WORLD=world.socket, DATABASE_URL=empty_database_url)
    await asyncio.to_thread(server.start)
    reserved = ReservedPort()
    async with SandboxPhone(world.socket) as phone, httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as api:
        await log_in(api)
        account_id = await linked_account(api, phone, "Shop")
        (await api.post("/api/network/allowed", json={"value": "127.0.0.0/8"})).raise_for_status()
        contacts = [(await phone.add_contact(f"Contact {n}", f"34600{n:06d}"))["id"] for n in range(CONTACTS)]
        hook = {"url": f"http://127.0.0.1:{reserved.number}/accept/shop", "events": ["message"]}
        (await api.post("/api/webhooks", json=hook)).raise_for_status()
        began = time.monotonic()
        for number in range(MESSAGES):
            await asyncio.sleep(max(0.0, began + number * (REFUSED_SECONDS - 5) / MESSAGES - time.monotonic()))
            await phone.burst([(contacts[number % CONTACTS], f"{number % CONTACTS} {number}")], account_id)
        await answer_of(api, "/api/webhooks", lambda rows: rows[0]["health"]["waiting"] == MESSAGES)
        assert (await api.get("/api/webhooks")).json()[0]["state"] == "failing"
        await asyncio.sleep(max(0.0, began + REFUSED_SECONDS - time.monotonic()))
        with ReceiverProcess(at=reserved.number) as receiver:
            back = time.time()
            await until(receiver.counts, lambda counts: counts.get("shop", 0) >= MESSAGES, seconds=2 * PATIENCE, pause=0.2)
            arrivals = receiver.arrivals()
        await answer_of(api, "/api/webhooks", lambda rows: rows[0]["health"]["waiting"] == 0 and rows[0]["state"] == "active")
    reserved.free()
    took = max(at for _, at, _, _ in arrivals) - back
    print(f"receiver back to last of {MESSAGES} deliveries: {took:.1f} s, {len(arrivals)} requests")
    orders: defaultdict[str, list[int]] = defaultdict(list)
    for _, _, _, words in arrivals:
        contact, number = words.split()
        orders[contact].append(int(number))
    assert {contact: sorted(numbers) for contact, numbers in orders.items()} == orders
    assert sum(len(set(numbers)) for numbers in orders.values()) == MESSAGES
    assert took <= BACK_SECONDS
