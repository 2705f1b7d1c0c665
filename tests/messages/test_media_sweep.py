"""Files that no message names leave the disk, but not because of a wrong database (ACC-1, MSG-9)."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import delete

from tests.support.clock import MovableClock
from tests.support.pipeline import Pipeline, pipeline
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.messages.media_sweep import ASIDE, FEW, KEEP_SECONDS, Held
from whatsapp_dashboard.models import Media
from whatsapp_dashboard.system.overview import Overview

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"\x00" * 64


@pytest.fixture
async def house(db: Database, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Pipeline]:
    """A pipeline with one account."""
    async with pipeline(db, clock, tmp_path) as made:
        yield made


def aside(house: Pipeline, sha256: str) -> Path:
    """Where a file lies that was put aside."""
    return house.store.path(sha256).parents[1] / ASIDE / sha256


async def kept(house: Pipeline, count: int) -> list[Media]:
    """Old files with a row each."""
    rows = []
    for number in range(count):
        staged = await house.store.stage(JPEG + b"kept %d" % number, "a.jpg")
        async with house.db.write() as session:
            rows.append(await house.store.keep(session, house.account, staged))
        os.utime(house.store.path(staged.sha256), (0, 0))
    return rows


async def left(house: Pipeline, count: int) -> list[str]:
    """Old files without a row."""
    names = [await house.store.put(JPEG + b"left %d" % number) for number in range(count)]
    for name in names:
        os.utime(house.store.path(name), (0, 0))
    return names


async def test_a_sweep_that_would_take_most_files_takes_none_and_says_so(house: Pipeline) -> None:
    """MSG-9, OBS-1: the database is empty, older or another one: files stay, and owners see it on the home page."""
    rows = await kept(house, FEW + 5)
    async with house.db.write() as session:
        await session.execute(delete(Media))
    assert await house.store.sweep() == 0
    assert all(house.store.path(row.sha256 or "").exists() for row in rows)
    overview = Overview(house.db, house.clock, house.store.sweeper)
    assert (await overview.look(house.cast.ana)).media_held == Held(FEW + 5, FEW + 5)
    assert (await overview.look(house.cast.vic)).media_held is None, "only who can do something about it"
    assert await house.store.sweeper.run(in_any_case=True) == FEW + 5
    assert (await overview.look(house.cast.ana)).media_held is None


async def test_what_is_erased_is_erased_also_where_it_was_put_aside(house: Pipeline) -> None:
    """ACC-1: the files of a deleted account are gone at once."""
    (name,) = await left(house, 1)
    await house.store.sweep()
    assert aside(house, name).exists()
    assert await house.store.discard([name]) in ([], [name])
    house.store._loose.clear()
    await house.store.discard([name])
    assert not aside(house, name).exists()


async def test_what_was_put_aside_comes_back_when_a_message_names_it(house: Pipeline) -> None:
    """MSG-9: a newer backup was restored: its messages show their pictures and can be sent again."""
    shown, sent = await kept(house, 2)
    async with house.db.write() as session:
        await session.execute(delete(Media))
    assert await house.store.sweep() == 2
    async with house.db.write() as session:
        for row in (shown, sent):
            session.add(Media(**row.model_dump()))
    assert (await house.store.open(house.cast.vic, shown.id)).path.read_bytes()
    assert (await house.store.read(sent)).data
    assert await house.store.sweep() == 0


async def test_what_was_put_aside_is_deleted_some_days_later_unless_it_is_needed(house: Pipeline) -> None:
    """ACC-1, MSG-9: the days count from the moment in which no message named it any more."""
    (gone, needed), (row,) = await left(house, 2), await kept(house, 1)
    assert await house.store.sweep() == 2
    assert await house.store.sweep() == 0
    assert aside(house, gone).exists()
    async with house.db.write() as session:
        session.add(Media(account_id=house.account, state="stored", sha256=needed, mimetype="image/jpeg", size=1, filename="a.jpg"))
    long_ago = time.time() - KEEP_SECONDS - 60
    for name in (gone, needed):
        os.utime(aside(house, name), (long_ago, long_ago))
    await house.store.sweep()
    assert not aside(house, gone).exists()
    assert not house.store.path(gone).exists()
    assert house.store.path(needed).exists()
    assert house.store.path(row.sha256 or "").exists()


async def test_a_file_that_comes_again_while_it_is_put_aside_is_there(house: Pipeline) -> None:
    """MSG-9: the same picture is sent once more."""
    (name,) = await left(house, 1)
    await house.store.sweep()
    assert await house.store.put(JPEG + b"left 0") == name
    assert house.store.path(name).exists()
    assert await house.store.sweep() == 0
