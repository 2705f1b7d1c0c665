"""Keeps others from changing the encryption key while this dashboard runs, on PostgreSQL also from other machines (SEC-7)."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import structlog

from whatsapp_dashboard.core.crypto import SecretBox
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.outage import is_outage
from whatsapp_dashboard.system.data_lock import DataFolderBusy
from whatsapp_dashboard.system.database_lock import DatabaseLock
from whatsapp_dashboard.system.installation import still_ours

log = structlog.get_logger(__name__)


class KeyWatch:
    """Holds the shared lock in the database. When it was lost together with its connection (the server was restarted), the key may have
    been changed meanwhile: then this dashboard must end, since what it sealed from now on could not be read any more."""

    def __init__(self, db: Database, box: SecretBox, end: Callable[[], object] = lambda: os.kill(os.getpid(), signal.SIGTERM)) -> None:
        self._db = db
        self._box = box
        self._stop_program = end
        self._lock = DatabaseLock(db.url, shared=True)

    async def start(self) -> None:
        """Take the lock. Raises DataFolderBusy while the key is being changed."""
        await self._lock.take()

    async def tick(self) -> None:
        """Look whether the lock is still held; take it again when it is not."""
        if await self._lock.held():
            return
        try:
            await self._lock.take()
            ours = await still_ours(self._db, self._box)
        except DataFolderBusy:
            ours = False
        except Exception as error:
            await self._lock.free()  # the next tick tries again
            if is_outage(error) or isinstance(error, OSError):
                return
            raise
        if ours:
            log.info("the connection that guards the encryption key was lost and is there again")
        else:
            self._end()

    async def stop(self) -> None:
        """Give the lock back."""
        await self._lock.free()

    def _end(self) -> None:
        log.critical("the encryption key of the database was changed by another process; this dashboard ends: start it with the new key")
        self._stop_program()
