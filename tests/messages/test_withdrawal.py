"""Bots do not talk over people: what they had not yet sent when a person takes over is dropped (AI-8)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.support.clock import MovableClock
from tests.support.pipeline import CARLA, DEV, Pipeline, pipeline
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.messages import Content, MessageType
from whatsapp_dashboard.messages.conversations import ConversationService

REPLY = "We are closed."
SLOW = {"min_ms": 5_000, "max_ms": 5_000, "typing": False}


@pytest.fixture
async def house(db: Database, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Pipeline]:
    """An account that pauses five seconds before each automatic reply."""
    async with pipeline(db, clock, tmp_path, pacing=SLOW, auto_reply={"enabled": True, "text": REPLY, "every_minutes": 0}) as made:
        yield made


async def _press_take_over(house: Pipeline) -> None:
    conversation = (await house.conversation()).id
    await ConversationService(house.db, house.clock).take_over(house.cast.ben, conversation)


async def _write_from_the_inbox(house: Pipeline) -> None:
    content = Content(MessageType.TEXT, "I am here")
    await house.messages.send(house.cast.ben, house.account, content, conversation_id=(await house.conversation()).id)


async def _write_on_the_phone(house: Pipeline) -> None:
    await house.receive("I am here", CARLA, from_me=True)


@pytest.mark.parametrize("person", [_press_take_over, _write_from_the_inbox, _write_on_the_phone])
async def test_answers_that_still_wait_are_dropped_when_a_person_takes_over(
    house: Pipeline, clock: MovableClock, person: Callable[[Pipeline], Awaitable[None]]
) -> None:
    """AI-8: also the one whose pause is running; they say why, and other conversations get theirs."""
    for text in ("one", "two", "three"):
        await house.receive(text, CARLA)

    async def all_are_queued() -> bool:
        return len(await house.messages_of(origin="auto_reply")) == 3

    await house.until(all_are_queued)
    await asyncio.sleep(0.1)  # the sender is in the pause before the first
    await person(house)
    await house.receive("hello", DEV)
    dropped = await house.messages_of(origin="auto_reply", status="failed")
    assert len(dropped) == 3
    assert {message.status_reason for message in dropped} == {"Not sent: a person took over the conversation."}

    async def dev_has_his() -> bool:
        await clock.advance(6)
        return bool(await house.messages_of(origin="auto_reply", status="sent"))

    await house.until(dev_has_his)
    assert house.engine.texts.count(REPLY) == 1
