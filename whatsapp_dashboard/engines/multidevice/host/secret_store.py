"""The secrets of messages, which seal later changes of them, and the sealed changes that came before their message (MSG-12)."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)

KEEP_SECRETS = 50_000
"""A phone lets its owner edit for a quarter of an hour; reactions and comments may come much later."""
KEEP_SEALED = 200
_EVERY = 500

TABLES = """
CREATE TABLE IF NOT EXISTS secret (wa_id TEXT NOT NULL, sender TEXT NOT NULL, secret BLOB NOT NULL, nth INTEGER NOT NULL,
    PRIMARY KEY (wa_id, sender)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS secret_nth ON secret (nth);
CREATE TABLE IF NOT EXISTS sealed (nth INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL, body BLOB NOT NULL UNIQUE);
CREATE INDEX IF NOT EXISTS sealed_target ON sealed (target);
"""


@contextmanager
def _spared() -> Iterator[None]:
    """On a full disk messages go on; changes sealed with what was not kept are marked as such."""
    try:
        yield
    except sqlite3.Error:
        log.exception("the secret of a message could not be kept")


class SecretStore:
    """Tables in the journal's file, which lends its connection and its lock. Safe to use from any thread."""

    def __init__(self, db: sqlite3.Connection, lock: threading.Lock) -> None:
        self._db = db
        self._lock = lock
        self._nth: int = db.execute("SELECT coalesce(max(nth), 0) FROM secret").fetchone()[0]
        self._forget_after = self._nth

    def remember(self, secrets: Iterable[tuple[str, str, bytes]]) -> None:
        """Keep these (message id, JID of the writer, secret); the oldest are forgotten. What is known already changes nothing."""
        rows = [(wa_id, sender, secret, self._nth + number) for number, (wa_id, sender, secret) in enumerate(secrets, 1)]
        if not rows:
            return
        with self._lock, _spared():
            self._db.executemany("INSERT OR IGNORE INTO secret (wa_id, sender, secret, nth) VALUES (?, ?, ?, ?)", rows)
            self._nth = rows[-1][3]
            if self._nth - self._forget_after >= _EVERY:
                self._forget_after = self._nth
                self._db.execute("DELETE FROM secret WHERE nth <= ?", (self._nth - KEEP_SECRETS,))

    def of(self, wa_id: str) -> list[tuple[str, bytes]]:
        """Writer and secret of the messages with this id, the newest first."""
        with self._lock:
            return self._db.execute("SELECT sender, secret FROM secret WHERE wa_id = ? ORDER BY nth DESC", (wa_id,)).fetchall()

    def keep_sealed(self, target: str, body: bytes) -> None:
        """Keep an event with a sealed change of a message that is not here yet."""
        with self._lock, _spared():
            self._db.execute("INSERT OR IGNORE INTO sealed (target, body) VALUES (?, ?)", (target, body))
            self._db.execute("DELETE FROM sealed WHERE nth <= (SELECT max(nth) FROM sealed) - ?", (KEEP_SEALED,))

    def sealed_targets(self) -> set[str]:
        """The messages of which sealed changes are kept."""
        with self._lock:
            return {target for (target,) in self._db.execute("SELECT DISTINCT target FROM sealed")}

    def sealed_for(self, wa_id: str) -> list[bytes]:
        """The events with sealed changes of this message that could not be read when they came, oldest first."""
        with self._lock:
            return [body for (body,) in self._db.execute("SELECT body FROM sealed WHERE target = ? ORDER BY nth", (wa_id,))]
