"""The pure rules under the providers: texts, names of models, errors (AI-1, AI-2, AI-3, AI-9)."""

from __future__ import annotations

import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsapp_dashboard.ai.providers.base import without_key
from whatsapp_dashboard.ai.providers.capabilities import for_chats, sees, thinks_first
from whatsapp_dashboard.ai.providers.errors import MAX_WORDS, from_status
from whatsapp_dashboard.ai.providers.text import whole_sentences


@pytest.mark.parametrize(
    ("cut", "read"),
    [
        ("We open at nine. On Sun", "We open at nine."), ("We open at nine! (Really.) On", "We open at nine! (Really.)"),
        ("Yes. This is one very long sentence that was not fin", "Yes. This is one very long sentence that was not fin"),
        ("No end at all", "No end at all"), ("The price is 3.50 and the", "The price is 3.50 and the"),
        ("営業時間は九時からです。日曜日は", "営業時間は九時からです。"),
        ("- Monday: nine\n- Tuesday: nine\n- Wed", "- Monday: nine\n- Tuesday: nine"),
        ("Done.", "Done."), ("\n0", "\n0"), ("هل تريد؟ نعم", "هل تريد؟"),
    ],
)  # fmt: skip
def test_a_cut_text_ends_with_a_sentence_when_that_keeps_most_of_it(cut: str, read: str) -> None:
    """AI-1: in scripts with other full stops too; numbers are no ends."""
    assert whole_sentences(cut) == read


@given(st.text())
def test_cutting_never_adds_and_never_empties(text: str) -> None:
    """AI-1: what is left is a beginning of the text, and at least nearly half of it."""
    left = whole_sentences(text)
    assert text.startswith(left)
    assert left or not text.strip() or len(text.rstrip()) < len(text)


SEEING = [
    "gpt-5.6-luna", "gpt-6-astra", "gpt-4o-mini", "gpt-4.1", "o3", "o4-mini", "claude-haiku-5-5", "claude-3-opus-latest", 
    "gemini-3.5-flash-lite", "google/gemma-4-31B-it", "llama3.2-vision:11b",
    "meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8", "qwen2.5-vl:7b",
    "Qwen/Qwen3-VL-8B",
    "qwen/qwen3.8-27b", "llava:13b", "pixtral-12b", "mistral-small-latest", "mistral-medium-2604",
    "moonshotai/Kimi-K3", "anthropic/claude-sonnet-5-5",
]  # fmt: skip
BLIND = [
    "openai/gpt-oss-120b", "gpt-oss:20b", "gpt-3.5-turbo", "o3-mini", "o1-mini", "llama3.2", "Meta-Llama-3.3-70B-Instruct", 
    "qwen3:8b", "mistral", "mistral-small-2501", "mixtral:8x7b", "codestral-latest", "deepseek-r1",
    "command-a-03-2025", "claude-2", "gpt-audio",
    "gemini-embedding-2", "gemma3:1b", "phi4", "deepseek-ai/DeepSeek-V4-Pro", "",
]  # fmt: skip


@pytest.mark.parametrize("name", SEEING)
def test_models_that_see_are_known_by_name(name: str) -> None:
    """AI-2: pictures are given to models whose makers say that they see."""
    assert sees(name)


@pytest.mark.parametrize("name", BLIND)
def test_other_models_are_given_no_pictures(name: str) -> None:
    """AI-2: a request with a picture would fail there."""
    assert not sees(name)


def test_thinking_models_and_models_for_other_things_are_known_by_name() -> None:
    """AI-1, AI-2: thinking gets room of its own; lists hold what can chat."""
    assert [name for name in ("gpt-oss:20b", "deepseek-r1:8b", "qwen3:8b", "Qwen/Qwen3-4B-Thinking-2507") if not thinks_first(name)] == []
    assert [name for name in ("llama3.2", "qwen3-4b-instruct-2507", "qwen3-coder", "gpt-4o", "qwen2.5") if thinks_first(name)] == []
    chats = ["gpt-6-luna", "olive-7b", "llama-3.3", "command-r", "gemini-3.8-flash", "claude-opus-5-5", "mistral-large-latest"]
    others = ["text-embedding-3-small", "veo-4", "whisper-1", "gpt-image-2", "gemini-3.8-live", "llama-guard-4", "mistral-ocr-latest"]
    assert [name for name in chats if not for_chats(name)] == []
    assert [name for name in others if for_chats(name)] == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": {"message": "Bad model"}}, "Bad model"), ({"error": "Bad model"}, "Bad model"), ({"message": "Bad model"}, "Bad model"),
        ({"detail": "Bad model"}, "Bad model"), ([{"error": {"message": "Bad model"}}],
        "Bad model"), ({"errors": ["Bad model"]}, "Bad model"),
        ({"detail": [{"loc": ["body"], "msg": "Field required"}, {"msg": "Too long"}]}, "Field required; Too long"),
        ({"message": {"detail": [{"msg": "Bad model"}]}}, "Bad model"), ({"error": {"message": None}}, ""), 
        ({}, ""), (None, ""), (7, ""), ([], ""),
    ],
)  # fmt: skip
def test_the_providers_words_are_found_wherever_they_put_them(body: object, words: str) -> None:
    """AI-3: the forms that providers and servers use; anything else is no crash."""
    error = from_status(404, {}, json.dumps(body).encode(), "Acme", "sk-key-1234")
    assert error.kind == "invalid"
    assert error.message == (f"Acme did not take the request (404): {words}" if words else "Acme did not take the request (404).")


def test_words_are_short_and_in_one_line_and_web_pages_are_none() -> None:
    """AI-3: an error fits into a page."""
    long = from_status(500, {}, ("A\n" * 5_000).encode(), "Acme", "")
    assert len(long.message) <= MAX_WORDS + 50
    assert "\n" not in long.message
    assert from_status(502, {}, b"<html><h1>Bad gateway</h1></html>", "Acme", "").message == "Acme is out of order (502)."
    assert from_status(500, {}, b"\xff\xfe\x00", "Acme", "").kind == "unavailable"


@given(
    st.binary(max_size=200),
    st.integers(300, 599),
    st.dictionaries(st.sampled_from(["retry-after", "Retry-After-Ms"]), st.text(max_size=20)),
)
def test_no_answer_breaks_the_reading_of_errors(body: bytes, status: int, headers: dict[str, str]) -> None:
    """AI-3: whatever a server says, there is one kind and a sentence."""
    error = from_status(status, headers, body, "Acme", "sk-key-1234")
    assert error.message.startswith(("Acme", "The account at Acme"))
    assert error.retry_after is None or 0 <= error.retry_after <= 86_400


@given(st.text("abcXYZ019-_/+=.~%&?#:\"\\", min_size=8, max_size=60))
def test_a_key_is_removed_wherever_it_stands(key: str) -> None:
    """AI-9: with every sign that a key may have; as it is, in JSON, in a URL, in capitals."""
    forms = [key, key.upper(), json.dumps(key)[1:-1], quote(key, safe=""), quote_plus(key)]
    assert without_key(" ".join(f"<{form}>" for form in forms), key) == " ".join(["<••••>"] * len(forms))
