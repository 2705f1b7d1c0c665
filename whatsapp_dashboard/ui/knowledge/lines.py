"""What the Knowledge page shows, as plain values (AI-5)."""

from __future__ import annotations

from dataclasses import dataclass

from whatsapp_dashboard.knowledge.search import Passage
from whatsapp_dashboard.knowledge.terms import question_words
from whatsapp_dashboard.knowledge.views import DocumentRow, PassageRow
from whatsapp_dashboard.ui.times import iso

KINDS = {"text": "Text", "markdown": "Text", "csv": "CSV", "pdf": "PDF", "html": "Web page", "": "Web page"}


@dataclass
class DocumentLine:
    """One document."""

    id: str
    title: str
    kind: str
    origin: str
    """Its file name or URL; empty for a text written here."""
    is_url: bool
    enabled: bool
    state: str
    reason: str
    size: str
    passages: str
    updated: str


@dataclass
class Word:
    """A piece of a passage; ``hit`` when the question has it too."""

    text: str
    hit: bool


@dataclass
class FoundLine:
    """A passage that fits."""

    title: str
    heading: str
    words: list[Word]
    score: str


@dataclass
class PartLine:
    """A passage of a document."""

    number: str
    heading: str
    text: str


def document_line(row: DocumentRow) -> DocumentLine:
    """A document as the list shows it."""
    return DocumentLine(
        id=row.id,
        title=row.title,
        kind=KINDS.get(row.kind, row.kind),
        origin=row.url or row.filename,
        is_url=bool(row.url),
        enabled=row.enabled,
        state=row.state,
        reason=row.reason,
        size=_size(row.size),
        passages=("1 passage" if row.passages == 1 else f"{row.passages:,} passages") if row.indexed_at else "",
        updated=iso(row.updated_at),
    )


def found_line(passage: Passage, question: str) -> FoundLine:
    """A passage with the words of the question marked."""
    wanted = {term for word in question_words(question) for term in word}
    words: list[Word] = []
    for piece in passage.text.split(" "):
        hit = any(wanted.intersection(word) for word in question_words(piece))
        if words and words[-1].hit is hit:
            words[-1].text += f" {piece}"
        else:
            words.append(Word(piece if not words else f" {piece}", hit))
    return FoundLine(passage.title, passage.heading, words, f"{passage.score:.1f}")


def part_line(row: PassageRow) -> PartLine:
    """A passage of a document as its drawer shows it."""
    return PartLine(str(row.position + 1), row.heading, row.text)


def _size(count: int) -> str:
    if not count:
        return ""
    return f"{count:,} B" if count < 1_024 else f"{count / 1_024:,.0f} KB" if count < 1_048_576 else f"{count / 1_048_576:,.1f} MB"
