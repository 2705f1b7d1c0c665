"""The build leaves the checkout as it is and says honestly what was built; Node.js is needed for nothing else (OPS-1)."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.ui.test_build import copy  # noqa: F401  (a fixture)
from whatsapp_dashboard.ui import build, build_tools

BUILDS = """
import pathlib
out = pathlib.Path(".web/build/client")
out.mkdir(parents=True, exist_ok=True)
(out / "index.html").write_text("built")
with open("../builds", "a") as log:
    log.write("x")
"""
"""In place of the framework's: what it does to the checkout is in each test."""
LOCK = Path("reflex.lock") / "package-lock.json"
PACKAGES = Path("reflex.lock") / "package.json"


def builds_by(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """The command of the build is this Python program."""
    monkeypatch.setattr(build, "COMMAND", [sys.executable, "-c", "\n".join([BUILDS, *lines])])


def times(root: Path) -> int:
    """How often it was built."""
    log = root.parent / "builds"
    return len(log.read_text()) if log.exists() else 0


@pytest.fixture
def root(copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """A checkout, in a folder of its own."""
    made = tmp_path_factory.mktemp("here") / "checkout"
    copy.rename(made)
    (made / ".gitignore").write_text(".web\n")
    return made


def test_what_changes_while_it_is_built_is_built_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OPS-1: an editor saved in the middle of it."""
    builds_by(
        monkeypatch,
        "theme = pathlib.Path('whatsapp_dashboard/ui/theme.py')",
        "if '# later' not in theme.read_text():",
        "    theme.write_text(theme.read_text() + '# later')",
        "    pathlib.Path('assets/new.svg').write_text('<svg/>')",
    )
    said: list[str] = []
    assert build.ensure_built(root, say=said.append) is True
    assert times(root) == 2
    assert any("changed while they were built" in line for line in said)
    assert build.ensure_built(root) is False


def test_what_never_stays_the_same_is_not_taken_for_built(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OPS-1: it is served as it is, and built again at the next start."""
    builds_by(monkeypatch, "pathlib.Path('assets/clock.txt').write_text(str(__import__('time').monotonic_ns()))")
    said: list[str] = []
    assert build.ensure_built(root, say=said.append) is True
    assert times(root) == build.TRIES
    assert "the next start builds them again" in said[-1]
    builds_by(monkeypatch)
    assert build.ensure_built(root) is True
    assert build.ensure_built(root) is False


def test_files_that_are_only_written_in_another_way_stay_as_they_are_committed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OPS-1: an npm that keeps addresses, a framework that sorts anew; nothing of it is left, and nothing is built twice for it."""
    before = {path: (root / path).read_bytes() for path in (LOCK, PACKAGES, Path(".gitignore"))}
    builds_by(
        monkeypatch,
        "import json",
        f"lock, packages = pathlib.Path('{LOCK}'), pathlib.Path('{PACKAGES}')",
        "read = json.loads(lock.read_text())",
        "for name, package in read['packages'].items():",
        "    package['resolved'], package['peer'] = 'https://npm.example.org/' + name, True",
        "lock.write_text(json.dumps(read))",
        "packages.write_text(json.dumps(dict(sorted(json.loads(packages.read_text()).items())), indent=4))",
        "open('.gitignore', 'a').write('assets/external/')",
    )
    assert build.ensure_built(root) is True
    assert {path: (root / path).read_bytes() for path in before} == before
    assert build.ensure_built(root) is False
    assert times(root) == 1


def test_a_package_that_is_new_is_kept_without_the_address_it_came_from(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OPS-1: whoever adds one commits a lock file that is the same for everybody."""
    builds_by(
        monkeypatch,
        "import json",
        f"lock = pathlib.Path('{LOCK}')",
        "read = json.loads(lock.read_text())",
        "added = {'version': '1.0.0', 'resolved': 'https://npm.example.org/added', 'integrity': 'sha512-x'}",
        "read['packages']['node_modules/added'] = added",
        "lock.write_text(json.dumps(read))",
    )
    assert build.ensure_built(root) is True
    now = json.loads((root / LOCK).read_text())["packages"]
    assert now["node_modules/added"] == {"version": "1.0.0", "integrity": "sha512-x"}
    assert not [name for name, package in now.items() if "resolved" in package]
    assert build.ensure_built(root) is False


def test_a_build_that_fails_leaves_nothing_behind(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OPS-1."""
    before = (root / LOCK).read_bytes()
    builds_by(monkeypatch, f"pathlib.Path('{LOCK}').write_text('half of it')", "raise SystemExit('no network')")
    with pytest.raises(build.BuildError, match="no network"):
        build.ensure_built(root)
    assert (root / LOCK).read_bytes() == before
    assert not (root / build.STAMP).exists()


def test_without_node_a_finished_build_is_served_and_a_needed_one_is_asked_for(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OPS-1: the one with a word in the log, the other with what to do."""
    builds_by(monkeypatch)
    assert build.ensure_built(root) is True
    monkeypatch.setattr(sys, "executable", str(root / "python"))
    monkeypatch.setenv("PATH", str(root))
    said: list[str] = []
    assert build.ensure_built(root, say=said.append) is False
    assert said == [build.NODE_NOT_NEEDED]
    (root / "assets" / "new.svg").write_text("<svg/>")
    with pytest.raises(build.BuildError, match="Install it"):
        build.ensure_built(root)
    assert times(root) == 1


def test_a_users_settings_of_npm_do_not_reach_what_is_built() -> None:
    """OPS-1: however they are spelt; where packages come from is theirs."""
    given = {
        "NPM_CONFIG_OMIT_LOCKFILE_REGISTRY_RESOLVED": "false",
        "npm_config_package-lock": "false",
        "npm_config_global": "true",
        "NPM_CONFIG_REGISTRY": "https://npm.example.org/",
        "npm_config_https_proxy": "http://proxy:3128",
        "NODE_ENV": "production",
        "HOME": "/home/ana",
    }
    made = build_tools.environment(given)
    assert {name: made.get(name) for name in ("NPM_CONFIG_REGISTRY", "npm_config_https_proxy", "HOME")} == {
        "NPM_CONFIG_REGISTRY": "https://npm.example.org/",
        "npm_config_https_proxy": "http://proxy:3128",
        "HOME": "/home/ana",
    }
    ours = {name: value for name, value in made.items() if build_tools._npm_setting(name) in build_tools.NPM_SETTINGS}
    assert ours == {f"npm_config_{name}": value for name, value in build_tools.NPM_SETTINGS.items()}
    assert "NODE_ENV" not in made
