"""What no cancellation tears in two (DUR-1, AI-3)."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.cancelling import cancel_twice
from whatsapp_dashboard.core.cancelling import cancelled_once, to_its_end

TURNS = pytest.mark.parametrize("turns", range(6))


@TURNS
async def test_what_is_done_to_its_end_ends_before_the_cancellation_is_passed_on(turns: int) -> None:
    """DUR-1: a commit, an engine that is put down."""
    steps: list[int] = []

    async def work() -> None:
        for step in range(10):
            await asyncio.sleep(0)
            steps.append(step)

    task = asyncio.create_task(to_its_end(work()))
    await asyncio.sleep(0)
    await cancel_twice(task, turns)
    assert steps == list(range(10))


async def test_what_it_gives_and_raises_is_passed_on() -> None:
    """DUR-1."""

    async def work(fails: bool) -> int:
        await asyncio.sleep(0)
        if fails:
            raise KeyError("why")
        return 7

    for way in (to_its_end, cancelled_once):
        assert await way(work(False)) == 7
        with pytest.raises(KeyError):
            await way(work(True))


@TURNS
async def test_a_second_cancellation_does_not_cut_off_the_cleaning_up(turns: int) -> None:
    """AI-3: a connection that is being closed is closed."""
    cleaned = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(3):
                await asyncio.sleep(0)
            cleaned.set()

    task = asyncio.create_task(cancelled_once(work()))
    await asyncio.sleep(0)
    await cancel_twice(task, turns)
    await asyncio.wait_for(cleaned.wait(), 60)


async def test_a_result_that_nobody_takes_any_more_is_not_forgotten() -> None:
    """AI-3: the head of an answer comes in the same turn as the cancellation: its connection is closed."""
    done, closed = asyncio.Event(), list[int]()

    async def work() -> int:
        await done.wait()
        return 7

    async def close(result: int) -> None:
        await asyncio.sleep(0)
        closed.append(result)

    task = asyncio.create_task(cancelled_once(work(), unclaimed=close))
    await asyncio.sleep(0)
    done.set()
    await asyncio.sleep(0)  # it has the result; its caller does not know yet
    await cancel_twice(task, 0)
    assert closed == [7]
