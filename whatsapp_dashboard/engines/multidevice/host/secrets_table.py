"""What whatsmeow's store tells after a crash, read from its table of message secrets (DUR-1).

whatsmeow writes (chat, sender, message id, secret) before it sends a message that carries a secret, and when it has decrypted one. Our
messages carry a secret made of their key, so the table says which id a key got; and an incoming message whose id stands there but
was never handed over was lost with the process.

SQLite's locks belong to the process, and the library has an SQLite of its own: this file may only be read here while no client has
it open, else from another process: ``python secrets_table.py STORE SECRET-IN-HEX`` prints ``id`` and ``chat`` of that secret.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

NEWEST = 1_000
"""How far back lost messages are looked for: far more than can be under way at once."""


@dataclass(frozen=True, slots=True)
class Secret:
    """One row: the message ``wa_id`` that ``sender`` wrote in ``chat``, both JIDs."""

    wa_id: str
    chat: str
    sender: str


def _open(store: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=5)


def id_of_secret(store: Path, secret: bytes) -> str | None:
    """The message id that was chosen for ``secret``; None when it never got to being sent."""
    with closing(_open(store)) as db:
        row = db.execute("SELECT message_id FROM whatsmeow_message_secrets WHERE key = ? ORDER BY rowid DESC", (secret,)).fetchone()
    return str(row[0]) if row else None


def newest_row(store: Path) -> int:
    """The number of the newest row."""
    with closing(_open(store)) as db:
        return int(db.execute("SELECT coalesce(max(rowid), 0) FROM whatsmeow_message_secrets").fetchone()[0])


def incoming_since(store: Path, row: int) -> list[Secret]:
    """The messages of other people whose secrets came after ``row``, oldest first."""
    with closing(_open(store)) as db:
        own = {
            str(value).split(":", 1)[0].split("@", 1)[0]
            for jid in db.execute("SELECT jid, lid FROM whatsmeow_device")
            for value in jid
            if value
        }
        rows = db.execute(
            "SELECT message_id, chat_jid, sender_jid FROM whatsmeow_message_secrets WHERE rowid > ? ORDER BY rowid DESC LIMIT ?",
            (row, NEWEST),
        ).fetchall()
    found = [Secret(*found) for found in reversed(rows)]
    return [one for one in found if one.sender.split("@", 1)[0].split(":", 1)[0] not in own]


if __name__ == "__main__":
    print(id_of_secret(Path(sys.argv[1]), bytes.fromhex(sys.argv[2])) or "")  # noqa: T201 - the answer to the process that asked
