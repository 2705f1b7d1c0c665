"""Looks at an SQLite file before it is opened for work: is there one, is it one, is it whole (OPS-4)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import make_url

from whatsapp_dashboard.config import ConfigError

QUICK_BYTES = 100 * 2**20
"""A file up to this size is read through at each start, which takes less than a second; of a larger one the beginning and the length."""
_MAGIC = b"SQLite format 3\0"


def sqlite_path(url: str) -> Path | None:
    """The file of an SQLite database, None for another database."""
    return Path(make_url(url).database or "") if url.startswith("sqlite") else None


def check_file(path: Path, *, thorough: bool = False) -> bool:
    """Whether a database with tables is there; False when there is no file, or nothing in it. ``thorough`` reads a large one through too.

    Raises :class:`ConfigError` for a file that is no SQLite database, or a damaged one.
    """
    if not path.exists() or path.stat().st_size == 0:
        return False
    with path.open("rb") as file:
        head = file.read(100)
    if not head.startswith(_MAGIC):
        raise ConfigError(f"{path} is not an SQLite database. Move it away and put the database back, or restore a backup.")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
                return False
            _check_length(connection, path)
            if thorough or path.stat().st_size <= QUICK_BYTES:
                said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
                if said != "ok":
                    raise _damaged(path, said)
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise _damaged(path, str(error)) from None
        raise ConfigError(f"The database {path} cannot be read: {error}.") from None
    return True


def _check_length(connection: sqlite3.Connection, path: Path) -> None:
    """A file that was cut off; pages that are only in the write-ahead log yet may be missing."""
    wal = path.with_name(path.name + "-wal")
    if wal.exists() and wal.stat().st_size:
        return
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    if path.stat().st_size < pages * size:
        raise _damaged(path, f"it has {path.stat().st_size:,} of {pages * size:,} bytes")


def _damaged(path: Path, what: str) -> ConfigError:
    return ConfigError(
        f"The database {path} is damaged ({' '.join(what.split())[:200]}). Keep a copy of it, and restore a backup into an empty folder"
        " (./run restore FILE)."
    )
