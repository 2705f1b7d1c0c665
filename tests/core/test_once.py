"""A key is stored in the write of its effect (API-5, MSG-13)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select

from tests.support.cast import Cast
from tests.support.clock import MovableClock
from whatsapp_dashboard.core import once
from whatsapp_dashboard.core.crypto import SecretBox
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.models import RequestKey, Setting
from whatsapp_dashboard.models.base import utc_now
from whatsapp_dashboard.system.request_keys import KEPT, RequestKeys


async def put(db: Database, key: str) -> None:
    async with db.write() as session:
        await session.execute(insert(Setting).values(key=key, value={}, updated_at=utc_now()))


async def counted(db: Database, table: type) -> int:
    async with db.read() as session:
        return int(await session.scalar(select(func.count()).select_from(table)) or 0)


async def act(db: Database, cast: Cast, key: str, *settings: str) -> None:
    """A request under ``key`` that writes each of ``settings`` in a write of its own."""
    with once.under(once.Request(cast.ana.operator_id, key, "test")):
        for setting in settings:
            await put(db, setting)


async def test_of_many_requests_under_one_key_one_has_its_effect(db: Database, cast: Cast) -> None:
    """API-5, DUR-1: on both databases, at the same moment."""
    before = await counted(db, Setting)
    ends = await asyncio.gather(*(act(db, cast, "key", f"a{number}", f"b{number}") for number in range(8)), return_exceptions=True)
    assert [type(end) for end in ends if end] == [once.DoneBefore] * 7
    assert await counted(db, Setting) == before + 2


async def test_a_write_that_is_undone_leaves_the_key_free(db: Database, cast: Cast) -> None:
    """API-5: nothing was done, so it may be tried again."""
    with pytest.raises(ZeroDivisionError), once.under(once.Request(cast.ana.operator_id, "key", "test")):
        async with db.write():
            raise ZeroDivisionError
    assert await counted(db, RequestKey) == 0
    await act(db, cast, "key", "now")
    with pytest.raises(once.DoneBefore):
        await act(db, cast, "key", "again")


async def test_work_left_behind_has_nothing_to_do_with_the_key(db: Database, cast: Cast) -> None:
    """API-5: a task that a request began runs on, whatever becomes of the key."""
    await act(db, cast, "key", "first")
    with once.under(once.Request(cast.ana.operator_id, "key", "test")):
        await asyncio.create_task(put(db, "beside"))
    assert await counted(db, RequestKey) == 1


async def test_keys_are_forgotten_after_a_week(db: Database, cast: Cast, clock: MovableClock) -> None:
    """API-5"""
    keys = RequestKeys(db, clock, SecretBox(b"k" * 32))
    request = keys.begin(cast.ana.operator_id, "key", "test")
    await keys.keep(request, 200, {"secret": "told once", "id": "1"})
    assert await keys.earlier(keys.begin(cast.ana.operator_id, "key", "test")) == (200, {"secret": None, "id": "1"})
    await keys.sweep()
    assert await counted(db, RequestKey) == 1
    await clock.advance((KEPT + timedelta(minutes=1)).total_seconds())
    await keys.sweep()
    assert await counted(db, RequestKey) == 0
