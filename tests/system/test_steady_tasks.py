"""Every long-lived loop of the running program, and the database taken away below each (ACC-6, DUR-1)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.relay import relay_to
from tests.support.waiting import until
from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.core.steady import SteadyTask, steady_tasks
from whatsapp_dashboard.runtime import Runtime

LOOPS = {
    "auth-prune", "clock-watch", "eraser", "event-bus", "follower:credits", "knowledge-indexer", "media-downloads", "pool-upkeep",
    "replies:take-overs", "webhook-dispatcher", "webhook-fan-out", "webhook-settling",
}  # fmt: skip
"""What runs in a program without pages (guard-watch) and without real numbers (engine-hosts)."""
WITHOUT = {"clock-watch", "event-bus", "webhook-settling", "webhook-dispatcher"}
"""They ask the database only for somebody who listens, when there is something to deliver, or never."""


@pytest.fixture
async def program(postgres_url: str, tmp_path: Path) -> AsyncIterator[Runtime]:
    """The whole program in this process, behind a line to PostgreSQL that can be cut (``program.relay``)."""
    async with relay_to(postgres_url) as relay:
        running = Runtime(Settings(data_dir=tmp_path / "data", database_url=relay.url))
        running.relay = relay  # type: ignore[attr-defined]
        await running.start()
        yield running
        await running.stop()


async def test_every_loop_lives_on_when_the_database_was_away(program: Runtime) -> None:
    """ACC-6, DUR-1: each begins anew until the database is back, and then stays."""
    relay = program.relay  # type: ignore[attr-defined]
    assert {task.name for task in steady_tasks()} == LOOPS
    asking = [task for task in steady_tasks() if task.name not in WITHOUT]
    await relay.cut()
    for task in asking:  # some look at the database only now and then: they begin with it
        await task.stop()
        task.start()
    await until(lambda: [task.name for task in asking if not task.restarts], lambda names: not names)
    await relay.mend()
    await until(lambda: program.db.away_since is None)

    def calm() -> bool:
        return all(task.running for task in steady_tasks())

    assert calm()
    before = {task.name: task.restarts for task in steady_tasks()}
    await program.replies.tick()
    await until(lambda: {task.name: task.restarts for task in steady_tasks()}, before.__eq__)
    assert {task.name for task in steady_tasks()} == LOOPS


async def test_a_loop_that_ends_or_fails_is_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """ACC-6: whatever the reason, and it is not the end of it."""
    monkeypatch.setattr("whatsapp_dashboard.core.steady.FIRST_PAUSE", 0.0)
    ends = iter((None, ValueError("a fault of ours"), None, asyncio.CancelledError(), KeyError("another one")))
    begun = 0

    async def work() -> None:
        nonlocal begun
        begun += 1
        end = next(ends, None)
        if isinstance(end, BaseException):
            raise end

    task = SteadyTask("test", work)
    task.start()
    task.start()
    await until(lambda: begun >= 7)
    assert task.running
    await task.stop()
    assert not task.running
    assert task not in steady_tasks()
