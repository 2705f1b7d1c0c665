"""The passages of a text as they are stored and found (AI-5). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from whatsapp_dashboard.knowledge.splitting import split
from whatsapp_dashboard.knowledge.terms import language_of, terms


def passages(title: str, body: str, kind: str) -> Iterator[dict[str, Any]]:
    """The columns of each, in order. The title is found with every passage."""
    language = language_of(body)
    for position, part in enumerate(split(body, kind)):
        words = terms(part.text, language)
        yield {
            "position": position,
            "heading": part.heading,
            "text": part.text,
            "head_terms": " ".join(terms(f"{title} {part.heading}", language)),
            "terms": " ".join(words),
            "length": len(words),
        }
