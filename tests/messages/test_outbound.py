"""What goes out is stored, paced, sent once and settled truthfully (MSG-4, MSG-6, MSG-11, ACC-11, DUR-1, DUR-2)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from tests.support.clock import MovableClock
from tests.support.linking import answers_each
from tests.support.pipeline import CARLA, DEV, Pipeline, pipeline
from tests.support.relay import Relay
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.engine_events import MessageReceived, Receipt, ReceiptKind
from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import Buttons, Content, MessageType, Origin, SendResult
from whatsapp_dashboard.errors import Conflict, DatabaseAway, Permanent, Retryable
from whatsapp_dashboard.models import Account, Contact, Message, MessageAction

TEXT = MessageType.TEXT


@pytest.fixture
async def house(db: Database, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Pipeline]:
    """A pipeline with one account, without pacing."""
    async with pipeline(db, clock, tmp_path) as made:
        yield made


async def _say(house: Pipeline, text: str, number: str = "+34600111222") -> Message:
    return await house.messages.send(house.cast.ben, house.account, Content(TEXT, text), number=number)


async def _failed(house: Pipeline, clock: MovableClock | None = None) -> list[Message]:
    if clock:
        await clock.advance(100)
    return await house.messages_of(status="failed")


async def test_a_message_is_queued_sent_delivered_and_read(house: Pipeline) -> None:
    """MSG-4, MSG-6: never backwards, each step told."""
    message = await _say(house, "hello")
    assert message.status == "queued"
    await house.until_sent(1)
    (row,) = await house.messages_of()
    at = house.clock.now()
    for kind in (ReceiptKind.READ, ReceiptKind.DELIVERED, ReceiptKind.FAILED):
        await house.inbound.submit(house.account, Receipt((row.wa_id or "",), kind, at, CARLA))
    (row,) = await house.messages_of()
    assert (row.status, row.read_at, row.delivered_at) == ("read", at, at)
    assert [event.data["status"] for event in await house.events("message.status")] == ["read"]
    assert len(await house.events("message.queued")) == len(await house.events("message.sent")) == 1
    assert house.engine.sent[0][0] == message.id


async def test_while_offline_messages_wait_and_then_go_out_in_order(house: Pipeline) -> None:
    """MSG-6: accepted means stored."""
    house.disconnect()
    for number in range(8):
        await _say(house, f"{number}", "+34600111222" if number % 2 else "+919876543210")
    await asyncio.sleep(0.05)
    assert house.engine.sent == []
    house.connect()
    await house.until_sent(8)
    assert house.engine.texts == [f"{number}" for number in range(8)]


async def test_a_message_that_must_wait_holds_back_only_its_contact(house: Pipeline, clock: MovableClock) -> None:
    """DUR-2: the order per contact is kept, others go on."""
    house.engine.failures = [Retryable("busy", after=30)]
    await _say(house, "carla 1")
    await house.until(lambda: house.messages_of(attempts=1))
    await _say(house, "carla 2")
    await _say(house, "dev 1", "+919876543210")
    await house.until_sent(1)
    assert house.engine.texts == ["dev 1"]
    (first,) = await house.messages_of(attempts=1)
    assert (first.status, first.status_reason) == ("queued", "Tried again soon: busy")
    await house.until_sent(3, step=10)
    assert house.engine.texts == ["dev 1", "carla 1", "carla 2"]


async def test_what_waits_goes_out_when_the_clock_was_set_back(house: Pipeline) -> None:
    """DUR-1: the time it waits for would come late, and everything of its contact behind it."""
    house.engine.failures = [Retryable("busy", after=3_600)]
    await _say(house, "carla 1")
    await house.until(lambda: house.messages_of(attempts=1))
    await _say(house, "carla 2")
    await house.settle()
    assert not house.engine.texts
    await house.outbound.clock_was_set_back()
    await house.until_sent(2)
    assert house.engine.texts == ["carla 1", "carla 2"]


async def test_a_refused_message_fails_with_the_reason_and_can_be_sent_again(house: Pipeline) -> None:
    """MSG-4, MSG-11: the retry goes out under the same key."""
    house.engine.failures = [Permanent("The number is not on WhatsApp.")]
    message = await _say(house, "hello")
    (row,) = await house.until(lambda: _failed(house))
    assert row.status_reason == "The number is not on WhatsApp."
    await house.messages.retry(house.cast.ben, message.id)
    await house.until_sent(1)
    assert [key for key, _, _ in house.engine.sent] == [message.id]
    with pytest.raises(Conflict):
        await house.messages.retry(house.cast.ben, message.id)


async def test_an_engine_that_crashes_again_and_again_gives_the_message_up(house: Pipeline, clock: MovableClock) -> None:
    """MSG-6: and the ones behind it go out."""
    house.engine.failures = [RuntimeError("boom") for _ in range(10)]
    await _say(house, "poison")
    (row,) = await house.until(lambda: _failed(house, clock))
    assert row.status_reason == "Given up after 10 tries: The engine failed (RuntimeError)."
    await _say(house, "next")
    await house.until_sent(1)


async def test_after_a_kill_before_the_settle_nothing_is_sent_twice(db: Database, clock: MovableClock, tmp_path: Path) -> None:
    """DUR-1, DUR-4: the queued row is sent again under its key, which the engine knows."""
    async with pipeline(db, clock, tmp_path) as first:
        stop = asyncio.Event()

        async def die(*_: object) -> None:
            stop.set()
            await asyncio.sleep(60)

        first.engine.before_result = die
        message = await _say(first, "once")
        await stop.wait()
        engine, account, cast = first.engine, first.account, first.cast
        await first.outbound.stop(0.1)
        assert [row.status for row in await first.messages_of()] == ["queued"]
    second = Pipeline(db, clock, tmp_path)
    engine.before_result = None
    second.cast, second.account, second.pool.engines[account] = cast, account, engine
    try:
        await second.begin()
        await second.until_sent(1)
    finally:
        await second.close()
    assert [key for key, _, _ in engine.sent] == [message.id]


async def test_our_own_echo_is_neither_a_second_message_nor_a_take_over(house: Pipeline) -> None:
    """AI-8, MSG-3: it may arrive before the send has returned, and again later."""
    await house.receive("question")
    echoes = []

    async def echo(_key: str, result: SendResult, to: Address, content: Content) -> None:
        event = MessageReceived(result.wa_id, to, content, result.at, from_me=True)
        echoes.append(event)
        await house.inbound.submit(house.account, event)

    house.engine.before_result = echo
    await house.messages.send(house.cast.ben, house.account, Content(TEXT, "answer"), number="+34600111222", origin=Origin.API)
    await house.until_sent(1)
    await house.settle()
    await house.inbound.submit(house.account, echoes[0])
    (row,) = await house.messages_of(direction="outgoing")
    assert (row.origin, row.status, row.wa_id) == ("api", "sent", echoes[0].wa_id)
    assert (await house.conversation()).answered_by == "bot"


@pytest.mark.parametrize("late", [0, 1], ids=["the later of two", "the earlier of two"])
async def test_an_echo_taken_for_the_wrong_one_of_two_equal_messages_loses_none(house: Pipeline, late: int) -> None:
    """DUR-1, MSG-3: after a crash WhatsApp shows one of two messages that say the same; both keep their rows and their ids."""
    house.disconnect()
    messages = [await _say(house, "same"), await _say(house, "same")]
    results = [SendResult(f"SENT{number}", house.clock.now()) for number in range(2)]
    house.engine.journal = {message.id: result for message, result in zip(messages, results, strict=True)}
    await house.outbound.start()  # what an earlier run may have sent is in doubt now
    shown = results[1 - late]
    await house.inbound.submit(
        house.account, MessageReceived(shown.wa_id, CARLA, Content(TEXT, "same"), shown.at, from_me=True, history=True)
    )
    await house.inbound.submit(house.account, Receipt((shown.wa_id,), ReceiptKind.DELIVERED, shown.at, CARLA))
    house.connect()

    async def both() -> bool:
        return [row.wa_id for row in await house.messages_of(direction="outgoing")] == ["SENT0", "SENT1"]

    await house.until(both)
    rows = await house.messages_of(direction="outgoing")
    assert [row.id for row in rows] == [message.id for message in messages]
    assert [row.status for row in rows] == (["sent", "delivered"] if late == 0 else ["delivered", "sent"])
    assert house.engine.sent == []


async def test_a_receipt_that_comes_before_the_send_has_returned_counts(house: Pipeline) -> None:
    """MSG-4: it waits for the message to get its WhatsApp id."""

    async def receipt_first(_key: str, result: SendResult, _to: Address, _content: Content) -> None:
        await house.inbound.submit(house.account, Receipt((result.wa_id,), ReceiptKind.DELIVERED, house.clock.now()))

    house.engine.before_result = receipt_first
    await _say(house, "quick")
    await house.until_sent(1)
    (row,) = await house.messages_of()
    assert (row.status, row.delivered_at) == ("delivered", house.clock.now())


async def test_unproven_messages_are_flagged_and_sent_again_without_a_duplicate(house: Pipeline, clock: MovableClock) -> None:
    """MSG-11: after 60 s; the same key; a receipt takes the flag away."""
    message = await _say(house, "did you get it")
    await house.until_sent(1)
    assert await house.outbound.tick() == 0
    await clock.advance(90)
    assert await house.outbound.tick() == 1
    assert (await house.messages_of())[0].flagged_at is not None
    assert (await house.events("message.status"))[-1].data["flagged"] is True
    await house.messages.retry(house.cast.ben, message.id)

    async def unflagged() -> bool:
        return (await house.messages_of())[0].flagged_at is None and not await house.rows(MessageAction)

    await house.until(unflagged)
    assert len(house.engine.sent) == 1
    assert len(await house.messages_of()) == 1


async def test_first_messages_to_strangers_are_capped_and_answers_never(db: Database, clock: MovableClock, tmp_path: Path) -> None:
    """ACC-11: the capped one stays queued, says why, and goes out when the day is over."""
    async with pipeline(db, clock, tmp_path, governor={"new_contacts_per_day": 2, "warm_up_days": 0}) as house:
        await house.receive("I write first", DEV)
        for number in range(3):
            await _say(house, f"stranger {number}", f"+3460011122{number}")
        await _say(house, "answer", "+919876543210")
        await house.until_sent(3)
        assert house.engine.texts == ["stranger 0", "stranger 1", "answer"]
        (waiting,) = await house.until(lambda: house.messages_of(status="queued"))
        await house.until(lambda: _has_reason(house, waiting.id))
        (waiting,) = await house.messages_of(status="queued")
        assert "daily limit of 2 for first messages" in waiting.status_reason
        assert waiting.not_before is not None
        assert waiting.attempts == 0
        await _say(house, "again", "+34600111220")
        await house.until_sent(4)
        # The sender may be about to lie down for a day as the clock moves: it is moved on until it has woken.
        await clock.advance(86_500)
        await house.until_sent(5, step=3_600)


async def _has_reason(house: Pipeline, message_id: str) -> bool:
    return bool((await house.messages_of(id=message_id))[0].status_reason)


async def test_a_number_that_is_not_on_whatsapp_fails_before_anything_is_sent(house: Pipeline) -> None:
    """ACC-11: looked up before a first message only; what the look-up tells is kept."""
    house.engine.absent = {"34600111222"}
    await _say(house, "hello?")
    (row,) = await house.until(lambda: _failed(house))
    assert row.status_reason == "+34600111222 is not on WhatsApp."
    await _say(house, "hi", "+919876543210")
    await house.until_sent(1)
    await _say(house, "hi again", "+919876543210")
    await house.until_sent(2)
    assert house.engine.lookups == ["34600111222", "919876543210"]
    assert {contact.lid for contact in await house.rows(Contact)} == {None, "5919876543210"}


async def test_a_restricted_account_stops_sending_until_the_release(house: Pipeline, clock: MovableClock) -> None:
    """ACC-11: the breaker; everything stays queued and says until when."""
    async with house.db.write() as session:
        account = await session.get(Account, house.account)
        assert account
        account.restricted_until, account.restriction = clock.now() + timedelta(minutes=10), "Reach-out time lock (463)"
    await _say(house, "wait")
    await house.until(lambda: _has_any_reason(house))
    (row,) = await house.messages_of()
    assert row.status == "queued"
    assert row.status_reason.startswith("Reach-out time lock (463). Sending is paused until ")
    assert house.engine.sent == []
    await clock.advance(601)
    await house.until_sent(1, step=60)


async def _has_any_reason(house: Pipeline) -> bool:
    return any(row.status_reason for row in await house.messages_of())


async def test_sends_are_paced_and_automatic_replies_show_typing(db: Database, clock: MovableClock, tmp_path: Path) -> None:
    """MSG-6, ACC-11: human-like gaps."""
    rules = {"pacing": {"min_ms": 1000, "max_ms": 1000}, "auto_reply": {"enabled": True, "text": "We are closed.", "every_minutes": 0}}
    async with pipeline(db, clock, tmp_path, **rules) as house:
        await house.receive("open?")
        await house.until(lambda: _sleeping(clock, 1.0))
        assert house.engine.acts == [("typing", CARLA.phone, True)]
        assert house.engine.sent == []
        await house.until_sent(1, step=0.5)
        await clock.advance(5)
        await _say(house, "one")
        await _say(house, "two")
        await house.until(lambda: _sleeping(clock, 1.0))
        assert house.engine.texts == ["We are closed.", "one"]
        await house.until_sent(3, step=0.5)
        assert len(house.engine.acts) == 1


async def _sleeping(clock: MovableClock, seconds: float) -> bool:
    return any(one == pytest.approx(seconds, abs=0.01) for one in clock.sleepers)


async def test_buttons_become_numbered_text_where_the_engine_has_none(house: Pipeline) -> None:
    """MSG-1: the stored message keeps its buttons."""
    content = Content(MessageType.BUTTONS, "Which?", buttons=Buttons(("Red", "Blue")))
    await house.messages.send(house.cast.ben, house.account, content, number="+34600111222")
    await house.until_sent(1)
    assert house.engine.texts == ["Which?\n\n1. Red\n2. Blue"]
    (row,) = await house.messages_of()
    assert (row.type, row.payload) == ("buttons", {"buttons": ["Red", "Blue"]})


async def test_a_reply_without_pacing_waits_for_no_time_to_pass(sqlite_db: Database, clock: MovableClock, tmp_path: Path) -> None:
    """DUR-2: from the event to the sent reply, while the clock stands still."""
    async with pipeline(sqlite_db, clock, tmp_path, **answers_each("Hi")) as house:
        for number in range(20):
            await house.receive(f"{number}")
            await house.until_sent(number + 1)


async def test_an_outcome_is_not_lost_with_what_its_write_waits_for(house: Pipeline) -> None:
    """DUR-1, MSG-4: something below is cancelled, and not the task that writes; the message would stay queued for good."""
    broken = 0

    @event.listens_for(house.db.writer_engine.sync_engine, "before_cursor_execute")
    def _break(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal broken
        if statement.lstrip().startswith("UPDATE message") and house.engine.sent and not broken:
            broken += 1
            raise asyncio.CancelledError

    message = await _say(house, "hello")
    await house.until_sent(1)

    async def settled() -> bool:
        return [row.status for row in await house.messages_of(id=message.id)] == ["sent"]

    await house.until(settled)
    assert (broken, house.engine.texts) == (1, ["hello"])


async def test_a_message_whose_commit_was_not_answered_goes_out_when_the_database_is_back(
    far_db: Database, relay: Relay, clock: MovableClock, tmp_path: Path
) -> None:
    """DUR-1: its sender was not woken, and the clock stands still."""
    async with pipeline(far_db, clock, tmp_path) as house:
        await _say(house, "first")
        await house.until_sent(1)
        await house.settle()
        relay.lose_answer_to(b"COMMIT")
        with pytest.raises(DatabaseAway):
            await _say(house, "second")

        async def sent() -> bool:
            await far_db.look_again()
            return house.engine.texts == ["first", "second"]

        await house.until(sent)
