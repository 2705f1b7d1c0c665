"""Emptying SQLite's write-ahead log: it keeps older versions of pages, deleted text among them, until it is written over."""

from __future__ import annotations

import sqlite3
import time

from sqlalchemy.engine import make_url

_TRIES = 50
_PAUSE_SECONDS = 0.1


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
