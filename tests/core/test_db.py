"""Writes: grouped on SQLite, alone on PostgreSQL, and the same to whoever writes (DUR-1)."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import col

from tests.support.cancelling import cancel_twice
from tests.support.waiting import PATIENCE, until
from whatsapp_dashboard.core.db import Database, after_commit, is_unique_violation
from whatsapp_dashboard.core.db_engine import READERS
from whatsapp_dashboard.models import Setting
from whatsapp_dashboard.models.base import utc_now


def _row(key: str) -> dict[str, Any]:
    return {"key": key, "value": {}, "updated_at": utc_now()}


async def _put(db: Database, key: str, told: list[str] | None = None) -> None:
    async with db.write() as session:
        if told is not None:
            after_commit(session, "told", lambda: told.append(key))
        await session.execute(insert(Setting).values(_row(key)))


async def _keys(db: Database) -> list[str]:
    async with db.read() as session:
        return list(await session.scalars(select(col(Setting.key)).order_by(col(Setting.key))))


async def test_a_failing_writer_undoes_only_its_own_changes(db: Database) -> None:
    """DUR-1: writers that share a commit do not share their errors."""
    told: list[str] = []

    async def fail() -> None:
        async with db.write() as session:
            after_commit(session, "told", lambda: told.append("bad"))
            await session.execute(insert(Setting).values(_row("bad")))
            raise ValueError("no")

    async with asyncio.timeout(PATIENCE):
        results = await asyncio.gather(_put(db, "a", told), fail(), _put(db, "b", told), _put(db, "a"), return_exceptions=True)
    assert isinstance(results[1], ValueError)
    assert isinstance(results[3], IntegrityError) or isinstance(results[0], IntegrityError)
    assert await _keys(db) == ["a", "b"]
    assert "bad" not in told


async def test_many_writers_at_once_are_all_on_disk_when_they_return(db: Database) -> None:
    """DUR-1: more writers than one group takes."""
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(_put(db, f"{number:03}") for number in range(150)))
    assert len(await _keys(db)) == 150


async def test_a_writer_cancelled_while_it_waits_leaves_nobody_hanging(sqlite_db: Database) -> None:
    """DUR-1: the group waits for the next writer to commit it; that one may be cancelled before its turn."""
    told: list[str] = []
    inside = asyncio.Event()
    go_on = asyncio.Event()

    async def slow() -> None:
        async with sqlite_db.write() as session:
            after_commit(session, "told", lambda: told.append("slow"))
            await session.execute(insert(Setting).values(_row("slow")))
            inside.set()
            await go_on.wait()

    first = asyncio.create_task(slow())
    await inside.wait()
    second = asyncio.create_task(_put(sqlite_db, "never"))
    await asyncio.sleep(0)
    real = sqlite_db._lock.release

    def release_then_cancel() -> None:
        real()
        second.cancel()

    sqlite_db._lock.release = release_then_cancel  # type: ignore[method-assign]
    go_on.set()
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(first, second, return_exceptions=True)
    assert not first.cancelled()
    assert await _keys(sqlite_db) == ["slow"]
    assert told == ["slow"]


async def test_a_writer_cancelled_inside_its_block_is_undone(db: Database) -> None:
    """DUR-1: and the next writer is not disturbed."""
    inside = asyncio.Event()

    async def stuck() -> None:
        async with db.write() as session:
            await session.execute(insert(Setting).values(_row("stuck")))
            inside.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(stuck())
    await inside.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(PATIENCE):
        await _put(db, "next")
    assert await _keys(db) == ["next"]


async def test_a_writer_cancelled_twice_while_the_file_is_locked_leaves_the_connection_to_others(sqlite_db: Database) -> None:
    """DUR-1: there is only one that writes."""
    await _put(sqlite_db, "first")
    with closing(sqlite3.connect(str(make_url(sqlite_db.url).database), isolation_level=None)) as another_program:
        for turns in range(4):
            another_program.execute("BEGIN IMMEDIATE")
            waiting = asyncio.create_task(_put(sqlite_db, "never"))
            await until(lambda: sqlite_db.writer_engine.sync_engine.pool.checkedout() == 1)
            ended = asyncio.create_task(cancel_twice(waiting, turns))
            await asyncio.sleep(0.05)  # the second comes while the first is still being answered
            another_program.execute("ROLLBACK")
            await ended
            async with asyncio.timeout(PATIENCE):
                await _put(sqlite_db, f"next {turns}")
    assert await _keys(sqlite_db) == ["first", *(f"next {turns}" for turns in range(4))]


async def test_a_failing_commit_is_told_to_every_writer_of_the_group(sqlite_db: Database) -> None:
    """DUR-1: nobody believes that something is stored that is not."""
    broken = True

    @event.listens_for(sqlite_db.writer_engine.sync_engine, "commit")
    def _fail(_connection: Any) -> None:
        if broken:
            raise OSError("disk full")

    told: list[str] = []
    async with asyncio.timeout(PATIENCE):
        results = await asyncio.gather(*(_put(sqlite_db, f"{number}", told) for number in range(5)), return_exceptions=True)
    assert all(isinstance(result, OSError) for result in results)
    assert told == []
    broken = False
    await _put(sqlite_db, "later", told)
    assert await _keys(sqlite_db) == ["later"]
    assert told == ["later"]


async def test_the_pages_that_all_connections_keep_in_memory_are_few(sqlite_db: Database) -> None:
    """Memory does not grow with the file: only one connection writes, however many ask, and those that read keep little."""
    kept: dict[int, int] = {}
    together = asyncio.Barrier(READERS)

    async def look() -> None:
        async with sqlite_db.read() as session:
            kibibytes = -int(await session.scalar(text("PRAGMA cache_size")))
            kept[id((await (await session.connection()).get_raw_connection()).driver_connection)] = kibibytes
            await together.wait()

    writers: set[int] = set()

    async def write(number: int) -> None:
        async with sqlite_db.write() as session:
            await session.execute(insert(Setting).values(_row(f"{number}")))
            connection = id((await (await session.connection()).get_raw_connection()).driver_connection)
            kept[connection] = -int(await session.scalar(text("PRAGMA cache_size")))
            writers.add(connection)

    async with asyncio.timeout(PATIENCE):
        for number in range(3):
            await asyncio.gather(*(look() for _ in range(READERS)), *(write(number * 10 + each) for each in range(10)))
    assert len(kept) == READERS + 1
    assert len(writers) == 1
    assert sum(kept.values()) <= 25_000


async def test_a_taken_unique_value_is_recognised(db: Database) -> None:
    """MSG-3: on both databases."""
    await _put(db, "one")
    with pytest.raises(DBAPIError) as error:
        await _put(db, "one")
    assert is_unique_violation(error.value)


async def test_a_reader_never_sees_half_a_write(db: Database) -> None:
    """DUR-1: what is not committed is not there."""
    async with db.write() as session:
        await session.execute(insert(Setting).values(_row("open")))
        assert await _keys(db) == []
        await session.execute(text("SELECT 1"))
    assert await _keys(db) == ["open"]
