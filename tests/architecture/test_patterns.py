"""No text from outside stops the program: every regular expression takes time in proportion to the text (AI-5, MSG-1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.hostile_text import slow

LITERAL = {"'|'.join((re.escape(form) for form in forms))"}
"""Put together while the program runs, of nothing but plain text."""


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_every_regular_expression_is_through_with_a_hostile_text_in_time() -> None:
    """AI-5, AI-1, MSG-1: each against 30,000 signs made of its own pieces, with a limit of processor time that only a quadratic one
    reaches. A pattern that cannot be read here belongs into a constant of its module."""
    assert [each for each in slow() if each.partition(" ")[2] not in LITERAL] == []


def test_a_pattern_that_is_quadratic_is_found(tmp_path: Path) -> None:
    """OPS-1: as the one for headings once was, in each place where a pattern may stand."""
    package = tmp_path / "package"
    package.mkdir()
    (package / "a.py").write_text(r'HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*$")' + "\n" + r'GOOD = re.compile(r"\w+")')
    (package / "b.py").write_text(
        r'def f(x): re.sub(r"<(a|b)>.*?</\1>", "", x, flags=re.S)' + "\n" + r'ONE = r"(a+)+$"' + "\nField(pattern=ONE)"
    )
    (package / "c.py").write_text("def f(x): return re.search(x, x)")
    found = sorted(each.partition(" ")[0] for each in slow(package))
    assert found == ["package/a.py:1", "package/b.py:1", "package/b.py:3", "package/c.py:1"]
