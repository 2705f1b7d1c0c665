"""The database: one place that opens it, reads it and writes it.

SQLite allows one writer, so all writes of this process pass one lock, and writers that wait for it share one commit
(group commit): each runs in its own savepoint, and none returns before the shared commit is on disk. PostgreSQL gets a
transaction of its own per write. To callers both look the same::

    async with db.write() as session:   # committed when the block ends, rolled back when it raises
        session.add(thing)
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import DateTime, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.types import TypeDecorator

from whatsapp_dashboard.core.sqlite_driver import OneTripDriver

log = structlog.get_logger(__name__)

GROUP_LIMIT = 64
"""Writes that may share one commit; more would keep the first of them waiting."""

_BEFORE_COMMIT = "before_commit"
_AFTER_COMMIT = "after_commit"
_ANNOUNCED = "announced"


class UtcDateTime(TypeDecorator[datetime]):
    """A timezone-aware UTC time, on databases that know time zones and on those that do not."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times in the database carry a time zone")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class _Group:
    """Writers that share one SQLite transaction."""

    def __init__(self) -> None:
        self.connection: AsyncConnection | None = None
        self.sessions: list[AsyncSession] = []
        self.committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Nobody may be waiting when the commit fails and its writer was cancelled meanwhile.
        self.committed.add_done_callback(lambda done: done.cancelled() or done.exception())


class Database:
    """Opens, reads and writes the database at ``url`` (an SQLAlchemy async URL)."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.engine: AsyncEngine = _create_engine(url)
        self.on_commit: list[Callable[[], None]] = []
        """Called when a write that was announced (:func:`announce`) is on disk; must be quick."""
        self._lock = asyncio.Lock()
        self._waiting = 0
        self._group: _Group | None = None
        self._background: set[asyncio.Task[None]] = set()

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return "sqlite" if self.is_sqlite else "postgresql"

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()

    async def ping(self) -> None:
        """Ask the database for a sign of life; raises what the driver raises when there is none (OBS-5)."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session for reading; nothing it changes is kept."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A session whose changes are on disk when the block has ended; an exception in the block undoes all of them."""
        if not self.is_sqlite:
            async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
                yield session
                await _run_before_commit(session)
            self._tell([session])
            return
        await self._take_turn()
        try:
            group = await self._open_group()
            assert group.connection is not None
            session = AsyncSession(group.connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
            try:
                async with session, session.begin():
                    yield session
                    await _run_before_commit(session)
                group.sessions.append(session)
            finally:
                if self._waiting == 0 or len(group.sessions) >= GROUP_LIMIT:
                    await self._finish(self._commit_group(group))
        finally:
            self._lock.release()
        await asyncio.shield(group.committed)

    async def _take_turn(self) -> None:
        """Wait for the lock. A writer that is cancelled meanwhile may have been the one the open group counted on to commit."""
        self._waiting += 1
        try:
            await self._lock.acquire()
        except BaseException:
            if self._group is not None:
                task = asyncio.create_task(self._commit_left_over())
                self._background.add(task)
                task.add_done_callback(self._background.discard)
            raise
        finally:
            self._waiting -= 1

    async def _commit_left_over(self) -> None:
        async with self._lock:
            if self._group is not None and self._waiting == 0:
                await self._commit_group(self._group)

    async def _finish(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` to its end, also when the caller is cancelled, and only then pass the cancellation on."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait({task})
            raise

    def _tell(self, sessions: list[AsyncSession]) -> None:
        """The writes of ``sessions`` are on disk. A listener's fault is logged: it cannot undo them."""
        actions = [action for session in sessions for action in session.info.get(_AFTER_COMMIT, {}).values()]
        announced = any(_ANNOUNCED in session.info for session in sessions)
        for action in (*actions, *(self.on_commit if announced else ())):
            try:
                action()
            except Exception:
                log.exception("a listener of committed writes failed")

    async def _open_group(self) -> _Group:
        if self._group is None:
            group = _Group()
            group.connection = await self.engine.connect()
            await group.connection.execution_options(writer=True)
            try:
                await group.connection.begin()
            except BaseException:
                await group.connection.close()
                raise
            self._group = group
        return self._group

    async def _commit_group(self, group: _Group) -> None:
        self._group = None
        assert group.connection is not None
        try:
            await group.connection.commit()
        except BaseException as error:
            await group.connection.invalidate()  # its transaction may still be open
            group.committed.set_exception(error)
        else:
            self._tell(group.sessions)
            group.committed.set_result(None)
        finally:
            await group.connection.close()


def before_commit(session: AsyncSession, name: str, action: Callable[[AsyncSession], Awaitable[None]]) -> None:
    """Run ``action`` last in this write, once per ``name``."""
    session.info.setdefault(_BEFORE_COMMIT, {}).setdefault(name, action)


def after_commit(session: AsyncSession, name: str, action: Callable[[], Any]) -> None:
    """Call ``action`` when this write is on disk, once per ``name``. Never called when the write was undone."""
    session.info.setdefault(_AFTER_COMMIT, {}).setdefault(name, action)


def announce(session: AsyncSession) -> None:
    """This write is of interest to those who listen by :attr:`Database.on_commit`."""
    session.info[_ANNOUNCED] = True


async def _run_before_commit(session: AsyncSession) -> None:
    await session.flush()
    for action in list(session.info.get(_BEFORE_COMMIT, {}).values()):
        await action(session)


def insert_ignore(session: AsyncSession, table: Any) -> Any:
    """``INSERT ... ON CONFLICT DO NOTHING`` into ``table`` in this session's dialect."""
    dialect = session.get_bind().dialect.name
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return make(table).on_conflict_do_nothing()


def is_unique_violation(error: DBAPIError) -> bool:
    """Whether a write failed because a unique value was there already."""
    original = error.orig
    if isinstance(original, sqlite3.IntegrityError):
        return original.sqlite_errorcode in (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
    return getattr(original, "sqlstate", None) == "23505"


def _create_engine(url: str) -> AsyncEngine:
    if not url.startswith("sqlite"):
        return create_async_engine(url, pool_size=10, max_overflow=10, pool_pre_ping=True)
    engine = create_async_engine(url, module=OneTripDriver(), pool_size=16, max_overflow=0, connect_args={"timeout": 30})

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # The driver must not begin transactions by itself: BEGIN below says which kind.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",  # NORMAL may lose commits when the power fails
            "busy_timeout=30000",
            "foreign_keys=ON",
            "cache_size=-16000",
            "temp_store=MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        # A read that turns into a write late fails in spite of busy_timeout, so writers say so at once.
        connection.connection.dbapi_connection.begin(writing=bool(connection.get_execution_options().get("writer")))

    return engine
