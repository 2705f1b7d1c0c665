"""A real dashboard as its own process, on a free port and an empty data folder, and clients that log in to it."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.support.postgres import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
OWNER, OWNER_PASSWORD = "ana", "ana-has-a-long-password"
START_SECONDS, FIRST_BUILD_SECONDS, STOP_SECONDS = 30, 300, 12
BROWSER = "Mozilla/5.0 (test)"


class Dashboard:
    """One server process. ``environment`` adds to its settings; the same folder can be started again."""

    def __init__(self, data: Path, **environment: str) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data.with_name(data.name + ".log")
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running process."""
        assert self._process is not None
        return self._process

    def start(self) -> None:
        """Start and wait until it says it is ready (the first start in a checkout builds the pages)."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("DASHBOARD_")},
            "DATA_DIR": str(self.data),
            "DASHBOARD_PORT": str(self.port),
            "DASHBOARD_USERNAME": OWNER,
            "DASHBOARD_PASSWORD": OWNER_PASSWORD,
            **self._environment,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "whatsapp_dashboard.serve"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self.log.open("ab"),
            stderr=subprocess.STDOUT,
        )
        mark = self.log.stat().st_size
        deadline = time.monotonic() + START_SECONDS
        building = False
        while time.monotonic() < deadline:
            said = self.log.read_text(errors="replace")[mark:]
            if "Ready at" in said:
                return
            if "Building the pages" in said and not building:
                building, deadline = True, time.monotonic() + FIRST_BUILD_SECONDS
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        self.kill()
        raise AssertionError(f"the dashboard did not start:\n{self.log.read_text(errors='replace')[mark:]}")

    def stop(self) -> float:
        """Ask it to end (SIGTERM) and return how many seconds it took."""
        if self._process is None or self._process.poll() is not None:
            return 0.0
        began = time.monotonic()
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        return time.monotonic() - began

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(5)

    @contextlib.contextmanager
    def running(self) -> Iterator[Dashboard]:
        """Started while the block runs."""
        self.start()
        try:
            yield self
        finally:
            self.stop()

    @contextlib.contextmanager
    def client(self, username: str | None = OWNER, password: str = OWNER_PASSWORD, *, user_agent: str = BROWSER) -> Iterator[httpx.Client]:
        """An HTTP client from the dashboard's own origin, logged in unless ``username`` is None."""
        headers = {"User-Agent": user_agent, "Origin": self.url}
        with httpx.Client(base_url=self.url, headers=headers, timeout=10) as client:
            if username is not None:
                answer = client.post("/api/auth/login", json={"username": username, "password": password})
                assert answer.status_code == 200, answer.text
            yield client

    def add_operator(self, username: str, role: str) -> str:
        """Make an operator and return the generated password."""
        with self.client() as owner:
            answer = owner.post("/api/operators", json={"username": username, "role": role})
            assert answer.status_code == 201, answer.text
            return str(answer.json()["password"])

    def printed_password(self) -> str | None:
        """The first password, when one was generated and printed."""
        found = re.search(r"password (\S+)", self.log.read_text(errors="replace"))
        return found[1] if found else None
