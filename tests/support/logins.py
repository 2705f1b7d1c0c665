"""Logging in at an AuthService, as tests of it do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import MovableClock
from whatsapp_dashboard.auth.service import AuthService
from whatsapp_dashboard.auth.sessions import Issued
from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.core.crypto import SecretBox
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.errors import Unauthenticated

PASSWORD = "ana-has-a-long-password"
FIREFOX = "Firefox/140"
SURE: dict[str, Any] = {"confirm": PASSWORD, "ip": "192.0.2.1"}
"""What lets an owner change who may come in."""


def make(db: Database, clock: MovableClock, data: Path, **settings: str) -> AuthService:
    """An AuthService as one process has it."""
    given = {"dashboard_username": "Ana", "dashboard_password": PASSWORD, **settings}
    return AuthService(db, SecretBox(bytes(32)), Settings(_env_file=None, data_dir=data, **given), clock)  # type: ignore[arg-type, call-arg]


async def log_in(
    auth: AuthService, username: str = "ana", password: str = PASSWORD, *, ip: str = "192.0.2.1", code: str | None = None
) -> Issued:
    """Log in with a browser. Raises what the log-in raises."""
    return await auth.login(username, password, code, ip=ip, user_agent=FIREFOX)


async def fail(auth: AuthService, username: str, ip: str) -> None:
    """One wrong password, which is looked at."""
    with pytest.raises(Unauthenticated):
        await log_in(auth, username, "wrong password here", ip=ip)
