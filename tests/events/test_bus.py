"""Live pages hear of every committed event, in order, and of nothing that was undone (MSG-7, DESIGN: one event log)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.support.waiting import PATIENCE, until
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.events import bus as bus_module
from whatsapp_dashboard.events.bus import EventBus
from whatsapp_dashboard.events.log import EventRecord, record


@pytest.fixture
async def bus(db: Database) -> AsyncIterator[EventBus]:
    """A bus that follows the database, woken by its commits."""
    made = EventBus(db)
    db.on_commit.append(made.wake)
    await made.start()
    yield made
    await made.stop()


async def happen(db: Database, *types: str, workspace_id: str = "w") -> None:
    """Commit events of these types together."""
    async with db.write() as session:
        for type in types:
            record(session, type, workspace_id=workspace_id)


async def fail(db: Database) -> None:
    """Record an event in a write that is undone."""
    async with db.write() as session:
        record(session, "undone")
        raise ZeroDivisionError


def everything(_event: EventRecord) -> bool:
    return True


async def test_a_listener_gets_what_happens_from_then_on_in_order(db: Database, bus: EventBus) -> None:
    """MSG-7: nothing from before, nothing twice, nothing missing."""
    await happen(db, "before")
    async with bus.subscribe(everything) as listener:
        heard: list[EventRecord] = []
        for number in range(30):
            await happen(db, f"a{number}", f"b{number}")
        async with asyncio.timeout(PATIENCE):
            while len(heard) < 60:
                heard += await listener.next()
    assert [event.type for event in heard] == [f"{letter}{number}" for number in range(30) for letter in "ab"]
    assert [event.seq for event in heard] == sorted(event.seq for event in heard)


async def test_many_writers_at_once_are_all_heard(db: Database, bus: EventBus) -> None:
    """DUR-1: on PostgreSQL transactions overlap; the cursor must pass none that is still on its way."""
    async with bus.subscribe(everything) as listener:
        await asyncio.gather(*(happen(db, f"e{number}") for number in range(200)))
        heard: list[str] = []
        async with asyncio.timeout(PATIENCE):
            while len(heard) < 200:
                heard += [event.type for event in await listener.next()]
    assert sorted(heard) == sorted(f"e{number}" for number in range(200))


async def test_what_was_undone_is_never_heard(db: Database, bus: EventBus) -> None:
    """Store first: an event belongs to the transaction of its change."""
    async with bus.subscribe(everything) as listener:
        with pytest.raises(ZeroDivisionError):
            await fail(db)
        await happen(db, "kept")
        assert [event.type for event in await listener.next(PATIENCE)] == ["kept"]


async def test_a_listener_hears_only_what_it_wants(db: Database, bus: EventBus) -> None:
    """SEC-6: other workspaces' events stay theirs."""
    async with bus.subscribe(lambda event: event.workspace_id == "mine") as listener:
        await happen(db, "theirs", workspace_id="other")
        await happen(db, "ours", workspace_id="mine")
        assert [event.type for event in await listener.next(PATIENCE)] == ["ours"]


async def test_after_a_time_without_listeners_the_next_one_starts_fresh(db: Database, bus: EventBus) -> None:
    """Nobody is told old news, and nothing new is missed."""
    async with bus.subscribe(everything):
        await happen(db, "one")
    await happen(db, "while nobody listened")
    async with bus.subscribe(everything) as listener:
        await happen(db, "two")
        assert [event.type for event in await listener.next(PATIENCE)] == ["two"]


async def test_events_of_another_process_are_heard_soon(db: Database, bus: EventBus) -> None:
    """OPS-3: without a wake-up, by looking."""
    other = Database(db.url)
    async with bus.subscribe(everything) as listener:
        await happen(other, "elsewhere")
        assert [event.type for event in await listener.next(PATIENCE)] == ["elsewhere"]
    await other.close()


async def test_a_listener_that_sleeps_loses_the_oldest_and_learns_of_it(
    db: Database, bus: EventBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stuck page costs bounded memory and reads anew when it wakes."""
    monkeypatch.setattr(bus_module, "QUEUE_LIMIT", 10)
    async with bus.subscribe(everything) as listener:
        await happen(db, *(f"e{number}" for number in range(25)))
        await until(lambda: listener.overflowed)
        await asyncio.sleep(0.1)
        assert [event.type for event in await listener.next(PATIENCE)] == [f"e{number}" for number in range(15, 25)]
    assert listener.overflowed
