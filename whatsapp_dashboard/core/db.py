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
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from whatsapp_dashboard.core.cancelling import is_being_cancelled, to_its_end
from whatsapp_dashboard.core.db_engine import create_engine
from whatsapp_dashboard.core.once import claim
from whatsapp_dashboard.core.outage import is_outage, outage_in, reason_of
from whatsapp_dashboard.errors import DatabaseAway

log = structlog.get_logger(__name__)

GROUP_LIMIT = 64
"""Writes that may share one commit; more would keep the first of them waiting."""

TURN_SECONDS = 12.0
"""How long a write waits for those before it; with the wait for the file less than a request may take (API-4)."""

LOOK_SECONDS = 5.0
PROVEN_SECONDS = 1.0
CALM_SECONDS = 2.0
"""So long nothing may have failed before it counts as back: on a full disk some writes find a place and others do not."""
SIGN_OF_LIFE = "sign_of_life"
"""The row of the table of settings that is written to see whether anything can be written."""
_SIGN = text(
    "INSERT INTO setting (key, value, updated_at) VALUES (:key, '{}', :now)"
    " ON CONFLICT (key) DO UPDATE SET updated_at = excluded.updated_at"
)

_BEFORE_COMMIT = "before_commit"
_AFTER_COMMIT = "after_commit"
_ANNOUNCED = "announced"


class Busy(DatabaseAway):
    """It is there, but has too much to do."""


class _Group:
    """Writers that share one SQLite transaction."""

    def __init__(self) -> None:
        self.connection: AsyncConnection | None = None
        self.sessions: list[AsyncSession] = []
        self.failure: BaseException | None = None
        """Why nothing of it may be committed."""
        self.committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Nobody may be waiting when the commit fails and its writer was cancelled meanwhile.
        self.committed.add_done_callback(lambda done: done.cancelled() or done.exception())


class Database:
    """Opens, reads and writes the database at ``url`` (an SQLAlchemy async URL)."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.engine: AsyncEngine = create_engine(url)
        """What reads; on PostgreSQL it also writes."""
        self.writer_engine: AsyncEngine = create_engine(url, writer=True) if self.is_sqlite else self.engine
        self.on_commit: list[Callable[[], None]] = []
        """Called when a write that was announced (:func:`announce`) is on disk; must be quick."""
        self.on_return: list[Callable[[], None]] = []
        """Called when it can be used again: a commit whose answer was lost told nobody."""
        self.away_since: datetime | None = None
        """Since when it cannot be used, None while it can (OBS-5)."""
        self._failed = 0.0
        """When something last said that it is away, by the monotonic clock."""
        self._proof: asyncio.Task[None] | None = None
        self._proven = float("-inf")
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
        await self.writer_engine.dispose()
        await self.engine.dispose()

    async def ping(self) -> None:
        """Ask the database for a sign of life. Raises :class:`DatabaseAway`."""
        async with self.read() as session:
            await session.execute(text("SELECT 1"))

    async def prove_writable(self, seconds: float) -> None:
        """Write something and see it stored within ``seconds`` (OBS-5); a proof is good for :data:`PROVEN_SECONDS`, since anybody may ask.
        Raises :class:`DatabaseAway`."""
        if self.away_since is None and time.monotonic() - self._proven < PROVEN_SECONDS:
            return
        if self._proof is None or self._proof.done():
            self._proof = asyncio.create_task(self._write_a_sign(), name="database-proof")
        # Those who ask at the same time share one proof, and nobody who is impatient cuts it.
        done, _ = await asyncio.wait({self._proof}, timeout=seconds)
        if not done:
            raise DatabaseAway(f"nothing could be stored within {seconds:g} s")
        await self._proof

    async def look_again(self) -> None:
        """See whether it is back, if it was away. For the scheduler, every few seconds."""
        if self.away_since is not None:
            with suppress(DatabaseAway):
                await self.prove_writable(LOOK_SECONDS)

    async def _write_a_sign(self) -> None:
        now = datetime.now(UTC).replace(tzinfo=None if self.is_sqlite else UTC)
        async with self.write() as session:
            await session.execute(_SIGN, {"key": SIGN_OF_LIFE, "now": now})
        self._proven = time.monotonic()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session for reading; nothing it changes is kept. Raises :class:`DatabaseAway`."""
        with self._noting_outages(writing=False):
            async with AsyncSession(self.engine, expire_on_commit=False) as session:
                yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A session whose changes are on disk when the block has ended; an exception in the block undoes all of them. Raises
        :class:`DatabaseAway`."""
        with self._noting_outages(writing=True):
            if self.is_sqlite:
                async with self._write_with_others() as session:
                    yield session
                return
            async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
                await claim(session, after_commit)
                yield session
                await _run_before_commit(session)
            self._tell([session])

    @asynccontextmanager
    async def _write_with_others(self) -> AsyncIterator[AsyncSession]:
        await self._take_turn()
        try:
            group = await self._open_group()
            assert group.connection is not None
            session = AsyncSession(group.connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
            try:
                async with session, session.begin():
                    await claim(session, after_commit)
                    yield session
                    await _run_before_commit(session)
                group.sessions.append(session)
            except BaseException as error:
                if is_outage(error):
                    group.failure = error  # SQLite may have undone the others' writes with this one
                raise
            finally:
                if self._waiting == 0 or len(group.sessions) >= GROUP_LIMIT or group.failure:
                    await to_its_end(self._commit_group(group))
        finally:
            self._lock.release()
        await asyncio.shield(group.committed)

    @contextmanager
    def _noting_outages(self, *, writing: bool) -> Iterator[None]:
        """What says that the database is away becomes :class:`DatabaseAway`, and is logged once until something could be written again."""
        try:
            yield
        except asyncio.CancelledError as error:
            if is_being_cancelled():
                raise
            # Drivers cancel what waits for a connection that breaks. To a caller that would look like its own end.
            away = DatabaseAway("what it waited for was cut off")
            self._went_away(away)
            raise away from error
        except Exception as error:
            # A server that does not answer in time: the driver's own limit, nobody else's error comes out of a block like that.
            if not is_outage(error) and not (isinstance(error, TimeoutError) and not self.is_sqlite):
                raise
            self._went_away(error)
            if isinstance(error, DatabaseAway):
                raise
            raise DatabaseAway(reason_of(error)) from error
        if writing and self.away_since is not None and time.monotonic() - self._failed > CALM_SECONDS:
            log.warning("the database can be used again", away_since=self.away_since)
            self.away_since = None
            _call(self.on_return)

    def _went_away(self, error: Exception) -> None:
        if isinstance(outage_in(error), NoConnectionFree | Busy):
            return  # much to do is no outage
        self._failed = time.monotonic()
        if self.away_since is None:
            self.away_since = datetime.now(UTC)
            log.error("the database cannot be used; what must be stored waits", reason=reason_of(error))

    async def _take_turn(self) -> None:
        """Wait for the lock. A writer that is cancelled meanwhile may have been the one the open group counted on to commit."""
        self._waiting += 1
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await self._lock.acquire()
        except BaseException as error:
            if self._group is not None:
                task = asyncio.create_task(self._commit_left_over())
                self._background.add(task)
                task.add_done_callback(self._background.discard)
            if isinstance(error, TimeoutError):
                raise Busy("others have been writing for too long") from None
            raise
        finally:
            self._waiting -= 1

    async def _commit_left_over(self) -> None:
        async with self._lock:
            if self._group is not None and self._waiting == 0:
                await self._commit_group(self._group)

    def _tell(self, sessions: list[AsyncSession]) -> None:
        """The writes of ``sessions`` are on disk."""
        _call(action for session in sessions for action in session.info.get(_AFTER_COMMIT, {}).values())
        if any(_ANNOUNCED in session.info for session in sessions):
            _call(self.on_commit)

    async def _open_group(self) -> _Group:
        if self._group is None:
            group = _Group()
            group.connection = await self.writer_engine.connect()
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
            if group.failure:
                raise group.failure
            await group.connection.commit()
        except BaseException as error:
            await group.connection.invalidate()  # its transaction may still be open
            group.committed.set_exception(error)
        else:
            self._tell(group.sessions)
            group.committed.set_result(None)
        finally:
            await group.connection.close()


def _call(listeners: Iterable[Callable[[], Any]]) -> None:
    """A listener's fault is logged: it cannot undo what is on disk."""
    for listener in listeners:
        try:
            listener()
        except Exception:
            log.exception("a listener of committed writes failed")


def before_commit(session: AsyncSession, name: str, action: Callable[[AsyncSession], Awaitable[None]], *, early: bool = False) -> None:
    """Run ``action`` last in this write, once per ``name``; with ``early``, before all others."""
    actions: dict[str, Any] = session.info.setdefault(_BEFORE_COMMIT, {})
    if name not in actions:
        session.info[_BEFORE_COMMIT] = {name: action} | actions if early else actions | {name: action}


def after_commit(session: AsyncSession, name: str, action: Callable[[], Any]) -> None:
    """Call ``action`` when this write is on disk, once per ``name``. Never called when the write was undone."""
    session.info.setdefault(_AFTER_COMMIT, {}).setdefault(name, action)


def announce(session: AsyncSession) -> None:
    """This write is of interest to those who listen by :attr:`Database.on_commit`."""
    session.info[_ANNOUNCED] = True


async def _run_before_commit(session: AsyncSession) -> None:
    await session.flush()
    while actions := session.info.get(_BEFORE_COMMIT):
        await actions.pop(next(iter(actions)))(session)


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
