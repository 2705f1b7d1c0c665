"""Bots that answer bots: own numbers, limits, and the fixed text's interval and hours (AI-8, ACC-11)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, update

from tests.replies.test_together import Thinker
from tests.support.clock import MovableClock
from tests.support.pipeline import CARLA, DEV, GROUP_JID, Pipeline, pipeline
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.account_settings import AccountSettings, AnswerLimits
from whatsapp_dashboard.domain.ids import Address, parse_jid
from whatsapp_dashboard.messages.conversations import ConversationService
from whatsapp_dashboard.models import Account, Conversation
from whatsapp_dashboard.replies.auto_reply import AutoReplier
from whatsapp_dashboard.replies.loops import OWN_NUMBER
from whatsapp_dashboard.replies.router import ReplyRouter
from whatsapp_dashboard.system.overview import Overview

EACH = {"enabled": True, "text": "Thank you!", "every_minutes": 0}
STOPPED = "The bot stopped: {} within {}. Perhaps the other side is a bot too. It answers again when you hand back."


@pytest.fixture
async def house(db: Database, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Pipeline]:
    """An account that answers each message."""
    async with pipeline(db, clock, tmp_path, auto_reply=EACH) as made:
        yield made


async def _say(house: Pipeline, count: int, seconds: float, clock: MovableClock) -> None:
    """The contact writes so often, with these pauses."""
    for number in range(count):
        await house.receive(f"{number}")
        await house.settle()
        await clock.advance(seconds)


async def test_the_seventh_answer_within_a_minute_is_not_given_and_people_are_told(house: Pipeline, clock: MovableClock) -> None:
    """AI-8, OBS-1, HOOK-1: the conversation is a person's until handed back; the inbox, the first page and webhooks say why."""
    await _say(house, 9, 1, clock)
    assert len(house.engine.sent) == 6
    conversation, reason = await house.conversation(), STOPPED.format("6 answers", "a minute")
    assert (conversation.answered_by, conversation.bot_paused_until, conversation.handover_reason) == ("human", None, reason)
    assert (await house.replies_of())["6"] == ("skipped", reason)
    assert (await house.replies_of())["7"] == ("skipped", "A person has taken over.")
    (told,) = await house.events("conversation.handed_over")
    assert (told.conversation_id, told.data) == (conversation.id, {"reason": reason})
    assert [one.data["handover_reason"] for one in await house.events("conversation.updated")] == [reason]
    view = await Overview(house.db, house.clock).look(house.cast.vic)
    assert [(one.contact_name, one.reason) for one in view.handed_over] == [("Carla", reason)]
    assert (await Overview(house.db, house.clock).look(house.cast.mallory)).handed_over == ()
    row = await ConversationService(house.db, house.clock).get(house.cast.vic, conversation.id)
    assert row.handover_reason == reason


async def test_a_conversation_that_was_handed_back_has_its_answers_anew(house: Pipeline, clock: MovableClock) -> None:
    """AI-8: what was answered before does not count; a person who writes is told no more, and the bot stays silent."""
    conversations = ConversationService(house.db, clock)
    await _say(house, 7, 1, clock)
    where = (await house.conversation()).id
    assert (await conversations.hand_back(house.cast.ben, where)).handover_reason == ""
    await _say(house, 7, 1, clock)
    assert len(house.engine.sent) == 12
    assert (await house.conversation()).handover_reason
    await house.say_as_ben("I am here")
    stopped = await house.conversation()
    assert (stopped.answered_by, stopped.handover_reason) == ("human", "")
    assert (await house.events("conversation.updated"))[-1].data["handover_reason"] == ""
    await clock.advance(86_400)
    await house.replies.tick()
    assert (await house.conversation()).answered_by == "human"


@pytest.mark.parametrize(
    ("seconds", "limits", "given", "words"),
    [
        (11, {"per_hour": 9}, 9, ("9 answers", "an hour")),
        (600, {"per_hour": 7, "per_day": 8}, 8, ("8 answers", "a day")),
        (1, {"per_minute": 1}, 1, ("1 answer", "a minute")),
        (5, {"per_minute": 0, "per_hour": 3}, 3, ("3 answers", "an hour")),
    ],
)
async def test_slow_loops_end_too(
    sqlite_db: Database, clock: MovableClock, tmp_path: Path, seconds: float, limits: dict[str, int], given: int, words: tuple[str, str]
) -> None:
    """AI-8: limits of a minute, an hour and a day, each a setting."""
    async with pipeline(sqlite_db, clock, tmp_path, auto_reply=EACH, answer_limits=limits) as house:
        await _say(house, given + 1, seconds, clock)
        assert len(house.engine.sent) == given
        assert (await house.conversation()).handover_reason == STOPPED.format(*words)


def test_the_limits_nobody_has_set() -> None:
    """AI-8: high enough for a person who writes much, low enough for a bot that pays."""
    assert AnswerLimits() == AnswerLimits(per_minute=6, per_hour=30, per_day=100)
    assert not AccountSettings().answer_own_numbers


async def test_without_limits_nothing_is_counted(sqlite_db: Database, clock: MovableClock, tmp_path: Path) -> None:
    """ACC-11: 0 turns a limit off."""
    none = {"per_minute": 0, "per_hour": 0, "per_day": 0}
    async with pipeline(sqlite_db, clock, tmp_path, auto_reply=EACH, answer_limits=none) as house:
        for number in range(40):
            await house.receive(f"{number}")
        await house.until_sent(40)


async def test_a_restart_and_other_contacts_change_nothing(house: Pipeline, clock: MovableClock) -> None:
    """DUR-4: it is counted from stored answers, per conversation; what could not be sent does not count."""
    await _say(house, 4, 0, clock)
    house.inbound.on_waiting.clear()
    house.replies = ReplyRouter(house.db, clock, house.outbound, [AutoReplier(clock)])
    house.inbound.on_waiting.append(house.replies.take)
    await house.receive("hello", DEV)
    await _say(house, 4, 0, clock)
    assert [to.phone for _, to, _ in house.engine.sent].count(CARLA.phone) == 6
    assert [to.phone for _, to, _ in house.engine.sent].count(DEV.phone) == 1


async def _own(house: Pipeline, **values: Any) -> None:
    """A second account of the workspace."""
    other = await house.add_account()
    async with house.db.write() as session:
        await session.execute(update(Account).where(Account.id == other).values(**values))


@pytest.mark.parametrize(
    ("own", "chat"),
    [
        ({"phone": "34600999888"}, Address(phone="34600999888")),
        ({"phone": None, "lid": "777"}, Address(lid="777")),
        ({"phone": "34600999888", "lid": "777"}, Address(lid="777")),
        ({"phone": "5215512345678"}, Address(phone="525512345678")),
        ({"phone": "551187654321"}, Address(phone="5511987654321")),
        ({"phone": "541112345678"}, Address(phone="5491112345678", lid="5")),
    ],
)
async def test_own_numbers_are_not_answered(sqlite_db: Database, clock: MovableClock, tmp_path: Path, own: Any, chat: Address) -> None:
    """AI-8: by phone number, LID, and the variants of a country; another workspace's numbers are those of strangers."""
    async with pipeline(sqlite_db, clock, tmp_path, auto_reply=EACH) as house:
        await _own(house, **own)
        await house.receive("hello", chat)
        await house.receive("hi", DEV)
        await house.until_sent(1)
        await house.settle()
        assert [to.phone for _, to, _ in house.engine.sent] == [DEV.phone]
        assert (await house.replies_of())["hello"] == ("skipped", OWN_NUMBER)
        await _own(house, phone=DEV.phone, workspace_id=house.cast.mallory.workspace_id)
        await house.receive("again", DEV)
        await house.until_sent(2)


async def test_own_numbers_are_answered_where_that_is_switched_on(sqlite_db: Database, clock: MovableClock, tmp_path: Path) -> None:
    """AI-8: and in a group they are known by who wrote."""
    async with pipeline(sqlite_db, clock, tmp_path, auto_reply=EACH, answer_groups=True) as house:
        await _own(house, phone="34600999888", lid="777")
        group = parse_jid(GROUP_JID)
        for sender in (Address(phone="34600999888"), Address(lid="777")):
            await house.receive(f"I am {sender}", group, sender=sender)
            await house.settle()
        assert house.engine.sent == []
        await house.receive("and I am not", group, sender=DEV)
        await house.until_sent(1)
        async with house.db.write() as session:
            account = await session.get_one(Account, house.account)
            account.settings = account.settings | {"answer_own_numbers": True}
        await house.receive("hello", Address(phone="34600999888"))
        await house.until_sent(2)


async def test_the_fixed_text_goes_once_in_its_interval(sqlite_db: Database, clock: MovableClock, tmp_path: Path) -> None:
    """ACC-11: twelve hours unless set, per conversation; one that failed does not count."""
    async with pipeline(sqlite_db, clock, tmp_path, auto_reply={"enabled": True, "text": "Hi"}) as house:
        for chat in (CARLA, CARLA, DEV, CARLA):
            await house.receive("hello", chat)
            await house.settle()
        assert [to.phone for _, to, _ in house.engine.sent] == [CARLA.phone, DEV.phone]
        assert ("skipped", "The contact has had the automatic reply within the last 12 hours.") in (await house.replies_of()).values()
        await clock.advance(timedelta(hours=12).total_seconds())
        await house.receive("hello again")
        await house.until_sent(3)


async def test_the_fixed_text_keeps_its_hours(sqlite_db: Database, clock: MovableClock, tmp_path: Path) -> None:
    """ACC-11: within them, or outside of them for an away message."""
    today = clock.now()
    begins, ends = (today - timedelta(hours=1)).strftime("%H:%M"), (today + timedelta(hours=1)).strftime("%H:%M")
    hours = {"enabled": True, "days": [{"open": True, "begins": begins, "ends": ends}] * 7}
    for outside, now, later in ((False, 1, 1), (True, 0, 1)):
        rule = {**EACH, "hours": hours, "outside_hours": outside}
        async with pipeline(sqlite_db, clock, tmp_path, auto_reply=rule) as house:
            chat = Address(phone=f"3460055500{int(outside)}")
            await house.receive(f"now {outside}", chat)
            await house.settle()
            assert len(house.engine.sent) == now
            await clock.advance(7_200)
            await house.receive(f"later {outside}", chat)
            await house.settle()
            assert len(house.engine.sent) == later
            word = "outside of" if outside else "within"
            assert ("skipped", f"The automatic reply is only sent {word} its hours.") in (await house.replies_of()).values()
            await clock.advance(-7_200)


async def test_counting_goes_by_an_index_of_automatic_answers(sqlite_db: Database, clock: MovableClock, tmp_path: Path) -> None:
    """AI-8: a conversation with a long history costs the same."""
    plans: list[str] = []
    asked: dict[str, Any] = {}

    @event.listens_for(sqlite_db.writer_engine.sync_engine, "before_cursor_execute")
    def _note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "SELECT message.at" in statement or "SELECT account.workspace_id" in statement:
            asked[statement] = parameters

    async with pipeline(sqlite_db, clock, tmp_path, auto_reply={"enabled": True, "text": "Hi"}) as house:
        await house.receive("hello")
        await house.until_sent(1)
        async with sqlite_db.engine.connect() as connection:
            for statement, given in asked.items():
                rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
                plans += [str(row[3]) for row in rows]
    assert len(asked) == 3
    found = [plan for plan in plans if plan.startswith(("SEARCH", "SCAN"))]
    assert all("SEARCH" in plan for plan in found), plans
    names = {word for plan in found for word in plan.split() if word.startswith("ix_")}
    assert names == {"ix_message_automatic", "ix_account_phone", "ix_account_lid"}, plans


async def test_a_merge_keeps_why_the_bot_stopped(house: Pipeline, clock: MovableClock) -> None:
    """MSG-10, AI-8: the more careful of both."""
    await house.receive("hello", Address(lid="888"))
    await house.settle()
    async with house.db.write() as session:
        stopped = update(Conversation).values(answered_by="human", handover_reason="It stopped.", bot_since=clock.now())
        await session.execute(stopped)
    await house.receive("hello", Address(phone="34600777000"))
    await house.settle()
    await house.receive("it is both me", Address(phone="34600777000", lid="888"))
    await house.settle()
    merged = await house.conversation()
    assert (merged.answered_by, merged.handover_reason, merged.bot_since) == ("human", "It stopped.", None)


async def test_answers_made_in_vain_are_bounded_too(sqlite_db: Database, clock: MovableClock, tmp_path: Path) -> None:
    """AI-8, CRED-1: a bot that writes on and on, always before the answer has left, has as many made as a contact may get, twice."""
    thinker = Thinker()
    thinker.go.set()
    slow = {"min_ms": 60_000, "max_ms": 60_000, "typing": False}
    async with pipeline(sqlite_db, clock, tmp_path, [thinker], pacing=slow) as house:
        for number in range(30):
            await house.receive(f"{number}")
            await house.replies.idle()
        assert 6 <= len(thinker.begun) <= 12
        assert (await house.conversation()).handover_reason == STOPPED.format("6 answers", "a minute")
