"""From a text to the terms it is found by, the same for both databases and for questions (AI-5). Pure.

Words are folded (case, accents), stemmed lightly, and written without spaces in between they become pairs of signs: so a question finds
"deliveries" by "delivery", "envíos" by "envio", and Chinese, Japanese or Thai text at all.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import snowballstemmer

MAX_TERMS = 4_000
"""Terms of one text; a passage has a few hundred."""
_WORD = re.compile(r"\w+")
_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese."""
_RUN = re.compile(f"[{_UNSPACED}]+|[^{_UNSPACED}]+")
_UNSPACED_SIGN = re.compile(f"[{_UNSPACED}]")
_STEMMER = snowballstemmer.stemmer("english")

_COMMON = frozenset(
    word
    for line in Path(__file__).with_name("common_words.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
    for word in line.split()
)


def fold(text: str) -> str:
    """Lower case, without the accents of Latin, Greek and Cyrillic letters; vowel signs of other scripts stay, they carry meaning."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", text.casefold()) if not "\u0300" <= sign <= "\u036f")


def terms(text: str) -> list[str]:
    """The terms of ``text``, in order, as often as they stand there."""
    found: list[str] = []
    for word in _WORD.findall(fold(text)):
        found.extend(_of_word(word))
        if len(found) >= MAX_TERMS:
            return found[:MAX_TERMS]
    return found


def question_terms(text: str) -> list[str]:
    """The terms of a question that say what it is about, each once: words that stand in every question are left out."""
    words = [word for word in _WORD.findall(fold(text)[:2_000]) if word not in _COMMON]
    return list(dict.fromkeys(term for word in words for term in _of_word(word)))[:40]


def _of_word(word: str) -> Iterator[str]:
    for part in _RUN.findall(word):
        if not _UNSPACED_SIGN.match(part):
            yield _stem(part)
        elif len(part) == 1:
            yield part
        else:
            yield from (part[at : at + 2] for at in range(len(part) - 1))


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    if not word.isascii() or word.isdigit() or len(word) < 4:
        return word
    return str(_STEMMER.stemWord(word))
