"""A replier that needs time answers what belongs together once, and is interrupted by more messages and by people (AI-1, AI-8, MSG-5)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.support.clock import MovableClock
from tests.support.pipeline import DEV, Pipeline, pipeline
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.messages import Content, MessageType, Origin
from whatsapp_dashboard.errors import Retryable
from whatsapp_dashboard.messages.withdrawal import NEWER
from whatsapp_dashboard.models import Message, Reply
from whatsapp_dashboard.replies.auto_reply import AutoReplier
from whatsapp_dashboard.replies.questions import TOGETHER
from whatsapp_dashboard.replies.repliers import Answer, Question, Skip


class Thinker:
    """Takes until it is let go, then answers with everything it was asked."""

    together = True

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.patient = True
        self.begun: list[str] = []
        self.cancelled: list[str] = []
        self.after: list[tuple[str, bool]] = []
        self.says: Skip | None = None

    def glance(self, question: Question) -> Skip | None:
        return Skip("Not for me.") if question.message.body == "leave this" else None

    async def decide(self, question: Question) -> Answer | Skip:
        words = " + ".join(message.body for message in (*question.earlier, question.message))
        self.begun.append(words)
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled.append(words)
            raise

        async def after(_session: object, message: Message | None) -> None:
            self.after.append((words, message is not None))

        return self.says or Answer(Content(MessageType.TEXT, f"re {words}"), Origin.AI, after)

    def may_begin_anew(self, question: Question, now: datetime) -> bool:
        return self.patient


@pytest.fixture
def thinker() -> Thinker:
    """The replier of the tests."""
    return Thinker()


@pytest.fixture
async def house(db: Database, clock: MovableClock, tmp_path: Path, thinker: Thinker) -> AsyncIterator[Pipeline]:
    """A pipeline in which the thinker answers, and the automatic reply what it leaves."""
    repliers = [thinker, AutoReplier(clock)]
    async with pipeline(db, clock, tmp_path, repliers, auto_reply={"enabled": True, "text": "Automatic", "every_minutes": 0}) as made:
        yield made


async def _begun(house: Pipeline, thinker: Thinker, words: str) -> None:
    async def there() -> bool:
        return bool(thinker.begun) and thinker.begun[-1] == words

    await house.until(there)


async def test_messages_that_come_while_the_answer_is_made_are_answered_together(house: Pipeline, thinker: Thinker) -> None:
    """AI-1: one answer, bound to the newest message; the others say that they are covered."""
    for words, all_of_it in (("hi", "hi"), ("are you open", "hi + are you open"), ("today?", "hi + are you open + today?")):
        await house.receive(words)
        await _begun(house, thinker, all_of_it)
    thinker.go.set()
    await house.until_sent(1)
    await house.settle()
    assert house.engine.texts == ["re hi + are you open + today?"]
    assert thinker.cancelled == ["hi", "hi + are you open"]
    assert await house.replies_of() == {"hi": ("skipped", TOGETHER), "are you open": ("skipped", TOGETHER), "today?": ("answered", "")}
    (answer,) = await house.messages_of(direction="outgoing")
    asked = {row.body: row.id for row in await house.messages_of(direction="incoming")}
    assert answer.in_reply_to == asked["today?"]
    assert thinker.after == [("hi + are you open + today?", True)]


async def test_another_contact_is_answered_by_itself(house: Pipeline, thinker: Thinker) -> None:
    """MSG-5: conversations never wait for each other."""
    await house.receive("hi")
    await house.receive("hello", DEV)
    await house.until(lambda: _both(thinker))
    thinker.go.set()
    await house.until_sent(2)
    assert sorted(house.engine.texts) == ["re hello", "re hi"]
    assert thinker.cancelled == []


async def _both(thinker: Thinker) -> bool:
    return len(thinker.begun) == 2


async def test_who_writes_without_end_is_answered_nevertheless(house: Pipeline, thinker: Thinker) -> None:
    """AI-1: once the longest wait is over a newer message gets an answer of its own."""
    await house.receive("first")
    await _begun(house, thinker, "first")
    thinker.patient = False
    await house.receive("second")
    thinker.go.set()
    await house.until_sent(2)
    assert house.engine.texts == ["re first", "re second"]


async def test_an_answer_that_was_overtaken_while_it_was_stored_is_made_anew(house: Pipeline, thinker: Thinker) -> None:
    """AI-1: the newer message was stored before the answer; the router has not heard of it yet."""
    await house.receive("first")
    await _begun(house, thinker, "first")
    house.inbound.on_waiting.clear()
    await house.receive("second")
    thinker.go.set()
    await house.until_sent(1)
    assert house.engine.texts == ["re first + second"]
    assert thinker.after == [("first", False), ("first + second", True)]


async def test_an_answer_in_its_pause_is_withdrawn_when_the_contact_writes_more(
    db: Database, clock: MovableClock, tmp_path: Path, thinker: Thinker
) -> None:
    """AI-1: nobody has seen it yet; the next one answers everything. Fixed replies are not touched: each message has its own."""
    thinker.go.set()
    slow = {"min_ms": 5_000, "max_ms": 5_000, "typing": False}
    fixed = {"enabled": True, "text": "Auto", "every_minutes": 0}
    async with pipeline(db, clock, tmp_path, [thinker, AutoReplier(clock)], pacing=slow, auto_reply=fixed) as house:
        await house.receive("leave this")
        await house.receive("first")
        await house.until(lambda: house.messages_of(body="re first"))
        await house.receive("second")
        await house.until(lambda: house.messages_of(body="re first + second"))
        withdrawn = (await house.messages_of(body="re first"))[0]
        assert (withdrawn.status, withdrawn.status_reason) == ("failed", NEWER[0])
        await house.until_sent(2, step=5)
        assert house.engine.texts == ["Auto", "re first + second"]
        decided = await house.replies_of()
        assert (decided["first"], decided["second"]) == (("skipped", TOGETHER), ("answered", ""))


async def test_an_answer_that_whatsapp_may_have_is_not_withdrawn(house: Pipeline, clock: MovableClock, thinker: Thinker) -> None:
    """DUR-1: it was handed over, and its row does not say so yet: another one would be the second answer to its question."""
    thinker.go.set()
    house.engine.failures = [Retryable("no sign from WhatsApp", after=30)]
    await house.receive("first")
    await house.until(lambda: house.messages_of(body="re first", attempts=1))
    await house.receive("second")
    await house.until_sent(2, step=10)
    assert house.engine.texts == ["re first", "re second"]


async def test_an_answer_whose_questions_have_waited_long_enough_is_not_withdrawn(
    db: Database, clock: MovableClock, tmp_path: Path, thinker: Thinker
) -> None:
    """AI-1: a contact who writes on and on, always in the pause before the answer, gets answers nevertheless."""
    thinker.go.set()
    slow = {"min_ms": 5_000, "max_ms": 5_000, "typing": False}
    async with pipeline(db, clock, tmp_path, [thinker, AutoReplier(clock)], pacing=slow) as house:
        await house.receive("first")
        await house.until(lambda: house.messages_of(body="re first"))
        await house.receive("second")
        await house.until(lambda: house.messages_of(body="re first + second"))
        thinker.patient = False
        await house.receive("third")
        await house.until(lambda: house.messages_of(body="re third"))
        await house.replies.tick()
        await house.until_sent(2, step=5)
        assert house.engine.texts == ["re first + second", "re third"]
        assert thinker.begun == ["first", "first + second", "third"]
        assert thinker.cancelled == []


async def test_a_person_who_takes_over_ends_the_thinking_at_once(house: Pipeline, thinker: Thinker) -> None:
    """AI-8: the call is cancelled, not only its answer dropped."""
    await house.receive("hi")
    await _begun(house, thinker, "hi")
    await house.say_as_ben("I do this")
    await house.until(lambda: _cancelled(thinker))
    await house.settle()
    assert await house.replies_of() == {"hi": ("skipped", "A person has taken over.")}
    assert house.engine.texts == ["I do this"]


async def _cancelled(thinker: Thinker) -> bool:
    return thinker.cancelled == ["hi"]


async def test_a_final_no_asks_nobody_else(house: Pipeline, thinker: Thinker) -> None:
    """CRED-1: without credits nothing is answered, not even automatically; an ordinary no leaves it to the next."""
    thinker.go.set()
    thinker.says = Skip("The credits are used up.", final=True)
    await house.receive("one")
    await house.settle()
    thinker.says = Skip("No provider.")
    await house.receive("two")
    await house.until_sent(1)
    assert house.engine.texts == ["Automatic"]
    assert await house.replies_of() == {"one": ("skipped", "The credits are used up."), "two": ("answered", "")}


async def test_what_waited_over_a_restart_is_answered_together_too(
    db: Database, clock: MovableClock, tmp_path: Path, thinker: Thinker
) -> None:
    """DUR-4, AI-1: the decisions are rows; the next start takes them up."""
    thinker.go.set()
    async with pipeline(db, clock, tmp_path, [thinker, AutoReplier(clock)]) as house:
        house.inbound.on_waiting.clear()
        for words in ("one", "two", "three"):
            await house.receive(words)
        await house.replies.start()
        await house.until_sent(1)
        await house.settle()
        assert house.engine.texts == ["re one + two + three"]
        assert thinker.begun == ["one + two + three"]
        assert {row.state for row in await house.rows(Reply)} == {"answered", "skipped"}


async def test_a_stop_leaves_the_question_for_the_next_start(db: Database, clock: MovableClock, tmp_path: Path, thinker: Thinker) -> None:
    """SEC-9: what runs is cancelled and stays pending."""
    async with pipeline(db, clock, tmp_path, [thinker]) as house:
        await house.receive("hi")
        await _begun(house, thinker, "hi")
        await house.replies.stop(0.05)
        assert thinker.cancelled == ["hi"]
        assert await house.replies_of() == {"hi": ("pending", "")}
