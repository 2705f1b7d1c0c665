"""What a model printed, made into what a person may read. Pure."""

from __future__ import annotations

import re
from collections import defaultdict, deque

_TAG = re.compile(r"<(/?)(think|thinking|thought|reasoning)>", re.IGNORECASE)
_OPEN = re.compile(r"^\s*<(think|thinking|thought|reasoning)>.*\Z", re.IGNORECASE | re.DOTALL)
_CLOSED = re.compile(r"\A.*</(think|thinking|thought|reasoning)>", re.IGNORECASE | re.DOTALL)
_END = re.compile(r"[.!?…。！？؟।](?:[\"'”’»)\]]*)(?=\s|$)|[。！？]|\n")
_MOST = 0.5
"""A cut answer loses its unfinished sentence only when this much of it stays."""


def without_thoughts(text: str) -> str:
    """``text`` without the thinking that open models print between tags, also when a template swallowed the first tag, or the limit the
    last."""
    text = _CLOSED.sub("", _without_pairs(text))
    return _OPEN.sub("", text).strip()


def _without_pairs(text: str) -> str:
    """Without what stands between a tag and the next end of the same name. Each tag is looked at once, however many have no end."""
    tags = list(_TAG.finditer(text))
    ends: dict[str, deque[re.Match[str]]] = defaultdict(deque)
    for tag in tags:
        if tag[1]:
            ends[tag[2].lower()].append(tag)
    kept, at = [], 0
    for tag in tags:
        if tag[1] or tag.start() < at:
            continue
        own = ends[tag[2].lower()]
        while own and own[0].start() < tag.end():
            own.popleft()
        if own:
            kept.append(text[at : tag.start()])
            at = own[0].end()
    return "".join([*kept, text[at:]])


def whole_sentences(text: str) -> str:
    """A text that was cut by the limit, without its unfinished last sentence when most of it stays."""
    ends = [match.end() for match in _END.finditer(text)]
    if not ends or ends[-1] < len(text) * _MOST:
        return text
    return text[: ends[-1]].rstrip() or text
