"""What a model printed, made into what a person may read. Pure."""

from __future__ import annotations

import re

_THOUGHT = re.compile(r"<(think|thinking|thought|reasoning)>.*?</\1>", re.IGNORECASE | re.DOTALL)
_OPEN = re.compile(r"^\s*<(think|thinking|thought|reasoning)>.*\Z", re.IGNORECASE | re.DOTALL)
_CLOSED = re.compile(r"\A.*</(think|thinking|thought|reasoning)>", re.IGNORECASE | re.DOTALL)
_END = re.compile(r"[.!?…。！？؟।](?:[\"'”’»)\]]*)(?=\s|$)|[。！？]|\n")
_MOST = 0.5
"""A cut answer loses its unfinished sentence only when this much of it stays."""


def without_thoughts(text: str) -> str:
    """``text`` without the thinking that open models print between tags, also when a template swallowed the first tag, or the limit the
    last."""
    text = _THOUGHT.sub("", text)
    text = _CLOSED.sub("", text)
    return _OPEN.sub("", text).strip()


def whole_sentences(text: str) -> str:
    """A text that was cut by the limit, without its unfinished last sentence when most of it stays."""
    ends = [match.end() for match in _END.finditer(text)]
    if not ends or ends[-1] < len(text) * _MOST:
        return text
    return text[: ends[-1]].rstrip() or text
