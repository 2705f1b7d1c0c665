"""What the world remembers: an SQLite file of its own, apart from the dashboard's database, so that it is an outside witness.

Everything here runs in the world's thread or process. A commit survives a SIGKILL at any point.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from whatsapp_dashboard.engines.sandbox.cast import default_cast
from whatsapp_dashboard.errors import Permanent

DEFAULT_SEED = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS phone (number TEXT PRIMARY KEY, lid TEXT NOT NULL, push_name TEXT NOT NULL, rank INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS device (
    id INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL UNIQUE, phone TEXT NOT NULL, label TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'linked', until REAL, switches TEXT NOT NULL DEFAULT '{}', linked_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS contact (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, phone TEXT, lid TEXT, jid TEXT, lid_first INTEGER NOT NULL DEFAULT 0,
    online INTEGER NOT NULL DEFAULT 1, members TEXT NOT NULL DEFAULT '[]', rank INTEGER NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS contact_phone ON contact(phone);
CREATE UNIQUE INDEX IF NOT EXISTS contact_lid ON contact(lid);
CREATE UNIQUE INDEX IF NOT EXISTS contact_jid ON contact(jid);
CREATE TABLE IF NOT EXISTS message (
    seq INTEGER PRIMARY KEY, wa_id TEXT NOT NULL UNIQUE, phone TEXT NOT NULL, chat TEXT NOT NULL, from_me INTEGER NOT NULL,
    sender TEXT, content TEXT NOT NULL, at REAL NOT NULL, key TEXT, arrived_at REAL, delivered_at REAL, read_at REAL,
    edits TEXT NOT NULL DEFAULT '[]', revoked_at REAL);
CREATE INDEX IF NOT EXISTS message_chat ON message(phone, chat, seq);
CREATE INDEX IF NOT EXISTS message_unticked ON message(seq) WHERE from_me = 1 AND delivered_at IS NULL;
CREATE TABLE IF NOT EXISTS reaction (
    wa_id TEXT NOT NULL, by TEXT NOT NULL, emoji TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (wa_id, by));
CREATE TABLE IF NOT EXISTS vote (
    wa_id TEXT NOT NULL, by TEXT NOT NULL, options TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (wa_id, by));
CREATE TABLE IF NOT EXISTS journal (
    phone TEXT NOT NULL, key TEXT NOT NULL, wa_id TEXT NOT NULL, at REAL NOT NULL, asked INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (phone, key));
CREATE TABLE IF NOT EXISTS queue (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, device INTEGER NOT NULL, event TEXT NOT NULL, wa_id TEXT);
CREATE INDEX IF NOT EXISTS queue_device ON queue(device, seq);
CREATE TABLE IF NOT EXISTS timer (
    phone TEXT NOT NULL, chat TEXT NOT NULL, seconds INTEGER NOT NULL, at REAL NOT NULL, PRIMARY KEY (phone, chat));
CREATE TABLE IF NOT EXISTS media (token TEXT PRIMARY KEY, mimetype TEXT NOT NULL, filename TEXT NOT NULL, data BLOB NOT NULL);
"""

Row = sqlite3.Row


class Store:
    """The world's tables."""

    def __init__(self, path: Path, seed: int | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, timeout=10)
        path.chmod(0o600)
        self._db.row_factory = sqlite3.Row
        # A commit is in the operating system's hands at once and survives a kill; only a power cut could take the last ones back.
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + _SCHEMA)
        kept = self.meta("seed")
        self.seed = int(kept) if kept is not None else DEFAULT_SEED if seed is None else seed
        if kept is None:
            self._populate()
        self._last = int(self.one("SELECT coalesce(max(seq), 0) AS n FROM message")["n"])

    def _populate(self) -> None:
        self.begin()
        self.set_meta("seed", str(self.seed))
        for person in default_cast(self.seed):
            self.add_contact(
                person.id,
                person.kind,
                person.name,
                phone=person.phone,
                lid=person.lid,
                jid=person.jid,
                lid_first=person.lid_first,
                members=person.members,
            )
        self.commit()

    # -- transactions: one per batch of frames, so that a burst costs one commit

    def begin(self) -> None:
        """Open a transaction unless one is open."""
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Make everything since :meth:`begin` durable."""
        if self._db.in_transaction:
            self._db.execute("COMMIT")

    def savepoint(self) -> None:
        """A point to go back to when the work on one frame fails."""
        self._db.execute("SAVEPOINT frame")

    def release(self, *, undo: bool) -> None:
        """End the savepoint, keeping or undoing what came after it."""
        if undo:
            self._db.execute("ROLLBACK TO frame")
            self._last = int(self.one("SELECT coalesce(max(seq), 0) AS n FROM message")["n"])
        self._db.execute("RELEASE frame")

    def close(self) -> None:
        """Close the file."""
        self.commit()
        self._db.close()

    # -- plain access

    def run(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """Execute one statement."""
        return self._db.execute(sql, values)

    def all(self, sql: str, *values: Any) -> list[Row]:
        """All rows of a query."""
        return self._db.execute(sql, values).fetchall()

    def first(self, sql: str, *values: Any) -> Row | None:
        """The first row of a query, if any."""
        row: Row | None = self._db.execute(sql, values).fetchone()
        return row

    def one(self, sql: str, *values: Any) -> Row:
        """The only row of a query that always has one."""
        row: Row = self._db.execute(sql, values).fetchone()
        return row

    def meta(self, key: str) -> str | None:
        """One of the world's own values."""
        row = self.first("SELECT value FROM meta WHERE key = ?", key)
        return row["value"] if row else None

    def set_meta(self, key: str, value: str) -> None:
        """Keep one of the world's own values."""
        self.run("INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)

    # -- what several rooms need

    def timer(self, phone: str, chat: str) -> dict[str, Any] | None:
        """After how many seconds the messages of a chat disappear, and since when; None while they stay."""
        row = self.first("SELECT seconds, at FROM timer WHERE phone = ? AND chat = ? AND seconds > 0", phone, chat)
        return {"seconds": row["seconds"], "at": row["at"]} if row else None

    def add_contact(
        self,
        contact_id: str,
        kind: str,
        name: str,
        *,
        phone: str | None = None,
        lid: str | None = None,
        jid: str | None = None,
        lid_first: bool = False,
        members: Iterable[str] = (),
    ) -> Row:
        """Put somebody into the world."""
        rank = self.one("SELECT count(*) AS n FROM contact")["n"]
        self.run(
            "INSERT INTO contact (id, kind, name, phone, lid, jid, lid_first, members, rank) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            contact_id,
            kind,
            name,
            phone,
            lid,
            jid,
            int(lid_first),
            json.dumps(list(members)),
            rank,
        )
        return self.one("SELECT * FROM contact WHERE id = ?", contact_id)

    def add_message(
        self,
        phone: str,
        chat: str,
        content: dict[str, Any],
        *,
        at: float,
        from_me: bool,
        sender: str | None = None,
        key: str | None = None,
        arrived_at: float | None = None,
    ) -> Row:
        """Write a message down; its id follows from the seed and its place in the world."""
        self._last += 1
        wa_id = self.make_id(self._last)
        self.run(
            "INSERT INTO message (seq, wa_id, phone, chat, from_me, sender, content, at, key, arrived_at) VALUES (?,?,?,?,?,?,?,?,?,?)",
            self._last,
            wa_id,
            phone,
            chat,
            int(from_me),
            sender,
            json.dumps(content, ensure_ascii=False),
            at,
            key,
            arrived_at,
        )
        return self.one("SELECT * FROM message WHERE seq = ?", self._last)

    def make_id(self, number: int) -> str:
        """The WhatsApp id of the ``number``-th message of this world."""
        return "3EB0" + hashlib.sha256(f"{self.seed}:{number}".encode()).hexdigest()[:18].upper()

    def enqueue(self, device: int, event: str, wa_id: str | None) -> None:
        """Queue an event (JSON) for a device until it is acknowledged; ``wa_id`` names the message it brings, if any."""
        self.run("INSERT INTO queue (device, event, wa_id) VALUES (?, ?, ?)", device, event, wa_id)

    def keep_media(self, data: bytes, mimetype: str, filename: str) -> str:
        """Keep a file; returns its token."""
        token = hashlib.sha256(mimetype.encode() + b"\0" + filename.encode("utf-8", "replace") + b"\0" + data).hexdigest()
        self.run("INSERT OR IGNORE INTO media VALUES (?, ?, ?, ?)", token, mimetype, filename, data)
        return token

    def media(self, token: str) -> Row:
        """A kept file. Raises :class:`Permanent` when it is gone."""
        row = self.first("SELECT * FROM media WHERE token = ?", token)
        if row is None:
            raise Permanent("WhatsApp no longer has this file.", code="media_gone")
        return row
