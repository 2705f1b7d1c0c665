"""Finds the passages that fit a question (AI-5).

The databases' full-text indexes find candidates; they are ranked here, the same way on both, by BM25 over terms that were prepared the
same way for passages and questions.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from whatsapp_dashboard.knowledge.terms import question_words

CANDIDATES = 300
"""Passages that are ranked; the index puts the likely ones first."""
ENOUGH = 0.3
"""How much of what a question is about a passage must speak of, from 0 to 1, to be given to a model at all."""
PER_DOCUMENT = 2
"""Passages of one document in an answer, so that a long one does not crowd out the others."""
_K1, _B = 1.2, 0.6
_HEAD_WEIGHT = 2.5
"""A term in the title or heading counts as so many in the text."""

_SQLITE = text(
    """
    SELECT p.id, p.document_id, d.title, p.heading, p.text, p.head_terms, p.terms, p.length
    FROM knowledge_index i JOIN knowledge_passage p ON p.id = i.rowid JOIN knowledge_document d ON d.id = p.document_id
    WHERE knowledge_index MATCH :query
      AND d.workspace_id = :workspace AND d.generation = p.generation AND d.enabled AND d.indexed_at IS NOT NULL
    ORDER BY bm25(knowledge_index, 2.5, 1.0) LIMIT :limit
    """
)
_POSTGRES = text(
    """
    SELECT p.id, p.document_id, d.title, p.heading, p.text, p.head_terms, p.terms, p.length
    FROM knowledge_passage p JOIN knowledge_document d ON d.id = p.document_id
    WHERE p.words @@ to_tsquery('simple', :query)
      AND d.workspace_id = :workspace AND d.generation = p.generation AND d.enabled AND d.indexed_at IS NOT NULL
    ORDER BY ts_rank(p.words, to_tsquery('simple', :query), 1) DESC LIMIT :limit
    """
)
_COUNT = text(
    """
    SELECT count(*), coalesce(avg(p.length), 1) FROM knowledge_passage p JOIN knowledge_document d ON d.id = p.document_id
    WHERE d.workspace_id = :workspace AND d.generation = p.generation AND d.enabled AND d.indexed_at IS NOT NULL
    """
)
_FREQUENCY_SQLITE = text("SELECT term, doc FROM knowledge_words WHERE term IN :terms").bindparams(bindparam("terms", expanding=True))
_FREQUENCY_POSTGRES = text(
    """
    SELECT t.term, (SELECT count(*) FROM knowledge_passage WHERE words @@ to_tsquery('simple', quote_literal(t.term)))
    FROM unnest(cast(:terms AS text[])) AS t(term)
    """
)


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage that fits, with how well: higher is better, comparable within one search only."""

    chunk_id: str
    document_id: str
    title: str
    heading: str
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class _Candidate:
    passage: Passage
    head: Counter[str]
    words: Counter[str]
    length: int


async def search(session: AsyncSession, workspace_id: str, question: str, limit: int) -> list[Passage]:
    """The passages that fit ``question``, best first; none for a question that is about nothing in particular."""
    wanted = question_words(question)
    if not wanted:
        return []
    every = list(dict.fromkeys(term for word in wanted for term in word))
    postgres = session.get_bind().dialect.name == "postgresql"
    joined = " | ".join(f"'{term}'" for term in every) if postgres else " OR ".join(f'"{term}"' for term in every)
    found = await session.execute(_POSTGRES if postgres else _SQLITE, {"query": joined, "workspace": workspace_id, "limit": CANDIDATES})
    candidates = [_candidate(*row) for row in found]
    if not candidates:
        return []
    count, average = (await session.execute(_COUNT, {"workspace": workspace_id})).one()
    known = await session.execute(_FREQUENCY_POSTGRES if postgres else _FREQUENCY_SQLITE, {"terms": every})
    return rank(candidates, _weights(wanted, {row[0]: int(row[1]) for row in known}, int(count)), float(average), limit)


def rank(candidates: Sequence[_Candidate], weights: Mapping[tuple[str, ...], float], average: float, limit: int) -> list[Passage]:
    """The best of ``candidates``, with their scores."""
    total = sum(weights.values()) or 1.0
    scored = []
    for each in candidates:
        score = covered = 0.0
        for word, weight in weights.items():
            times = max(each.words[term] + _HEAD_WEIGHT * each.head[term] for term in word)
            if times:
                covered += weight
                score += weight * times * (_K1 + 1) / (times + _K1 * (1 - _B + _B * each.length / average))
        coverage = covered / total
        if coverage >= ENOUGH:
            scored.append((score * (0.5 + coverage), each.passage))
    scored.sort(key=lambda pair: -pair[0])
    best: list[Passage] = []
    seen: Counter[str] = Counter()
    for score, passage in scored:
        if seen[passage.document_id] < PER_DOCUMENT:
            seen[passage.document_id] += 1
            best.append(Passage(passage.chunk_id, passage.document_id, passage.title, passage.heading, passage.text, round(score, 3)))
        if len(best) == limit:
            break
    return best


def _weights(wanted: Sequence[tuple[str, ...]], known: Mapping[str, int], count: int) -> dict[tuple[str, ...], float]:
    """How telling each word is: the rarer, the more (its inverse document frequency)."""
    weights = {}
    for word in wanted:
        frequency = min(max(known.get(term, 0) for term in word), count)
        # A word that stands nowhere tells nothing about which passage is meant; it still says that the question is about something else.
        rarity = math.log(1 + (count - frequency + 0.5) / (frequency + 0.5))
        weights[word] = rarity if frequency else 0.5 * math.log(1 + count)
    return weights


def _candidate(number: int, document_id: str, title: str, heading: str, words: str, head_terms: str, terms: str, length: int) -> _Candidate:  # noqa: PLR0917
    passage = Passage(str(number), document_id, title, heading, words, 0.0)
    return _Candidate(passage, Counter(head_terms.split()), Counter(terms.split()), length)
