"""One process at a time on a data folder with SQLite: two would answer every message twice."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

FILE = "dashboard.lock"


class DataFolderBusy(Exception):
    """Another dashboard works on this data folder."""


class DataLock:
    """An exclusive lock on ``folder`` that the system frees by itself when the process dies, however it dies."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._descriptor: int | None = None

    def take(self) -> None:
        """Take the lock. Raises :class:`DataFolderBusy`, naming the process that has it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise DataFolderBusy(
                f"Another dashboard (process {holder}) works on {self._path.parent}. Stop it first, or set DATA_DIR to another folder."
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor

    def free(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
