"""An event that cannot be stored is set aside, the others go on, and a person tries it again (DUR-1, MSG-3)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlmodel import col, delete

from tests.support.clock import MovableClock
from tests.support.pipeline import CARLA, DEV, Pipeline, pipeline
from tests.support.refusal import REFUSED, WHY, accept, refuse
from tests.support.waiting import PATIENCE
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.engine_events import MessageEdited, Receipt, ReceiptKind
from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.errors import Conflict, Forbidden, Invalid, NotFound
from whatsapp_dashboard.messages.set_aside import SetAsideEvents
from whatsapp_dashboard.models import Account, SetAsideEvent


@pytest.fixture
async def house(db: Database, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Pipeline]:
    """A pipeline with one account, whose database refuses some messages."""
    async with pipeline(db, clock, tmp_path, auto_reply={"enabled": True, "text": "We have it.", "every_minutes": 0}) as made:
        await refuse(db)
        try:
            yield made
        finally:
            await accept(db)


@pytest.fixture
def aside(house: Pipeline) -> SetAsideEvents:
    """What people do with what was set aside."""
    return SetAsideEvents(house.db, house.clock, house.inbound)


async def test_the_others_of_the_batch_are_stored_in_order(house: Pipeline, aside: SetAsideEvents) -> None:
    """DUR-1, DUR-2: of hundreds of events that come at once, three are refused; all are acknowledged."""
    bodies = [f"{n:03}" if n not in (0, 57, 119) else f"{REFUSED} {n}" for n in range(120)]
    events = [house.event(body, CARLA if n % 2 else DEV) for n, body in enumerate(bodies)]
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(house.inbound.submit(house.account, event) for event in events))
    assert [row.body for row in await house.messages_of(direction="incoming")] == [body for body in bodies if REFUSED not in body]
    page = await aside.page(house.cast.vic, house.account)
    assert [(row.kind, row.who, row.what) for row in page.rows] == [
        ("message", "Carla (+91 98765 43210)", f"{REFUSED} 0"),
        ("message", "Carla (+34 600 11 12 22)", f"{REFUSED} 57"),
        ("message", "Carla (+34 600 11 12 22)", f"{REFUSED} 119"),
    ]
    assert {row.reason for row in page.rows} == {f"The database does not take it: {WHY}"}
    assert (page.total, page.next, await aside.counts(house.cast.vic)) == (3, "", {house.account: 3})
    told = await house.events("inbound.set_aside")
    assert [event.data["what"] for event in told] == [row.what for row in page.rows]
    assert {event.account_id for event in told} == {house.account}


async def test_a_fault_of_ours_is_set_aside_too(house: Pipeline, aside: SetAsideEvents) -> None:
    """DUR-1, ACC-6: events that are none, and one without an id; the stream goes on."""
    broken = house.event("poison", wa_id="X" * 20, at="not a time")
    nameless = house.event("nameless", wa_id="")
    nobody = Receipt(("A",), ReceiptKind.READ, "never", CARLA)  # type: ignore[arg-type]
    events = [house.event("before"), broken, nameless, nobody, house.event("after")]
    await asyncio.gather(*(house.inbound.submit(house.account, event) for event in events))
    assert [row.body for row in await house.messages_of(direction="incoming")] == ["before", "after"]
    rows = (await aside.page(house.cast.vic, house.account)).rows
    assert [(row.kind, row.what) for row in rows] == [("message", "poison"), ("message", "nameless"), ("receipt", "Receipt: read")]
    assert "TypeError" in rows[0].reason
    assert "no id" in rows[1].reason
    with pytest.raises(Conflict, match="cannot be read"):
        await aside.retry(house.cast.ben, house.account, rows[0].id)


async def test_tried_again_it_is_a_message_like_any_other(house: Pipeline, aside: SetAsideEvents) -> None:
    """DUR-1, MSG-3, MSG-4: at most once, with what happened to it meanwhile, and answered."""
    event = await house.receive(f"{REFUSED}: two loaves\ud83d\x00")
    await house.inbound.submit(house.account, MessageEdited(event.wa_id, CARLA, "three loaves", house.clock.now()))
    (row,) = (await aside.page(house.cast.vic)).rows
    with pytest.raises(Conflict, match=WHY):
        await aside.retry(house.cast.ben, house.account, row.id)
    (row,) = (await aside.page(house.cast.vic)).rows
    assert row.attempts == 2
    await accept(house.db)
    results = await asyncio.gather(*(aside.retry(house.cast.ben, house.account, row.id) for _ in range(3)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["NoneType", "NotFound", "NotFound"]
    assert [(m.body, m.recovered) for m in await house.messages_of(direction="incoming")] == [("three loaves", True)]
    assert (await aside.page(house.cast.vic)).rows == ()
    assert len(await house.events("inbound.stored")) == 1
    await house.until_sent(1)
    await house.inbound.submit(house.account, event)  # WhatsApp tells it again
    assert len(await house.messages_of(direction="incoming")) == 1


async def test_all_are_tried_in_their_order(house: Pipeline, aside: SetAsideEvents) -> None:
    """DUR-2: and the answer says how it went."""
    for number in range(4):
        await house.receive(f"{REFUSED} {number}")
    refused = await aside.retry_all(house.cast.ben, house.account)
    assert (refused.stored, refused.refused) == (0, 4)
    await accept(house.db)
    stored = await aside.retry_all(house.cast.ben, house.account)
    assert (stored.stored, stored.refused) == (4, 0)
    assert [row.body for row in await house.messages_of(direction="incoming")] == [f"{REFUSED} {number}" for number in range(4)]


async def test_who_may_do_what(house: Pipeline, aside: SetAsideEvents) -> None:
    """SEC-6, ACC-1: viewers look, operators act; another workspace sees nothing; an account takes its events with it."""
    await house.receive(REFUSED)
    await house.receive(REFUSED)
    first, second = (await aside.page(house.cast.vic, limit=1)).rows[0], None
    page = await aside.page(house.cast.vic, cursor=first.id)
    second = page.rows[0]
    for call in (aside.retry, aside.discard):
        with pytest.raises(Forbidden):
            await call(house.cast.vic, house.account, first.id)
        with pytest.raises(NotFound):
            await call(house.cast.mallory, house.account, first.id)
        with pytest.raises(NotFound):
            await call(house.cast.ben, house.account, "nothing")
    with pytest.raises(Forbidden):
        await aside.retry_all(house.cast.vic, house.account)
    with pytest.raises(NotFound):
        await aside.page(house.cast.mallory, house.account)
    with pytest.raises(Invalid):
        await aside.page(house.cast.vic, limit=0)
    assert (await aside.page(house.cast.mallory)).total == 0
    assert await aside.counts(house.cast.mallory) == {}
    await aside.discard(house.cast.ben, house.account, first.id)
    assert [row.id for row in (await aside.page(house.cast.vic)).rows] == [second.id]
    assert len(await house.events("inbound.discarded")) == 1
    async with house.db.write() as session:
        await session.execute(delete(Account).where(col(Account.id) == house.account))
    assert await house.rows(SetAsideEvent) == []


async def test_a_message_of_a_group_names_its_writer(house: Pipeline, aside: SetAsideEvents) -> None:
    """DUR-1: who, what and why can be read, whatever the event is about."""
    await house.receive(REFUSED, Address(lid="77"), sender_name="")
    (row,) = (await aside.page(house.cast.vic)).rows
    assert (row.who, row.what) == ("77@lid", REFUSED)
