"""Credits: set aside, paid once, given back, never below zero, always equal to the ledger (CRED-1, CRED-2, DUR-1)."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError

from tests.credits.conftest import Chat, Till
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.credits.service import MAX_AMOUNT, CreditService
from whatsapp_dashboard.credits.views import LedgerFilters
from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.errors import Conflict, Forbidden, Invalid
from whatsapp_dashboard.models import Account, CreditBalance


async def test_billing_is_off_by_default_and_answers_cost_nothing(till: Till) -> None:
    """CRED-1: self-hosting needs no credits."""
    state = await till.credits.state(till.cast.vic)
    assert (state.price, state.answers_left, state.exhausted) == (0, None, False)
    assert all([await till.credits.reserve(till.workspace, new_id()) for _ in range(3)])
    assert await till.count("held") == 0


async def test_an_answer_is_set_aside_then_paid_once_when_it_was_sent(till: Till) -> None:
    """CRED-1: however often its events are told."""
    await till.fill(10)
    job = new_id()
    assert await till.credits.reserve(till.workspace, job)
    assert await till.credits.reserve(till.workspace, job), "asked again after a crash"
    state = await till.credits.state(till.cast.vic)
    assert (state.balance, state.held, state.available, state.answers_left) == (10, 2, 8, 4)
    message_id = await till.queue(job)
    for _ in range(3):
        await till.happens("message.sent", message_id, unconfirmed=False)
        await till.happens("message.status", message_id, status="delivered")
    await till.until(taken=1)
    assert (await till.check()).balance == 8
    (line, top_up) = (await till.credits.ledger(till.cast.vic, LedgerFilters())).rows
    assert (line.type, line.amount, line.balance_before, line.balance_after) == ("debit", 2, 10, 8)
    assert (line.related_type, line.related_id, line.operator) == ("message", message_id, "")
    assert (top_up.type, top_up.amount, top_up.operator) == ("credit", 10, till.cast.ana.username)


async def test_what_is_not_answered_costs_nothing(till: Till) -> None:
    """CRED-1: a release, a failed send, and both twice."""
    await till.fill(4)
    first, second = new_id(), new_id()
    await till.credits.reserve(till.workspace, first)
    await till.credits.reserve(till.workspace, second)
    for _ in range(2):
        async with till.db.write() as session:
            await till.credits.release(session, first)
    message_id = await till.queue(second)
    await till.happens("message.status", message_id, status="failed")
    await till.until(released=2)
    balance = await till.check()
    assert (balance.balance, balance.held) == (4, 0)


async def test_a_failed_answer_that_is_sent_after_all_is_paid_if_there_is_enough(till: Till) -> None:
    """CRED-1: a person pressed "send again"; never below zero."""
    await till.fill(2)
    job = new_id()
    await till.credits.reserve(till.workspace, job)
    message_id = await till.queue(job)
    await till.happens("message.status", message_id, status="failed")
    await till.happens("message.sent", message_id, unconfirmed=False)
    await till.until(taken=1)
    assert (await till.check()).balance == 0


async def test_two_hundred_at_once_get_no_more_than_there_is(till: Till) -> None:
    """CRED-1: 100 credits at 2 are 50 answers, whatever comes at the same moment."""
    await till.fill(100)
    got = await asyncio.gather(*(till.credits.reserve(till.workspace, new_id()) for _ in range(200)))
    assert sum(got) == 50
    balance = await till.check()
    assert (balance.balance, balance.held) == (100, 100)
    state = await till.credits.state(till.cast.vic)
    assert (state.answers_left, state.exhausted) == (0, True)


async def test_operators_are_told_once_that_credits_are_used_up(till: Till) -> None:
    """CRED-1: and again only after there were enough."""
    await till.fill(2)
    for _ in range(3):
        await till.answer(new_id()) if await till.count("taken") == 0 else None
        await till.until(taken=1)
        assert not await till.credits.reserve(till.workspace, new_id())
    assert await till.told() == 1
    await till.credits.top_up(till.cast.ana, 2)
    await till.answer(new_id())
    await till.until(taken=2)
    assert not await till.credits.reserve(till.workspace, new_id())
    assert await till.told() == 2


async def test_whatever_happens_in_whatever_order_the_ledger_equals_the_balance(till: Till) -> None:
    """CRED-2, DUR-1: reservations, releases, sends, failures, corrections mixed at random."""
    dice = random.Random(20261125)
    await till.fill(60)
    jobs: list[str] = []
    messages: list[str] = []

    async def one_step() -> None:
        match dice.randrange(6):
            case 0 | 1:
                job = new_id()
                if await till.credits.reserve(till.workspace, job):
                    jobs.append(job)
            case 2 if jobs:
                messages.append(await till.queue(jobs.pop(dice.randrange(len(jobs)))))
            case 3 if messages:
                await till.happens("message.sent", dice.choice(messages), unconfirmed=dice.random() < 0.2)
            case 4 if messages:
                await till.happens("message.status", dice.choice(messages), status=dice.choice(["failed", "delivered"]))
            case 5:
                with suppress(Conflict):
                    await till.credits.adjust(till.cast.ana, dice.choice([-5, -3, 4]), description="count")
            case _:
                async with till.db.write() as session:
                    await till.credits.release(session, jobs.pop() if jobs else new_id())

    for _ in range(40):
        await asyncio.gather(*(one_step() for _ in range(5)))
        await till.check()


async def test_a_top_up_with_the_same_key_happens_once(till: Till) -> None:
    """API-5: also when both requests come at the same moment."""
    await till.fill(0)
    both = await asyncio.gather(*(till.credits.top_up(till.cast.ana, 5, idempotency_key="k") for _ in range(2)))
    assert both[0].id == both[1].id
    assert (await till.check()).balance == 5
    with pytest.raises(Conflict, match="another amount"):
        await till.credits.top_up(till.cast.ana, 6, idempotency_key="k")


async def test_what_is_set_aside_cannot_be_taken_away(till: Till) -> None:
    """CRED-1: corrections never go below what answers under way need; nor does the database allow it."""
    await till.fill(10, price=4)
    await till.credits.reserve(till.workspace, new_id())
    with pytest.raises(Conflict, match="Only 6"):
        await till.credits.adjust(till.cast.ana, -7, description="too much")
    await till.credits.adjust(till.cast.ana, -6, description="just right")
    with pytest.raises(IntegrityError):
        async with till.db.write() as session:
            await session.execute(update(CreditBalance).values(balance=-1))
    await till.check()


@pytest.mark.parametrize("amount", [0, -1, MAX_AMOUNT + 1])
async def test_amounts_that_make_no_sense_are_refused(till: Till, amount: int) -> None:
    """CRED-2."""
    with pytest.raises(Invalid):
        await till.credits.top_up(till.cast.ana, amount)


async def test_only_owners_change_credits_and_everybody_sees_their_own(till: Till) -> None:
    """SEC-6: Ben works, Vic looks, Mallory belongs elsewhere."""
    await till.fill(10)
    for who in (till.cast.ben, till.cast.vic):
        for attempt in (
            till.credits.top_up(who, 5),
            till.credits.adjust(who, -5, description="mine"),
            till.credits.set_price(who, 0),
        ):
            with pytest.raises(Forbidden):
                await attempt
    assert (await till.credits.state(till.cast.vic)).balance == 10
    assert (await till.credits.state(till.cast.mallory)).balance == 0
    assert (await till.credits.ledger(till.cast.mallory, LedgerFilters())).rows == ()


async def test_the_ledger_comes_in_pages_and_by_filters_and_the_days_add_up(till: Till) -> None:
    """CRED-2: history and chart."""
    await till.fill(100)
    for _ in range(7):
        await till.answer(new_id())
    await till.until(taken=7)
    seen, cursor = [], ""
    while True:
        page = await till.credits.ledger(till.cast.vic, LedgerFilters(), cursor=cursor, limit=3)
        seen += [row.id for row in page.rows]
        cursor = page.next_cursor
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 8
    assert seen == sorted(seen, reverse=True)
    debits = [row async for row in till.credits.everything(till.cast.vic, LedgerFilters(type="debit"))]
    assert len(debits) == 7
    days = await till.credits.daily(till.cast.vic, 7)
    assert (days[-1].spent, days[-1].added, days[-1].balance) == (14, 100, 86)
    assert [day.balance for day in days[:-1]] == [0] * 6
    with pytest.raises(Invalid):
        await till.credits.ledger(till.cast.vic, LedgerFilters(), cursor="nonsense")


async def test_operators_are_not_told_again_because_the_price_was_set_anew(till: Till) -> None:
    """CRED-1: only when an answer became possible in between, also by a lower price or with billing off."""
    await till.fill(3, price=5)
    for price, told in ((5, 1), (4, 1), (3, 1), (4, 2), (0, 2), (4, 3)):
        await till.credits.set_price(till.cast.ana, price)
        if price > 3:
            assert not await till.credits.reserve(till.workspace, new_id())
        assert await till.told() == told, price


async def test_lines_stand_in_the_order_of_writing_whatever_the_clocks_say(till: Till) -> None:
    """CRED-2, OPS-3: another process' clock was ahead of ours."""
    await till.fill(5)
    ahead = CreditService(till.db, Ahead())
    await ahead.top_up(till.cast.ana, 7, description="ahead")
    await till.credits.top_up(till.cast.ana, 9, description="behind")
    rows = (await till.credits.ledger(till.cast.vic, LedgerFilters())).rows
    assert [(row.amount, row.balance_after) for row in rows] == [(9, 21), (7, 12), (5, 5)]
    await till.check()


class Ahead(Clock):
    """Half a minute fast."""

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=30)


async def test_days_are_those_of_the_reader_and_a_correction_is_no_spending(till: Till) -> None:
    """CRED-2: what was spent at 20:00 UTC was spent on the next day in Kathmandu."""
    await till.credits.set_price(till.cast.ana, 2)
    noon = till.clock.now().replace(hour=12, minute=0, second=0, microsecond=0)
    await till.clock.advance((noon + timedelta(days=1, hours=8) - till.clock.now()).total_seconds())  # 20:00 UTC, 01:45 in Kathmandu
    await till.credits.top_up(till.cast.ana, 100)
    await till.answer(new_id())
    await till.until(taken=1)
    await till.credits.adjust(till.cast.ana, -30, description="counted twice")
    await till.clock.advance(3_600)
    for zone, first, last in (
        ("Europe/Madrid", (0, 0, 0, 0), (2, 100, 30, 68)),
        ("Asia/Kathmandu", (0, 0, 0, 0), (2, 100, 30, 68)),
        ("Pacific/Honolulu", (0, 0, 0, 0), (2, 100, 30, 68)),
    ):
        days = await till.credits.daily(till.cast.vic, 3, zone)
        assert [(day.spent, day.added, day.taken, day.balance) for day in (days[-2], days[-1])] == [first, last]
        assert days[-1].day == till.clock.now().astimezone(ZoneInfo(zone)).date().isoformat()
    await till.clock.advance(6 * 3_600)  # 03:00 UTC of the next day: yesterday in UTC, still today in Kathmandu and Honolulu
    spent = {zone: [day.spent for day in await till.credits.daily(till.cast.vic, 2, zone)] for zone in ("UTC", "Asia/Kathmandu")}
    assert spent == {"UTC": [2, 0], "Asia/Kathmandu": [0, 2]}
    with pytest.raises(Invalid, match="not a time zone"):
        await till.credits.daily(till.cast.vic, 2, "../etc/passwd")


async def test_a_line_says_who_was_answered_and_where(till: Till, chat: Chat) -> None:
    """CRED-2: the related entity; when the conversation is gone, the line stays."""
    await till.fill(10)
    job = await chat.question()
    assert await till.credits.reserve(till.workspace, job)
    message_id = await chat.answer(job)
    await till.happens("message.sent", message_id, unconfirmed=False)
    await till.until(taken=1)
    line = (await till.credits.ledger(till.cast.vic, LedgerFilters(type="debit"))).rows[0]
    assert (line.related_id, line.contact, line.conversation_id) == (message_id, "Carla", chat.conversation_id)
    async with till.db.write() as session:
        await session.execute(delete(Account))
    line = (await till.credits.ledger(till.cast.vic, LedgerFilters(type="debit"))).rows[0]
    assert (line.related_id, line.contact, line.conversation_id) == (message_id, "", None)


@pytest.mark.parametrize(("available", "low", "exhausted"), [(0, True, True), (1, True, True), (39, True, False), (40, False, False)])
async def test_credits_are_low_with_fewer_than_twenty_answers_left(till: Till, available: int, low: bool, exhausted: bool) -> None:
    """CRED-1."""
    await till.fill(available)
    state = await till.credits.state(till.cast.vic)
    assert (state.low, state.exhausted) == (low, exhausted)
    await till.credits.set_price(till.cast.ana, 0)
    assert not (await till.credits.state(till.cast.vic)).low
