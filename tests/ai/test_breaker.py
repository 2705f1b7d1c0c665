"""Providers that fail are left alone for a while; turns at a provider are bounded (AI-3)."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.clock import MovableClock
from whatsapp_dashboard.ai.breaker import FAILURES, Breakers, Resting
from whatsapp_dashboard.ai.providers.base import ErrorKind, ProviderError


@pytest.fixture
def breakers(clock: MovableClock) -> Breakers:
    """Nothing is known of any provider."""
    return Breakers(clock)


def fail(breakers: Breakers, kind: ErrorKind = "unavailable", *, times: int = 1, retry_after: float | None = None) -> None:
    """The provider fails so often in a row."""
    for _ in range(times):
        breakers.failed("p", ProviderError(kind, "It is out of order.", retry_after=retry_after))


async def test_a_provider_rests_after_some_failures_in_a_row_and_longer_each_time(breakers: Breakers, clock: MovableClock) -> None:
    """AI-3: 30 s, then 60 s, ... at most ten minutes."""
    fail(breakers, times=FAILURES - 1)
    assert breakers.may_ask("p")
    fail(breakers)
    rests = []
    for _ in range(8):
        assert not breakers.may_ask("p")
        until = breakers.health("p").resting_until
        assert until is not None
        rests.append((until - clock.now()).total_seconds())
        await clock.advance(rests[-1])
        assert breakers.may_ask("p"), "it is asked again when its rest is over"
        fail(breakers)
    assert rests == [30, 60, 120, 240, 480, 600, 600, 600]


async def test_an_answer_ends_the_rest_and_forgets_the_failures(breakers: Breakers, clock: MovableClock) -> None:
    """AI-3: the next failure is the first one again."""
    fail(breakers, times=FAILURES)
    await clock.advance(30)
    breakers.succeeded("p")
    assert breakers.health("p").last_ok_at == clock.now()
    fail(breakers, times=FAILURES - 1)
    assert breakers.may_ask("p")


async def test_one_request_at_a_time_probes_a_provider_whose_rest_is_over(breakers: Breakers, clock: MovableClock) -> None:
    """AI-3: hundreds of conversations do not all wait for a dead server at the same time."""
    fail(breakers, times=FAILURES)
    await clock.advance(30)
    async with breakers.turn("p", 20, 1):
        assert not breakers.may_ask("p")
    assert breakers.may_ask("p")


async def test_who_waits_for_a_turn_asks_no_provider_that_began_to_rest_meanwhile(breakers: Breakers, clock: MovableClock) -> None:
    """AI-3: and of those who wait when the rest is over still only one at a time is a probe."""
    asked: list[int] = []
    rested: list[int] = []

    async def ask(number: int) -> None:
        try:
            async with breakers.turn("p", 1, 60):
                asked.append(number)
        except Resting:
            rested.append(number)

    async with breakers.turn("p", 1, 60):
        waiting = [asyncio.create_task(ask(number)) for number in range(3)]
        await asyncio.sleep(0)
        fail(breakers, times=FAILURES)
    await asyncio.gather(*waiting)
    assert (asked, rested) == ([], [0, 1, 2])
    await clock.advance(30)
    async with breakers.turn("p", 2, 60):
        await ask(4)
        assert rested[-1] == 4
    assert breakers.may_ask("p"), "the probe is over, and so is its turn"
    await ask(5)
    assert asked == [5]


@pytest.mark.parametrize("kind", ["auth", "blocked_address"])
def test_what_only_a_person_can_mend_rests_at_once(breakers: Breakers, kind: ErrorKind) -> None:
    """AI-3: a wrong key stays wrong."""
    fail(breakers, kind)
    assert not breakers.may_ask("p")


@pytest.mark.parametrize("kind", ["refused", "empty"])
def test_what_lies_at_the_question_says_nothing_about_the_next_one(breakers: Breakers, kind: ErrorKind) -> None:
    """AI-3: a model that declines an answer is not broken."""
    fail(breakers, kind, times=10)
    assert breakers.may_ask("p")


async def test_a_provider_that_says_when_is_asked_again_then(breakers: Breakers, clock: MovableClock) -> None:
    """AI-3: rate limits, by Retry-After; at most an hour is believed."""
    fail(breakers, "rate_limited", retry_after=7)
    assert not breakers.may_ask("p")
    await clock.advance(7)
    assert breakers.may_ask("p")
    fail(breakers, "rate_limited", retry_after=86_400)
    await clock.advance(3_600)
    assert breakers.may_ask("p")


async def test_no_more_requests_run_at_once_than_there_are_turns(breakers: Breakers) -> None:
    """AI-3: the third waits for its turn, and gives up when none comes."""
    release, running, most = asyncio.Event(), 0, 0

    async def ask() -> None:
        nonlocal running, most
        async with breakers.turn("p", 2, 5):
            running += 1
            most = max(most, running)
            await release.wait()
            running -= 1

    tasks = [asyncio.create_task(ask()) for _ in range(6)]
    await asyncio.sleep(0.05)
    assert running == 2
    with pytest.raises(TimeoutError):
        async with breakers.turn("p", 2, 0.01):
            pass
    release.set()
    await asyncio.gather(*tasks)
    assert most == 2


def test_a_changed_provider_gets_a_fresh_chance(breakers: Breakers) -> None:
    """AI-3: with a new key nothing of the old one is true any more."""
    fail(breakers, "auth")
    breakers.forget("p")
    assert breakers.may_ask("p")
    assert breakers.health("p").last_error == ""
