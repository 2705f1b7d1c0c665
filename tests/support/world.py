"""A sandbox world as its own process: the outside witness of what phones sent and really received."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support import processes

START_SECONDS = 60


class World:
    """Lives on when the dashboard is killed. Its folder has a short path, as Unix sockets need one."""

    def __init__(self, seed: int = 1) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="wa-world-"))
        self._seed = seed
        self._process: processes.Running | None = None
        self.socket = str(self._folder / "world.sock")

    def start(self) -> None:
        """Start and wait until it listens."""
        log = self._folder / "world.log"
        log.touch()
        arguments = ["--data", str(self._folder), "--socket", self.socket, "--seed", str(self._seed)]
        self._process = processes.start("whatsapp_dashboard.engines.sandbox.world", *arguments, log=log)
        deadline = time.monotonic() + START_SECONDS
        while "listens at" not in log.read_text():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the sandbox world did not start:\n{log.read_text()[-2_000:]}")
            time.sleep(0.02)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """In this block it does nothing at all."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    def close(self) -> None:
        """Stop it and remove what it kept."""
        if self._process:
            processes.kill_group(self._process)
        shutil.rmtree(self._folder, ignore_errors=True)
