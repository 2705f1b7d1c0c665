"""A peer as a process of its own, for tests: an outside witness that lives on when the dashboard is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.peer.client import PeerClient
from tests.support import processes

START_SECONDS = 60.0


class PeerProcess:
    """``python -m tests.peer`` with a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.descriptor = folder / "peer.json"
        self.info: dict[str, Any] = {}
        self._process: processes.Running | None = None

    def start(self) -> None:
        """Start it and wait until it listens. Raises AssertionError with the end of its log when it does not."""
        self._folder.mkdir(parents=True, exist_ok=True)
        log = self._folder / "peer.log"
        log.touch()
        self._process = processes.start("tests.peer", "--folder", str(self._folder), log=log)
        deadline = time.monotonic() + START_SECONDS
        while "peer ready" not in log.read_text(errors="replace"):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the protocol peer did not start:\n{log.read_text(errors='replace')[-2_000:]}")
            time.sleep(0.02)
        self.info = json.loads(self.descriptor.read_text(encoding="utf-8"))

    def stop(self) -> None:
        """End it."""
        if self._process:
            if self._process.poll() is None:
                os.kill(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                processes.kill_group(self._process)

    @property
    def log(self) -> str:
        """What it wrote."""
        return (self._folder / "peer.log").read_text(errors="replace")

    def client(self) -> PeerClient:
        """Its control; close it after use."""
        return PeerClient(self.info["control"])
