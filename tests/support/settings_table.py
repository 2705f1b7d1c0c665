"""Keeps the table of settings in docs/operations.md: ``python -m tests.support.settings_table`` writes it anew from config.py."""

from __future__ import annotations

import ast
import inspect
import itertools
import re
from pathlib import Path

from whatsapp_dashboard import config

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
_TABLE = re.compile(r"(?<=<!-- settings -->\n).*?(?=<!-- /settings -->)", re.DOTALL)


def descriptions() -> dict[str, str]:
    """Field name to the docstring below it."""
    tree = ast.parse(inspect.getsource(config))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Settings")
    found = {}
    for field, text in itertools.pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            is_text = isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
            found[field.target.id] = inspect.cleandoc(str(text.value.value)) if is_text else ""  # type: ignore[attr-defined]
    return found


def table() -> str:
    """The settings as a Markdown table."""
    lines = ["| name | default | what it does |", "|---|---|---|"]
    texts = descriptions()
    for name, field in config.Settings.model_fields.items():
        default = "" if field.default in (None, ()) else f"`{field.default}`"
        text = re.sub(r"\s*\([A-Z]+-\d+\)", "", texts[name].replace("``", "`").replace("\n", " "))
        lines.append(f"| `{name.upper()}` | {default} | {text} |")
    return "\n".join(lines) + "\n"


def rendered() -> str:
    """The document as it should be."""
    return _TABLE.sub(lambda _: table(), DOCUMENT.read_text())


if __name__ == "__main__":
    DOCUMENT.write_text(rendered())
