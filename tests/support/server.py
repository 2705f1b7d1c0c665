"""The real dashboard as its own process: started, asked, killed, started again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from tests.support import processes
from tests.support.ports import ReservedPort

ROOT = processes.ROOT
READY_SECONDS = 60
OWNER = "ana"
OWNER_PASSWORD = "ana's long password"


class Server:
    """One dashboard with a data folder and a port of its own. ``env`` overrides any setting; ``quick`` starts it as a fork (see
    :mod:`tests.support.processes`) instead of by the command that users type."""

    def __init__(self, data_dir: Path, *, env: dict[str, str] | None = None, quick: bool = False) -> None:
        self.data_dir = data_dir
        self._launch = processes.start if quick else processes.start_command
        self.module = "whatsapp_dashboard.serve"
        """What is run: a module that ends up as this one may prepare something first."""
        self._port = ReservedPort()
        self.port = self._port.number
        self.url = f"http://localhost:{self.port}"
        self.log_path = data_dir.parent / f"{data_dir.name}.log"
        self._env = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ},
            "PYTHONUNBUFFERED": "1",
            "DASHBOARD_PORT": str(self.port),
            "DASHBOARD_USERNAME": OWNER,
            "DASHBOARD_PASSWORD": OWNER_PASSWORD,
            "DATA_DIR": str(data_dir),
            "LOG_FORMAT": "text",
            **(env or {}),
        }
        self._process: processes.Running | None = None
        self._started_at = 0
        self.files = 0
        """How many files it may have open; 0: as many as the tests."""

    def set(self, **env: str) -> dict[str, str]:
        """Settings for the next start (an empty one counts as not set); what they were."""
        before = {name: self._env.get(name, "") for name in env}
        self._env |= env
        return before

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self, *, wait: bool = True) -> float:
        """Start it and return the seconds until it is ready. Raises with the end of its log when it does not get ready."""
        assert not self.running
        began = time.monotonic()
        self._started_at = len(self.log)
        self._process = self._launch(self.module, log=self.log_path, env=self._env, files=self.files)
        if wait:
            self.wait_ready()
        return time.monotonic() - began

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        """Wait until it says that it is ready."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if "Ready at" in self.log[self._started_at :]:
                return
            if not self.running:
                raise AssertionError(f"the server ended with {self._process and self._process.poll()}:\n{self.log_end()}")
            time.sleep(0.02)
        raise AssertionError(f"the server was not ready after {seconds} s:\n{self.log_end()}")

    def kill(self) -> None:
        """SIGKILL to it and everything it started: what a power failure does."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)

    def terminate(self, seconds: float = 15) -> tuple[int, float]:
        """SIGTERM; returns the exit code and the seconds it took. Kills and raises when it takes longer than ``seconds``."""
        assert self._process is not None
        began = time.monotonic()
        os.kill(self._process.pid, signal.SIGTERM)
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not stop within {seconds} s:\n{self.log_end()}") from None
        return code, time.monotonic() - began

    def wait_end(self, seconds: float = 20) -> int:
        """Wait until it ended by itself; returns the exit code."""
        assert self._process is not None
        return self._process.wait(seconds)

    def restart(self) -> None:
        """Stop in order and start again."""
        self.terminate()
        self.start()

    def close(self) -> None:
        """Whatever happened, nothing of it is left running."""
        if self._process is not None:
            processes.kill_group(self._process)
        self._port.free()

    @property
    def log(self) -> str:
        """Everything it wrote so far, over all starts."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_end(self, characters: int = 4_000) -> str:
        """The end of its log."""
        return self.log[-characters:]
