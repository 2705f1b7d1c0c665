"""From a text to the terms it is found by, the same for both databases and for questions (AI-5). Pure.

Words are folded (case, accents) and stemmed lightly; written without spaces in between they become pairs of signs: so a question finds
"deliveries" by "delivery", "envíos" by "envio", and Chinese, Japanese or Thai text at all.

Whose language a stem belongs to is known of a document, not of a question of three words. So a document's words are written down by their
English stem and by that of its own language, and a question looks for each of its words by all stems it could have.
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
MAX_WORDS = 40
"""Words of a question that are looked for."""
LONGEST_WORD = 100
"""Signs of a word that is stemmed; no language has longer ones, and no question finds them."""
_WORD = re.compile(r"\w+")
_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese."""
_RUN = re.compile(f"[{_UNSPACED}]+|[^{_UNSPACED}]+")
_UNSPACED_SIGN = re.compile(f"[{_UNSPACED}]")
ENGLISH = "english"
_SCRIPTS = (("\u0400", "\u04ff", "russian"), ("\u0600", "\u06ff", "arabic"), ("\u0900", "\u097f", "hindi"), ("\u0370", "\u03ff", "greek"))
"""Scripts that say the stemmer by themselves: first and last sign."""


def _common_words() -> dict[str, frozenset[str]]:
    """By language, as Snowball calls it."""
    found: dict[str, frozenset[str]] = {}
    language = ""
    for line in Path(__file__).with_name("common_words.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            language = line.removeprefix("# ").lower()
        elif line:
            found[language] = found.get(language, frozenset()) | frozenset(line.split())
    return found


_COMMON_OF = _common_words()
_COMMON = frozenset().union(*_COMMON_OF.values())
_STEMMERS = {name: snowballstemmer.stemmer(name) for name in (*_COMMON_OF, *(script[2] for script in _SCRIPTS))}


def fold(text: str) -> str:
    """Lower case, without the accents of Latin, Greek and Cyrillic letters; vowel signs of other scripts stay, they carry meaning."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", text.casefold()) if not "\u0300" <= sign <= "\u036f")


def language_of(text: str) -> str:
    """The language of a document, by the words that stand in every text; English when they do not say."""
    words = _WORD.findall(fold(text[:20_000]))
    counts = {language: sum(word in common for word in words) for language, common in _COMMON_OF.items()}
    return max(counts, key=lambda language: (counts[language], language == ENGLISH))


def terms(text: str, language: str = ENGLISH) -> list[str]:
    """The terms of a document's ``text``, in order, as often as they stand there."""
    found: list[str] = []
    for word in _WORD.findall(fold(text)):
        for part, whole in _parts(word):
            found += dict.fromkeys((_stem(part, ENGLISH), _stem(part, language))) if whole else (part,)
        if len(found) >= MAX_TERMS:
            return found[:MAX_TERMS]
    return found


def question_words(text: str) -> list[tuple[str, ...]]:
    """The words of a question that say what it is about, each once, as the terms it may be found by: words that stand in every question
    are left out."""
    words = [word for word in _WORD.findall(fold(text[:2_000])[:2_000]) if word not in _COMMON]
    return list(dict.fromkeys(_stems(part) if whole else (part,) for word in words for part, whole in _parts(word)))[:MAX_WORDS]


def _parts(word: str) -> Iterator[tuple[str, bool]]:
    """A word's parts in one script: whole, to be stemmed, or as pairs of signs."""
    for part in _RUN.findall(word):
        if not _UNSPACED_SIGN.match(part):
            yield part, True
        elif len(part) == 1:
            yield part, False
        else:
            yield from ((part[at : at + 2], False) for at in range(len(part) - 1))


@lru_cache(maxsize=10_000)
def _stems(word: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_stem(word, language) for language in (ENGLISH, *_COMMON_OF)))


@lru_cache(maxsize=50_000)
def _stem(word: str, language: str) -> str:
    if not 4 <= len(word) <= LONGEST_WORD or word.isdigit():
        return word
    if not word.isascii():
        scripts = (name for first, last, name in _SCRIPTS if first <= word[0] <= last)
        language = next(scripts, "")
    return str(_STEMMERS[language].stemWord(word)) if language else word
