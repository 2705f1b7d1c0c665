"""What WhatsApp's marks in a text mean: bold, italic, struck through, code, lists and quotes (MSG-7, SEC-4).

Pure: a text in, blocks of plain pieces out, each with the name of its look. Nothing here makes markup; the page draws every piece as text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MOST_SIGNS = 8_000
MOST_PARTS = 400
"""Of one text, and of one run of it, that get looks and links; what comes behind is drawn as it stands."""
_MARKS = {"*": "wa-bold", "_": "wa-italic", "~": "wa-struck"}
_FENCE = re.compile(r"```(.+?)```", re.DOTALL)
_PIECE = re.compile(r"`([^`\n]+)`|https?://[^\s<>\"“”]+|[*_~]", re.IGNORECASE)
_BULLET, _NUMBER, _QUOTE = re.compile(r"[*\-•] +(?=\S)"), re.compile(r"(\d{1,3})[.)] +(?=\S)"), re.compile(r"> ?")


@dataclass
class Part:
    """A piece of text; with ``href`` a link to http or https, never to anything else. ``look`` is a class of styles."""

    text: str
    href: str = ""
    look: str = ""


@dataclass
class Block:
    """One or more lines that belong together: ``text``, ``quote``, ``bullet``, ``number`` or ``code``; ``mark`` stands before an entry."""

    kind: str
    parts: list[Part] = field(default_factory=list)
    mark: str = ""


def blocks_of(text: str) -> list[Block]:
    """The text in blocks, as WhatsApp's own apps draw it."""
    if len(text) > MOST_SIGNS:
        cut = text.rfind("\n", 0, MOST_SIGNS) + 1 or MOST_SIGNS
        return [*blocks_of(text[:cut].removesuffix("\n")), Block("text", [Part(text[cut:])])]
    found: list[Block] = []
    end = 0
    for fence in _FENCE.finditer(text):
        found += _lines(text[end : fence.start()].removesuffix("\n"))
        found.append(Block("code", [Part(fence[1].strip("\n"))]))
        end = fence.end()
        if text[end : end + 1] == "\n":
            end += 1
    return found + _lines(text[end:])


def parts_of(text: str) -> list[Part]:
    """One run of text in pieces: links, code and what stands between marks. A mark counts at the edge of a word only, and only in pairs."""
    parts: list[Part] = []
    looks: list[str] = []
    pairs = _pairs(text)
    end = at = 0
    while (found := _PIECE.search(text, at)) and len(parts) < MOST_PARTS:
        piece, at = found[0], found.end()
        if piece in _MARKS and found.start() not in pairs:
            continue
        _add(parts, text[end : found.start()], looks)
        if piece in _MARKS:
            look = _MARKS[piece]
            looks = [one for one in looks if one != look] if look in looks else [*looks, look]
        elif piece[0] == "`":
            parts.append(Part(found[1], look=" ".join([*looks, "wa-code"])))
        else:
            address = _without_end(piece)
            parts.append(Part(address, address, " ".join(looks)))
            at = found.start() + len(address)
        end = at
    _add(parts, text[end:], looks)
    return parts


def _add(parts: list[Part], text: str, looks: list[str]) -> None:
    if text:
        parts.append(Part(text, look=" ".join(looks)))


def _without_end(address: str) -> str:
    """An address without the marks and signs that end the sentence."""
    return address.rstrip(".,;:!?)]}'*_~")


def _pairs(text: str) -> set[int]:
    """Where the marks stand that open or close something; those in code and addresses do not count."""
    covered = bytearray(len(text))
    for found in _PIECE.finditer(text):
        if len(found[0]) > 1:
            length = len(found[0] if found[0][0] == "`" else _without_end(found[0]))
            covered[found.start() : found.start() + length] = b"x" * length
    places: set[int] = set()
    for mark in _MARKS:
        opened: int | None = None
        for at in (place for place, sign in enumerate(text) if sign == mark):
            if covered[at]:
                continue
            before, after = text[at - 1 : at], text[at + 1 : at + 2]
            if opened is not None and not before.isspace() and not _in_word(after) and at > opened + 1 and "\n" not in text[opened:at]:
                places |= {opened, at}
                opened = None
            elif after and not after.isspace() and after != mark and not _in_word(before):
                opened = at
    return _nested(text, places)


def _nested(text: str, places: set[int]) -> set[int]:
    """Without pairs that cross another one: ``*a _b* c_`` is bold only."""
    kept: set[int] = set()
    stack: list[int] = []
    for at in sorted(places):
        if stack and text[stack[-1]] == text[at]:
            kept |= {stack.pop(), at}
        elif any(text[one] == text[at] for one in stack):
            while text[stack[-1]] != text[at]:
                stack.pop()
            kept |= {stack.pop(), at}
        else:
            stack.append(at)
    return kept


def _in_word(sign: str) -> bool:
    return bool(sign) and sign.isalnum()


def _lines(text: str) -> list[Block]:
    """Lines in order; those of the same kind that follow each other, and plain ones, together."""
    found: list[Block] = []
    if not text:
        return found
    run: list[str] = []

    def end_run() -> None:
        if run:
            found.append(Block("text", parts_of("\n".join(run))))
            run.clear()

    for line in text.split("\n"):
        if entry := _BULLET.match(line):
            end_run()
            found.append(Block("bullet", parts_of(line[entry.end() :]), "•"))
        elif entry := _NUMBER.match(line):
            end_run()
            found.append(Block("number", parts_of(line[entry.end() :]), entry[1] + "."))
        elif (entry := _QUOTE.match(line)) and line[entry.end() :].strip():
            end_run()
            found.append(Block("quote", parts_of(line[entry.end() :])))
        else:
            run.append(line)
    end_run()
    return found
