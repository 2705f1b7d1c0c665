"""A prompt in pydantic-ai's form, and its answer in ours (AI-2). Imported with the first request: it takes pydantic-ai along."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from genai_prices import calc_price
from pydantic_ai import Agent
from pydantic_ai.direct import model_request
from pydantic_ai.exceptions import ContentFilterError, ModelHTTPError, UserError
from pydantic_ai.messages import (
    BinaryContent,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    TextPart,
    UserContent,
    UserPromptPart,
)
from pydantic_ai.models import Model
from pydantic_ai.settings import ModelSettings

from whatsapp_dashboard.ai.providers.base import Completion, Prompt, ProviderError, Schema, Turn
from whatsapp_dashboard.ai.providers.capabilities import thinks_first
from whatsapp_dashboard.ai.providers.errors import clip, from_status
from whatsapp_dashboard.ai.providers.text import whole_sentences
from whatsapp_dashboard.ai.providers.thinking import without_thoughts

THINKING_TOKENS = 2_000
"""On top of the limit of the answer, for models that cannot answer without thinking first."""
# Newer models choose their temperature themselves; pydantic-ai leaves it out of the request, and says so on every first one.
warnings.filterwarnings("ignore", message="Sampling parameters", category=UserWarning)
_NOT_JSON = re.compile(
    r"decode response as JSON|expected value at|status_code: 2|expected JSON data|Expected a JSON response", re.IGNORECASE
)
_KINDS_OF_FILES = {"image": "a picture", "audio": "a voice message"}


async def ask(model: Model[Any], prompt: Prompt, settings: ModelSettings, file_types: frozenset[str]) -> ModelResponse:
    """Ask for the next line of the conversation."""
    return await model_request(model, to_messages(prompt, file_types), model_settings=_settings(model, prompt, settings), instrument=False)


async def ask_for(
    model: Model[Any], prompt: Prompt, schema: type[Schema], settings: ModelSettings, file_types: frozenset[str]
) -> tuple[Schema, list[ModelResponse]]:
    """Ask for typed data; data of a wrong form is sent back once. Returns what answers it took too."""
    agent = Agent(model, output_type=schema, instructions=prompt.system or None, retries={"tools": 0, "output": 1})
    *history, last = to_messages(Prompt("", prompt.turns, prompt.temperature, prompt.max_tokens), file_types)
    question = next(part.content for part in reversed(last.parts) if isinstance(part, UserPromptPart))
    run = await agent.run(question, message_history=history, model_settings=_settings(model, prompt, settings))
    return run.output, [message for message in run.new_messages() if isinstance(message, ModelResponse)]


def _settings(model: Model[Any], prompt: Prompt, settings: ModelSettings) -> ModelSettings:
    profile = model.profile
    thinks = profile.get("thinking_always_enabled", False) or (
        not profile.get("supports_thinking", False) and thinks_first(model.model_name)
    )
    limit = prompt.max_tokens + (THINKING_TOKENS if thinks else 0)
    # People wait for a chat message: a model that need not think does not.
    return ModelSettings(**{**settings, "temperature": prompt.temperature, "max_tokens": limit, "thinking": False})  # type: ignore[typeddict-item]


def to_messages(prompt: Prompt, file_types: frozenset[str]) -> list[ModelMessage]:
    """The conversation. A file of a type the provider cannot take is named instead. Raises :class:`ProviderError` without a question."""
    messages: list[ModelMessage] = []
    for turn in prompt.turns:
        if turn.role == "assistant":
            if turn.text.strip():
                messages.append(ModelResponse(parts=[TextPart(turn.text)]))
            continue
        content = _content(turn, file_types)
        if content:
            messages.append(ModelRequest(parts=[UserPromptPart(content)]))
    if not messages or not isinstance(messages[-1], ModelRequest):
        raise ProviderError("invalid", "There is nothing to answer: the conversation does not end with the other side.")
    if prompt.system:
        system = SystemPromptPart(prompt.system)
        if isinstance(messages[0], ModelRequest):
            messages[0] = ModelRequest(parts=[system, *messages[0].parts])
        else:
            messages.insert(0, ModelRequest(parts=[system]))
    return messages


def _content(turn: Turn, file_types: frozenset[str]) -> str | list[UserContent]:
    words, files = [turn.text] if turn.text.strip() else [], []
    for file in turn.files:
        media_type = file.mimetype.split(";")[0].strip().lower()
        if media_type in file_types:
            files.append(BinaryContent(file.data, media_type=media_type))
        else:
            words.append(f"({_KINDS_OF_FILES.get(media_type.split('/')[0], 'a file')} that cannot be shown here)")
    text = "\n".join(words)
    if not files:
        return text
    return [text, *files] if text else [*files]


def to_completion(response: ModelResponse, title: str, model: str, prices: str, max_tokens: int) -> Completion:
    """The answer. Raises :class:`ProviderError` for a refusal and for no text."""
    check(response, title)
    text = without_thoughts("".join(part.content for part in response.parts if isinstance(part, TextPart)))
    cut = response.finish_reason == "length"
    if not text:
        if cut:
            raise ProviderError("empty", f"{title} used up its {max_tokens} tokens before it wrote an answer. Raise the limit.")
        raise ProviderError("empty", f"{title} gave an empty answer.")
    return completion([response], whole_sentences(text) if cut else text, model, prices)


def check(response: ModelResponse, title: str) -> None:
    """Raises :class:`ProviderError` when the model or a filter declined, or the provider broke off."""
    details = response.provider_details or {}
    if response.finish_reason == "content_filter":
        words = next((str(details[name]) for name in ("refusal", "block_reason_message", "block_reason") if details.get(name)), "")
        raise ProviderError("refused", f"{title} declined to answer{f': {clip(words)}' if words else '.'}")
    if response.finish_reason == "error":
        raise ProviderError("bad_answer", f"{title} broke off its answer.")


def completion(responses: list[ModelResponse], text: str, model: str, prices: str) -> Completion:
    """What the answers took, added up."""
    costs = [_cost(response, model, prices) for response in responses]
    known = [cost for cost in costs if cost is not None]
    return Completion(
        text=text,
        model=responses[-1].model_name or model,
        tokens_in=sum(response.usage.input_tokens for response in responses),
        tokens_out=sum(response.usage.output_tokens for response in responses),
        cost_micros=sum(known) if responses and len(known) == len(costs) else None,
    )


def _cost(response: ModelResponse, model: str, prices: str) -> int | None:
    """Millionths of a dollar: as the provider says, else by the price list that ships with genai-prices."""
    said = (response.provider_details or {}).get("cost")
    if isinstance(said, (int, float)):
        return round(said * 1_000_000)
    usage = response.usage
    if not prices or not (usage.input_tokens or usage.output_tokens):
        return None
    for name in dict.fromkeys((response.model_name or model, model)):
        try:
            return int((calc_price(usage, name, provider_id=prices).total_price * Decimal(1_000_000)).to_integral_value())
        except (LookupError, ValueError):
            continue
    return None


def from_library(error: Exception, title: str, key: str, without_key: Callable[[str, str], str]) -> ProviderError:
    """An error of pydantic-ai or an SDK that the wire did not tell of: the answer came, and is not usable."""
    if isinstance(error, ContentFilterError):
        return ProviderError("refused", f"{title} declined to answer.")
    if isinstance(error, ModelHTTPError):  # in an answer with status 200, as OpenRouter sends them
        body = error.body if isinstance(error.body, dict) else {"message": str(error.body or "")}
        return from_status(error.status_code, {}, json.dumps(body, default=str).encode(), title, key)
    text = without_key(str(error), key)
    if _NOT_JSON.search(text):
        return ProviderError("bad_answer", f"{title} did not answer in JSON. Is the address right?")
    words = clip(text)
    if isinstance(error, UserError):
        return ProviderError("invalid", f"{title}: {words}")
    return ProviderError("bad_answer", f"{title} gave no usable answer: {words or type(error).__name__}")
