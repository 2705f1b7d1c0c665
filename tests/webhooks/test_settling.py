"""Results are written once each, whatever happens meanwhile (HOOK-4, HOOK-6)."""

from __future__ import annotations

import asyncio

from sqlalchemy import select

from tests.support.waiting import until
from tests.webhooks.conftest import House
from whatsapp_dashboard.models import WebhookDelivery, WebhookHour
from whatsapp_dashboard.webhooks.attempt import Outcome
from whatsapp_dashboard.webhooks.claims import Claims
from whatsapp_dashboard.webhooks.lanes import Claimed
from whatsapp_dashboard.webhooks.settling import Settled, Settler


async def claimed(house: House, count: int) -> list[Claimed]:
    """Deliveries that are claimed, and that nobody else works on."""
    hook = await house.hook(house.receivers.url("accept", "a"))
    await house.webhooks.pause(house.cast.ben, hook.id)
    for number in range(count):
        await house.happens(str(number))
    await house.until(pending=count)
    return (await Claims(house.db, house.clock).take({hook.id: count}))[hook.id]


async def test_a_stop_in_the_middle_of_a_write_writes_nothing_twice(house: House) -> None:
    """HOOK-6: each attempt is in the log once, and counted once."""
    settler = Settler(house.db, lambda _: {}, lambda _: None)
    items = await claimed(house, 5)
    settler.start()
    async with house.db.write() as session:  # the write has to wait, and so it is under way when the program stops
        await session.execute(select(WebhookDelivery).with_for_update())
        for item in items:
            settler.add(Settled(item, Outcome(house.clock.now(), 1, succeeded=True, status=204)))
        await until(lambda: any(task.get_coro().__qualname__ == "Settler._step" for task in asyncio.all_tasks()))
        stopping = asyncio.create_task(settler.stop())
        await asyncio.sleep(0.05)
    await stopping
    assert len(await house.attempts()) == 5
    await house.until(succeeded=5)
    async with house.db.read() as session:
        (hour,) = await session.scalars(select(WebhookHour))
    assert (hour.succeeded, hour.failed) == (5, 0)


async def test_a_result_that_cannot_be_written_keeps_no_other_from_it(house: House) -> None:
    """HOOK-4: what one delivery says is no reason to deliver the others again."""
    written: list[str] = []
    settler = Settler(house.db, lambda _: {}, lambda batch: written.extend(each.item.id for each in batch))
    bad, *good = await claimed(house, 4)
    settler.add(Settled(bad, Outcome(house.clock.now(), 1, succeeded=False, status=2**70)))
    for item in good:
        settler.add(Settled(item, Outcome(house.clock.now(), 1, succeeded=True, status=204)))
    settler.start()
    await house.until(succeeded=3)
    await settler.stop()
    assert settler.held == {bad.id}
    assert sorted(written) == sorted(item.id for item in good)


async def test_a_stop_writes_what_can_be_written(house: House) -> None:
    """HOOK-4: what cannot is no reason to deliver the others again after the next start."""
    settler = Settler(house.db, lambda _: {}, lambda _: None)
    first, *good, last = await claimed(house, 6)
    for item in (first, *good, last):
        succeeded = item in good
        settler.add(Settled(item, Outcome(house.clock.now(), 1, succeeded=succeeded, status=204 if succeeded else 2**70)))
    await settler.stop()
    await house.until(succeeded=4)
    assert settler.held == {first.id, last.id}
