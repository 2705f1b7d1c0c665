"""Who works on a data folder: one dashboard at a time, and nobody changes the key or restores beside one, or beside a backup."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import make_url

from whatsapp_dashboard.config import Settings

FILE = "dashboard.lock"
BACKUP_FILE = "backup.lock"


class DataFolderBusy(Exception):
    """Another dashboard, or one of its commands, works on this data."""


class DataLock:
    """A lock on ``folder`` that the system frees by itself when the process dies, however it dies."""

    def __init__(self, folder: Path, *, file: str = FILE, shared: bool = False) -> None:
        self._path = folder / file
        self._how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        self._descriptor: int | None = None

    def take(self) -> None:
        """Take the lock. Raises :class:`DataFolderBusy`, naming the process that has it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, self._how | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise DataFolderBusy(self._sentence(holder)) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor

    def free(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _sentence(self, holder: str) -> str:
        where = self._path.parent
        if self._path.name == BACKUP_FILE:
            return f"A backup of {where} is being written, or its key is being changed (process {holder}). Wait until that is over."
        return f"Another dashboard (process {holder}) works on {where}. Stop it first, or set DATA_DIR to another folder."


class DataLocks:
    """All locks a dashboard holds on its data: the folder, and an SQLite database that lies elsewhere."""

    def __init__(self, settings: Settings) -> None:
        self._locks = [DataLock(settings.data_dir)]
        if settings.database.startswith("sqlite"):
            path = Path(make_url(settings.database).database or "")
            if path.resolve().parent != settings.data_dir.resolve():
                self._locks.append(DataLock(path.parent, file=f"{path.name}.lock"))

    def take(self) -> None:
        """Take them, or none of them. Raises :class:`DataFolderBusy`."""
        try:
            for lock in self._locks:
                lock.take()
        except BaseException:
            self.free()
            raise

    def free(self) -> None:
        """Give them back."""
        for lock in self._locks:
            lock.free()


@contextlib.contextmanager
def nobody_else(settings: Settings) -> Iterator[None]:
    """Neither a dashboard nor a backup is at work on the data folder meanwhile. Raises :class:`DataFolderBusy`."""
    locks, backups = DataLocks(settings), DataLock(settings.data_dir, file=BACKUP_FILE)
    locks.take()
    try:
        backups.take()
        yield
    finally:
        backups.free()
        locks.free()


@contextlib.contextmanager
def while_backing_up(settings: Settings) -> Iterator[None]:
    """The key is not changed meanwhile; the dashboard may go on. Raises :class:`DataFolderBusy`."""
    lock = DataLock(settings.data_dir, file=BACKUP_FILE, shared=True)
    lock.take()
    try:
        yield
    finally:
        lock.free()
