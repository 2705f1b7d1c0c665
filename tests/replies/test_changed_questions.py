"""A question that is edited or deleted while its answer is made, or waits to be sent (AI-1)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.ai.conftest import Bot, bot, says, server  # noqa: F401  (fixtures)
from tests.replies.test_together import Thinker, _begun
from tests.support.clock import MovableClock
from tests.support.pipeline import CARLA, Pipeline, pipeline
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.engine_events import MessageEdited, MessageReceived, MessageRevoked
from whatsapp_dashboard.messages.withdrawal import CHANGED
from whatsapp_dashboard.replies.questions import TOGETHER

SLOW = {"min_ms": 5_000, "max_ms": 5_000, "typing": False}


@pytest.fixture
def thinker() -> Thinker:
    """The replier of the tests."""
    return Thinker()


@pytest.fixture
async def house(db: Database, clock: MovableClock, tmp_path: Path, thinker: Thinker) -> AsyncIterator[Pipeline]:
    """A pipeline in which the thinker answers, five seconds before anything is sent."""
    async with pipeline(db, clock, tmp_path, [thinker], pacing=SLOW) as made:
        yield made


async def _edit(house: Pipeline, message: MessageReceived, text: str) -> None:
    await house.inbound.submit(house.account, MessageEdited(message.wa_id, CARLA, text, house.clock.now()))


async def _delete(house: Pipeline, message: MessageReceived) -> None:
    await house.inbound.submit(house.account, MessageRevoked(message.wa_id, CARLA, house.clock.now()))


async def test_an_edit_while_the_answer_is_made_begins_anew(house: Pipeline, thinker: Thinker) -> None:
    """AI-1: five becomes eight, also in the message before the last."""
    first = await house.receive("5 mm")
    await _begun(house, thinker, "5 mm")
    await _edit(house, first, "8 mm")
    await _begun(house, thinker, "8 mm")
    await house.receive("please")
    await _begun(house, thinker, "8 mm + please")
    await _edit(house, first, "9 mm")
    await _begun(house, thinker, "9 mm + please")
    thinker.go.set()
    await house.until_sent(1, step=5)
    assert house.engine.texts == ["re 9 mm + please"]


async def test_an_edit_that_comes_after_the_longest_wait_changes_nothing(house: Pipeline, thinker: Thinker) -> None:
    """AI-1: the bounds are those of more messages: who edits on and on gets an answer."""
    first = await house.receive("5 mm")
    await _begun(house, thinker, "5 mm")
    thinker.patient = False
    await _edit(house, first, "8 mm")
    thinker.go.set()
    await house.until_sent(1, step=5)
    assert (house.engine.texts, thinker.cancelled) == (["re 5 mm"], [])


async def test_an_edit_the_router_has_not_heard_of_is_seen_in_the_write(house: Pipeline, thinker: Thinker) -> None:
    """AI-1, DUR-1: the rows count."""
    house.inbound.on_changed.clear()
    first = await house.receive("5 mm")
    await _begun(house, thinker, "5 mm")
    await _edit(house, first, "8 mm")
    thinker.go.set()
    await house.until_sent(1, step=5)
    assert house.engine.texts == ["re 8 mm"]


async def test_what_is_deleted_is_not_answered(house: Pipeline, thinker: Thinker) -> None:
    """AI-1: alone it is a question no more; beside others they are answered without it, whenever it was deleted."""
    first = await house.receive("5 mm")
    await _begun(house, thinker, "5 mm")
    await _delete(house, first)
    await house.settle()
    assert (await house.replies_of())["5 mm"] == ("skipped", "It was deleted by its writer.")
    await house.receive("one")
    await _begun(house, thinker, "one")
    second = await house.receive("two")
    await _begun(house, thinker, "one + two")
    thinker.patient = False
    await _delete(house, second)
    await _begun(house, thinker, "one")
    thinker.go.set()
    await house.until_sent(1, step=5)
    assert house.engine.texts == ["re one"]


async def test_an_answer_in_the_queue_is_made_anew_for_an_edit(house: Pipeline, thinker: Thinker, clock: MovableClock) -> None:
    """AI-1: nobody has seen it yet; what was answered together is so again."""
    thinker.go.set()
    first = await house.receive("5 mm")
    await house.until(lambda: house.messages_of(body="re 5 mm"))
    await _edit(house, first, "8 mm")
    await house.until(lambda: house.messages_of(body="re 8 mm"))
    withdrawn = (await house.messages_of(body="re 5 mm"))[0]
    assert (withdrawn.status, withdrawn.status_reason) == ("failed", CHANGED[0])
    await house.receive("please")
    await house.until(lambda: house.messages_of(body="re 8 mm + please"))
    await _edit(house, first, "9 mm")
    await house.until(lambda: house.messages_of(body="re 9 mm + please"))
    await house.until_sent(1, step=5)
    assert house.engine.texts == ["re 9 mm + please"]
    assert await house.replies_of() == {"9 mm": ("skipped", TOGETHER), "please": ("answered", "")}
    await _edit(house, first, "10 mm")
    await house.settle()
    assert len(house.engine.sent) == 1


async def test_an_answer_in_the_queue_to_what_was_deleted_is_withdrawn(house: Pipeline, thinker: Thinker) -> None:
    """AI-1: however long it has waited."""
    thinker.go.set()
    first = await house.receive("5 mm")
    await house.until(lambda: house.messages_of(body="re 5 mm"))
    thinker.patient = False
    await _edit(house, first, "8 mm")
    await _delete(house, first)
    await house.until(lambda: house.messages_of(body="re 5 mm", status="failed"))
    await house.settle()
    assert list((await house.replies_of()).values()) == [("skipped", "It was deleted by its writer.")]
    assert house.engine.sent == []


async def test_the_model_is_told_the_new_text_within_the_delay(bot: Bot) -> None:  # noqa: F811
    """AI-1: one call, with what stands there now."""
    await bot.provider("openai")
    await bot.turn_on(wait_seconds=3)
    first = await bot.house.receive("I need 5 mm")
    await bot.advance(1)
    await _edit(bot.house, first, "I need 8 mm")
    bot.server.behave("openai", says("8 mm it is."))
    await bot.house.until_sent(1, step=1)
    assert bot.asked() == ["I need 8 mm"]
