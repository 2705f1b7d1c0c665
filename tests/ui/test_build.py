"""Building the pages only when they changed (OPS-1)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import reflex_base

from tests.support.server import ROOT
from whatsapp_dashboard.ui import build
from whatsapp_dashboard.ui.build_plugin import same_origin


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what pages are built from."""
    for name in ("whatsapp_dashboard", "assets", "reflex.lock"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "external"))
    for name in ("rxconfig.py", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_a_change_of_a_page_asks_for_a_build_and_a_change_elsewhere_does_not(copy: Path) -> None:
    """OPS-1"""
    before = build.sources_hash(copy)
    (copy / "whatsapp_dashboard" / "serve.py").write_text("# changed")
    (copy / "assets" / "external").mkdir()
    (copy / "assets" / "external" / "made-by-the-build.js").write_text("x")
    assert build.sources_hash(copy) == before
    (copy / "whatsapp_dashboard" / "ui" / "theme.py").write_text("# changed")
    changed = build.sources_hash(copy)
    assert changed != before
    (copy / "assets" / "logo.svg").rename(copy / "assets" / "mark.svg")
    assert build.sources_hash(copy) not in (before, changed)


def test_what_is_built_is_not_built_again(copy: Path) -> None:
    """OPS-1"""
    (copy / build.BUILT).mkdir(parents=True)
    (copy / build.BUILT / "index.html").write_text("built")
    (copy / build.STAMP).write_text(build.sources_hash(copy))
    assert build.ensure_built(copy) is False


def test_no_icon_is_chosen_in_the_browser(built_pages: None) -> None:
    """OPS-1: a name that is only known there brings 1,600 files along, one for each icon there is."""
    sources = [path for folder in ("app", "app_components") for path in (ROOT / ".web" / folder).rglob("*.jsx")]
    assert sources
    assert not [path.name for path in sources if "lucide-react/dynamic" in path.read_text()]


def test_the_installed_framework_has_the_lines_that_the_build_replaces() -> None:
    """OPS-1: the bundle talks to wherever it was loaded from; a new version of the framework that differs is noticed here."""
    source = (Path(reflex_base.__path__[0]) / ".templates" / "web" / "utils" / "state.js").read_text()
    replaced = same_origin(source)
    assert "endpoint.port = window.location.port;" in replaced
    assert same_origin(replaced) == replaced
    with pytest.raises(RuntimeError, match="build_plugin"):
        same_origin("something else")
