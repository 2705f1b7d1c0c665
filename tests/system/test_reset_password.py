"""A way back in from the command line (SEC-1)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.support import processes
from tests.support.clock import MovableClock
from tests.support.installations import fill
from tests.support.server import OWNER, Server
from tests.support.waiting import PATIENCE
from whatsapp_dashboard.auth.recovery import reset_access
from whatsapp_dashboard.auth.service import AuthService
from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.core.crypto import SecretBox
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.errors import Invalid, NotFound, TooMany, Unauthenticated


async def test_password_second_factor_sessions_and_lock_out_are_reset(settings: Settings, clock: MovableClock) -> None:
    """SEC-1, SEC-2, SEC-3: everything that may keep somebody out; the old password and session are worth nothing."""
    await fill(settings)
    db = Database(settings.database)
    auth = AuthService(db, SecretBox(bytes(32)), settings, clock)
    name, first, disabled = await reset_access(db, "ANA", "ana's first password")
    assert (name, first, disabled) == ("ana", "ana's first password", False)
    issued = await auth.login("ana", first, None, ip="1.2.3.4", user_agent="x")
    for ip in ("1.2.3.4", "5.6.7.8"):  # where she is known, and where she is not
        for guess in ("ana",) * 5 if ip == "1.2.3.4" else ("ana", "ana", "nobody", "nobody", "nobody"):
            with pytest.raises(Unauthenticated):
                await auth.login(guess, "wrong", None, ip=ip, user_agent="x")
        with pytest.raises(TooMany):
            await auth.login("ana", first, None, ip=ip, user_agent="x")
    _, second, _ = await reset_access(db, " ana ")
    auth.sessions.forget()
    assert await auth.authenticate(issued.token, "x") is None
    with pytest.raises(Unauthenticated):
        await auth.login("ana", first, None, ip="1.2.3.4", user_agent="x")
    for ip in ("1.2.3.4", "5.6.7.8"):
        assert await auth.login("ana", second, None, ip=ip, user_agent="x")
    await db.close()


async def test_unknown_names_and_short_passwords_are_refused(settings: Settings) -> None:
    """SEC-1, SEC-8: the names are listed, for whoever has the command line has the database as well."""
    await fill(settings)
    db = Database(settings.database)
    with pytest.raises(NotFound, match="There is only ana"):
        await reset_access(db, "anna")
    with pytest.raises(Invalid, match="at least 12"):
        await reset_access(db, "ana", "short")
    await db.close()


def test_the_command_works_while_the_dashboard_runs_and_while_it_does_not(new_server: Callable[..., Server], tmp_path: Path) -> None:
    """SEC-1: the password it prints is the one that works from now on; the one before does not."""
    server = new_server()
    server.start()
    env = {"PATH": os.environ["PATH"], "DATA_DIR": str(server.data_dir)}

    def reset(run: str) -> str:
        log = tmp_path / f"{run}.log"
        assert processes.start("whatsapp_dashboard", "reset-password", OWNER, log=log, env=env).wait(PATIENCE) == 0, log.read_text()
        return log.read_text().splitlines()[0].rpartition(": ")[2]

    def logs_in(password: str) -> int:
        body = {"username": OWNER, "password": password}
        return httpx.post(f"{server.url}/api/auth/login", json=body, timeout=PATIENCE).status_code

    first = reset("running")
    assert logs_in(first) == 200
    server.terminate()
    second = reset("stopped")
    server.start()
    assert (logs_in(first), logs_in(second)) == (401, 200)


@pytest.mark.slow
def test_a_password_of_ones_own_comes_by_standard_input(tmp_path: Path, migrated_sqlite: Path) -> None:
    """SEC-1: not as an argument, which others could read; without an operator or a dashboard it says so."""
    env = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path)}
    log = tmp_path / "command.log"
    assert processes.start("whatsapp_dashboard", "reset-password", "ana", log=log, env=env).wait(PATIENCE) == 1
    assert "There is no dashboard in the database yet" in log.read_text()
    (tmp_path / "dashboard.db").write_bytes(migrated_sqlite.read_bytes())
    command = [sys.executable, "-m", "whatsapp_dashboard", "reset-password", "ana", "--ask"]
    done = subprocess.run(
        command, cwd=processes.ROOT, env=env, input="a long password\n", capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 1
    assert "There is none yet: start the dashboard once" in done.stderr
    assert "Traceback" not in log.read_text() + done.stderr
