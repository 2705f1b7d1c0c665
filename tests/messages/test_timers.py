"""The timer of a chat whose messages disappear is remembered with the conversation and set on what we send (MSG-12)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.clock import MovableClock
from tests.support.pipeline import CARLA, DEV, GROUP_JID, Pipeline, pipeline
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.engine_events import TimerChanged
from whatsapp_dashboard.domain.ids import Address, parse_jid
from whatsapp_dashboard.domain.messages import Content, MessageType, Poll, Timer
from whatsapp_dashboard.messages.conversations import ConversationService

DAY, WEEK = 86_400, 604_800
ON = {"auto_reply": {"enabled": True, "text": "Thank you!"}, "answer_groups": True}


@pytest.fixture
async def house(db: Database, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Pipeline]:
    """A pipeline with one account; its bots are off."""
    async with pipeline(db, clock, tmp_path) as made:
        yield made


async def timer(house: Pipeline) -> int:
    conversation = await house.conversation()
    return (await ConversationService(house.db, house.clock).get(house.cast.ben, conversation.id)).disappear_seconds


async def changes(house: Pipeline, seconds: int, *, later: float, chat: Address = CARLA) -> None:
    await house.inbound.submit(house.account, TimerChanged(chat, seconds, house.clock.now() + timedelta(seconds=later)))


async def test_the_timer_comes_with_a_message_and_goes_out_with_ours(house: Pipeline) -> None:
    """MSG-12: also with a poll; one event tells of it; switched off, it is off."""
    set_at = house.clock.now() - timedelta(days=1)
    for _ in range(2):
        await house.receive(timer=Timer(DAY, set_at))
    assert await timer(house) == DAY
    assert [event.data for event in await house.events("conversation.updated") if "disappear_seconds" in event.data] == [
        {"disappear_seconds": DAY}
    ]
    conversation = (await house.conversation()).id
    for content in (Content(MessageType.TEXT, "Hi"), Content(MessageType.POLL, "L?", poll=Poll("L?", ("Yes", "No")))):
        await house.messages.send(house.cast.ben, house.account, content, conversation_id=conversation)
    await house.until_sent(2)
    assert [content.timer for _, _, content in house.engine.sent] == [Timer(DAY, set_at)] * 2
    await changes(house, 0, later=1)
    await house.say_as_ben("for good")
    await house.until_sent(3)
    assert (await timer(house), house.engine.sent[-1][2].timer) == (0, None)


async def test_the_newest_setting_counts(house: Pipeline) -> None:
    """MSG-12: whatever the order; a message under an older timer does not bring it back; history tells nothing by its messages."""
    await house.receive(history=True, timer=Timer(WEEK, house.clock.now()))
    assert await timer(house) == 0
    await changes(house, WEEK, later=20)
    await changes(house, DAY, later=10)
    assert await timer(house) == WEEK
    await changes(house, 0, later=30)
    await house.receive(timer=Timer(WEEK, house.clock.now() + timedelta(seconds=20)))
    assert await timer(house) == 0
    await house.receive(timer=Timer(DAY, house.clock.now() + timedelta(seconds=40)))
    assert await timer(house) == DAY


async def test_a_message_that_does_not_tell_the_timer_leaves_it(house: Pipeline) -> None:
    """MSG-12: nor does the setting of a chat that is not here."""
    await house.receive(timer=Timer(DAY))
    await house.receive("plain")
    await changes(house, WEEK, later=1, chat=DEV)
    assert await timer(house) == DAY
    assert len(await house.rows(type(await house.contact()))) == 1


async def test_answers_in_a_group_carry_its_timer(db: Database, clock: MovableClock, tmp_path: Path) -> None:
    """MSG-12, ACC-8: automatic ones too."""
    async with pipeline(db, clock, tmp_path, **ON) as house:
        await house.receive("hi", parse_jid(GROUP_JID), sender=DEV, timer=Timer(WEEK))
        await house.until_sent(1)
        assert [(content.text, content.timer and content.timer.seconds) for _, _, content in house.engine.sent] == [("Thank you!", WEEK)]


async def test_two_conversations_that_are_one_keep_the_newer_timer(house: Pipeline) -> None:
    """MSG-10, MSG-12."""
    await house.receive("by number", Address(phone=CARLA.phone), timer=Timer(DAY, house.clock.now()))
    await house.receive("by LID", Address(lid=CARLA.lid), timer=Timer(WEEK, house.clock.now() + timedelta(seconds=5)))
    await house.receive("both", CARLA)
    assert await timer(house) == WEEK
