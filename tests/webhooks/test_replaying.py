"""The delivery log and sending again (HOOK-6, HOOK-8)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from tests.support.waiting import PATIENCE
from tests.webhooks.conftest import House
from whatsapp_dashboard.errors import Conflict, Invalid
from whatsapp_dashboard.webhooks.views import DeliveryFilters


async def test_a_dead_letter_and_a_delivered_one_are_replayed_under_their_event_id(house: House) -> None:
    """HOOK-8: it succeeds once, and both rounds are there to see."""
    await house.hook(house.receivers.url("500", "a"))
    event_id = await house.happens()
    for number in range(1, 7):
        await house.until_attempts(number)
        await house.pass_time(600)
    (row,) = await house.until(dead=1)
    house.receivers.behaviours["a"] = "accept"
    again = await house.deliveries.replay(house.cast.ben, row.id)
    assert again.replays == 1
    await house.until(succeeded=1)
    await house.deliveries.replay(house.cast.ben, row.id)
    await house.until_attempts(8)
    await house.until(succeeded=1)
    detail = await house.deliveries.get(house.cast.vic, row.id)
    assert [(attempt.number, attempt.round, attempt.succeeded) for attempt in detail.attempts] == [
        (8, 2, True), (7, 1, True), (6, 0, False), (5, 0, False), (4, 0, False), (3, 0, False), (2, 0, False), (1, 0, False),
    ]  # fmt: skip
    assert {arrival.event_id for arrival in house.receivers.arrivals} == {event_id}


async def test_a_replay_that_fails_begins_a_new_round_of_tries(house: House) -> None:
    """HOOK-8."""
    await house.hook(house.receivers.url("accept", "a"))
    await house.happens()
    (row,) = await house.until(succeeded=1)
    house.receivers.behaviours["a"] = "500"
    await house.deliveries.replay(house.cast.ben, row.id)
    for number in range(2, 8):
        await house.until_attempts(number)
        await house.pass_time(600)
    (row,) = await house.until(dead=1)
    assert row.attempts == 7


async def test_a_waiting_retry_goes_at_once_when_asked(house: House) -> None:
    """HOOK-6: retry one."""
    await house.hook(house.receivers.url("500", "a"))
    await house.happens()
    await house.until_attempts(1)
    (row,) = await house.until(pending=1)
    house.receivers.behaviours["a"] = "accept"
    await house.deliveries.replay(house.cast.ben, row.id)
    await house.until(succeeded=1)


async def test_one_under_way_is_not_sent_a_second_time(house: House) -> None:
    """HOOK-8."""
    await house.hook(house.receivers.url("hang", "a"))
    await house.happens()
    await house.receivers.until(1)
    (row,) = await house.until(delivering=1)
    with pytest.raises(Conflict):
        await house.deliveries.replay(house.cast.ben, row.id)


async def test_everything_since_a_moment_is_replayed(house: House) -> None:
    """HOOK-8: of one webhook, in the order of the events."""
    hook = await house.hook(house.receivers.url("accept", "a"))
    await house.hook(house.receivers.url("accept", "other"))
    conversation = "01a1fc46-0000-7000-8000-000000000001"
    await house.happens("before", conversation_id=conversation)
    await house.until(succeeded=2)
    await asyncio.sleep(0.01)  # ids carry real milliseconds
    begins = (await house.delivery_rows())[0]
    for number in range(5):
        await house.happens(str(number), conversation_id=conversation)
    rows = await house.until(succeeded=12)
    later = next(row for row in rows if row.seq > begins.seq)
    since = _time_of(later.id)
    await house.clock.advance(1)
    assert await house.deliveries.replay_since(house.cast.ben, hook.id, since) == 5
    await house.receivers.until(11, "a")
    assert [item.json["data"]["body"] for item in house.receivers.of("a")][6:] == ["0", "1", "2", "3", "4"]
    assert len(house.receivers.of("other")) == 6


async def test_filters_pages_and_counts_agree(house: House) -> None:
    """HOOK-6."""
    good = await house.hook(house.receivers.url("accept", "a"))
    bad = await house.hook(house.receivers.url("500", "b"))
    for number in range(5):
        await house.happens(str(number))
    await house.until(succeeded=5, pending=5)
    vic = house.cast.vic
    first = await house.deliveries.page(vic, DeliveryFilters(), limit=4)
    second = await house.deliveries.page(vic, DeliveryFilters(), cursor=first.next_cursor, limit=4)
    third = await house.deliveries.page(vic, DeliveryFilters(), cursor=second.next_cursor, limit=4)
    ids = [row.id for page in (first, second, third) for row in page.rows]
    assert (len(ids), third.next_cursor) == (10, "")
    assert ids == sorted(ids, reverse=True)
    assert {row.webhook_id for row in (await house.deliveries.page(vic, DeliveryFilters(webhook_id=bad.id))).rows} == {bad.id}
    waiting = await house.deliveries.page(vic, DeliveryFilters(state="waiting"))
    assert {row.state for row in waiting.rows} == {"pending"}
    assert await house.deliveries.counts(vic, DeliveryFilters(state="dead")) == {"pending": 5, "delivering": 0, "succeeded": 5, "dead": 0}
    assert await house.deliveries.counts(vic, DeliveryFilters(webhook_id=good.id)) == {
        "pending": 0, "delivering": 0, "succeeded": 5, "dead": 0,
    }  # fmt: skip
    (one,) = (await house.deliveries.page(vic, DeliveryFilters(event_id=first.rows[0].event_id, webhook_id=good.id))).rows
    assert one.account_name == "Bakery"
    assert (await house.deliveries.page(vic, DeliveryFilters(event_type="session.status"))).rows == ()
    for wrong in (DeliveryFilters(state="lost"), DeliveryFilters(since=house.clock.now().replace(tzinfo=None))):
        with pytest.raises(Invalid):
            await house.deliveries.page(vic, wrong)
    with pytest.raises(Invalid):
        await house.deliveries.page(vic, DeliveryFilters(), cursor="nonsense")
    with pytest.raises(Invalid):
        await house.deliveries.replay_matching(house.cast.ben, DeliveryFilters())


async def test_pages_are_told_of_every_attempt(house: House) -> None:
    """HOOK-6: live."""
    await house.hook(house.receivers.url("accept", "a"))
    async with house.deliveries.watch() as watch:
        await house.happens()
        await house.until(succeeded=1)
        assert await watch.next(PATIENCE)
    assert not await house_is_told(house)


async def house_is_told(house: House) -> bool:
    """Whether a listener who comes later hears of what was before."""
    async with house.deliveries.watch() as watch:
        return await watch.next(0.05)


def _time_of(ident: str) -> datetime:
    """When something with this id was made."""
    return datetime.fromtimestamp(int(ident.replace("-", "")[:12], 16) / 1_000, UTC)
