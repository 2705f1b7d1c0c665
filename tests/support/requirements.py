"""Keeps docs/requirements.md: each requirement in one line, and the tests that prove it.

The ids and lines are written by hand; ``python -m tests.support.requirements`` writes the last column anew from the
docstrings of the tests.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "requirements.md"
_ID = re.compile(r"\b(?:ACC|ENG|MSG|HOOK|AI|FLOW|API|DUR|CRED|ORD|AUTO|OBS|SEC|OPS)-\d+\b")
_ROW = re.compile(r"^\| ([A-Z]+-\d+) \| (.*?) \|")


def proofs() -> dict[str, list[str]]:
    """Requirement id to the test files whose tests name it."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for requirement in _ID.findall(ast.get_docstring(node) or ""):
                    found[requirement].add(str(path.relative_to(ROOT)))
    return {requirement: sorted(files) for requirement, files in found.items()}


def known() -> dict[str, str]:
    """Requirement id to its line in the document."""
    return {match[1]: match[2] for line in DOCUMENT.read_text().splitlines() if (match := _ROW.match(line))}


def listed() -> dict[str, set[str]]:
    """Requirement id to the files its line names as proof."""
    rows = [line for line in DOCUMENT.read_text().splitlines() if _ROW.match(line)]
    return {row.split(" | ")[0].strip("| "): set(re.findall(r"`(tests/[^`]+)`", row)) for row in rows}


def rendered() -> str:
    """The document as it should be."""
    where = proofs()
    lines = []
    for line in DOCUMENT.read_text().splitlines():
        match = _ROW.match(line)
        if match:
            files = ", ".join(f"`{name}`" for name in where.get(match[1], []))
            line = f"| {match[1]} | {match[2]} | {files} |"  # noqa: PLW2901
        lines.append(line)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(rendered())
