"""What the documents say exists, exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import settings_table

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")])
FOLDERS = ("whatsapp_dashboard", "tests", "docs", "benchmarks", "alembic", "assets", r"\.ci")
_PATH = re.compile(rf"(?<![\w/.-])(?:{'|'.join(FOLDERS)})/[\w<>*./-]*")
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("document", DOCS, ids=[str(path.relative_to(ROOT)) for path in DOCS])
def test_documents_name_only_files_that_exist(document: Path) -> None:
    """OPS-1: whoever follows a document finds what it names; a name in <> stands for any."""
    missing = []
    for name in _PATH.findall(document.read_text()):
        pattern = re.sub(r"<[\w ]+>", "*", name).rstrip(".").rstrip("/")
        if not name.startswith("tests/artifacts/") and not any(ROOT.glob(pattern)):
            missing.append(name)
    assert not missing


@pytest.mark.parametrize("document", DOCS, ids=[str(path.relative_to(ROOT)) for path in DOCS])
def test_links_between_documents_work(document: Path) -> None:
    """OPS-1: no dead link inside the repository."""
    targets = [link for link in _LINK.findall(document.read_text()) if "://" not in link and not link.startswith("mailto:")]
    missing = [link for link in targets if not (document.parent / link).exists()]
    assert not missing


def test_the_picture_in_the_readme_is_the_one_in_the_docs() -> None:
    """The README's picture is how the parts really fit: the same as in docs/architecture.md, with files that exist."""
    picture = _picture(ROOT / "docs" / "architecture.md")
    assert "messages/inbound.py" in picture
    assert _picture(ROOT / "README.md") == picture


def _picture(document: Path) -> str:
    """The first block that begins with the phone, without its indentation and fences."""
    lines = document.read_text().splitlines()
    start = next(index for index, line in enumerate(lines) if line.strip() == "phone")
    indent = len(lines[start]) - len(lines[start].lstrip())
    picture = []
    for line in lines[start:]:
        if line.strip() == "```" or (line.strip() and not line.startswith(" " * indent)):
            break
        picture.append(line[indent:].rstrip())
    return "\n".join(picture).rstrip()


def test_the_settings_table_lists_every_setting() -> None:
    """SEC-8: docs/operations.md describes each setting there is, in the words of config.py."""
    assert all(settings_table.descriptions().values()), "a setting without a docstring"
    assert settings_table.DOCUMENT.read_text() == settings_table.rendered(), "run: python -m tests.support.settings_table"
