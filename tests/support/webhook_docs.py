"""Keeps the events in docs/webhooks.md: ``python -m tests.support.webhook_docs`` writes them anew from the models that build bodies."""

from __future__ import annotations

import json
import re
from pathlib import Path

from whatsapp_dashboard.webhooks.payloads import EVENT_MODELS, TEST, Test, example_body

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "webhooks.md"
_EVENTS = re.compile(r"(?<=<!-- events -->\n).*?(?=<!-- /events -->)", re.DOTALL)


def events() -> str:
    """Every event: when it comes, and a whole body."""
    parts = []
    for name, model in (*EVENT_MODELS.items(), (TEST, Test)):
        body = json.dumps(example_body(name, model), indent=2, ensure_ascii=False)
        parts.append(f"### `{name}`: {model.title.lower()}\n\n{model.when}\n\n```json\n{body}\n```\n")
    return "\n" + "\n".join(parts) + "\n"


def rendered() -> str:
    """The document as it should be."""
    return _EVENTS.sub(lambda _: events(), DOCUMENT.read_text())


if __name__ == "__main__":
    DOCUMENT.write_text(rendered())
