"""A database that is away for a while: one error for everybody, nothing said to be stored that is not (DUR-1, OBS-5)."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import col

from tests.support.relay import Relay
from tests.support.waiting import PATIENCE, until
from whatsapp_dashboard.core import db as db_module
from whatsapp_dashboard.core import db_engine
from whatsapp_dashboard.core.db import Database, after_commit
from whatsapp_dashboard.core.outage import is_outage, outlast
from whatsapp_dashboard.errors import DatabaseAway
from whatsapp_dashboard.models import Setting
from whatsapp_dashboard.models.base import utc_now


async def _put(db: Database, key: str, size: int = 0) -> None:
    async with db.write() as session:
        await session.execute(insert(Setting).values(key=key, value={"text": "x" * size}, updated_at=utc_now()))


async def _keys(db: Database) -> set[str]:
    async with db.read() as session:
        return set(await session.scalars(select(col(Setting.key))))


async def test_a_server_that_is_gone_is_one_error_and_what_waits_is_stored_when_it_is_back(far_db: Database, relay: Relay) -> None:
    """DUR-1, OBS-5: idle connections, one in the middle of a write, new ones; then all goes on."""
    await _put(far_db, "before")

    async def cut_off() -> None:
        async with far_db.write() as session:
            await session.execute(insert(Setting).values(key="lost", value={}, updated_at=utc_now()))
            await relay.cut()

    with pytest.raises(DatabaseAway) as cut:
        await cut_off()
    assert (cut.value.status, cut.value.after) == (503, 5)
    assert far_db.away_since is not None
    for _ in range(3):
        with pytest.raises(DatabaseAway):
            await _keys(far_db)
    waiting = asyncio.create_task(outlast(lambda: _put(far_db, "waited")))
    await relay.mend()
    async with asyncio.timeout(PATIENCE):
        await waiting
    assert await _keys(far_db) == {"before", "waited"}

    async def back() -> bool:
        await far_db.look_again()
        return far_db.away_since is None

    await until(back)


async def test_a_commit_whose_answer_is_lost_is_looked_for(far_db: Database, relay: Relay) -> None:
    """DUR-1: it may be stored although nobody was told; who wants to know of commits looks when the database is back."""
    told: list[str] = []
    far_db.on_return.append(lambda: told.append("look anew"))

    async def put() -> None:
        async with far_db.write() as session:
            await session.execute(insert(Setting).values(key="stored", value={}, updated_at=utc_now()))
            after_commit(session, "tell", lambda: told.append("stored"))
            relay.lose_answer_to(b"COMMIT")

    with pytest.raises(DatabaseAway):
        await put()
    assert await _keys(far_db) == {"stored"}

    async def back() -> bool:
        await far_db.look_again()
        return bool(told)

    await until(back)
    assert told == ["look anew"]


@pytest.mark.parametrize("how", ["read", "write"])
async def test_only_the_end_of_the_caller_itself_is_a_cancellation(db: Database, how: str) -> None:
    """DUR-1: what a driver waits for can be cancelled as well, and to those who store that is an outage like any other."""
    entered = asyncio.Event()

    async def use(end: asyncio.Future[None]) -> None:
        async with db.read() if how == "read" else db.write() as session:
            await session.execute(text("SELECT 1"))
            entered.set()
            await end

    foreign: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    foreign.cancel()
    with pytest.raises(DatabaseAway):
        await use(foreign)
    entered.clear()
    task = asyncio.create_task(use(asyncio.get_running_loop().create_future()))
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await _put(db, "after")
    assert await _keys(db) == {"after"}


async def test_a_file_somebody_has_locked_is_an_outage_and_readers_go_on(
    sqlite_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DUR-1: another program holds the write lock for longer than a write waits."""
    await _put(sqlite_db, "before")
    await sqlite_db.close()
    monkeypatch.setattr(db_engine, "LOCKED_SECONDS", 1)
    impatient = Database(sqlite_db.url)
    other = sqlite3.connect(tmp_path / "dashboard.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseAway, match="locked"):
        await _put(impatient, "now")
    assert await _keys(impatient) == {"before"}
    assert impatient.away_since is not None
    waiting = asyncio.create_task(outlast(lambda: _put(impatient, "waited")))
    other.execute("ROLLBACK")
    other.close()
    async with asyncio.timeout(PATIENCE):
        await waiting
    assert await _keys(impatient) == {"before", "waited"}
    await impatient.close()


async def test_who_waits_too_long_for_its_turn_is_told(sqlite_db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """DUR-1, API-4: a write that never ends does not hold requests for ever, and the next write after it works."""
    monkeypatch.setattr(db_module, "TURN_SECONDS", 0.2)
    go_on, inside = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with sqlite_db.write() as session:
            await session.execute(insert(Setting).values(key="held", value={}, updated_at=utc_now()))
            inside.set()
            await go_on.wait()

    holding = asyncio.create_task(hold())
    await inside.wait()
    with pytest.raises(DatabaseAway):
        await _put(sqlite_db, "refused")
    go_on.set()
    async with asyncio.timeout(PATIENCE):
        await holding
        await _put(sqlite_db, "after")
    assert await _keys(sqlite_db) == {"held", "after"}


async def test_nobody_is_told_stored_when_a_full_disk_undid_it(sqlite_db: Database) -> None:
    """DUR-1: SQLite may undo the whole transaction, with the writes of others that share it."""
    async with sqlite_db.read() as session:
        pages = await session.scalar(text("PRAGMA page_count"))

    async def limited() -> None:
        async with sqlite_db.write() as session:
            await session.execute(text(f"PRAGMA max_page_count = {pages + 40}"))

    await limited()
    results: dict[str, BaseException | None] = {}

    async def put(key: str, size: int) -> None:
        try:
            await _put(sqlite_db, key, size)
            results[key] = None
        except DatabaseAway as error:
            results[key] = error

    async with asyncio.timeout(PATIENCE):
        sizes = [10, 2_000, 400_000, 10, 9_000_000, 50_000, 10, 300_000, 10] * 4
        await asyncio.gather(*(put(f"{number:02}", size) for number, size in enumerate(sizes)))
    stored = await _keys(sqlite_db)
    assert stored == {key for key, error in results.items() if error is None}
    assert any(results.values()), "the disk was full"


async def test_a_wrong_statement_or_value_is_no_outage(db: Database) -> None:
    """DUR-1: waiting for those would be waiting for ever."""

    async def run(statement: str) -> None:
        async with db.read() as session:
            await session.execute(text(statement))

    async def put(key: Any, value: Any) -> None:
        async with db.write() as session:
            await session.execute(insert(Setting).values(key=key, value=value, updated_at=utc_now()))

    await put("here", {})
    for statement in ("SELECT nothing FROM nowhere", "SELECT * FROM"):
        with pytest.raises(DBAPIError) as wrong:
            await run(statement)
        assert not is_outage(wrong.value)
    for key, value in (("here", {}), ("nul\x00\ud800", {}), ("deep", {"text": 3.5j})):
        [refused] = await asyncio.gather(put(key, value), return_exceptions=True)
        assert not isinstance(refused, DatabaseAway)
    assert db.away_since is None


async def test_it_is_found_out_by_itself_that_the_database_is_back(far_db: Database, relay: Relay) -> None:
    """OBS-5: also when nobody has anything to store."""
    await far_db.prove_writable(PATIENCE)
    await relay.cut()
    await asyncio.sleep(db_module.PROVEN_SECONDS + 0.1)
    with pytest.raises(DatabaseAway):
        await far_db.prove_writable(PATIENCE)
    await far_db.look_again()
    assert far_db.away_since is not None
    await relay.mend()

    async def here() -> bool:
        await far_db.look_again()
        return far_db.away_since is None

    await until(here)
