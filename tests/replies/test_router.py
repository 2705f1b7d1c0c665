"""Who answers, or why nobody does; once per message, in order (MSG-5, AI-8, ACC-8, ACC-10, DUR-1, DUR-2)."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import make_url

from tests.support.clock import MovableClock
from tests.support.pipeline import CARLA, DEV, GROUP_JID, Pipeline, pipeline
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.ids import parse_jid
from whatsapp_dashboard.domain.messages import Content, MessageType, Origin
from whatsapp_dashboard.models import Account, Contact, Conversation, Reply
from whatsapp_dashboard.replies.repliers import Answer, Question, Skip

ON = {"auto_reply": {"enabled": True, "text": "Thank you!", "every_minutes": 0}}


@pytest.fixture
async def house(db: Database, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Pipeline]:
    """A pipeline whose account answers everybody with "Thank you!"."""
    async with pipeline(db, clock, tmp_path, **ON) as made:
        yield made


class TakesTime:
    """A replier that answers each message by itself, and needs time for it."""

    together = False

    def glance(self, question: Question) -> None:
        return None

    def may_begin_anew(self, question: Question, now: datetime) -> bool:
        return self.together


class Echo(TakesTime):
    """Answers with the message itself; the words in ``slow`` take until they are let go."""

    def __init__(self) -> None:
        self.slow: dict[str, asyncio.Event] = {}

    async def decide(self, question: Question) -> Answer | Skip:
        if question.message.body in self.slow:
            await self.slow[question.message.body].wait()
        return Answer(Content(MessageType.TEXT, f"re {question.message.body}"), Origin.AUTO_REPLY)


async def test_every_message_of_a_person_gets_exactly_one_reply(house: Pipeline) -> None:
    """DUR-1: also when WhatsApp tells of it again."""
    events = [await house.receive(f"{number}", CARLA if number % 2 else DEV) for number in range(10)]
    for received in events:
        await house.inbound.submit(house.account, received)
    await house.until_sent(10)
    await house.settle()
    answers = await house.messages_of(direction="outgoing")
    assert len(answers) == len(house.engine.sent) == 10
    assert {row.in_reply_to for row in answers} == {row.id for row in await house.messages_of(direction="incoming")}
    assert {row.origin for row in answers} == {"auto_reply"}
    assert {row.state for row in await house.rows(Reply)} == {"answered"}


async def test_a_reply_calls_the_contact_by_name(db: Database, clock: MovableClock, tmp_path: Path) -> None:
    """Variables are looked up, never evaluated, and what people write is not looked into."""
    text = "Hi {{ contact.name }} (+{{contact.phone}}): {{message}}{{nothing.known}}"
    async with pipeline(db, clock, tmp_path, auto_reply={"enabled": True, "text": text, "every_minutes": 0}) as house:
        await house.receive("{{contact.phone}} {7*7}")
        await house.until_sent(1)
        assert house.engine.texts == ["Hi Carla (+34600111222): {{contact.phone}} {7*7}"]


async def test_what_cannot_be_read_is_stored_and_never_answered(house: Pipeline) -> None:
    """MSG-1: a placeholder for a message that is missing is no question."""
    await house.receive(content=Content(MessageType.UNSUPPORTED, "This message could not be read."))
    await house.settle()
    assert house.engine.sent == []
    assert await house.replies_of() == {"This message could not be read.": ("skipped", "It cannot be read here.")}
    assert (await house.conversation()).unread == 1


async def test_what_was_undecided_at_a_kill_is_answered_at_the_next_start_in_order(
    db: Database, clock: MovableClock, tmp_path: Path
) -> None:
    """DUR-4: the question is stored with the message."""
    async with pipeline(db, clock, tmp_path, [Echo()]) as house:
        house.inbound.on_waiting.clear()
        for number in range(5):
            await house.receive(f"{number}")
        assert house.engine.sent == []
        await house.replies.start()
        await house.replies.start()
        await house.until_sent(5)
        assert house.engine.texts == [f"re {number}" for number in range(5)]


async def test_a_slow_answer_delays_only_its_own_conversation(db: Database, clock: MovableClock, tmp_path: Path) -> None:
    """MSG-5, DUR-2: Carla's second message waits for her first, Dev does not."""
    echo = Echo()
    echo.slow["think"] = asyncio.Event()
    async with pipeline(db, clock, tmp_path, [echo]) as house:
        await house.receive("think")
        await house.receive("and this")
        await house.receive("quick", DEV)
        await house.until_sent(1)
        assert house.engine.texts == ["re quick"]
        echo.slow["think"].set()
        await house.until_sent(3)
        assert house.engine.texts == ["re quick", "re think", "re and this"]


async def test_a_person_who_takes_over_while_the_bot_thinks_silences_it(db: Database, clock: MovableClock, tmp_path: Path) -> None:
    """AI-8: asked again in the write that would queue the answer."""
    echo = Echo()
    echo.slow["think"] = asyncio.Event()
    async with pipeline(db, clock, tmp_path, [echo]) as house:
        await house.receive("think")
        conversation = await house.conversation()
        sent = await house.messages.send(
            house.cast.ben, house.account, Content(MessageType.TEXT, "I do this"), conversation_id=conversation.id
        )
        echo.slow["think"].set()
        await house.settle()
        assert [row.id for row in await house.messages_of(direction="outgoing")] == [sent.id]
        assert await house.replies_of() == {"think": ("skipped", "A person has taken over.")}


async def test_after_the_pause_the_bot_answers_again(house: Pipeline, clock: MovableClock) -> None:
    """AI-8: the pause ends by itself, and the conversation shows it."""
    await house.receive("typed on the phone", from_me=True)
    await house.receive("question")
    await house.settle()
    assert await house.replies_of() == {"question": ("skipped", "A person has taken over.")}
    await clock.advance(241 * 60)
    await house.replies.tick()
    conversation = await house.conversation()
    assert (conversation.answered_by, conversation.bot_paused_until) == ("bot", None)
    assert (await house.events("conversation.updated"))[-1].data["answered_by"] == "bot"
    await house.receive("another")
    await house.until_sent(1)


async def test_groups_are_answered_only_where_the_settings_say_so(house: Pipeline) -> None:
    """ACC-8: default no; channels and status never."""
    group = parse_jid(GROUP_JID)
    await house.receive("in a group", group, sender=CARLA)
    await house.receive("status", parse_jid("status@broadcast"), sender=CARLA)
    await house.settle()
    assert await house.replies_of() == {"in a group": ("skipped", "Bots do not answer in groups of this account.")}
    async with house.db.write() as session:
        account = await session.get(Account, house.account)
        assert account
        account.settings = account.settings | {"answer_groups": True}
    await house.receive("now", group, sender=CARLA)
    await house.until_sent(1)


async def test_old_messages_of_an_offline_gap_are_not_answered(house: Pipeline, clock: MovableClock) -> None:
    """ACC-10: only up to ten minutes; live messages of any age are."""
    now = clock.now()
    await house.receive("long ago", offline=True, at=now - timedelta(minutes=11))
    await house.receive("just now", offline=True, at=now - timedelta(minutes=9))
    await house.receive("history", history=True, at=now)
    await house.until_sent(1)
    await house.settle()
    states = await house.replies_of()
    assert states["just now"] == ("answered", "")
    assert states["long ago"] == ("skipped", "It waited longer than 10 minutes while the account was offline.")
    assert "history" not in states
    assert len(house.engine.sent) == 1


async def test_silence_always_has_a_reason(house: Pipeline) -> None:
    """MSG-5: off, opted out, closed."""
    house.inbound.on_waiting.clear()
    await house.receive("opted out")
    await house.receive("closed", DEV)
    async with house.db.write() as session:
        carla, dev = await house.rows(Contact)
        row = await session.get(Contact, carla.id)
        assert row
        row.opted_out = True
        (talk,) = await house.rows(Conversation, contact_id=dev.id)
        conversation = await session.get(Conversation, talk.id)
        assert conversation
        conversation.status = "closed"
    await house.replies.start()
    await house.settle()
    assert await house.replies_of() == {
        "opted out": ("skipped", "The contact does not want automatic messages."),
        "closed": ("skipped", "The conversation is closed."),
    }
    other = await house.add_account()
    await house.inbound.submit(other, house.event("nobody"))
    await house.replies.start()
    await house.settle()
    assert (await house.replies_of())["nobody"] == ("skipped", "The automatic reply is off.")


async def test_a_decision_that_failed_is_taken_up_again(db: Database, clock: MovableClock, tmp_path: Path) -> None:
    """DUR-1: a fault of a replier loses no question."""

    class Broken(TakesTime):
        """Fails the first time."""

        tries = 0

        async def decide(self, question: Question) -> Answer | Skip:
            self.tries += 1
            if self.tries == 1:
                raise RuntimeError("no")
            return Answer(Content(MessageType.TEXT, "yes"), Origin.AUTO_REPLY)

    async with pipeline(db, clock, tmp_path, [Broken()]) as house:
        await house.receive("hello")
        await house.settle()
        assert house.engine.sent == []
        await house.replies.tick()
        await house.until_sent(1)


async def test_a_long_history_makes_looking_for_what_is_pending_no_dearer(
    sqlite_db: Database, clock: MovableClock, tmp_path: Path
) -> None:
    """MSG-5: it is done every few seconds, so it must not look at every reply there ever was."""
    asked: list[tuple[str, Any]] = []
    async with pipeline(sqlite_db, clock, tmp_path, **ON) as house:

        @event.listens_for(sqlite_db.engine.sync_engine, "before_cursor_execute")
        def _note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            if "FROM reply" in statement:
                asked.append((statement, parameters))

        await house.replies.tick()
    assert len(asked) == 1
    pending = [("a1", "m5"), ("a1", "m7"), ("a2", "m3")]
    settled = [(f"a{number % 2}", f"old-{number}", "answered") for number in range(3_000)]
    with closing(sqlite3.connect(str(make_url(sqlite_db.url).database))) as connection:
        insert = "INSERT INTO reply (account_id, message_id, conversation_id, state, reason) VALUES (?, ?, 'c', ?, '')"
        connection.executemany(insert, [(*place, "pending") for place in pending])
        connection.executemany(insert, settled)
        hundreds: list[None] = []
        connection.set_progress_handler(lambda: hundreds.append(None), 100)
        found = connection.execute(*asked[0]).fetchall()
    assert [row[1:] for row in found] == pending
    assert len(hundreds) < 10, "hundreds of steps of SQLite's machine"
