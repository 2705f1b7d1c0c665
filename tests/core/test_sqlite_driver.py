"""Statements that travel with the next one, and what must not be lost on the way (DUR-1)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiosqlite import Connection
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError

from tests.support.waiting import PATIENCE
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.models import Setting
from whatsapp_dashboard.models.base import utc_now

COUNT = select(func.count()).select_from(Setting)


def put(key: str) -> Any:
    """A statement that stores a setting."""
    return insert(Setting).values(key=key, value={}, updated_at=utc_now())


async def test_a_reader_sees_one_moment_in_all_its_statements(sqlite_db: Database) -> None:
    """The transaction begins with the first statement, and lasts."""
    async with sqlite_db.read() as session:
        assert await session.scalar(COUNT) == 0
        async with sqlite_db.write() as other:
            await other.execute(put("a"))
        assert await session.scalar(COUNT) == 0
    async with sqlite_db.read() as session:
        assert await session.scalar(COUNT) == 1


async def test_a_reader_that_has_ended_holds_nothing_back(sqlite_db: Database) -> None:
    """Also one that was cancelled in the middle of a statement, that failed, or that asked nothing."""

    async def slow() -> None:
        async with sqlite_db.read() as session:
            numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 3000000)"
            await session.execute(text(f"{numbers} SELECT max(x) FROM n"))

    task = asyncio.create_task(slow())
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with sqlite_db.read():
        pass
    with pytest.raises(Exception, match="no such table"):
        async with sqlite_db.read() as session:
            await session.execute(text("SELECT * FROM nowhere"))
    async with sqlite_db.write() as session:
        await session.execute(put("a"))
    async with asyncio.timeout(PATIENCE), sqlite_db.engine.connect() as connection:
        while (await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))).one()[0]:
            await connection.rollback()
            await asyncio.sleep(0.05)


async def test_one_select_is_one_trip(sqlite_db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beginning and ending cost none that is waited for."""
    async with sqlite_db.read() as session:
        await session.scalar(COUNT)
    trips = 0
    execute = Connection._execute

    async def counted(self: Connection, *args: Any, **options: Any) -> Any:
        nonlocal trips
        trips += 1
        return await execute(self, *args, **options)

    monkeypatch.setattr(Connection, "_execute", counted)
    async with sqlite_db.read() as session:
        assert await session.scalar(COUNT) == 0
    assert trips == 1


async def test_what_is_undone_to_a_savepoint_is_undone_and_no_more(sqlite_db: Database) -> None:
    """Savepoints inside a write: released, undone, undone before anything happened, one in another."""
    async with sqlite_db.write() as session:
        await session.execute(put("a"))
        async with session.begin_nested():
            await session.execute(put("b"))
            inner = await session.begin_nested()
            await session.execute(put("c"))
            with pytest.raises(IntegrityError):
                await session.execute(put("a"))
            await inner.rollback()
        with pytest.raises(ValueError, match="nothing"):
            async with session.begin_nested():
                raise ValueError("nothing happened yet")
        async with session.begin_nested():
            pass
        await session.execute(put("d"))
    async with sqlite_db.read() as session:
        assert list(await session.scalars(select(Setting.key).order_by(Setting.key))) == ["a", "b", "d"]
