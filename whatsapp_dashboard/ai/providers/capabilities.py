"""Which models see pictures, which think first, and which are not for chats, by their names (AI-2). Pure.

Only for what no provider told us: an operator may say otherwise. A model that is wrongly given a picture fails and the next provider is
asked; one that is wrongly given none answers that it cannot open pictures. So a family counts as seeing only when its makers say so.
"""

from __future__ import annotations

import re

_SEES = re.compile(
    r"vision|(?<![a-z])vl(?![a-z])|llava|moondream|minicpm-v|internvl|pixtral|molmo|multimodal"
    r"|llama-?4|gemma-?[34]|gemini"
    r"|gpt-4o|gpt-4\.[15]|gpt-4-turbo|gpt-[5-9]|chatgpt|(?<![a-z0-9])o[134](?!-mini|-preview)|(?<![a-z0-9])o4-mini"
    r"|claude-(?!2|instant|v1|3-5-haiku)"
    r"|mistral-(small|medium|large)-(latest|[34]|25(?!01)|26)|ministral-\d+b-(latest|2512)|magistral-(small|medium)-(latest|2509)"
    r"|qwen-?3\.[5-9]|kimi-k(2\.[5-9]|[3-9])|grok-[4-9]|nova-(lite|pro|premier)"
)
_BLIND = re.compile(r"embed|whisper|tts|transcribe|moderation|guard|audio|realtime|live|gemma-?3n?[-:]?1b|gpt-4o.{0,60}search|codestral")


def sees(model: str) -> bool:
    """Whether a model of this name takes pictures."""
    name = model.lower()
    return bool(_SEES.search(name)) and not _BLIND.search(name)


_THINKS = re.compile(r"gpt-oss|deepseek-(r\d|v4)|(?<![a-z])qwq|thinking|reasoner|reasoning|magistral|minimax-m|kimi-k[3-9]|glm-[5-9]")
_QWEN = re.compile(r"qwen-?3")
_ANSWERS_AT_ONCE = re.compile(r"instruct|coder")


def thinks_first(model: str) -> bool:
    """Whether an open model of this name thinks before it answers, on a server that may have no switch for it."""
    name = model.lower()
    qwen = _QWEN.search(name)
    return bool(_THINKS.search(name)) or (qwen is not None and not _ANSWERS_AT_ONCE.search(name, qwen.end()))


_NOT_FOR_CHATS = re.compile(
    r"embed|whisper|tts|orpheus|dall-e|moderation|guard|transcri|image|realtime|davinci|babbage|sora|(?<![a-z])live|ocr|rerank|veo|imagen|aqa"
    r"|robotics|computer-use|lyria|banana|transl|(?<![a-z])bge-"
)


def for_chats(model: str) -> bool:
    """Whether a model of this name writes answers; makers list everything they have."""
    return not _NOT_FOR_CHATS.search(model.lower())
