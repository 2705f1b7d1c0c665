"""Only the user who runs the dashboard may read its data (SEC-7): for new files by the umask, for those of older versions at each start."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import structlog

from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.system.sqlite_file import sqlite_path

log = structlog.get_logger(__name__)

UMASK = 0o077
_PROGRAM = Path(__file__).resolve().parents[2]
_NAMES = ("dashboard.*", "sandbox.*", "encryption.key*", "installation", "backup.lock", "media", "sessions", "worlds")


def tighten(settings: Settings) -> None:
    """Take the rights of group and others away from what lies in the data folder, as far as that can be done. What belongs to somebody
    else, or lies on a file system without rights, stays as it is and is noted in the log."""
    failed = [str(path) for path in _ours(settings) if not _tighten(path)]
    if failed:
        log.warning("other users of this machine may read data of the dashboard; its rights cannot be changed", paths=failed[:5])


def _ours(settings: Settings) -> Iterator[Path]:
    data = settings.data_dir.resolve()
    if data not in (_PROGRAM, *_PROGRAM.parents, Path.home(), *Path.home().parents):
        yield data
    for name in _NAMES:
        yield from data.glob(name)
    for folder in ("sessions", "worlds"):
        yield from (data / folder).rglob("*")  # a few files each; those in media/, which may be very many, are behind its folder's rights
    database = sqlite_path(settings.database)
    if database is not None and database.resolve().parent != data:
        yield from database.parent.glob(f"{database.name}*")


def _tighten(path: Path) -> bool:
    try:
        found = path.lstat()
        loose = stat.S_IMODE(found.st_mode) & UMASK
        if not loose or stat.S_ISLNK(found.st_mode) or found.st_mode & stat.S_ISVTX:
            return True
        path.chmod(stat.S_IMODE(found.st_mode) & ~UMASK)
        return not stat.S_IMODE(path.lstat().st_mode) & UMASK
    except FileNotFoundError:
        return True
    except OSError:
        return False


def begin_privately() -> int:
    """From now on new files are for this user only; returns the umask before."""
    return os.umask(UMASK)
