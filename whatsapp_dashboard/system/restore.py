"""Brings back what backup.py wrote: the archive is read through and checked before anything is changed (OPS-4)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from whatsapp_dashboard.config import ConfigError, Settings
from whatsapp_dashboard.engines.sandbox.neighbours import FOLDER
from whatsapp_dashboard.system.backup import ABOUT, DATABASE, DUMP, FORMAT, KEY_FILES, MEDIA, SESSIONS, WORLD, BackupError
from whatsapp_dashboard.system.data_lock import BACKUP_FILE, FILE, nobody_else
from whatsapp_dashboard.system.database_lock import database_lock
from whatsapp_dashboard.system.installation import ID_FILE, check, check_revision, stored_revision
from whatsapp_dashboard.system.postgres_tools import ToolError, run_tool
from whatsapp_dashboard.system.sqlite_file import check_file, sqlite_path

_FILES = (ABOUT, DUMP, DATABASE, WORLD, ID_FILE, *KEY_FILES)
_FOLDERS = (MEDIA, SESSIONS, FOLDER)
_MAY_BE_THERE = {FILE, BACKUP_FILE, "lost+found"}
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_UNFINISHED = re.compile(rf"{MEDIA}/\w\w/\.new-\w+")
_ABOUT_BYTES = 100_000


def restore(settings: Settings, source: Path) -> str:
    """Bring ``source`` back into an empty data folder (and an empty PostgreSQL database); returns what the user must know besides.

    Raises :class:`BackupError` with everything as it was, or DataFolderBusy while a dashboard runs there.
    """
    if not source.is_file():
        raise BackupError(f"There is no backup at {source}.")
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with nobody_else(settings):
            return asyncio.run(_restore(settings, source))
    except (ToolError, ConfigError) as error:
        raise BackupError(str(error)) from None
    except OSError as error:
        raise BackupError(f"The backup could not be restored: {error.strerror or error} ({error.filename or settings.data_dir}).") from None


async def _restore(settings: Settings, source: Path) -> str:
    data = settings.data_dir
    async with database_lock(settings.database, shared=False):
        await _refuse_data(settings)
        with _unpacked(source, data) as folder:
            _check_contents(settings, folder, source)
            await _check_key(settings, folder)
            _put_in_place(settings, folder)
    os.sync()  # what was said to be restored is there after a power failure, too
    if any((data / name).exists() for name in KEY_FILES):
        return ""
    return " It holds no key file: start with the ENCRYPTION_KEY that was set when it was made."


async def _refuse_data(settings: Settings) -> None:
    data = settings.data_dir
    taken = sorted(path.name for path in data.iterdir() if path.name not in _MAY_BE_THERE and not path.name.startswith(".restore-"))
    if taken:
        raise BackupError(f"{data.resolve()} already holds {', '.join(taken[:6])}. Restore into an empty folder (set DATA_DIR).")
    for left in data.glob(".restore-*"):  # of a restore that was killed
        shutil.rmtree(left, ignore_errors=True)
    database = sqlite_path(settings.database)
    if database is None:
        if await stored_revision(settings.database) is not None:
            raise BackupError("The PostgreSQL database already holds a dashboard. Restore into an empty one (set DATABASE_URL).")
    elif any(database.with_name(database.name + suffix).exists() for suffix in ("", "-wal", "-shm")):
        raise BackupError(f"{database} exists already. Move it away first, together with its -wal and -shm.")


@contextlib.contextmanager
def _unpacked(source: Path, data: Path) -> Iterator[Path]:
    """The contents in a folder of their own inside ``data``. Raises :class:`BackupError` for anything that is no whole backup."""
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=data) as name:
        folder = Path(name)
        try:
            with tarfile.open(source, "r:gz") as archive:
                for member in archive:
                    if _UNFINISHED.fullmatch(member.name):
                        continue  # backups of earlier versions held files that were just being written
                    _check_member(member, source)
                    archive.extract(member, folder, filter=_private)
                while archive.fileobj is not None and archive.fileobj.read(1 << 20):
                    pass  # to the end, where the checksum stands
        except (tarfile.TarError, EOFError, zlib.error) as error:
            raise BackupError(f"{source} is not a whole backup: {error}.") from None
        except OSError as error:
            if error.errno is None or isinstance(error, FileExistsError | IsADirectoryError | NotADirectoryError):
                raise BackupError(f"{source} is not a whole backup: {error}.") from None
            raise
        for inner, _, _ in os.walk(folder):
            Path(inner).chmod(0o700)
        yield folder


def _check_member(member: tarfile.TarInfo, source: Path) -> None:
    """Only files and folders that a backup has; no links, no devices, nothing that leaves the folder."""
    parts = member.name.split("/")
    known = parts[0] in _FOLDERS if len(parts) > 1 or member.isdir() else member.name in _FILES
    if not known or not all(_PART.fullmatch(part) for part in parts) or not (member.isreg() or member.isdir()):
        raise BackupError(f"{source} is not a backup of a dashboard: it holds {member.name[:100]!r}. Nothing was restored.")


def _private(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
    safe = tarfile.data_filter(member, folder)
    return safe.replace(mode=0o700 if safe.isdir() else 0o600, deep=False)


def _check_contents(settings: Settings, folder: Path, source: Path) -> None:
    about = _read_about(folder, source)
    if isinstance(about.get("format"), int) and about["format"] > FORMAT:  # type: ignore[operator]
        raise BackupError(f"{source} was made by a newer version of the dashboard. Restore it with that version, or a newer one.")
    revision = about.get("revision")
    check_revision(revision if isinstance(revision, str) else None, str(source))
    is_sqlite = sqlite_path(settings.database) is not None
    wanted, other = (DATABASE, DUMP) if is_sqlite else (DUMP, DATABASE)
    if (folder / wanted).exists() and (folder / wanted).stat().st_size:
        return
    if (folder / other).exists():
        raise BackupError(
            "This backup is of a PostgreSQL database. Set DATABASE_URL to an empty one and restore again."
            if is_sqlite
            else "This backup is of an SQLite database. Leave DATABASE_URL unset to restore it."
        )
    raise BackupError(f"{source} holds no database, so it is not a whole backup. Nothing was restored.")


def _read_about(folder: Path, source: Path) -> dict[str, object]:
    """The page about itself; backups from before there was one have none."""
    file = folder / ABOUT
    if not file.exists():
        return {}
    try:
        about = json.loads(file.read_bytes()[:_ABOUT_BYTES])
    except ValueError:
        about = None
    if not isinstance(about, dict):
        raise BackupError(f"{source} is not a whole backup: {ABOUT} in it is damaged.")
    return about


async def _check_key(settings: Settings, folder: Path) -> None:
    """An SQLite database is looked at as a start would; PostgreSQL's is checked by pg_restore, in one transaction."""
    if sqlite_path(settings.database) is None:
        return
    check_file(folder / DATABASE, thorough=True)
    has_key = any((folder / name).exists() for name in KEY_FILES)
    inside = settings.model_copy(update={"data_dir": folder, "database_url": None} | ({"encryption_key": None} if has_key else {}))
    if has_key or settings.encryption_key:
        if not await check(inside):
            raise BackupError("The database in the backup is empty. Nothing was restored.")
    else:
        check_revision(await stored_revision(inside.database), "The database in the backup")


def _put_in_place(settings: Settings, folder: Path) -> None:
    """The database last: a data folder with everything but a database is refused at the start, should this be killed."""
    data, moved = settings.data_dir, []
    database = sqlite_path(settings.database)
    try:
        for name in (*KEY_FILES, ID_FILE, WORLD, *_FOLDERS):
            if (folder / name).exists():
                (folder / name).rename(data / name)
                moved.append(name)
        if database is None:
            how = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
            run_tool("pg_restore", settings.database, *how, str(folder / DUMP))
        else:
            for suffix in ("-wal", "-shm"):
                (folder / (DATABASE + suffix)).unlink(missing_ok=True)
            shutil.move(folder / DATABASE, database)
    except BaseException:
        for name in moved:
            (data / name).rename(folder / name)
        raise
