"""A session's own memory beside the library's store: events until the dashboard has stored them, and what was sent under which key.

Everything is written before it is acted on, so that a kill of this process or of the dashboard at any point neither loses an event
nor sends a message twice (DUR-1).
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from whatsapp_dashboard.engines.multidevice.host import secret_store
from whatsapp_dashboard.engines.multidevice.host.secret_store import SecretStore

FILE = "journal.db"
KEEP_SENT_SECONDS = 60 * 86_400
"""How long a key is answered from memory."""
KEEP_ARRIVED = 50_000
"""How many ids of handed-over messages are remembered, to tell lost ones from known ones after a crash."""

_TABLES = """
CREATE TABLE IF NOT EXISTS event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, code INTEGER NOT NULL, offline INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS sent (key TEXT PRIMARY KEY, at REAL NOT NULL, wa_id TEXT, accepted_at REAL, in_doubt INTEGER NOT NULL DEFAULT 0)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS arrived (wa_id TEXT PRIMARY KEY, nth INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS arrived_nth ON arrived (nth);
CREATE TABLE IF NOT EXISTS poll (wa_id TEXT PRIMARY KEY, options TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS name (jid TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as the library gave it; ``offline`` ones had waited on WhatsApp's server."""

    seq: int
    code: int
    offline: bool
    body: bytes


@dataclass(frozen=True, slots=True)
class SentEntry:
    """What is known of a key: without ``wa_id`` it was about to be sent. ``accepted_at`` is in seconds since 1970."""

    wa_id: str | None
    accepted_at: float | None
    in_doubt: bool


class Journal:
    """One SQLite file. Safe to use from any thread; every method is one short transaction."""

    def __init__(self, folder: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(folder / FILE, check_same_thread=False, isolation_level=None)
        (folder / FILE).chmod(0o600)
        self._db.execute("PRAGMA journal_mode = WAL")
        # A kill of the process loses nothing in this mode, a power failure the last moments; whatsmeow's own store says then what was sent.
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_TABLES + secret_store.TABLES)
        self.secrets = SecretStore(self._db, self._lock)
        self._nth: int = self._db.execute("SELECT coalesce(max(nth), 0) FROM arrived").fetchone()[0]
        self._db.execute("DELETE FROM sent WHERE at < ?", (time.time() - KEEP_SENT_SECONDS,))

    def close(self) -> None:
        """Close the file; no method may be called after."""
        with self._lock:
            self._db.close()

    # -- events

    def append(self, code: int, body: bytes, *, offline: bool) -> None:
        """Write down one event."""
        with self._lock:
            self._db.execute("INSERT INTO event (code, offline, body) VALUES (?, ?, ?)", (code, offline, body))

    def after(self, seq: int, limit: int) -> list[Entry]:
        """The oldest entries after ``seq``."""
        with self._lock:
            rows = self._db.execute(
                "SELECT seq, code, offline, body FROM event WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit)
            ).fetchall()
        return [Entry(seq, code, bool(offline), body) for seq, code, offline, body in rows]

    def done(self, seqs: Iterable[int], wa_ids: Iterable[str]) -> None:
        """The dashboard has stored these entries, and with them these messages."""
        with self._lock, self._transaction():
            self._db.executemany("DELETE FROM event WHERE seq = ?", [(seq,) for seq in seqs])
            for wa_id in wa_ids:
                self._nth += 1
                self._db.execute("INSERT OR REPLACE INTO arrived (wa_id, nth) VALUES (?, ?)", (wa_id, self._nth))
            if self._nth % 1_000 < 50:
                self._db.execute("DELETE FROM arrived WHERE nth < ?", (self._nth - KEEP_ARRIVED,))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of it or nothing: on a full disk nothing may stay open, or what is written next would wait for a commit that never comes."""
        self._db.execute("BEGIN")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def has_arrived(self, wa_id: str) -> bool:
        """Whether this message was handed over before."""
        with self._lock:
            return self._db.execute("SELECT 1 FROM arrived WHERE wa_id = ?", (wa_id,)).fetchone() is not None

    # -- sends

    def intend(self, key: str) -> SentEntry | None:
        """Write down that ``key`` is about to be sent; what was known of it before, if anything."""
        with self._lock:
            row = self._db.execute("SELECT wa_id, accepted_at, in_doubt FROM sent WHERE key = ?", (key,)).fetchone()
            if row is None:
                self._db.execute("INSERT INTO sent (key, at) VALUES (?, ?)", (key, time.time()))
                return None
            return SentEntry(row[0], row[1], bool(row[2]))

    def sent(self, key: str, wa_id: str, accepted_at: float, *, in_doubt: bool = False) -> None:
        """``key`` went out as ``wa_id``, or may have."""
        with self._lock:
            self._db.execute(
                "INSERT OR REPLACE INTO sent (key, at, wa_id, accepted_at, in_doubt) VALUES (?, ?, ?, ?, ?)",
                (key, time.time(), wa_id, accepted_at, in_doubt),
            )

    def not_sent(self, key: str) -> None:
        """``key`` was refused before it went out."""
        with self._lock:
            self._db.execute("DELETE FROM sent WHERE key = ? AND wa_id IS NULL", (key,))

    # -- what conversion wants to know again

    def remember_poll(self, wa_id: str, options: Iterable[str]) -> None:
        """Votes name the options of a poll by their hashes only."""
        with self._lock:
            self._db.execute("INSERT OR REPLACE INTO poll (wa_id, options) VALUES (?, ?)", (wa_id, json.dumps(list(options))))

    def poll(self, wa_id: str) -> tuple[str, ...] | None:
        """The options of a poll seen or sent before."""
        with self._lock:
            row = self._db.execute("SELECT options FROM poll WHERE wa_id = ?", (wa_id,)).fetchone()
        return tuple(json.loads(row[0])) if row else None

    def remember_name(self, jid: str, name: str) -> bool:
        """Keep the name of a group or contact; whether it is news."""
        with self._lock:
            row = self._db.execute("SELECT name FROM name WHERE jid = ?", (jid,)).fetchone()
            if row is not None and row[0] == name:
                return False
            self._db.execute("INSERT OR REPLACE INTO name (jid, name) VALUES (?, ?)", (jid, name))
            return True

    def name(self, jid: str) -> str | None:
        """The name kept for ``jid``."""
        with self._lock:
            row = self._db.execute("SELECT name FROM name WHERE jid = ?", (jid,)).fetchone()
        return row[0] if row else None

    def remember(self, name: str, value: str) -> None:
        """Keep one small fact of the session."""
        with self._lock:
            self._db.execute("INSERT OR REPLACE INTO fact (name, value) VALUES (?, ?)", (name, value))

    def recall(self, name: str) -> str | None:
        """A fact kept before."""
        with self._lock:
            row = self._db.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None
