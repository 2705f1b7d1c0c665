"""A sandbox world as its own process: the outside witness of what phones sent and really received."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.server import ROOT

START_SECONDS = 20


class World:
    """Lives on when the dashboard is killed. Its folder has a short path, as Unix sockets need one."""

    def __init__(self, seed: int = 1) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="wa-world-"))
        self._seed = seed
        self._process: subprocess.Popen[bytes] | None = None
        self.socket = str(self._folder / "world.sock")

    def start(self) -> None:
        """Start and wait until it listens."""
        log = self._folder / "world.log"
        arguments = ["--data", str(self._folder), "--socket", self.socket, "--seed", str(self._seed)]
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "whatsapp_dashboard.engines.sandbox.world", *arguments],
                cwd=ROOT,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + START_SECONDS
        while "listens at" not in log.read_text():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the sandbox world did not start:\n{log.read_text()[-2_000:]}")
            time.sleep(0.02)

    def close(self) -> None:
        """Stop it and remove what it kept."""
        if self._process:
            self._process.kill()
            self._process.wait(10)
        shutil.rmtree(self._folder, ignore_errors=True)
