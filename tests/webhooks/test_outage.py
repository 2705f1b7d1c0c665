"""A receiver that is away for a while: nothing is lost, no tries are burnt, and all goes out in order when it is back (HOOK-4, HOOK-5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from tests.support.ports import ReservedPort
from tests.support.receivers import Arrival, Receivers
from tests.webhooks.conftest import House
from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.webhooks.schedule import (
    BREAKER_FAILURES,
    PROBE_SECONDS,
    PROBE_SECONDS_LIMIT,
    PROBE_SHARE,
    Breaker,
    next_probe,
)
from whatsapp_dashboard.webhooks.views import WebhookState

CONVERSATIONS = 10
MESSAGES = 200
NEXT_PROBE = PROBE_SECONDS_LIMIT + 1


@pytest.fixture
def port() -> Iterator[int]:
    """A port at which nobody listens until a test does."""
    reserved = ReservedPort()
    yield reserved.number
    reserved.free()


async def test_all_that_waited_for_a_refused_port_goes_out_when_it_is_taken_again(house: House, port: int) -> None:
    """HOOK-4, HOOK-5: every delivery, in the order of each conversation, without waiting for retries of its own."""
    hook = await house.hook(f"http://127.0.0.1:{port}/accept/late")
    conversations = [new_id() for _ in range(CONVERSATIONS)]
    for number in range(MESSAGES):
        await house.happens(str(number), conversation_id=conversations[number % CONVERSATIONS])
    await house.until_failing(hook)
    await house.until(pending=MESSAGES)
    await probe_in_vain(house, times=4)
    async with Receivers(at=port) as receivers:
        await house.pass_time(NEXT_PROBE)
        rows = await house.until(succeeded=MESSAGES)
        assert (await house.webhooks.get(house.cast.vic, hook.id)).state is WebhookState.ACTIVE
    assert max(row.tries for row in rows) == 2, "the one before the outage was seen, and the one that went well"
    assert len(receivers.arrivals) == MESSAGES
    found: defaultdict[int, list[int]] = defaultdict(list)
    for arrival in receivers.arrivals:
        number = int(arrival.json["data"]["body"])
        found[number % CONVERSATIONS].append(number)
    assert all(numbers == sorted(numbers) for numbers in found.values()), found


async def test_a_long_outage_burns_no_tries(house: House, port: int) -> None:
    """HOOK-4: however many probes fail, nothing becomes a dead letter for it."""
    hook = await house.hook(f"http://127.0.0.1:{port}/accept/late")
    for number in range(BREAKER_FAILURES + 3):
        await house.happens(str(number))
    await house.until_failing(hook)
    await house.until(pending=BREAKER_FAILURES + 3)
    await probe_in_vain(house, times=30)
    rows = await house.until(pending=BREAKER_FAILURES + 3)
    assert sum(row.attempts for row in rows) >= BREAKER_FAILURES + 30
    assert max(row.tries for row in rows) == 1


async def test_a_few_that_were_refused_go_out_with_the_first_that_is_taken(house: House, port: int) -> None:
    """HOOK-4: also when they were too few to call the endpoint failing."""
    await house.hook(f"http://127.0.0.1:{port}/accept/late")
    for number in range(3):
        await house.happens(str(number))
    await house.until_attempts(3)
    await house.until(pending=3)
    async with Receivers(at=port):
        await house.happens("new")
        await house.until(succeeded=4)


async def test_what_an_endpoint_cannot_digest_keeps_it_shut_for_nothing_else(house: House) -> None:
    """HOOK-5: an endpoint that answers is probed with other deliveries than those that failed, too."""
    hook = await house.hook(house.receivers.url("accept", "a"))

    def judge(arrival: Arrival) -> None:
        house.receivers.behaviours["a"] = "500" if arrival.json["data"]["body"] == "bad" else "accept"

    house.receivers.on_arrival = judge
    for _ in range(BREAKER_FAILURES):
        await house.happens("bad")
    await house.until_failing(hook)
    await house.until(pending=BREAKER_FAILURES)
    await house.happens("good")
    await house.until(pending=BREAKER_FAILURES + 1)
    made = len(await house.attempts())
    await house.pass_time(NEXT_PROBE)
    await house.until_attempts(made + 1)
    await house.until(pending=BREAKER_FAILURES + 1)
    await house.pass_time(NEXT_PROBE)
    await house.until(succeeded=1)


async def test_resume_sends_what_failed_at_once(house: House, port: int) -> None:
    """HOOK-8: somebody who knows that the receiver is back waits for no probe and no retry."""
    hook = await house.hook(f"http://127.0.0.1:{port}/accept/late")
    for number in range(BREAKER_FAILURES):
        await house.happens(str(number))
    await house.until_failing(hook)
    await house.until(pending=BREAKER_FAILURES)
    async with Receivers(at=port):
        await house.webhooks.resume(house.cast.ben, hook.id)
        await house.until(succeeded=BREAKER_FAILURES)


def test_probes_come_soon_and_then_at_distances_that_grow_with_the_outage() -> None:
    """HOOK-5: the first after 5 to 10 s; after a minute a quarter of a minute is the longest wait, after a day five minutes."""
    began = datetime(2026, 1, 1, tzinfo=UTC)
    breaker = Breaker(failures=BREAKER_FAILURES - 1)
    assert breaker.failed(began, began)
    assert breaker.next_probe_at is not None
    assert 5 <= (breaker.next_probe_at - began).total_seconds() <= 10
    moments = [breaker.next_probe_at]
    while moments[-1] < began + timedelta(days=1):
        moments.append(next_probe(began, moments[-1]))
    for moment, after in pairwise(moments):
        since, wait = (moment - began).total_seconds(), (after - moment).total_seconds()
        assert wait == pytest.approx(min(max(PROBE_SECONDS, since * PROBE_SHARE), PROBE_SECONDS_LIMIT))
    assert len(moments) < 350


async def probe_in_vain(house: House, times: int) -> None:
    """Let so many probes go out, one at a time."""
    for _ in range(times):
        made = len(await house.attempts())
        await house.pass_time(NEXT_PROBE)
        assert len(await house.until_attempts(made + 1)) == made + 1
        await house.until(delivering=0)
