"""How a lane counts what is under way (HOOK-5)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from tests.support.waiting import until
from whatsapp_dashboard.webhooks.endpoints import Endpoint
from whatsapp_dashboard.webhooks.lanes import Claimed, Gate, Lane
from whatsapp_dashboard.webhooks.schedule import Breaker


def claimed(name: str) -> Claimed:
    """A delivery of a conversation of its own."""
    return Claimed(name, "w", f"event {name}", "message", name, 0, 0, 0, "claim")


async def test_what_ended_in_the_turn_in_which_the_gate_closed_takes_no_room_for_ever() -> None:
    """HOOK-4, HOOK-5: with room for one probe, a single one counted too many would stop the endpoint for good."""
    go = asyncio.Event()

    async def deliver(lane: Lane, item: Claimed) -> None:
        await go.wait()
        if item.id == "b":
            lane.drain()

    lane = Lane(Endpoint("w", "mine", "http://127.0.0.1"), Gate(True, False, Breaker()), 3, deliver, lambda: None)
    lane.add([claimed(name) for name in "abcd"])
    await asyncio.sleep(0)
    go.set()
    await until(lambda: not lane.busy, seconds=5)
    assert lane.room(datetime.now(UTC)) > 0
