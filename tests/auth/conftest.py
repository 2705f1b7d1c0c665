"""A dashboard where Ana is the owner and has never logged in; hashes that are made quickly."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cast import QUICK_HASHES
from tests.support.clock import MovableClock
from tests.support.logins import make
from whatsapp_dashboard.auth import passwords
from whatsapp_dashboard.auth.service import AuthService
from whatsapp_dashboard.core.db import Database


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests make hundreds of hashes."""
    monkeypatch.setattr(passwords, "_context", QUICK_HASHES)
    monkeypatch.setattr(passwords, "_nobody", [])


@pytest.fixture
async def auth(db: Database, clock: MovableClock, tmp_path: Path) -> AuthService:
    """A dashboard where Ana is the owner."""
    service = make(db, clock, tmp_path)
    await service.bootstrap()
    return service
