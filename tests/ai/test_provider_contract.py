"""What every kind of provider keeps, asked over its real wire format (AI-2, AI-3, AI-6, AI-9)."""

from __future__ import annotations

import asyncio
import base64
import logging
import time
import traceback
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import quote

import pytest

from tests.ai.providers import ALL, BY_LIBRARY, KEY, PROMPT, SECONDS, SEEING, Asking, Memory, Order
from tests.support.llm_server import Behaviour, LlmServer
from tests.support.waiting import until
from whatsapp_dashboard.ai.providers.base import Completion, Prompt, ProviderError, Turn
from whatsapp_dashboard.core.addresses import Allowed
from whatsapp_dashboard.domain.messages import MediaFile

pytestmark = pytest.mark.slow

PICTURE = MediaFile(b"\x89PNG picture", "image/png", "menu.png")
VOICE = MediaFile(b"OggS voice", "audio/ogg; codecs=opus")
CHOOSE_THEIR_TEMPERATURE = {"anthropic"}
"""The default model refuses to be told."""


@pytest.fixture
async def server() -> AsyncIterator[LlmServer]:
    """Every provider there is, on loopback."""
    async with LlmServer() as found:
        yield found


@pytest.fixture
async def asking(server: LlmServer) -> AsyncIterator[Asking]:
    """The way to them."""
    found = Asking(server)
    yield found
    await found.close()


@pytest.mark.parametrize("kind", BY_LIBRARY)
async def test_the_model_is_asked_with_everything_and_its_answer_comes_back(asking: Asking, kind: str) -> None:
    """AI-2, AI-6: system text, turns in order, temperature and limit arrive; text, model and tokens come back."""
    answer = await asking.complete(kind)
    assert answer.text == "It opens at 9."
    assert answer.model == asking.connection(kind).model
    assert (answer.tokens_in, answer.tokens_out) == (12, 7)
    [asked] = asking.server.requests(kind)
    assert asked.said.model == asking.connection(kind).model
    assert asked.said.system == PROMPT.system
    assert asked.said.turns == (("user", "Hello"), ("assistant", "Hi, how can I help?"), ("user", "When do you open?"))
    assert asked.said.temperature == (None if kind in CHOOSE_THEIR_TEMPERATURE else 0.3)
    assert asked.said.max_tokens in (150, 2_150), "2,000 more where the model cannot but think first"
    header = asking.server.wires[kind][0].key_header
    assert asked.headers[header] == (KEY if header != "authorization" else f"Bearer {KEY}")
    assert KEY not in asked.path
    assert quote(KEY, safe="") not in asked.path


async def test_retell_is_told_one_line_of_one_chat(asking: Asking) -> None:
    """AI-2: Retell's agent keeps the conversation: it gets the new line, in the chat of this conversation."""
    memory = Memory()
    first = Prompt("Ignored: the agent has its own.", (Turn("user", "Hello"),), 0.7, 200)
    assert (await asking.complete("retell", first, chat=memory)).text == "It opens at 9."
    assert memory.chat_id == "chat_1_agent_bella"
    await asking.complete("retell", chat=memory)
    assert asking.server.retell.chats == {"chat_1_agent_bella": ["Hello", "When do you open?"]}
    assert len(asking.server.requests("retell", "create")) == 1


async def test_a_chat_of_retell_that_ended_is_begun_anew_and_told_what_was_said(asking: Asking) -> None:
    """AI-2: a contact who writes a day later gets an answer that knows the conversation."""
    memory = Memory("chat_that_ended")
    assert (await asking.complete("retell", chat=memory)).text == "It opens at 9."
    assert memory.chat_id == "chat_1_agent_bella"
    [told] = asking.server.retell.chats["chat_1_agent_bella"]
    assert "Customer: Hello\nYou: Hi, how can I help?" in told
    assert told.endswith("The customer writes now:\nWhen do you open?")


async def test_a_chat_of_retell_is_begun_anew_once_only(asking: Asking) -> None:
    """AI-3: an agent that cannot answer at all is an error, not a loop; a chat nobody answered in is not remembered."""
    asking.server.behave("retell", Behaviour("error", status=422, text="Agent has no response engine"))
    memory = Memory()
    error = await asking.fails("retell", chat=memory)
    assert (error.kind, error.status) == ("invalid", 422)
    assert "Agent has no response engine" in error.message
    assert memory.chat_id is None
    assert len(asking.server.requests("retell", "create")) == 1


@pytest.mark.parametrize("kind", BY_LIBRARY)
async def test_what_the_model_thought_is_no_part_of_the_answer(asking: Asking, kind: str) -> None:
    """AI-1: people get the answer, neither the thinking beside it nor the thinking printed in it."""
    asking.server.behave(kind, Behaviour(thinking="They ask for hours.", text="<think>Hours: 9 to 5.</think>\n\nAt nine."))
    assert (await asking.complete(kind)).text == "At nine."


@pytest.mark.parametrize("kind", BY_LIBRARY)
async def test_typed_data_comes_back_checked(asking: Asking, kind: str) -> None:
    """AI-2, AI-6: structured output is an object of the wanted type, and what it took is told."""
    asking.server.behave(kind, Behaviour(data={"dish": "Pad thai", "count": 2}))
    used: list[Completion] = []
    found = await asking.providers.extract(asking.connection(kind), PROMPT, Order, SECONDS, used=used.append)
    assert found == Order(dish="Pad thai", count=2)
    assert [(one.tokens_in, one.tokens_out) for one in used] == [(12, 7)]
    [asked] = asking.server.requests(kind)
    assert asked.said.system.startswith(PROMPT.system)
    assert asked.said.turns[-1] == ("user", "When do you open?")


@pytest.mark.parametrize("kind", BY_LIBRARY)
async def test_data_of_a_wrong_form_is_sent_back_once(asking: Asking, kind: str) -> None:
    """AI-2: a model may correct itself once; then the answer is a bad one."""
    wrong, right = Behaviour(data={"dish": "Soup", "count": 0}), Behaviour(data={"dish": "Soup", "count": 3})
    asking.server.behave(kind, wrong, right)
    assert await asking.providers.extract(asking.connection(kind), PROMPT, Order, SECONDS) == Order(dish="Soup", count=3)
    assert len(asking.server.requests(kind)) == 2
    asking.server.behave(kind, wrong)
    with pytest.raises(ProviderError) as raised:
        await asking.providers.extract(asking.connection(kind), PROMPT, Order, SECONDS)
    assert raised.value.kind == "bad_answer"
    assert len(asking.server.requests(kind)) == 4


async def test_retell_says_that_it_cannot_give_typed_data(asking: Asking) -> None:
    """AI-2: what a kind cannot do is said before anything is asked."""
    assert not asking.providers.kind("retell").structured
    with pytest.raises(ProviderError, match="structured") as raised:
        await asking.providers.extract(asking.connection("retell"), PROMPT, Order, SECONDS)
    assert raised.value.kind == "invalid"
    assert not asking.server.asked


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, "auth"), (403, "auth"), (402, "auth"), (404, "invalid"), (400, "invalid"), (500, "unavailable"), (503, "unavailable"),
        (529, "unavailable"),
    ],
)  # fmt: skip
async def test_an_error_is_told_in_kind_and_words_and_asked_for_once(asking: Asking, kind: str, status: int, expected: str) -> None:
    """AI-3: failover needs the kind, people need the words, and nobody but failover tries again."""
    asking.server.behave(kind, Behaviour("error", status=status, text="The cat sat on the server"))
    error = await asking.fails(kind)
    assert (error.kind, error.status, error.retry_after) == (expected, status, None)
    assert asking.providers.kind(kind).title in error.message
    assert "The cat sat on the server" in error.message
    assert len(asking.server.requests(kind)) == 1


@pytest.mark.parametrize("kind", ALL)
async def test_a_rate_limit_says_when_to_come_back(asking: Asking, kind: str) -> None:
    """AI-3: Retry-After in seconds or as a date; without it nobody knows."""
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    for given, least, most in (("17", 17, 17), (in_a_minute, 30, 60), ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0)):
        asking.server.behave(kind, Behaviour("error", status=429, retry_after=given))
        error = await asking.fails(kind)
        assert (error.kind, error.status) == ("rate_limited", 429)
        assert error.retry_after is not None
        assert least <= error.retry_after <= most
    for unusable in ("", "soon", "nan"):
        asking.server.behave(kind, Behaviour("error", status=429, retry_after=unusable))
        assert (await asking.fails(kind)).retry_after is None
    assert len(asking.server.requests(kind)) == 6


async def test_what_only_one_provider_says_is_understood_too(asking: Asking) -> None:
    """AI-3: Gemini tells a wrong key with 400 and the wait in the body; OpenAI an empty balance with 429; flagged input is a refusal."""
    told = [
        ("google", Behaviour("error", status=400, code="API_KEY_INVALID", text="API key not valid. Please pass a valid API key."), "auth"),
        ("google", Behaviour("error", status=429, code="retry_in_body"), "rate_limited"),
        ("openai", Behaviour("error", status=429, code="insufficient_quota", text="You exceeded your current quota"), "auth"),
        ("anthropic", Behaviour("error", status=400, text="Your credit balance is too low to access the Anthropic API."), "auth"),
        ("openrouter", Behaviour("error", status=403, text="Your input was flagged by moderation"), "refused"),
        ("groq", Behaviour("error", status=413, code="rate_limit_exceeded", text="Request too large for this model"), "rate_limited"),
        ("openai", Behaviour("error", status=400, code="content_filter", text="The prompt was filtered"), "refused"),
    ]
    for kind, does, expected in told:
        asking.server.behave(kind, does)
        error = await asking.fails(kind)
        assert error.kind == expected, (kind, error)
        assert (error.retry_after == 34.5) is (does.code == "retry_in_body")


@pytest.mark.parametrize("kind", ALL)
async def test_the_time_limit_is_over_everything(asking: Asking, kind: str) -> None:
    """AI-3: whoever answers too late is not waited for, and the request is given up there too."""
    await asking.complete(kind)  # so that no import counts
    asking.server.behave(kind, Behaviour("hang"))
    began = time.monotonic()
    error = await asking.fails(kind, seconds=0.5)
    assert error.kind == "timeout"
    assert "0.5 s" in error.message
    assert time.monotonic() - began < 10
    await _quiet(asking.server)


@pytest.mark.parametrize("kind", BY_LIBRARY)
async def test_an_answer_that_is_not_needed_any_more_is_given_up(asking: Asking, kind: str) -> None:
    """AI-8: when a person takes over, the request ends at once."""
    asking.server.behave(kind, Behaviour("hang"))
    task = asyncio.create_task(asking.complete(kind))
    await until(lambda: asking.server.running)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await _quiet(asking.server)


async def _quiet(server: LlmServer) -> None:
    await until(lambda: not server.running)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    ("does", "expected"), [("cut", "network"), ("garbage", "bad_answer"), ("huge", "bad_answer"), ("redirect", "bad_answer")]
)
async def test_an_answer_that_is_none_is_an_error_and_never_a_crash(asking: Asking, kind: str, does: str, expected: str) -> None:
    """AI-3: a body that breaks off, is not JSON, has no end, or leads elsewhere."""
    asking.server.behave(kind, Behaviour(does))  # type: ignore[arg-type]
    error = await asking.fails(kind)
    assert error.kind == expected
    assert len(asking.server.requests(kind)) == 1


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(("does", "expected"), [("empty", "empty"), ("refuse", "refused")])
async def test_no_answer_and_a_refusal_are_told_apart(asking: Asking, kind: str, does: str, expected: str) -> None:
    """AI-3: nothing said, and declined by the model or a filter, are two kinds."""
    asking.server.behave(kind, Behaviour(does))  # type: ignore[arg-type]
    assert (await asking.fails(kind)).kind == expected


async def test_words_of_a_refusal_are_passed_on(asking: Asking) -> None:
    """AI-3: a model's own words, and why Gemini did not even ask one."""
    asking.server.behave("openai", Behaviour("refuse"))
    assert "I cannot help with that." in (await asking.fails("openai")).message
    asking.server.behave("google", Behaviour("refuse", code="prompt"))
    error = await asking.fails("google")
    assert error.kind == "refused"
    assert "PROHIBITED_CONTENT" in error.message


@pytest.mark.parametrize("kind", BY_LIBRARY)
async def test_an_answer_that_the_limit_cut_ends_with_a_sentence(asking: Asking, kind: str) -> None:
    """AI-1: nobody gets half a sentence when most of the answer can be kept; an answer that is all thinking is empty."""
    asking.server.behave(kind, Behaviour(text="We open at nine. On Sundays at ten. On public hol", finish="length"))
    assert (await asking.complete(kind)).text == "We open at nine. On Sundays at ten."
    asking.server.behave(kind, Behaviour("empty", finish="length"))
    error = await asking.fails(kind)
    assert error.kind == "empty"
    assert "150 tokens" in error.message


@pytest.mark.parametrize("kind", SEEING)
async def test_a_picture_is_given_to_the_model(asking: Asking, kind: str) -> None:
    """AI-2: its bytes and type arrive, with the text of the same message."""
    turns = (*PROMPT.turns[:-1], Turn("user", "What is this?", (PICTURE,)))
    await asking.complete(kind, replace(PROMPT, turns=turns))
    [asked] = asking.server.requests(kind)
    assert [(media, base64.b64decode(data)) for media, data in asked.said.files] == [("image/png", PICTURE.data)]
    assert asked.said.turns[-1] == ("user", "What is this?")


async def test_gemini_hears_voice_messages_as_whatsapp_sends_them(asking: Asking) -> None:
    """AI-2: Ogg with Opus, also without a word beside it."""
    assert asking.providers.kind("google").takes_audio("gemini-3.5-flash-lite")
    await asking.complete("google", replace(PROMPT, turns=(Turn("user", "", (VOICE,)),)))
    [asked] = asking.server.requests("google")
    assert [(media, base64.b64decode(data)) for media, data in asked.said.files] == [("audio/ogg", VOICE.data)]


@pytest.mark.parametrize("kind", [name for name in ALL if name != "google"])
async def test_a_file_that_cannot_be_carried_is_named(asking: Asking, kind: str) -> None:
    """AI-2: the model knows that there was a voice message, and the request does not fail for it."""
    assert not asking.providers.kind(kind).takes_audio(asking.connection(kind).model)
    await asking.complete(kind, replace(PROMPT, turns=(Turn("user", "Listen", (VOICE,)),)))
    [asked] = asking.server.requests(kind)
    assert not asked.said.files
    assert "voice message" in asked.said.turns[-1][1]


@pytest.mark.parametrize("kind", ALL)
async def test_models_are_listed_by_the_provider_and_only_those_for_chats(asking: Asking, kind: str) -> None:
    """AI-2: what can be chosen comes from the provider, sorted, with what is known of it."""
    found = await asking.providers.models(asking.connection(kind, model=""), SECONDS)
    names = [model.name for model in found]
    assert names == sorted(names, key=str.lower)
    assert asking.connection(kind).model in [model.id for model in found] or kind == "retell"
    assert not [model.id for model in found if "embed" in model.id]
    for model in found:
        if "vision" in model.id:
            assert model.takes_images
    asked = asking.server.requests(kind, "models")[-1]
    header = asking.server.wires[kind][0].key_header
    assert KEY in asked.headers[header]
    assert KEY not in asked.path


async def test_lists_say_what_they_know(asking: Asking) -> None:
    """AI-2: every page of Gemini's list; Mistral's and OpenRouter's own word on pictures; Retell's chat agents and not its phone ones."""
    listed = {kind: {model.id: model for model in await asking.providers.models(asking.connection(kind), SECONDS)} for kind in ALL}
    assert set(listed["google"]) == {"gemini-3.5-flash-lite", "gemma-4-31b-it"}
    assert listed["google"]["gemini-3.5-flash-lite"].takes_audio
    assert listed["mistral"]["mistral-small-latest"].takes_images is True
    assert listed["mistral"]["open-mistral-nemo"].takes_images is False
    assert listed["openrouter"]["google/gemini-3.5-flash-lite"].takes_images is False, "the list says so, whatever the name"
    assert [(agent.id, agent.name) for agent in listed["retell"].values()] == [("agent_bella", "Bella")]


@pytest.mark.parametrize("kind", ALL)
async def test_a_list_that_does_not_come_is_an_error_in_words(asking: Asking, kind: str) -> None:
    """AI-2: a wrong key and a server that hangs or talks nonsense, while somebody looks at the page."""
    for does, expected in (
        (Behaviour("error", status=401), "auth"), (Behaviour("garbage"), "bad_answer"), (Behaviour("cut"), "network"),
        (Behaviour("hang"), "timeout"),
    ):  # fmt: skip
        asking.server.behave(f"{kind}/models", does)
        with pytest.raises(ProviderError) as raised:
            await asking.providers.models(asking.connection(kind), 0.5 if does.do == "hang" else SECONDS)
        assert raised.value.kind == expected


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("echo", [KEY, quote(KEY, safe=""), KEY.upper()], ids=["plain", "encoded", "upper"])
async def test_the_key_is_in_no_error_and_no_log(asking: Asking, kind: str, echo: str, caplog: pytest.LogCaptureFixture) -> None:
    """AI-9: however the provider echoes it, whatever libraries log, however the error is printed."""
    caplog.set_level(logging.DEBUG)
    connection = asking.connection(kind)
    seen = repr(connection)
    for does in (
        Behaviour("error", status=401, text=f"Incorrect API key provided: {echo}."),
        Behaviour("error", status=500, text=f"<html>{echo}</html>"), Behaviour("garbage"), Behaviour("refuse"), Behaviour(),
    ):  # fmt: skip
        for route in (kind, f"{kind}/models"):
            asking.server.behave(route, does)
        for call in (
            lambda: asking.providers.complete(connection, PROMPT, SECONDS), lambda: asking.providers.models(connection, SECONDS),
        ):  # fmt: skip
            try:
                seen += repr(await call())
            except ProviderError as error:
                seen += f"{error}{error!r}{error.message}" + "".join(traceback.format_exception(error))
    seen += "".join(f"{record.getMessage()} {record.args}" for record in caplog.records)
    assert KEY.lower() not in seen.lower()
    assert quote(KEY, safe="").lower() not in seen.lower()


@pytest.mark.parametrize("kind", ALL)
async def test_a_private_address_is_refused_until_an_owner_allows_it(server: LlmServer, kind: str) -> None:
    """HOOK-7, AI-2: nothing arrives; the host is told, so that it can be allowed. Metadata services are never reached, and not offered."""
    asking = Asking(server, Allowed())
    try:
        error = await asking.fails(kind)
        assert (error.kind, error.host) == ("blocked_address", "127.0.0.1")
        assert "An owner can allow it" in error.message
        with pytest.raises(ProviderError) as raised:
            await asking.providers.models(asking.connection(kind), SECONDS)
        assert (raised.value.kind, raised.value.host) == ("blocked_address", "127.0.0.1")
        error = await asking.fails(kind, url="http://169.254.169.254/v1")
        assert (error.kind, error.host) == ("blocked_address", "")
    finally:
        await asking.close()
    assert not server.asked


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    ("url", "expected"),
    [("http://127.0.0.1:9/v1", "network"), ("ftp://127.0.0.1/v1", "invalid"), ("not a url", "invalid"), ("http://", "invalid")],
)
async def test_a_bad_address_is_said_in_words(asking: Asking, kind: str, url: str, expected: str) -> None:
    """AI-2: nobody listens, or it is none."""
    assert (await asking.fails(kind, url=url)).kind == expected


@pytest.mark.parametrize("kind", ALL)
async def test_what_is_missing_is_said_before_anything_is_asked(asking: Asking, kind: str) -> None:
    """AI-2: no model, no key where one is needed, a key that cannot be one, nothing to answer."""
    assert (await asking.fails(kind, model=" ")).kind == "invalid"
    assert (await asking.fails(kind, key="sk-öäü")).kind == "auth"
    assert (await asking.fails(kind, key="sk-1\nsk-2")).kind == "auth"
    for turns in ((), (Turn("user", "  "),), (Turn("user", "Hi"), Turn("assistant", "Hello"))):
        assert (await asking.fails(kind, replace(PROMPT, turns=turns))).kind == "invalid"
    if asking.providers.kind(kind).needs_key:
        assert (await asking.fails(kind, key="")).kind == "auth"
    assert not asking.server.asked


async def test_a_server_of_ones_own_needs_no_key_and_its_address_no_path(asking: Asking) -> None:
    """AI-2: Ollama as people write it, http://host:11434; without a key none is sent."""
    assert asking.providers.kind("compatible").address("http://localhost:11434/") == "http://localhost:11434/v1"  # type: ignore[attr-defined]
    await asking.complete("compatible", key="", url=asking.server.url("compatible") + "/")
    [asked] = asking.server.requests("compatible")
    assert "authorization" not in asked.headers
    error = await asking.fails("compatible", url="")
    assert error.kind == "invalid"
    assert "address" in error.message


async def test_a_kind_that_does_not_exist_is_an_error(asking: Asking) -> None:
    """AI-2: a stored row of a kind that is gone does not crash the bot."""
    with pytest.raises(ProviderError, match="no kind") as raised:
        await asking.providers.complete(replace(asking.connection("openai"), kind="gone"), PROMPT, SECONDS)
    assert raised.value.kind == "invalid"


async def test_openrouter_needs_the_makers_name(asking: Asking) -> None:
    """AI-2: a mistake that the SDK finds is told in its words."""
    error = await asking.fails("openrouter", model="gpt-5.6-luna")
    assert error.kind == "invalid"
    assert "openai/gpt-5.6-luna" in error.message


async def test_a_hundred_conversations_are_asked_at_once(asking: Asking) -> None:
    """AI-3: requests do not wait for each other."""
    await asking.complete("openai")
    asking.server.forget()
    asking.server.behave("openai", Behaviour(seconds=2.0))
    answers = await asyncio.gather(*[asking.complete("openai") for _ in range(100)])
    assert {answer.text for answer in answers} == {"It opens at 9."}
    assert asking.server.most_at_once > 80
