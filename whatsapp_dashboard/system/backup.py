"""Backup into one file and restore from it (OPS-4).

The file is a tar archive: the database (a consistent copy, also while the dashboard runs), the sandbox world, the media,
and the encryption key of the data folder. Whoever has the file can read everything: it is made with mode 600.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path

from sqlalchemy import make_url

from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.core.crypto import KEY_FILE
from whatsapp_dashboard.engines.sandbox.neighbours import FOLDER
from whatsapp_dashboard.system.data_lock import DataLock

_DUMP = "postgresql.dump"
_SQLITE_FILES = ("dashboard.db", "sandbox.db")
_MEDIA, _SESSIONS, _WORLDS = _FOLDERS = ("media", "sessions", FOLDER)
_TOOL_SECONDS = 3_600


class BackupError(Exception):
    """The backup or the restore cannot be done; the text says why and what to do."""


def backup(settings: Settings, target: Path) -> None:
    """Write everything into the new file ``target``. Raises :class:`BackupError`; a half-written file does not stay."""
    if target.exists():
        raise BackupError(f"{target} exists already. Name a new file.")
    if not settings.data_dir.is_dir():
        raise BackupError(f"There is no data folder at {settings.data_dir.resolve()}. Set DATA_DIR to the one to back up.")
    part = target.with_name(target.name + ".part")
    try:
        with tempfile.TemporaryDirectory(prefix="wa-backup-") as folder, os.fdopen(_private(part), "wb") as raw:
            with tarfile.open(fileobj=raw, mode="w:gz") as archive:
                for name, path in _pieces(settings, Path(folder)):
                    archive.add(path, arcname=name)
            raw.flush()
            os.fsync(raw.fileno())
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)


def restore(settings: Settings, source: Path) -> None:
    """Bring back what :func:`backup` wrote, into a data folder without a dashboard in it (and an empty PostgreSQL database).

    Raises :class:`BackupError`, or DataFolderBusy while a dashboard runs there.
    """
    if not source.is_file():
        raise BackupError(f"There is no backup at {source}.")
    data = settings.data_dir
    data.mkdir(parents=True, exist_ok=True)
    lock = DataLock(data)
    lock.take()
    try:
        taken = [name for name in (*_SQLITE_FILES, *_FOLDERS, KEY_FILE) if (data / name).exists()]
        if taken:
            raise BackupError(f"{data} already holds {', '.join(taken)}. Restore into an empty folder (set DATA_DIR).")
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=data) as folder:
            unpacked = Path(folder)
            try:
                with tarfile.open(source, "r:gz") as archive:
                    archive.extractall(unpacked, filter="data")
            except (tarfile.TarError, EOFError, OSError) as error:
                raise BackupError(f"{source} is not a whole backup: {error}.") from None
            _restore_database(settings, unpacked)
            for name in (*_SQLITE_FILES, *_FOLDERS, KEY_FILE):
                if (unpacked / name).exists():
                    (unpacked / name).rename(data / name)
    finally:
        lock.free()


def _pieces(settings: Settings, scratch: Path) -> list[tuple[str, Path]]:
    data = settings.data_dir
    pieces: list[tuple[str, Path]] = []
    if not settings.database.startswith("sqlite"):
        _run_tool("pg_dump", settings, "--format=custom", f"--file={scratch / _DUMP}")
        pieces.append((_DUMP, scratch / _DUMP))
    for name, path in _sqlite_files(settings):
        if path.exists():
            _copy_sqlite(path, scratch / name)
            pieces.append((name, scratch / name))
    for folder in (_SESSIONS, _WORLDS):
        if (data / folder).exists():
            _copy_databases(data / folder, scratch / folder)
            pieces.append((folder, scratch / folder))
    pieces += [(name, data / name) for name in (_MEDIA, KEY_FILE) if (data / name).exists()]
    if not any(name in (_DUMP, "dashboard.db") for name, _ in pieces):
        raise BackupError(f"There is no database in {data.resolve()}; nothing to back up.")
    return pieces


def _sqlite_files(settings: Settings) -> list[tuple[str, Path]]:
    files = [("sandbox.db", settings.data_dir / "sandbox.db")]
    if settings.database.startswith("sqlite"):
        files.insert(0, ("dashboard.db", Path(make_url(settings.database).database or "")))
    return files


def _copy_sqlite(source: Path, target: Path) -> None:
    """SQLite's own online backup: a consistent copy, whoever writes meanwhile."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def _copy_databases(source: Path, target: Path) -> None:
    """What engines keep for each session or world: databases as they are at this moment, also while they are in use, other files as they
    lie."""
    for path in sorted(source.rglob("*")):
        copy = target / path.relative_to(source)
        if path.is_dir():
            copy.mkdir(mode=0o700, parents=True, exist_ok=True)
        elif path.suffix == ".db":
            _copy_sqlite(path, copy)
        elif path.is_file() and not path.name.endswith(("-wal", "-shm", ".lock", ".part")):
            shutil.copy2(path, copy)


def _restore_database(settings: Settings, unpacked: Path) -> None:
    dump = unpacked / _DUMP
    if settings.database.startswith("sqlite"):
        if dump.exists():
            raise BackupError("This backup is of a PostgreSQL database. Set DATABASE_URL to an empty one and restore again.")
        database = Path(make_url(settings.database).database or "")
        if database != settings.data_dir.resolve() / "dashboard.db":
            if database.exists():
                raise BackupError(f"{database} exists already. Move it away first.")
            shutil.move(unpacked / "dashboard.db", database)
        return
    if not dump.exists():
        raise BackupError("This backup is of an SQLite database. Leave DATABASE_URL unset to restore it.")
    _run_tool("pg_restore", settings, "--no-owner", "--exit-on-error", "--single-transaction", f"--dbname={_libpq(settings)}", str(dump))


def _run_tool(name: str, settings: Settings, *arguments: str) -> None:
    tool = shutil.which(name)
    if tool is None:
        raise BackupError(f"{name} is not installed. Install PostgreSQL's client programs (Debian: postgresql-client).")
    command = [tool, *arguments] + ([f"--dbname={_libpq(settings)}"] if name == "pg_dump" else [])
    result = subprocess.run(command, capture_output=True, text=True, timeout=_TOOL_SECONDS, check=False)  # noqa: S603
    if result.returncode:
        raise BackupError(f"{name} failed: {result.stderr.strip()[-500:]}")


def _libpq(settings: Settings) -> str:
    return make_url(settings.database).set(drivername="postgresql").render_as_string(hide_password=False)


def _private(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
