"""How a lane counts what is under way (HOOK-5)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from tests.support.waiting import until
from whatsapp_dashboard.webhooks.endpoints import Endpoint
from whatsapp_dashboard.webhooks.lanes import Claimed, Gate, Lane
from whatsapp_dashboard.webhooks.schedule import Breaker


def claimed(name: str, conversation: str = "") -> Claimed:
    """A delivery, of a conversation of its own unless told otherwise."""
    return Claimed(name, "w", f"event {name}", "message", conversation or name, 0, 0, 0, "claim")


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


async def test_a_conversation_that_comes_again_while_one_of_it_runs_waits_for_it() -> None:
    """MSG-5, HOOK-5: after the gate closed and opened again. Nothing runs beside it, and nothing is left behind."""
    go, began, side_by_side = asyncio.Event(), [], []

    async def deliver(lane: Lane, item: Claimed) -> None:
        began.append(item.id)
        side_by_side.append(len(lane.held) - waiting(lane))
        await go.wait()

    def waiting(lane: Lane) -> int:
        return sum(len(chain) for chain in lane._chains.values())

    lane = Lane(Endpoint("w", "mine", "http://127.0.0.1"), Gate(True, False, Breaker()), 3, deliver, lambda: None)
    lane.add([claimed("a", "one"), claimed("b", "one")])
    await until(lambda: began == ["a"])
    assert [item.id for item in lane.drain()] == ["b"]
    lane.add([claimed(name, "one") for name in "bcd"])
    lane.add([claimed("e", "two")])
    await until(lambda: sorted(began) == ["a", "e"])
    go.set()
    await until(lambda: not lane.busy, seconds=5)
    assert [name for name in began if name != "e"] == list("abcd")
    assert max(side_by_side) <= 2


async def test_a_delivery_that_is_cut_before_its_first_step_is_not_counted_for_ever() -> None:
    """HOOK-5."""

    async def deliver(lane: Lane, item: Claimed) -> None:
        raise AssertionError("it never begins")

    lane = Lane(Endpoint("w", "mine", "http://127.0.0.1"), Gate(True, False, Breaker()), 3, deliver, lambda: None)
    lane.add([claimed(name) for name in "abcd"])
    assert {item.id for item in lane.cut()} == set("abcd")
    await until(lambda: not lane.busy, seconds=5)
    assert lane.room(datetime.now(UTC)) > 0
