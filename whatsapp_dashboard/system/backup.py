"""Backup into one file (OPS-4); restore.py brings it back.

The file is a tar archive: a page about itself, the database (a consistent copy, also while the dashboard runs), the sandbox worlds, the
sessions, the media, and the encryption key of the data folder. Whoever has the file can read everything: it is made with mode 600.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from whatsapp_dashboard import __version__
from whatsapp_dashboard.config import ConfigError, Settings
from whatsapp_dashboard.core.crypto import KEY_FILE, staged
from whatsapp_dashboard.engines.sandbox.neighbours import FOLDER
from whatsapp_dashboard.system.data_lock import while_backing_up
from whatsapp_dashboard.system.database_lock import database_lock
from whatsapp_dashboard.system.installation import ID_FILE, check, stored_revision
from whatsapp_dashboard.system.postgres_tools import ToolError, run_tool
from whatsapp_dashboard.system.sqlite_file import sqlite_path

FORMAT = 1
ABOUT, DUMP, DATABASE, WORLD = "backup.json", "postgresql.dump", "dashboard.db", "sandbox.db"
MEDIA, SESSIONS = "media", "sessions"
KEY_FILES = (KEY_FILE, staged(Path(KEY_FILE)).name)
_SPOOL_BYTES = 8 * 2**20
_SESSION_TRIES = 5


class BackupError(Exception):
    """The backup or the restore cannot be done; the text says why and what to do."""


def backup(settings: Settings, target: Path) -> None:
    """Write everything into the new file ``target``. Raises :class:`BackupError`, or DataFolderBusy while the key is being changed; a
    half-written file does not stay."""
    if target.exists():
        raise BackupError(f"{target} exists already. Name a new file.")
    if not settings.data_dir.is_dir():
        raise BackupError(f"There is no data folder at {settings.data_dir.resolve()}. Set DATA_DIR to the one to back up.")
    part = target.with_name(target.name + ".part")
    try:
        with while_backing_up(settings):
            asyncio.run(_write(settings, part, target))
    except (ToolError, ConfigError) as error:
        raise BackupError(str(error)) from None
    except (OSError, sqlite3.Error, tarfile.TarError) as error:
        raise BackupError(f"The backup could not be written, and nothing of it is left: {_reason(error)}.") from None


async def _write(settings: Settings, part: Path, target: Path) -> None:
    async with database_lock(settings.database, shared=True):
        if not await check(settings):
            raise BackupError(f"There is no database in {settings.data_dir.resolve()} yet; nothing to back up.")
        about = {
            "format": FORMAT,
            "program": __version__,
            "revision": await stored_revision(settings.database),
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        await asyncio.to_thread(_write_file, settings, part, target, about)


def _write_file(settings: Settings, part: Path, target: Path, about: dict[str, Any]) -> None:
    with _own(part) as raw:
        with _scratch(target) as folder, tarfile.open(fileobj=raw, mode="w:gz") as archive:
            _add_bytes(archive, ABOUT, json.dumps(about).encode())
            _add_database(settings, archive, folder)
            _add_files(settings, archive, folder)
        raw.flush()
        os.fsync(raw.fileno())
        if target.exists():
            raise BackupError(f"{target} exists already. Name a new file.")
        part.rename(target)
    folder_entry = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder_entry)
    finally:
        os.close(folder_entry)


@contextlib.contextmanager
def _own(part: Path) -> Iterator[IO[bytes]]:
    """The unfinished file, ours alone; one that a killed backup left is taken over. It is gone afterwards unless it got its name."""
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as raw:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(f"Another backup is being written to {part.with_suffix('')}.") from None
        os.fchmod(descriptor, 0o600)
        try:
            raw.truncate()
            yield raw
        except BaseException:
            part.unlink(missing_ok=True)
            os.ftruncate(descriptor, 0)  # room for what is still buffered
            raise


@contextlib.contextmanager
def _scratch(target: Path) -> Iterator[Path]:
    """A folder beside the target: a copy of the database may be large, and the folder for temporary files small."""
    folder = target.with_name(f".{target.name}.scratch")
    shutil.rmtree(folder, ignore_errors=True)  # of a backup that was killed
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _add_database(settings: Settings, archive: tarfile.TarFile, scratch: Path) -> None:
    path = sqlite_path(settings.database)
    if path is None:
        run_tool("pg_dump", settings.database, "--format=custom", f"--file={scratch / DUMP}")
        _add(archive, scratch / DUMP, DUMP)
        (scratch / DUMP).unlink()
    else:
        copy_sqlite(path, scratch / DATABASE)
        _add(archive, scratch / DATABASE, DATABASE)
        (scratch / DATABASE).unlink()


def _add_files(settings: Settings, archive: tarfile.TarFile, scratch: Path) -> None:
    """After the database: it names no file that came later."""
    data = settings.data_dir
    for name in (*KEY_FILES, ID_FILE):
        _add(archive, data / name, name)
    for world in (data / WORLD, *sorted((data / FOLDER).glob("*.db"))):
        with contextlib.suppress(FileNotFoundError):
            copy_sqlite(world, scratch / WORLD)
            _add(archive, scratch / WORLD, str(world.relative_to(data)))
            (scratch / WORLD).unlink()
    for source in sorted(path for path in (data / SESSIONS).glob("*") if path.is_dir()):
        for path in _copy_session(source, scratch / SESSIONS / source.name):
            _add(archive, path, f"{SESSIONS}/{source.name}/{path.relative_to(scratch / SESSIONS / source.name)}")
    for path in sorted(settings.media_dir.glob("??/*")):
        if not path.name.startswith("."):
            _add(archive, path, f"{MEDIA}/{path.parent.name}/{path.name}")


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    """One file as it is at this moment: it may vanish before it is read, or change its length while it is."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file, tempfile.SpooledTemporaryFile(_SPOOL_BYTES) as copy:
        about = tarfile.TarInfo(name)
        about.mtime = int(os.fstat(file.fileno()).st_mtime)
        about.mode = 0o600
        shutil.copyfileobj(file, copy)
        about.size = copy.tell()
        copy.seek(0)
        archive.addfile(about, copy)


def _add_bytes(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    about = tarfile.TarInfo(name)
    about.size, about.mode = len(data), 0o600
    archive.addfile(about, io.BytesIO(data))


def copy_sqlite(source: Path, target: Path) -> None:
    """SQLite's own online backup: a consistent copy, whoever writes meanwhile. Raises FileNotFoundError rather than make an empty file."""
    if not source.exists():
        raise FileNotFoundError(source)
    with closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=rw", uri=True)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def _copy_session(source: Path, target: Path) -> list[Path]:
    """What an engine keeps for one session: databases as they are at this moment, also while the session runs, other files as they lie.

    A session that stops meanwhile changes its store into another file: then all is copied again.
    """
    for last in (False,) * (_SESSION_TRIES - 1) + (True,):
        shutil.rmtree(target, ignore_errors=True)
        if _copy_once(source, target) or last:
            break
    return sorted(path for path in target.rglob("*") if path.is_file())


def _copy_once(source: Path, target: Path) -> bool:
    """Whether nothing vanished before it was copied."""
    whole = True
    target.mkdir(mode=0o700, parents=True)
    for path in sorted(source.rglob("*")):
        copy = target / path.relative_to(source)
        try:
            if path.is_dir():
                copy.mkdir(mode=0o700, parents=True, exist_ok=True)
            elif path.suffix == ".db":
                copy_sqlite(path, copy)
            elif path.is_file() and not path.name.endswith(("-wal", "-shm", ".lock", ".part")):
                shutil.copy2(path, copy)
        except (FileNotFoundError, sqlite3.OperationalError):
            if path.exists():
                raise
            copy.unlink(missing_ok=True)
            whole = False
    return whole


def _reason(error: Exception) -> str:
    return f"{error.strerror} ({error.filename})" if isinstance(error, OSError) and error.strerror and error.filename else str(error)
