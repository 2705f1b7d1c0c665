"""What becomes of credits that were set aside, by what becomes of the answers (CRED-1, DUR-1)."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import delete, update
from sqlmodel import col

from tests.credits.conftest import Chat, Till
from whatsapp_dashboard.credits import settling
from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.models import Account, Message, Reply

DAY = 86_400


async def reserved(chat: Chat) -> str:
    """A question for whose answer credits are set aside."""
    job = await chat.question()
    assert await chat.till.credits.reserve(chat.till.workspace, job)
    return job


async def becomes(till: Till, message_id: str, **values: object) -> None:
    """The message changes, and no event tells of it."""
    async with till.db.write() as session:
        await session.execute(update(Message).where(col(Message.id) == message_id).values(**values))


async def test_an_answer_in_doubt_is_paid_as_soon_as_anything_proves_it(till: Till, chat: Chat) -> None:
    """CRED-1: a receipt, or an echo that WhatsApp shows; that it was cut off proves nothing, nor does a change that failed."""
    await till.fill(4)
    for proof in ({"status": "read"}, {"status": "sent", "unconfirmed": False}):
        message_id = await chat.answer(await reserved(chat))
        await till.happens("message.sent", message_id, unconfirmed=True)
        await till.happens("message.status", message_id, status="sent", failed_action="edit")
        await till.happens("message.status", message_id, status="queued", unconfirmed=True)
        await asyncio.sleep(0.1)
        assert await till.count("held") == 1
        taken = await till.count("taken")
        await till.happens("message.status", message_id, **proof)
        await till.until(taken=taken + 1)
    assert (await till.check()).balance == 0


async def test_an_answer_in_doubt_for_a_day_is_given_back_and_paid_if_it_is_proven_later(till: Till, chat: Chat) -> None:
    """CRED-1: credits are not held for ever."""
    await till.fill(4)
    message_id = await chat.answer(await reserved(chat), "sent", unconfirmed=True, sent_at=till.clock.now())
    assert await till.settlement.sweep() == 0
    await till.clock.advance(DAY - 60)
    assert await till.settlement.sweep() == 0
    await till.clock.advance(120)
    assert await till.settlement.sweep() == 1
    assert (await till.check()).held == 0
    await till.happens("message.status", message_id, status="delivered")
    await till.until(taken=1)
    assert (await till.check()).balance == 2


async def test_the_day_of_doubt_begins_when_the_send_was_cut_off(till: Till, chat: Chat) -> None:
    """CRED-1: not when the answer was made, which may have waited for its account to come back; nor does it end one that is sent anew."""
    await till.fill(4)
    message_id = await chat.answer(await reserved(chat))
    await till.clock.advance(3 * DAY)
    assert await till.settlement.sweep() == 0
    await becomes(till, message_id, status="sent", unconfirmed=True, sent_at=till.clock.now())
    assert await till.settlement.sweep() == 0
    await till.clock.advance(2 * DAY)
    await becomes(till, message_id, status="queued", sent_at=None)
    assert await till.settlement.sweep() == 0
    assert (await till.check()).held == 2


async def test_what_no_event_told_of_is_found(till: Till, chat: Chat) -> None:
    """CRED-1: a decision that came to nothing, a failed and a sent answer; one that is still open or queued stays set aside."""
    await till.fill(20)
    open_, silent, queued, failed, sent = [await reserved(chat) for _ in range(5)]
    async with till.db.write() as session:
        await session.execute(update(Reply).where(col(Reply.message_id) == silent).values(state="skipped"))
    for job, status in ((queued, "queued"), (failed, "failed"), (sent, "sent")):
        await chat.answer(job, status)
    assert await till.settlement.sweep() == 3
    assert await till.settlement.sweep() == 0
    assert [await till.count(state) for state in ("held", "taken", "released")] == [2, 1, 2]
    balance = await till.check()
    assert (balance.balance, balance.held) == (18, 4)
    async with till.db.write() as session:
        await till.credits.release(session, open_)
        await till.credits.release(session, queued)
    assert (await till.check()).held == 2, "what an answer is queued for is not given back by a second thought"


async def test_a_deleted_account_leaves_nothing_set_aside(till: Till, chat: Chat) -> None:
    """CRED-1, ACC-1: what was sent before is paid, though its message is gone when its event is read."""
    await till.fill(20)
    await till.settlement.follower.stop()
    sent, queued, _open = [await reserved(chat) for _ in range(3)]
    sent_id = await chat.answer(sent)
    await till.happens("message.sent", sent_id, unconfirmed=False)
    await chat.answer(queued)
    async with till.db.write() as session:
        await session.execute(delete(Account).where(col(Account.id) == chat.account_id))
    await till.settlement.follower.start()
    await till.until(taken=1)
    await till.settlement.sweep()
    balance = await till.check()
    assert (balance.balance, balance.held) == (18, 0)


async def test_answers_that_wait_for_long_do_not_hide_what_is_over(till: Till, chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    """CRED-1: an account that is offline may have many queued."""
    monkeypatch.setattr(settling, "_BATCH", 2)
    await till.fill(40)
    for _ in range(5):
        await chat.answer(await reserved(chat))
    for _ in range(5):
        await chat.answer(await reserved(chat), "failed")
    assert await till.settlement.sweep() == 5
    assert (await till.check()).held == 10


async def test_two_who_reserve_for_the_same_message_set_aside_once(till: Till) -> None:
    """CRED-1: also at the same moment."""
    await till.fill(100)
    job = new_id()
    assert all(await asyncio.gather(*(till.credits.reserve(till.workspace, job) for _ in range(20))))
    assert (await till.check()).held == 2


async def test_a_message_that_cannot_be_paid_leaves_no_trace(till: Till) -> None:
    """CRED-1: thousands may come while there is nothing."""
    await till.fill(1)
    assert not await till.credits.reserve(till.workspace, new_id())
    assert [await till.count(state) for state in ("held", "released")] == [0, 0]
    await till.check()


async def test_an_answer_sent_after_all_is_a_gift_when_nothing_is_left(till: Till, chat: Chat) -> None:
    """CRED-1: never below zero; and never from what others have set aside."""
    await till.fill(2)
    message_id = await chat.answer(await reserved(chat))
    await till.happens("message.status", message_id, status="failed")
    await till.until(released=1)
    await reserved(chat)
    await till.happens("message.sent", message_id, unconfirmed=False)
    await asyncio.sleep(0.3)
    assert await till.count("taken") == 0
    balance = await till.check()
    assert (balance.balance, balance.held) == (2, 2)


async def test_several_processes_settle_each_answer_once(till: Till, chat: Chat) -> None:
    """CRED-1, OPS-3: followers share one cursor, sweeps come between."""
    await till.fill(200)
    others = [settling.Settlement(till.db, till.clock) for _ in range(3)]
    for other in others:
        await other.follower.start()
        till.db.on_commit.append(other.follower.wake)
    messages = [await chat.answer(await reserved(chat)) for _ in range(30)]

    async def send(message_id: str) -> None:
        await becomes(till, message_id, status="sent")
        await till.happens("message.sent", message_id, unconfirmed=False)

    await asyncio.gather(*map(send, messages), *(other.sweep() for other in others))
    await till.until(taken=30)
    for other in others:
        till.db.on_commit.remove(other.follower.wake)
        await other.follower.stop()
    assert (await till.check()).balance == 140
