"""What makes a contact wait for a person, what ends it, and what does not (MSG-14)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, insert

from tests.messages.test_waiting import GROUP, Bot
from tests.support.clock import MovableClock
from tests.support.pipeline import CARLA, Pipeline, pipeline
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.engine_events import MessageRevoked
from whatsapp_dashboard.domain.ids import Address, new_id
from whatsapp_dashboard.domain.messages import Content, MessageType, Origin
from whatsapp_dashboard.errors import Permanent
from whatsapp_dashboard.messages.conversation_views import ConversationFilters, ConversationRow
from whatsapp_dashboard.messages.conversations import ConversationService
from whatsapp_dashboard.messages.waiting import settle_groups
from whatsapp_dashboard.models import Account, AiConfig, AiProvider, Contact, Conversation
from whatsapp_dashboard.models.base import metadata
from whatsapp_dashboard.system.overview import Overview


class Counter(Pipeline):
    """The pipeline with a bot, and who waits."""

    bot: Bot
    service: ConversationService

    async def row(self) -> ConversationRow:
        """The only conversation, as operators see it."""
        await self.replies.idle()
        return await self.service.get(self.cast.vic, (await self.conversation()).id)

    async def waits(self) -> bool:
        """Whether its contact waits."""
        return (await self.row()).waiting_since is not None

    async def say(self, text: str = "Yes", origin: Origin = Origin.OPERATOR) -> None:
        """Write into the only conversation, and see it sent."""
        content, conversation = Content(MessageType.TEXT, text), await self.conversation()
        await self.messages.send(self.cast.ben, self.account, content, conversation_id=conversation.id, origin=origin)
        await self.settle()


@pytest.fixture
async def counter(db: Database, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Counter]:
    """An account whose bot is silent."""
    bot = Bot()
    made = Counter(db, clock, tmp_path, [bot])
    made.bot, made.service = bot, ConversationService(db, clock)
    await made.open()
    yield made
    await made.close()


async def test_who_is_not_answered_waits_since_the_first_word_and_looking_changes_nothing(counter: Counter, clock: MovableClock) -> None:
    """MSG-14: neither reading nor a note is an answer; a word more does not begin the waiting anew."""
    first = await counter.receive("Hello?")
    await clock.advance(60)
    await counter.receive("Anybody?")
    where = (await counter.row()).id
    await counter.messages.mark_read(counter.cast.ben, where)
    await counter.service.add_note(counter.cast.ben, where, "Looks urgent")
    row = await counter.row()
    assert (row.waiting_since, row.unread) == (first.at, 0)
    await counter.say()
    assert not await counter.waits()
    told = [each.data["since"] for each in await counter.events("conversation.waiting")]
    assert told[-2:] == [first.at.isoformat(), None]


@pytest.mark.parametrize(("mood", "waits"), [("silent", True), ("answers", False), ("excuses", True), ("thinks", False)])
async def test_a_bot_that_answers_or_may_is_enough_one_that_is_silent_or_only_sorry_is_not(
    counter: Counter, mood: str, waits: bool
) -> None:
    """MSG-14: a sentence by which the bot excuses itself is no answer."""
    counter.bot.mood = mood
    await counter.receive()
    if mood != "thinks":
        await counter.settle()
        assert await counter.waits() is waits
    else:
        (row,) = (await counter.service.page(counter.cast.vic, ConversationFilters())).rows
        assert row.waiting_since is None
        counter.bot.mood = "silent"
        assert await counter.waits()


@pytest.mark.parametrize("origin", [Origin.OPERATOR, Origin.API])
async def test_an_answer_that_failed_for_good_is_none_until_it_is_sent_again(counter: Counter, origin: Origin) -> None:
    """MSG-14, MSG-4: while it is queued it may still arrive."""
    await counter.receive()
    counter.disconnect()
    await counter.replies.idle()
    content, conversation = Content(MessageType.TEXT, "Yes"), await counter.conversation()
    sent = await counter.messages.send(counter.cast.ben, counter.account, content, conversation_id=conversation.id, origin=origin)
    assert not await counter.waits()
    counter.engine.failures.append(Permanent("Nobody has this number."))
    counter.connect()
    await counter.settle()
    assert await counter.waits()
    await counter.messages.retry(counter.cast.ben, sent.id)
    assert not await counter.waits()
    await counter.settle()
    assert not await counter.waits()


async def test_who_takes_over_from_a_bot_whose_answer_is_still_queued_has_to_answer(counter: Counter) -> None:
    """MSG-14, AI-8: the answer is withdrawn, so nobody has answered."""
    counter.disconnect()
    counter.bot.mood = "answers"
    await counter.receive()
    assert not await counter.waits()
    await counter.service.take_over(counter.cast.ben, (await counter.conversation()).id)
    row = await counter.row()
    assert row.waiting_since is not None
    assert row.answers_next == "person"


async def test_a_closed_conversation_is_dealt_with_until_the_contact_writes_anew(counter: Counter, clock: MovableClock) -> None:
    """MSG-14: then it waits since that message; brought back by hand it is as it was."""
    first = await counter.receive("Thanks!")
    where = (await counter.row()).id
    await counter.service.close(counter.cast.ben, where)
    assert not await counter.waits()
    await counter.service.reopen(counter.cast.ben, where)
    assert (await counter.row()).waiting_since == first.at
    await counter.service.close(counter.cast.ben, where)
    await clock.advance(3_600)
    again = await counter.receive("One more thing")
    assert (await counter.row()).waiting_since == again.at


async def test_what_was_deleted_was_not_said(counter: Counter) -> None:
    """MSG-14: a question taken back needs no answer, an answer taken back is none."""
    event = await counter.receive("Wrong chat")
    assert await counter.waits()
    await counter.inbound.submit(counter.account, MessageRevoked(event.wa_id, CARLA, counter.clock.now()))
    assert not await counter.waits()


async def test_what_the_phone_answered_while_we_were_offline_is_answered_in_whatever_order_it_is_told(
    counter: Counter, clock: MovableClock
) -> None:
    """MSG-14, ACC-10"""
    now = clock.now()
    await counter.receive("At ten", at=now - timedelta(minutes=30), offline=True)
    await counter.receive("From the phone", at=now - timedelta(minutes=10), offline=True, from_me=True)
    assert not await counter.waits()
    await counter.receive("At a quarter past", at=now - timedelta(minutes=15), offline=True)
    assert not await counter.waits()
    late = await counter.receive("Just now", at=now - timedelta(minutes=1), offline=True)
    await counter.receive("Typed before that", at=now - timedelta(minutes=5), offline=True, from_me=True)
    assert (await counter.row()).waiting_since == late.at


async def test_a_group_waits_only_where_somebody_is_expected_to_answer(counter: Counter) -> None:
    """MSG-14, ACC-8: the account answers groups, or a person has taken this one over."""
    await counter.receive("Good morning all", GROUP)
    assert not await counter.waits()
    where = (await counter.conversation()).id
    await counter.service.take_over(counter.cast.ben, where)
    assert await counter.waits()
    await counter.service.hand_back(counter.cast.ben, where)
    assert not await counter.waits()
    async with counter.db.write() as session:
        account = await session.get_one(Account, counter.account)
        account.settings = account.settings | {"answer_groups": True}
        await session.flush()
        await settle_groups(session, account)
    assert await counter.waits()


@pytest.mark.parametrize("answered", [False, True])
async def test_two_who_turn_out_to_be_one_wait_once(counter: Counter, clock: MovableClock, *, answered: bool) -> None:
    """MSG-14, MSG-10: since the older word; and what was answered under one name is answered."""
    first = await counter.receive("Under a hidden name", Address(lid="42"))
    await clock.advance(5)
    await counter.receive("By number", Address(phone="34600999888"))
    if answered:
        number = next(row for row in await counter.rows(Contact) if row.phone)
        (where,) = await counter.rows(Conversation, contact_id=number.id)
        content = Content(MessageType.TEXT, "Yes")
        await counter.messages.send(counter.cast.ben, counter.account, content, conversation_id=where.id)
    await clock.advance(5)
    last = await counter.receive("It is me", Address(phone="34600999888", lid="42"))
    assert (await counter.row()).waiting_since == (last.at if answered else first.at)


async def test_the_chip_says_who_answers_the_next_message(counter: Counter) -> None:
    """MSG-14, AI-8: nobody without a bot; a bot that is set up and awake; a person while the pause lasts."""
    await counter.receive()
    assert ((await counter.row()).answers_next, (await counter.row()).has_bot) == ("nobody", False)
    async with counter.db.write() as session:
        session.add(AiConfig(account_id=counter.account, enabled=True))
    assert (await counter.row()).answers_next == "nobody", "on, but there is nobody to ask"
    closed = {"hours": {"enabled": True, "days": [{"open": False}] * 7}}
    async with counter.db.write() as session:
        session.add(AiProvider(account_id=counter.account, position=1, kind="groq", model="m"))
    assert ((await counter.row()).answers_next, (await counter.row()).has_bot) == ("bot", True)
    await counter.service.take_over(counter.cast.ben, (await counter.conversation()).id)
    assert (await counter.row()).answers_next == "person"
    await counter.service.hand_back(counter.cast.ben, (await counter.conversation()).id)
    async with counter.db.write() as session:
        (await session.get_one(AiConfig, counter.account)).settings = closed
    assert ((await counter.row()).answers_next, (await counter.row()).has_bot) == ("nobody", True)
    async with counter.db.write() as session:
        account = await session.get_one(Account, counter.account)
        account.settings = account.settings | {"auto_reply": {"enabled": True, "text": "Hi"}}
    assert (await counter.row()).answers_next == "bot"
    async with counter.db.write() as session:
        (await session.get_one(Contact, (await counter.contact()).id)).opted_out = True
    assert ((await counter.row()).answers_next, (await counter.row()).has_bot) == ("nobody", False)


@pytest.mark.parametrize("count", [5_000, pytest.param(100_000, marks=pytest.mark.full)])
async def test_who_waits_is_found_by_index_among_all_the_others(db: Database, clock: MovableClock, tmp_path: Path, count: int) -> None:
    """MSG-14: counting them, listing them and finding who waits longest looks at them alone, however many others there are."""
    async with pipeline(db, clock, tmp_path) as house:
        now = clock.now()
        contacts = [
            {"id": new_id(), "account_id": house.account, "kind": "person", "phone": str(10**11 + number), "name": "", "push_name": "",
             "opted_out": False, "created_at": now}
            for number in range(count)
        ]  # fmt: skip
        conversations = [
            {"id": new_id(), "account_id": house.account, "contact_id": one["id"], "status": "active", "answered_by": "bot", "unread": 0,
             "last_message_at": now - timedelta(seconds=number), "last_message_preview": "Hello", "last_message_direction": "incoming",
             "last_message_type": "text", "created_at": now, "waiting_since": now if number % (count // 100) == 0 else None}
            for number, one in enumerate(contacts)
        ]  # fmt: skip
        async with db.write() as session:
            await session.execute(insert(metadata.tables["contact"]), contacts)
            await session.execute(insert(metadata.tables["conversation"]), conversations)
        async with db.engine.begin() as connection:
            await connection.exec_driver_sql("ANALYZE")
        asked: list[tuple[str, object]] = []
        event.listen(db.engine.sync_engine, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
        service = ConversationService(db, clock)
        page = await service.page(house.cast.vic, ConversationFilters(waiting=True, status="active"), limit=41)
        counts = await service.counts(house.cast.vic)
        view = await Overview(db, clock).look(house.cast.vic)
        assert (len(page.rows), counts.waiting, view.waiting_total, len(view.waiting)) == (41, 100, 100, 5)
        plans = [await _plan(db, *one) for one in list(asked) if "waiting_since IS NOT NULL" in one[0]]
    assert len(plans) >= 4
    assert not [plan for plan in plans if "ix_conversation_waiting" not in plan]


async def _plan(db: Database, statement: str, parameters: object) -> str:
    explain = "EXPLAIN QUERY PLAN " if db.is_sqlite else "EXPLAIN "
    async with db.engine.connect() as connection:
        rows = await connection.exec_driver_sql(explain + statement, parameters)  # type: ignore[arg-type]
        return "\n".join(str(row) for row in rows)


async def test_a_fixed_text_that_was_just_said_answers_nothing_for_a_while(counter: Counter, clock: MovableClock) -> None:
    """MSG-14: it is said once in its interval, so until then nobody answers."""
    async with counter.db.write() as session:
        account = await session.get_one(Account, counter.account)
        account.settings = account.settings | {"auto_reply": {"enabled": True, "text": "Hi", "every_minutes": 60}}
    counter.bot.mood = "answers"
    await counter.receive()
    await counter.settle()
    assert ((await counter.row()).answers_next, (await counter.row()).has_bot) == ("nobody", True)
    await clock.advance(3_601)
    assert (await counter.row()).answers_next == "bot"
