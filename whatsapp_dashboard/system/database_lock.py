"""A lock inside a PostgreSQL database: every running dashboard and every backup shares it, and the key is changed only by who has it alone.

Dashboards on other machines, with data folders of their own, are seen by nothing else (SEC-7). On SQLite the lock on the files is enough.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from whatsapp_dashboard.system.data_lock import DataFolderBusy

_KEY = 0x57414B4559  # "WAKEY"
WAIT_SECONDS = 5.0
"""A process that was killed holds its lock until the server has noticed."""
_HOLDERS = """
SELECT coalesce(host(a.client_addr), 'this machine') FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.classid = CAST(:high AS oid) AND l.objid = CAST(:low AS oid)
AND a.datname = current_database() AND a.pid <> pg_backend_pid()
"""


class DatabaseLock:
    """The lock in the database at ``url``, held by a connection of its own; does nothing on SQLite."""

    def __init__(self, url: str, *, shared: bool) -> None:
        self._sqlite = url.startswith("sqlite")
        self._engine = None if self._sqlite else create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._shared = shared
        self._connection: AsyncConnection | None = None

    async def take(self, seconds: float = WAIT_SECONDS) -> None:
        """Take it, trying for ``seconds``. Raises :class:`DataFolderBusy`, and what the driver raises when the server does not answer."""
        if self._engine is None:
            return
        await self.free()
        connection = await self._engine.connect()
        try:
            wanted = text(f"SELECT pg_try_advisory_lock{'_shared' if self._shared else ''}(:key)")
            deadline = time.monotonic() + seconds
            while not await connection.scalar(wanted, {"key": _KEY}):
                if time.monotonic() >= deadline:
                    raise DataFolderBusy(await self._sentence(connection))
                await asyncio.sleep(0.1)
        except BaseException:
            await connection.close()
            raise
        self._connection = connection

    async def held(self) -> bool:
        """Whether it is still ours: it is lost together with the connection."""
        if self._engine is None:
            return True
        if self._connection is None:
            return False
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._connection.execute(text("SELECT 1"))
        except (DBAPIError, OSError, TimeoutError):
            return False
        return True

    async def free(self) -> None:
        """Give it back; safe to call twice."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(DBAPIError, OSError):
                await connection.invalidate()  # the server frees the lock when its connection ends
            with contextlib.suppress(DBAPIError, OSError):
                await connection.close()

    async def _sentence(self, connection: AsyncConnection) -> str:
        rows = await connection.scalars(text(_HOLDERS), {"high": _KEY >> 32, "low": _KEY & 0xFFFFFFFF})
        where = ", ".join(sorted(set(rows))) or "elsewhere"
        if self._shared:
            return f"The encryption key of this database is being changed (from {where}). Wait until that is over, and start again."
        return f"Another dashboard, or a backup, works on this PostgreSQL database (from {where}). Stop it first."


@contextlib.asynccontextmanager
async def database_lock(url: str, *, shared: bool) -> AsyncIterator[None]:
    """The lock for the length of a block. Raises :class:`DataFolderBusy`."""
    lock = DatabaseLock(url, shared=shared)
    await lock.take()
    try:
        yield
    finally:
        await lock.free()
