"""A crash may leave it in doubt whether WhatsApp has a message: that is shown, and it is sent anew only when told to (MSG-4, MSG-11)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.clock import MovableClock
from tests.support.pipeline import CARLA, Pipeline, pipeline
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.engine_events import MessageReceived, Receipt, ReceiptKind
from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import Content, MessageType, Origin, SendResult
from whatsapp_dashboard.errors import Conflict, Permanent
from whatsapp_dashboard.messages.conversations import ConversationService
from whatsapp_dashboard.messages.log import MessageLog
from whatsapp_dashboard.messages.log_views import LogFilters
from whatsapp_dashboard.models import Message

TEXT = MessageType.TEXT


class Doubtful(dict[str, SendResult]):
    """A journal whose answers are in doubt for the first ``times`` keys, as after a crash of the engine's host."""

    def __init__(self, times: int = 1) -> None:
        super().__init__()
        self.times = times

    def __setitem__(self, key: str, value: SendResult) -> None:
        super().__setitem__(key, replace(value, unconfirmed=len(self) < self.times))


@pytest.fixture
async def house(db: Database, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Pipeline]:
    """A pipeline whose engine leaves the first send in doubt."""
    async with pipeline(db, clock, tmp_path) as made:
        made.engine.journal = Doubtful()
        yield made


@pytest.fixture
async def bold(db: Database, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Pipeline]:
    """The same with an account that sends again by itself."""
    async with pipeline(db, clock, tmp_path, resend_unconfirmed=True) as made:
        made.engine.journal = Doubtful()
        yield made


async def _say(house: Pipeline, text: str = "hello", **more: Origin) -> Message:
    return await house.messages.send(house.cast.ben, house.account, Content(TEXT, text), number="+34600111222", **more)


async def _only(house: Pipeline) -> Message:
    (row,) = await house.messages_of(direction="outgoing")
    return row


async def _doubt(house: Pipeline) -> Message:
    """One message, sent and in doubt."""
    await _say(house)
    await house.until_sent(1)
    row = await _only(house)
    assert (row.status, row.unconfirmed) == ("sent", True)
    return row


async def _keys(house: Pipeline, count: int) -> list[str]:
    """The keys of what was sent, once there are ``count`` and all is settled."""

    async def enough() -> bool:
        return len(house.engine.sent) >= count

    await house.until(enough)
    await house.settle()
    return [key for key, _, _ in house.engine.sent]


async def test_a_message_in_doubt_says_so_everywhere_and_is_not_sent_again_by_itself(house: Pipeline, clock: MovableClock) -> None:
    """MSG-4: in the thread, in the log and its filter, in the event; the minute without a proof adds nothing to it."""
    row = await _doubt(house)
    assert row.status_reason == "Sending was cut off; it is in doubt whether WhatsApp has it."
    assert (await house.events("message.sent"))[0].data["unconfirmed"] is True
    log = MessageLog(house.db)
    page = await log.page(house.cast.vic, LogFilters(status="in_doubt"))
    assert [(one.id, one.unconfirmed) for one in page.rows] == [(row.id, True)]
    assert "".join([chunk async for chunk in log.export(house.cast.vic, LogFilters())]).strip().endswith(",yes")
    thread = await ConversationService(house.db, house.clock).thread(house.cast.vic, row.conversation_id)
    assert thread.items[0].unconfirmed
    await clock.advance(90)
    assert await house.outbound.tick() == 0
    assert await _keys(house, 1) == [row.id]


async def test_sent_again_by_an_operator_it_goes_out_under_a_new_key(house: Pipeline) -> None:
    """MSG-11: the engine would answer the old key from its journal; pressed twice, it goes out once."""
    row = await _doubt(house)
    await house.messages.retry(house.cast.ben, row.id)
    with pytest.raises(Conflict, match="nothing to send again"):
        await house.messages.retry(house.cast.ben, row.id)
    assert await _keys(house, 2) == [row.id, f"{row.id}:again"]
    again = await _only(house)
    assert (again.status, again.unconfirmed, again.status_reason, again.resends) == ("sent", False, "", 1)
    assert again.wa_id == house.engine.journal[f"{row.id}:again"].wa_id != row.wa_id
    with pytest.raises(Conflict):
        await house.messages.retry(house.cast.ben, row.id)


async def test_with_the_setting_on_it_is_sent_again_once_by_itself(bold: Pipeline) -> None:
    """MSG-11: the account's owner accepted that the contact may get it twice."""
    message = await _say(bold)
    assert await _keys(bold, 2) == [message.id, f"{message.id}:again"]
    row = await _only(bold)
    assert (row.status, row.unconfirmed, row.resends) == ("sent", False, 1)
    assert len(await bold.events("message.sent")) == 2


async def test_what_is_in_doubt_a_second_time_waits_for_a_person(bold: Pipeline) -> None:
    """MSG-11: never twice by itself; each decision has a key of its own."""
    bold.engine.journal = Doubtful(2)
    message = await _say(bold)
    assert await _keys(bold, 2) == [message.id, f"{message.id}:again"]
    assert (await _only(bold)).unconfirmed
    await bold.messages.retry(bold.cast.ben, message.id)
    assert (await _keys(bold, 3))[-1] == f"{message.id}:again2"
    assert not (await _only(bold)).unconfirmed


@pytest.mark.parametrize("kind", [ReceiptKind.DELIVERED, ReceiptKind.READ])
async def test_a_receipt_ends_the_doubt(house: Pipeline, kind: ReceiptKind) -> None:
    """MSG-4: WhatsApp had it after all."""
    row = await _doubt(house)
    await house.inbound.submit(house.account, Receipt((row.wa_id or "",), kind, house.clock.now(), CARLA))
    after = await _only(house)
    assert (after.status, after.unconfirmed, after.status_reason) == (kind.value, False, "")
    assert (await house.events("message.status"))[-1].data["unconfirmed"] is False
    with pytest.raises(Conflict):
        await house.messages.retry(house.cast.ben, row.id)


async def test_a_receipt_while_it_waits_to_be_sent_again_keeps_it_from_going_out_twice(house: Pipeline) -> None:
    """MSG-11: the account is offline, the receipt of the first try comes first."""
    row = await _doubt(house)
    house.disconnect()
    await house.messages.retry(house.cast.ben, row.id)
    waiting = await _only(house)
    assert (waiting.status, waiting.unconfirmed, waiting.wa_id) == ("queued", True, row.wa_id)
    await house.inbound.submit(house.account, Receipt((row.wa_id or "",), ReceiptKind.DELIVERED, house.clock.now(), CARLA))
    house.connect()
    assert await _keys(house, 1) == [row.id]
    after = await _only(house)
    assert (after.status, after.unconfirmed) == ("delivered", False)


async def test_our_own_message_shown_by_whatsapp_ends_the_doubt(house: Pipeline) -> None:
    """MSG-4: it is on WhatsApp, so nothing is in doubt; it is not taken for one typed on the phone."""
    row = await _doubt(house)
    echo = MessageReceived(row.wa_id or "", CARLA, Content(TEXT, "hello"), house.clock.now(), from_me=True, history=True)
    await house.inbound.submit(house.account, echo)
    after = await _only(house)
    assert (after.status, after.unconfirmed, after.status_reason) == ("sent", False, "")


async def test_the_echo_of_the_second_try_settles_it(house: Pipeline) -> None:
    """MSG-3, MSG-4: also when it comes before the send has returned."""
    row = await _doubt(house)

    async def echo(_key: str, result: SendResult, to: Address, content: Content) -> None:
        await house.inbound.submit(house.account, MessageReceived(result.wa_id, to, content, result.at, from_me=True))

    house.engine.before_result = echo
    await house.messages.retry(house.cast.ben, row.id)
    await _keys(house, 2)
    after = await _only(house)
    assert (after.status, after.unconfirmed, after.origin) == ("sent", False, "operator")


async def test_an_automatic_answer_in_doubt_is_not_repeated_after_a_person_took_over(bold: Pipeline) -> None:
    """AI-8, MSG-11: and its row says what happened."""
    bold.engine.before_result = _then_offline(bold)
    await bold.receive("hi")
    conversation = await bold.conversation()
    message = await _say(bold, "Automatic", origin=Origin.API)
    await bold.until(lambda: bold.messages_of(status="queued", resends=1))
    async with bold.db.write() as session:
        row = await session.get(Message, message.id)
        assert row
        row.origin = Origin.AUTO_REPLY.value
    await bold.messages.send(bold.cast.ben, bold.account, Content(TEXT, "I take this"), conversation_id=conversation.id)
    bold.engine.before_result = None
    bold.connect()
    assert await _keys(bold, 2) == [message.id, bold.engine.sent[1][0]]
    (row,) = await bold.messages_of(id=message.id)
    assert (row.status, row.status_reason) == ("failed", "Not sent again: a person took over the conversation.")


def _then_offline(house: Pipeline) -> Callable[..., Awaitable[None]]:
    async def offline(*_: object) -> None:
        house.disconnect()

    return offline


async def test_a_second_try_that_whatsapp_refuses_fails_with_its_reason(house: Pipeline) -> None:
    """MSG-4: and asking again keeps the key, for the engine does not know it yet."""
    row = await _doubt(house)
    house.engine.failures = [Permanent("WhatsApp refused it.")]
    await house.messages.retry(house.cast.ben, row.id)
    (failed,) = await house.until(lambda: house.messages_of(status="failed"))
    assert failed.status_reason == "WhatsApp refused it."
    await house.messages.retry(house.cast.ben, row.id)
    assert await _keys(house, 2) == [row.id, f"{row.id}:again"]
