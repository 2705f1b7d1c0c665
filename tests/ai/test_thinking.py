"""What a model thought is never sent, whatever the form its family prints it in (AI-1)."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest

from tests.ai.conftest import Bot, says
from tests.ai.providers import BY_LIBRARY, Asking
from tests.support.llm_server import Behaviour, LlmServer
from whatsapp_dashboard.ai.providers.base import ProviderError
from whatsapp_dashboard.ai.providers.thinking import without_thoughts
from whatsapp_dashboard.ai.views import TryTurn

AT_NINE = [
    "At nine.", "  At nine. \n", "<think></think>\n\nAt nine.", "<THINK>\nHm.\n</think>\n\nAt nine.",
    "<thinking>Hm</thinking>At nine.", "<thought>Hm</thought>At nine.", "<reasoning>Hm</reasoning>At nine.",
    "<reflection>Hm</reflection><output>At nine.</output>", "<think>Hm</think><answer>At nine.</answer>",
    '<think id="1">Hm</think>At nine.', "<|think|>Hm<|/think|>At nine.", "<think/>At nine.", "&lt;think&gt;Hm&lt;/think&gt;At nine.",
    "<seed:think>Hm<seed:cot_budget_reflect>x</seed:cot_budget_reflect></seed:think>At nine.",
    "<think>a <thought>b</think> c</thought>At nine.", "<think>a</think>At <reasoning>b</reasoning>nine.", "<think>a</reasoning>At nine.",
    # the begin was swallowed by a template, or said twice
    "Hm, they want hours.</think>At nine.", "Hm[/THINK]At nine.", "<think>a<think>b</think>c</think>At nine.",
    "[THINK]Hm[/THINK]At nine.",
    "◁think▷Hm◁/think▷At nine.", "<|START_THINKING|>Hm<|END_THINKING|><|START_RESPONSE|>At nine.<|END_RESPONSE|>",
    "<|begin_of_thought|>Hm<|end_of_thought|><|begin_of_solution|>At nine.<|end_of_solution|>",
    "<|channel>thought\nHm<channel|>At nine.", "<unused94>thought\nHm<unused95>At nine.", "```thinking\nHm\n```\nAt nine.",
    "<|channel|>analysis<|message|>We need<|end|><|start|>assistant<|channel|>final<|message|>At nine.<|return|>",
    "We need<|end|><|start|>assistant<|channel|>final <|constrain|>text<|message|>At nine.",
    "analysisWe need that. assistantfinalAt nine.",
    "Here is my thought process:\nHm\nHere is my response:\nAt nine.",
    "Here are my reasoning steps:\nHm\n[BEGIN FINAL RESPONSE]\nAt nine.\n[END FINAL RESPONSE]", "At nine.<|im_end|>",
    # cut by the limit, after an answer
    "At nine. <think>Hm", "At nine.\n<think>Hm", "At nine. Now let me <think>Hm",
]  # fmt: skip
NOTHING = [
    "", "<think>Our policy is", "<thinking>Our policy is", "<reflection>Our policy", "<seed:think>Our", "[THINK]Our", "◁think▷Our",
    "<|START_THINKING|>Our", "<|channel>thought\nOur", "<|channel|>analysis<|message|>Our policy", "analysisOur policy is",
    "<|channel|>commentary to=functions.find <|constrain|>json<|message|>{}<|call|>", "Here's my thought process: Our",
    "Use <think>Our",
    "Here are my reasoning steps:\nOur", "Thinking Process:\n\n1. **Analyze the request**",
    "**Thinking Process:**\nOur", "```think\nOur policy", "<think>Our</think>", "Our policy</think>", "<think>```\n</think>",
]  # fmt: skip
TALK = [
    "I think <b>so</b>: 3 < 4 > 2.", "analysis of costs: 3", "The price is < think about it > low.",
    "Use the `<think>` tag, end it by `</think>`.",
    "```html\n<think>\nHm\n</think>\n```\nThat is it.",
    "~~~\n<|channel|>analysis<|message|>\n~~~", "Thinking process: none.", "<answer", "[think]",
]  # fmt: skip


@pytest.fixture
async def asking(server: LlmServer) -> AsyncIterator[Asking]:
    """The way to all providers."""
    found = Asking(server)
    yield found
    await found.close()


@pytest.mark.parametrize("printed", AT_NINE)
def test_only_the_answer_is_left(printed: str) -> None:
    """AI-1"""
    assert without_thoughts(printed) == "At nine."


@pytest.mark.parametrize("printed", NOTHING)
def test_thinking_that_was_cut_leaves_nothing(printed: str) -> None:
    """AI-1: the limit came before its end, or before the answer."""
    assert without_thoughts(printed) == ""


@pytest.mark.parametrize("printed", TALK)
def test_talk_about_it_and_code_are_left_alone(printed: str) -> None:
    """AI-1: a customer may ask about such tags."""
    assert without_thoughts(printed) == printed


def test_code_into_which_thinking_spilled_protects_nothing() -> None:
    """AI-1: the fence began in the thinking, and the answer has one too."""
    assert without_thoughts("Hm ```json\n{ </think>At nine:\n```\nx\n```") == "At nine:\n```\nx\n```"
    assert without_thoughts("```json\n{ </think>\nAt nine:\n```\nx") == "At nine:\n```\nx"


@pytest.mark.parametrize(
    "evil",
    ["<think>", "</think>", "```\n", "`a", "<|channel|>x<|message|>", "<think>a</thinking>", "```\n</think>\n```\n", " ", "<answer>",
     "Here is my thought process:", "```think\n", "<think a=b", "assistantfinal"],
)  # fmt: skip
def test_a_text_made_to_be_slow_is_not(evil: str) -> None:
    """SEC-8: a server of somebody's own answers what it likes."""
    begun = time.process_time()
    for text in (evil * (200_000 // len(evil)), "analysisX" + evil * 10_000):
        without_thoughts(text)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("kind", BY_LIBRARY)
@pytest.mark.parametrize("printed", ["<think>Our internal policy is", "[THINK]Our internal policy is", "<thinking>Our internal policy is"])
async def test_thinking_cut_by_the_limit_is_no_answer(asking: Asking, kind: str, printed: str) -> None:
    """AI-1, AI-3: outcome "empty", so that the next provider is asked; the library's own way with tags would have let it through."""
    asking.server.behave(kind, Behaviour(text=printed, finish="length"))
    with pytest.raises(ProviderError) as raised:
        await asking.complete(kind)
    assert raised.value.kind == "empty"


async def test_retell_is_no_exception(asking: Asking) -> None:
    """AI-1"""
    asking.server.behave("retell", Behaviour(text="<think>Our internal policy is"))
    with pytest.raises(ProviderError) as raised:
        await asking.complete("retell")
    assert raised.value.kind == "empty"


async def test_the_next_provider_answers_and_the_log_says_empty(bot: Bot) -> None:
    """AI-3: in WhatsApp and in "try it"."""
    await bot.provider("compatible", url=bot.server.url("compatible"), model="qwen3")
    await bot.provider("openai")
    await bot.turn_on()
    bot.server.behave("compatible", says("<think>Our internal policy is", finish="length"))
    bot.server.behave("openai", says("At nine."))
    await bot.house.receive("When?")
    await bot.house.until_sent(1)
    assert bot.house.engine.texts == ["At nine."]
    assert [call.outcome.value for call in await bot.calls()] == ["empty", "ok"]
    tried = await bot.trying.chat(bot.house.cast.ben, bot.house.account, [TryTurn("user", "When?")])
    assert tried.text == "At nine."
