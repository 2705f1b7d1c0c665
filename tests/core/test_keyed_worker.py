"""One at a time per key, whatever becomes of the one before (MSG-5)."""

from __future__ import annotations

import asyncio

from tests.support.waiting import until
from whatsapp_dashboard.core.keyed_worker import KeyedWorker


async def test_a_job_whose_errand_was_cancelled_keeps_nobody_waiting() -> None:
    """MSG-5: what a job waits for may be cancelled by others; the key's other jobs are done all the same."""
    worker = KeyedWorker("test", parallel=1)
    errand: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    done: list[str] = []

    async def first() -> None:
        done.append("first")
        await errand

    async def next_one() -> None:
        done.append("next")

    worker.submit("a", first)
    worker.submit("a", next_one)
    await until(lambda: done == ["first"])
    errand.cancel()
    await worker.idle()
    assert (done, worker.busy) == (["first", "next"], 0)
    worker.submit("b", next_one)
    await worker.idle()
    assert done == ["first", "next", "next"], "the slot is free again"


async def test_a_worker_that_is_closed_before_its_first_step_counts_nobody_as_busy() -> None:
    """MSG-5."""
    worker = KeyedWorker("test")

    async def job() -> None:
        raise AssertionError("closed before")

    worker.submit("a", job)
    await worker.close(0)
    assert worker.busy == 0
