"""A session's folder: who owns it, and what the last owner left behind when it died (DUR-1)."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from whatsapp_dashboard.engines.multidevice.host import secrets_table
from whatsapp_dashboard.engines.multidevice.host.journal import Entry, Journal
from whatsapp_dashboard.engines.multidevice.host.library import EventCode
from whatsapp_dashboard.engines.multidevice.host.protos import neonize_pb
from whatsapp_dashboard.engines.multidevice.host.reading import LOST, lost_entry
from whatsapp_dashboard.engines.multidevice.protocol import LOCK_FILE, STORE_FILE
from whatsapp_dashboard.errors import Conflict

log = logging.getLogger(__name__)

LOCK_SECONDS = 10.0
"""How long a process that still finishes with this session is waited for."""
_ROW = "secrets_row"
_ALL = 1_000_000


class SessionFolder:
    """Held by at most one process at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = path / STORE_FILE
        self._lock: int | None = None

    async def take(self) -> None:
        """Become the owner. Raises :class:`Conflict` when the present one does not let go in time."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if loop.time() > deadline:
                    os.close(descriptor)
                    raise Conflict("The session before this one is still being closed; it is tried again.", code="session_busy") from None
                await asyncio.sleep(0.05)
            else:
                self._lock = descriptor
                return

    def release(self) -> None:
        """Let others become the owner; safe to call twice."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def look_back(self, journal: Journal) -> None:
        """Before the library opens the store: note the messages that died in the hands of the process before. Blocks."""
        if not self.store.exists():
            journal.remember(_ROW, "0")  # what comes from now on is missed when it is gone
            return
        self.store.chmod(0o600)
        row = journal.recall(_ROW)
        try:
            if row:
                self._note_lost(journal, int(row))
            journal.remember(_ROW, str(secrets_table.newest_row(self.store)))
        except Exception:
            log.exception("the store could not be looked through for lost messages")

    def _note_lost(self, journal: Journal, row: int) -> None:
        waiting = {wa_id for entry in journal.after(0, _ALL) for wa_id in _ids(entry)}
        for secret in secrets_table.incoming_since(self.store, row):
            if secret.wa_id not in waiting and not journal.has_arrived(secret.wa_id):
                log.warning("a message was lost in a crash (id %s)", secret.wa_id)
                journal.append(LOST, lost_entry(secret.wa_id, secret.chat, secret.sender), offline=True)


def _ids(entry: Entry) -> Iterator[str]:
    """The messages in an entry that was not handed over yet."""
    if entry.code == EventCode.MESSAGE:
        yield neonize_pb.Message.FromString(entry.body).Info.ID
    elif entry.code == EventCode.HISTORY_SYNC:
        for conversation in neonize_pb.HistorySync.FromString(entry.body).Data.conversations:
            for row in conversation.messages:
                yield row.message.key.ID
