"""SQLite's write-ahead log: readers and a writer beside each other. It keeps older versions of pages, deleted text among them, until it is
written over."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing

from sqlalchemy.engine import make_url

from whatsapp_dashboard.core.outage import reason_of
from whatsapp_dashboard.errors import DatabaseAway

_TRIES = 50
_PAUSE_SECONDS = 0.1


def use_journal(url: str, seconds: float) -> None:
    """Switch the file to a write-ahead log; it stays so. That needs the file alone, and SQLite does not wait for it by itself: it is tried
    for ``seconds``. Blocks, so call it in a thread. Raises :class:`DatabaseAway` when others keep the file locked, or it cannot be used."""
    until = time.monotonic() + seconds
    while True:
        try:
            with closing(sqlite3.connect(make_url(url).database or "", timeout=seconds)) as connection:
                connection.execute("PRAGMA journal_mode=WAL").fetchone()
        except sqlite3.Error as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise DatabaseAway(reason_of(error)) from error
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def empty_journal(url: str) -> bool:
    """Move what is in the log into the database file and cut the log to nothing. Blocks, so call it in a thread; readers and writers go on,
    and it waits for a moment without any. Returns whether there was one."""
    path = make_url(url).database
    if not path:
        return True
    connection = sqlite3.connect(path, timeout=0.05)
    try:
        for _ in range(_TRIES):
            busy, _log, _moved = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not busy:
                return True
            time.sleep(_PAUSE_SECONDS)
        return False
    finally:
        connection.close()
