"""The style sheets, which all pages share."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

ASSETS = Path(__file__).resolve().parents[2] / "assets"


def test_a_class_is_defined_in_one_style_sheet() -> None:
    """Two rooms that give a class the same name change each other's pages."""
    where: dict[str, set[str]] = defaultdict(set)
    for sheet in ASSETS.glob("*.css"):
        for name in re.findall(r"^\.([\w-]+) \{", sheet.read_text(), re.MULTILINE):
            where[name].add(sheet.name)
    assert len(where) > 100
    assert {name: sheets for name, sheets in where.items() if len(sheets) > 1} == {}
