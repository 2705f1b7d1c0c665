"""The rules of the house that a linter does not know (STYLE: a rule that matters is a test)."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "whatsapp_dashboard"
TREES = {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}

LINE_LIMIT = 320
LONGER_WITH_REASON: dict[str, str] = {}
"""Files that may be longer, each with the reason why a split would make them worse."""

MAY_IMPORT_REFLEX = ("whatsapp_dashboard/ui/", "whatsapp_dashboard/whatsapp_dashboard.py")
NOT_OF_THE_APP = {"login"}
"""Pages served without a socket, before anybody is known."""
BLOCKING = {"requests", "urllib.request", "http.client", "psycopg2"}
BLOCKING_CALLS = {"time.sleep", "subprocess.run", "subprocess.check_output", "os.system"}


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def test_only_the_pages_know_reflex() -> None:
    """ENG-1: the program works without its pages; reflex is imported only in ui/ and where the app is put together."""
    found = {
        name: modules
        for name, tree in TREES.items()
        if not name.startswith(MAY_IMPORT_REFLEX)
        and (modules := {module for module in _imports(tree) if module.split(".")[0] in ("reflex", "reflex_base")})
    }
    assert not found


def test_nothing_blocks_the_event_loop() -> None:
    """ACC-6: one blocking call would stop every session, so none is in the program."""
    found = []
    for name, tree in TREES.items():
        found += [f"{name} imports {module}" for module in BLOCKING & set(_imports(tree))]
        for node in ast.walk(tree):
            if isinstance(node, ast.AsyncFunctionDef):
                calls = {ast.unparse(inner.func) for inner in ast.walk(node) if isinstance(inner, ast.Call)}
                found += [f"{name}: {node.name} calls {call}" for call in calls & BLOCKING_CALLS]
    assert not found


def test_files_stay_small() -> None:
    """A file does one thing; past 300 lines it usually does two (OPS-1: newcomers find their way)."""
    lengths = {name: len((ROOT / name).read_text().splitlines()) for name in TREES}
    assert not {name: length for name, length in lengths.items() if length > LINE_LIMIT and name not in LONGER_WITH_REASON}
    assert not [name for name in LONGER_WITH_REASON if lengths.get(name, 0) <= LINE_LIMIT], "short enough by now: take it off the list"


def test_nothing_is_left_for_later() -> None:
    """OPS-1: what is in the repository works; no marks for unfinished work."""
    marks = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b|NotImplemented" + "Error")
    assert not [name for name in TREES if marks.search((ROOT / name).read_text())]


def test_every_page_is_registered() -> None:
    """MSG-7: a page nobody lists would silently not exist, so each page module is in ui/pages.py."""
    pages = importlib.import_module("whatsapp_dashboard.ui.pages").PAGES
    routes = [page.route for page in pages]
    assert len(routes) == len(set(routes)), "two pages with one address"
    for path in sorted((PACKAGE / "ui").glob("*/page.py")):
        if path.parent.name in NOT_OF_THE_APP:
            continue
        module = importlib.import_module(f"whatsapp_dashboard.ui.{path.parent.name}.page")
        assert module.PAGE in pages, f"{path.relative_to(ROOT)} is not in PAGES"


def test_revisions_do_not_depend_on_our_code() -> None:
    """OPS-4: a revision must work the same in years, so it imports nothing of the program."""
    for path in (ROOT / "alembic" / "versions").glob("*.py"):
        assert not re.search(r"whatsapp_dashboard|sqlmodel", path.read_text()), path.name


@pytest.mark.parametrize("requirements", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned(requirements: str) -> None:
    """OPS-1: the same versions everywhere, so that what was tested is what runs."""
    for line in (ROOT / requirements).read_text().splitlines():
        if line and not line.startswith(("#", "-r ")):
            assert re.fullmatch(r"[A-Za-z0-9_.\-]+(\[[a-z0-9,_-]+\])?==[\w.]+( ;.*)?", line), line
