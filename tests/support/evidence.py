"""What is kept of a test that failed, in tests/artifacts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.server import Server

ARTIFACTS = Path(__file__).resolve().parents[1] / "artifacts"
_FAILED = pytest.StashKey[bool]()


def remember(item: pytest.Item, report: pytest.TestReport) -> None:
    """Note how the test went, and keep the log of its dashboard when it failed."""
    if report.when != "call" or not report.failed:
        return
    item.stash[_FAILED] = True
    server = getattr(item, "funcargs", {}).get("server")
    if isinstance(server, Server):
        keep(item, "server.txt", server.log)


def failed(item: pytest.Item) -> bool:
    """Whether the test itself failed: for fixtures that end after it."""
    return item.stash.get(_FAILED, False)


def keep(item: pytest.Item, what: str, text: str) -> None:
    """Write down something of the test."""
    path_for(item, what).write_text(text)


def path_for(item: pytest.Item, what: str) -> Path:
    """Where something of the test is kept."""
    ARTIFACTS.mkdir(exist_ok=True)
    return ARTIFACTS / f"{re.sub(r'[^A-Za-z0-9]+', '-', item.name)[:120]}-{what}"
