"""Splits a document into passages: along its headings, paragraphs, rows and sentences (AI-5). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

WANTED = 900
"""Characters of a passage: enough to answer from, few enough that several fit into a request."""
LONGEST = 1_400
OVERLAP = 150
"""Characters of the end of a cut paragraph that the next passage begins with."""
MAX_PASSAGES = 20_000
LONGEST_HEADING = 80
"""Characters of a heading above its passages, so that six of them fit; a longer one is also text."""

_SENTENCE = re.compile(r"(?<=[.!?…。！？؟।])\s+|(?<=[。！？।])")
_FENCE = re.compile(r"^\s*(```|~~~)")


@dataclass(frozen=True, slots=True)
class Part:
    """A passage, with the headings above it."""

    heading: str
    text: str


def split(text: str, kind: str) -> list[Part]:
    """The passages of a document in order."""
    parts = list(_rows(text) if kind == "csv" else _sections(text))
    return parts[:MAX_PASSAGES]


def _sections(text: str) -> Iterator[Part]:
    """Text or Markdown: what stands under one heading stays together as far as it fits. A heading with nothing under it is text."""
    path: list[tuple[int, str]] = []
    block: list[str] = []
    fenced = False
    for line in text.splitlines():
        fenced ^= bool(_FENCE.match(line))
        level, title = (0, "") if fenced else _heading(line)
        if not title:
            block.append(line)
            continue
        yield from _section(block, path, deeper=bool(path) and level > path[-1][0])
        block = [title] if len(title) > LONGEST_HEADING else []
        path = [entry for entry in path if entry[0] < level] + [(level, title[:LONGEST_HEADING])]
    yield from _section(block, path, deeper=False)


def _heading(line: str) -> tuple[int, str]:
    """How deep a heading stands, from 1 to 6, and what it says; an empty one for every other line."""
    marked = line.lstrip("#")
    level = len(line) - len(marked)
    if not 1 <= level <= 6 or not marked[:1].isspace():
        return 0, ""
    title = marked.strip()
    bare = title.rstrip("#")  # a closing row of signs stands apart; in "C#" it belongs to the word
    return level, title if bare and not bare[-1].isspace() else bare.rstrip()


def _section(block: Sequence[str], path: Sequence[tuple[int, str]], *, deeper: bool) -> Iterator[Part]:
    """What stands under one heading; ``deeper``: more comes under it."""
    text = "\n".join(block)
    if path and not deeper and not text.strip():
        path, text = path[:-1], path[-1][1]
    yield from _paragraphs(text, " › ".join(title for _, title in path))


def _paragraphs(text: str, heading: str) -> Iterator[Part]:
    pieces: list[str] = []
    length = 0
    for paragraph in re.split(r"\n\s*\n", text):
        for piece in _fitting(paragraph.strip()):
            if pieces and length + len(piece) > WANTED:
                yield Part(heading, "\n\n".join(pieces))
                pieces, length = [], 0
            pieces.append(piece)
            length += len(piece)
    if pieces:
        yield Part(heading, "\n\n".join(pieces))


def _fitting(paragraph: str) -> Iterator[str]:
    """A paragraph, or its sentences in groups that fit; each group begins with the end of the one before."""
    if len(paragraph) <= LONGEST:
        if paragraph:
            yield paragraph
        return
    current = ""
    for sentence in (one for whole in _SENTENCE.split(paragraph) if whole for one in _chopped(whole)):
        if current and len(current) + len(sentence) > WANTED:
            yield current
            tail = current[-OVERLAP:]
            current = tail[tail.find(" ") + 1 :] if " " in tail else ""
        current = f"{current} {sentence}".strip()
    if current:
        yield current


def _chopped(sentence: str) -> Iterator[str]:
    """A sentence, cut at spaces where it is longer than any passage."""
    start = 0
    while len(sentence) - start > LONGEST:
        at = sentence.rfind(" ", start + WANTED // 2, start + LONGEST)
        at = at if at > 0 else start + LONGEST
        if piece := sentence[start:at].strip():
            yield piece
        start = at
    if rest := sentence[start:].strip():
        yield rest


def _rows(text: str) -> Iterator[Part]:
    """Rows of a table, each a block of "column: value" lines; a row is cut only when it alone is too long."""
    rows: list[str] = []
    length = 0
    for row in text.split("\n\n"):
        for piece in _fitting(row.strip()):
            if rows and length + len(piece) > WANTED:
                yield Part("", "\n\n".join(rows))
                rows, length = [], 0
            rows.append(piece)
            length += len(piece)
    if rows:
        yield Part("", "\n\n".join(rows))
