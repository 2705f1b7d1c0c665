"""What a model printed, made into what a person may read. Pure."""

from __future__ import annotations

import re

_END = re.compile(r"[.!?…。！？؟।](?:[\"'”’»)\]]*)(?=\s|$)|[。！？]|\n")
_MOST = 0.5
"""A cut answer loses its unfinished sentence only when this much of it stays."""


def whole_sentences(text: str) -> str:
    """A text that was cut by the limit, without its unfinished last sentence when most of it stays."""
    ends = [match.end() for match in _END.finditer(text)]
    if not ends or ends[-1] < len(text) * _MOST:
        return text
    return text[: ends[-1]].rstrip() or text
