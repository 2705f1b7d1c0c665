"""The bot in a conversation: who is asked, what is said, what is written down (AI-1, AI-3, AI-4, AI-6, AI-8)."""

from __future__ import annotations

import asyncio
import base64
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import cast

import pytest
from sqlalchemy import make_url, select

from tests.ai.conftest import KEY, Bot, says
from tests.support.clock import MovableClock
from tests.support.llm_server import Behaviour
from tests.support.pipeline import CARLA, DEV
from tests.support.samples import picture
from tests.support.waiting import until
from whatsapp_dashboard.ai.views import KEPT, Outcome, ProviderDraft
from whatsapp_dashboard.domain.ai_settings import DEFAULT_FAILURE, DEFAULT_MEDIA
from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import Content, MediaRef, MessageType
from whatsapp_dashboard.messages.conversations import ConversationService
from whatsapp_dashboard.models import Account, AiAnswer, AiCall, AiProvider, Event, Reply

BROKEN = Behaviour("error", status=500)


async def test_the_second_provider_answers_when_the_first_is_broken_and_the_trace_says_why(bot: Bot) -> None:
    """AI-3, AI-6: what each was asked, how long it took, what it cost in tokens; the calls are in the log."""
    await bot.provider("groq", label="First")
    await bot.provider("openai", label="Second")
    await bot.turn_on()
    bot.server.behave("groq", BROKEN)
    bot.server.behave("openai", says("We open at 9.", tokens=(120, 7)))
    await bot.house.receive("When do you open?")
    await bot.house.until_sent(1)
    assert bot.house.engine.texts == ["We open at 9."]
    (answer,) = await bot.house.messages_of(direction="outgoing")
    assert answer.origin == "ai"
    trace = await bot.trace()
    assert [(step.label, step.outcome) for step in trace.steps] == [("First", Outcome.UNAVAILABLE), ("Second", Outcome.OK)]
    assert "500" in trace.steps[0].error
    assert (trace.kind, trace.steps[1].tokens_in, trace.steps[1].tokens_out) == ("answer", 120, 7)
    calls = await bot.calls()
    assert [(call.provider_label, call.outcome, call.purpose) for call in calls] == [
        ("First", Outcome.UNAVAILABLE, "reply"),
        ("Second", Outcome.OK, "reply"),
    ]
    assert {call.conversation_id for call in calls} == {answer.conversation_id}


async def test_a_provider_that_hangs_is_passed_over_in_time(bot: Bot) -> None:
    """AI-3: after the seconds of the settings."""
    await bot.provider("mistral")
    await bot.provider("openai")
    await bot.turn_on(provider_seconds=5)  # the other one answers sooner, whatever else the machine does
    bot.server.behave("mistral", Behaviour("hang"))
    await bot.house.receive("hello?")
    await bot.house.until_sent(1)
    first, second = (await bot.trace()).steps
    assert (first.outcome, second.outcome) == (Outcome.TIMEOUT, Outcome.OK)
    assert 900 <= first.ms <= 6_000


async def test_a_provider_that_failed_thrice_is_not_asked_for_a_while(bot: Bot) -> None:
    """AI-3: the trace says that it rests; afterwards it gets one request."""
    await bot.provider("groq")
    await bot.provider("openai")
    await bot.turn_on()
    bot.server.behave("groq", BROKEN)
    for number in range(5):
        await bot.house.receive(f"question {number}")
        await bot.house.until_sent(number + 1)
    assert len(bot.server.requests("groq")) == 3
    assert (await bot.trace()).steps[0].outcome is Outcome.RESTING
    await bot.advance(31)
    bot.server.behave("groq", says("I am back."))
    await bot.house.receive("and now?")
    await bot.house.until_sent(6)
    assert bot.house.engine.texts[-1] == "I am back."


async def test_when_nobody_answers_one_friendly_text_is_said_and_the_error_is_told(bot: Bot) -> None:
    """AI-3: once in half an hour for a conversation, never silence at the first failure, never a stream of excuses."""
    await bot.provider("openai")
    await bot.turn_on()
    bot.server.behave("openai", Behaviour("error", status=503, text="overloaded"))
    await bot.house.receive("one")
    await bot.house.until_sent(1)
    await bot.house.receive("two")
    await bot.house.settle()
    assert bot.house.engine.texts == [DEFAULT_FAILURE]
    state, reason = (await bot.house.replies_of())["two"]
    assert state == "skipped"
    assert "overloaded" in reason
    assert (await bot.trace()).kind == "failure"
    assert len(await bot.house.events("ai.failed")) == 2
    await bot.advance(31 * 60)
    await bot.house.receive("three")
    await bot.house.until_sent(2)
    assert bot.house.engine.texts == [DEFAULT_FAILURE] * 2


async def test_an_empty_failure_text_means_silence(bot: Bot) -> None:
    """AI-3: configurable, may be empty; the automatic reply does not step in either."""
    await bot.provider("openai")
    await bot.turn_on(failure_text="")
    bot.server.behave("openai", BROKEN)
    await bot.house.receive("one")
    await bot.house.settle()
    assert bot.house.engine.texts == []


async def test_messages_that_belong_together_are_one_request(bot: Bot) -> None:
    """AI-1: the delay waits for more; the answer is to all of it."""
    await bot.provider("openai")
    await bot.turn_on(wait_seconds=3)
    for words in ("hi", "do you have the blue one", "in 40?"):
        await bot.house.receive(words)
        await bot.house.until(_waits(bot))
        await bot.advance(2)
    assert bot.server.requests() == []
    await bot.advance(2)
    await bot.house.until_sent(1)
    assert bot.asked() == ["hi\ndo you have the blue one\nin 40?"]
    assert len((await bot.trace()).question_ids) == 3


def _waits(bot: Bot) -> Callable[[], Awaitable[bool]]:
    async def whole_delay() -> bool:
        return cast(MovableClock, bot.house.clock).sleepers[:1] == [3]

    return whole_delay


async def test_the_model_sees_the_conversation_so_far_and_not_more(bot: Bot) -> None:
    """AI-4: the last messages, what a person wrote among them; nothing that was deleted or never sent."""
    await bot.provider("openai")
    await bot.turn_on(history_limit=3)
    for number in range(3):
        bot.server.behave("openai", says(f"answer {number}"))
        await bot.house.receive(f"question {number}")
        await bot.house.until_sent(number + 1)
    bot.server.behave("openai", says("done"))
    await bot.house.receive("last")
    await bot.house.until_sent(4)
    assert bot.server.requests()[-1].said.turns == (
        ("user", "question 2"),
        ("assistant", "answer 2"),
        ("user", "last"),
    )
    assert "Carla" in bot.server.requests()[-1].said.system


async def test_a_person_who_takes_over_cancels_the_request(bot: Bot) -> None:
    """AI-8: the call ends at once and is in the log as cancelled; nothing is said."""
    await _ask_in_vain(bot)
    await bot.house.say_as_ben("I do this myself")
    await bot.house.until(_running(bot, 0))
    await bot.house.settle()
    assert bot.house.engine.texts == ["I do this myself"]
    assert [call.outcome for call in await bot.calls()] == [Outcome.CANCELLED]
    assert await bot.house.replies_of() == {"hello": ("skipped", "A person has taken over.")}


async def _ask_in_vain(bot: Bot) -> None:
    """The provider is asked and does not answer."""
    await bot.provider("openai")
    await bot.turn_on()
    bot.server.behave("openai", Behaviour("hang"))
    await bot.house.receive("hello")
    await bot.house.until(_running(bot, 1))


def _running(bot: Bot, count: int) -> Callable[[], Awaitable[bool]]:
    async def so_many() -> bool:
        return bot.server.running == count

    return so_many


async def test_after_the_pause_of_a_take_over_the_bot_answers_again(bot: Bot) -> None:
    """AI-8: silent until its timer ends."""
    await bot.provider("openai")
    await bot.turn_on()
    await bot.house.receive("one")
    await bot.house.until_sent(1)
    await bot.house.receive("from the phone", CARLA, from_me=True)
    await bot.house.receive("two")
    await bot.house.settle()
    assert len(bot.house.engine.texts) == 1
    await bot.advance(241 * 60)
    await bot.house.replies.tick()
    await bot.house.receive("three")
    await bot.house.until_sent(2)
    assert bot.asked()[-1].endswith("three")


async def test_handing_back_lets_the_bot_answer_at_once(bot: Bot) -> None:
    """AI-8: the button in the other direction."""
    await bot.provider("openai")
    await bot.turn_on()
    await bot.house.receive("one", CARLA)
    await bot.house.until_sent(1)
    service = ConversationService(bot.house.db, bot.house.clock)
    conversation = (await bot.house.conversation()).id
    await service.take_over(bot.house.cast.ben, conversation)
    await bot.house.receive("two")
    await bot.house.settle()
    await service.hand_back(bot.house.cast.ben, conversation)
    await bot.house.receive("three")
    await bot.house.until_sent(2)
    assert len(bot.server.requests()) == 2


async def test_outside_its_hours_the_automatic_reply_answers(bot: Bot) -> None:
    """AI-1: "we are closed" and AI go together."""
    async with bot.house.db.write() as session:
        account = await session.get_one(Account, bot.house.account)
        account.settings = account.settings | {"auto_reply": {"enabled": True, "text": "We are closed.", "every_minutes": 0}}
    await bot.provider("openai")
    await bot.turn_on(hours={"enabled": True, "timezone": "UTC", "days": [{"open": False}] * 7})
    await bot.house.receive("hello")
    await bot.house.until_sent(1)
    assert bot.house.engine.texts == ["We are closed."]
    assert bot.server.requests() == []


async def test_the_daily_limit_stops_the_bot_and_is_told_once(bot: Bot) -> None:
    """AI-1: two answers a day; the next day it goes on."""
    await bot.provider("openai")
    await bot.turn_on(daily_answers=2)
    for number in range(4):
        await bot.house.receive(f"{number}")
        await bot.house.settle()
    assert len(bot.house.engine.texts) == 2
    assert (await bot.house.replies_of())["3"] == ("skipped", "Today's limit of the AI is reached.")
    assert len(await bot.house.events("ai.budget_reached")) == 1
    assert (await bot.ai.get(bot.house.cast.vic, bot.house.account)).today.limit_reached
    await bot.advance(86_400)
    await bot.house.receive("tomorrow")
    await bot.house.until_sent(3)


async def test_parallel_conversations_do_not_overrun_the_limit_of_answers(bot: Bot) -> None:
    """AI-1: what is being made counts too."""
    await bot.provider("openai")
    await bot.turn_on(daily_answers=3)
    bot.server.behave("openai", says("yes", seconds=0.3))
    for number in range(10):
        await bot.house.receive("hello", Address(phone=f"3460022{number:04}"))
    await bot.house.until_sent(3)
    await bot.house.settle()
    assert len(bot.house.engine.texts) == 3


async def test_costs_count_against_their_own_limit(bot: Bot) -> None:
    """AI-1, AI-6: a known price times tokens."""
    await bot.provider("openai", model="gpt-4o")
    await bot.turn_on(daily_cost_usd=0.001)
    bot.server.behave("openai", says("expensive", tokens=(100_000, 1_000)))
    await bot.house.receive("one")
    await bot.house.until_sent(1)
    await bot.house.receive("two")
    await bot.house.settle()
    assert len(bot.house.engine.texts) == 1
    call = (await bot.calls())[0]
    assert call.cost_micros
    assert call.cost_micros > 1_000


@pytest.mark.parametrize("sees", [True, False])
async def test_a_picture_goes_to_models_that_see_else_a_polite_line_is_said(bot: Bot, sees: bool) -> None:
    """AI-4: as the operator set it for the provider."""
    await bot.provider("openai", takes_images=sees)
    await bot.turn_on()
    data = picture(64, 48)
    bot.house.engine.files["f1"] = data
    content = Content(MessageType.IMAGE, media=MediaRef({"file": "f1"}, "image/png", len(data)))
    await bot.house.receive(content=content)
    await bot.house.until_sent(1)
    if sees:
        (asked,) = bot.server.requests()
        assert [base64.b64decode(file[1]) for file in asked.said.files] == [data]
    else:
        assert bot.house.engine.texts == [DEFAULT_MEDIA]
        assert bot.server.requests() == []
        assert (await bot.trace()).kind == "media"


async def test_a_picture_with_words_is_answered_by_its_words(bot: Bot) -> None:
    """AI-4: a model that cannot see is told that there is a picture."""
    await bot.provider("openai", takes_images=False)
    await bot.turn_on()
    data = picture(64, 48)
    bot.house.engine.files["f1"] = data
    await bot.house.receive(content=Content(MessageType.IMAGE, "do you have this?", media=MediaRef({"file": "f1"}, "image/png", len(data))))
    await bot.house.until_sent(1)
    assert bot.asked() == ["[Photo] do you have this?"]


async def test_an_account_without_ai_asks_nobody(bot: Bot) -> None:
    """AI-1: off is off; so is on without a provider that is switched on."""
    provider = await bot.provider("openai")
    await bot.turn_on()
    draft = ProviderDraft(kind="openai", model="m", key=KEPT, url=bot.server.url("openai"), enabled=False)
    await bot.ai.update_provider(bot.house.cast.ben, bot.house.account, provider.id, draft)
    await bot.house.receive("one")
    await bot.house.settle()
    assert await bot.ai.lacks_providers()
    await bot.ai.save(bot.house.cast.ben, bot.house.account, enabled=False)
    await bot.house.receive("two")
    await bot.house.settle()
    assert not await bot.ai.lacks_providers()
    assert (bot.server.requests(), bot.house.engine.texts) == ([], [])


async def test_a_slow_answer_for_one_contact_delays_nobody_else(bot: Bot) -> None:
    """MSG-5, AI-3: each conversation waits for its own answer only."""
    await bot.provider("openai")
    await bot.turn_on()
    bot.server.behave("openai", Behaviour("hang"), says("quick"))
    await bot.house.receive("slow one")
    await bot.house.until(_running(bot, 1))
    await bot.house.receive("hello", DEV)
    await bot.house.until_sent(1)
    assert bot.house.engine.texts == ["quick"]


async def test_no_more_requests_run_at_a_provider_than_its_turns(bot: Bot) -> None:
    """AI-3: the others wait, and are all answered."""
    await bot.provider("openai", concurrency=3)
    await bot.turn_on()
    bot.server.behave("openai", says("ok", seconds=0.5))
    for number in range(12):
        await bot.house.receive("hello", Address(phone=f"3460033{number:04}"))
    await bot.house.until_sent(12)
    assert bot.server.most_at_once == 3


async def test_keys_are_stored_sealed_and_never_written_anywhere_else(bot: Bot) -> None:
    """AI-9, SEC-7: not in the log of calls, events, answers of services, or errors, also when the provider repeats the key."""
    await bot.provider("openai")
    await bot.turn_on()
    bot.server.behave("openai", Behaviour("error", status=401, text=f"Incorrect API key provided: {KEY}"))
    await bot.house.receive("hello")
    await bot.house.settle()
    view = await bot.ai.get(bot.house.cast.vic, bot.house.account)
    assert view.providers[0].key_hint == KEY[-4:]
    told = [str(view), str(await bot.calls()), str(await bot.trace()), str([event.data for event in await bot.house.rows(Event)])]
    told += [str([row.model_dump() for row in await bot.house.rows(table)]) for table in (AiProvider, AiCall, Reply)]
    async with bot.house.db.read() as session:
        told.append(str([row.model_dump() for row in await session.scalars(select(AiAnswer))]))
    assert all(KEY not in text for text in told)
    assert any("Incorrect API key" in text for text in told)


async def test_a_stop_in_the_middle_leaves_the_question_open_and_the_credits_free(bot: Bot) -> None:
    """DUR-4, SEC-9: whoever starts next asks again."""
    await _ask_in_vain(bot)
    await bot.house.replies.stop(0.01)
    assert (await bot.house.replies_of())["hello"][0] == "pending"
    assert [call.outcome for call in await bot.calls()] == [Outcome.CANCELLED]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_was_asked_in_vain_is_written_down_when_the_database_is_back(bot: Bot) -> None:
    """DUR-1, AI-8, CRED-1: it is away at the moment in which the request is given up."""
    await _ask_in_vain(bot)
    with closing(sqlite3.connect(str(make_url(bot.house.db.url).database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        stopping = asyncio.create_task(bot.house.replies.stop(0.01))
        await until(lambda: bot.house.db.away_since)
        assert not stopping.done()
        other.execute("ROLLBACK")
    await stopping
    assert [call.outcome for call in await bot.calls()] == [Outcome.CANCELLED]
