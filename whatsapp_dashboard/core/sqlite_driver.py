"""A faster way to SQLite's thread: one trip per statement.

The stock adapter asks the connection's thread four times per SELECT (make a cursor, execute, fetch, close), once more to begin and once
more to roll back. Each trip costs a turn of the event loop and a thread switch, many times what SQLite itself needs. Here one function
does all four there, what nobody waits for the answer of (a reader's BEGIN, SAVEPOINT, RELEASE) travels with the next statement, and the
end of a reader's transaction is not waited for.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Literal, cast

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)
from sqlalchemy.util.concurrency import await_

_READ = "BEGIN DEFERRED"


class OneTripCursor(AsyncAdapt_aiosqlite_cursor):
    """Runs a statement and brings all its rows back in one trip."""

    __slots__ = ("_described", "_last_id", "_touched")
    _adapt_connection: OneTripConnection

    def __init__(self, adapt_connection: Any) -> None:
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection
        self._rows = deque()
        self._described: Any = None
        self._touched = -1
        self._last_id: int = 0

    @property
    def description(self) -> Any:
        """The columns of the result, None when there is none."""
        return self._described

    @property
    def rowcount(self) -> int:
        """How many rows the statement changed, -1 for a query."""
        return self._touched

    @property
    def lastrowid(self) -> int:
        """The number of the last row that was inserted."""
        return self._last_id

    def execute(self, operation: Any, parameters: Any = None) -> Any:
        """Run one statement."""
        if self._adapt_connection.put_off(operation):
            self._described, self._touched, self._last_id = None, -1, 0
            self._rows = deque()
            return self
        return self._go(lambda raw: raw.execute(operation, () if parameters is None else parameters))

    def executemany(self, operation: Any, seq_of_parameters: Any) -> Any:
        """Run one statement for each set of parameters."""
        return self._go(lambda raw: raw.executemany(operation, seq_of_parameters))

    def close(self) -> None:
        """Forget the rows; SQLite's own cursor was closed where it ran."""
        self._rows.clear()

    async def _async_soft_close(self) -> None:
        """Nothing is open."""

    def _go(self, run: Callable[[sqlite3.Connection], sqlite3.Cursor]) -> Any:
        before = self._adapt_connection.take_waiting()

        def trip(raw: sqlite3.Connection) -> tuple[Any, list[Any], int, int | None]:
            _run_all(raw, before)
            cursor = run(raw)
            try:
                rows = cursor.fetchall() if cursor.description else []
                return cursor.description, rows, cursor.rowcount, cursor.lastrowid
            finally:
                cursor.close()

        try:
            self._described, rows, self._touched, last = await_(self._connection._execute(lambda: trip(self._connection._conn)))
        except Exception as error:
            self._adapt_connection._handle_exception(error)
        self._last_id = last or 0
        self._rows = deque(rows)
        return self


class OneTripConnection(AsyncAdapt_aiosqlite_connection):
    """Makes :class:`OneTripCursor`, and keeps the statements that travel with its next one."""

    __slots__ = ("_begun", "_waiting")
    _cursor_cls = OneTripCursor

    def __init__(self, dbapi: Any, connection: Any) -> None:
        super().__init__(dbapi, connection)
        self._waiting: list[str] = []
        self._begun: Literal["reading", "writing"] | None = None

    def begin(self, *, writing: bool) -> None:
        """Begin a transaction: one that may write takes its turn at once, another one with its first statement."""
        self._begun = "writing" if writing else "reading"
        if writing:
            self.cursor().execute("BEGIN IMMEDIATE")
        else:
            self._waiting.append(_READ)

    def put_off(self, operation: str) -> bool:
        """Whether this statement needs no trip of its own: it waits for the next one, or is not needed any more."""
        what, _, name = operation.partition("SAVEPOINT ")
        saved = f"SAVEPOINT {name}"
        match what:
            case "":
                self._waiting.append(operation)
            case "RELEASE " if self._waiting[-1:] == [saved]:
                self._waiting.pop()  # nothing happened since
            case "RELEASE ":
                self._waiting.append(operation)
            case "ROLLBACK TO " if saved in self._waiting:
                del self._waiting[self._waiting.index(saved) + 1 :]
            case _:
                return False
        return True

    def take_waiting(self) -> list[str]:
        """What the next trip runs first."""
        taken, self._waiting = self._waiting, []
        return taken

    def commit(self) -> None:
        """Run what waits, and commit."""
        before = self.take_waiting()
        if not self._connection._connection:
            return
        writing = self._begun == "writing"

        def trip(raw: sqlite3.Connection) -> None:
            _run_all(raw, before)
            if writing and not raw.in_transaction:  # after some errors, a full disk for one; Python's commit would do nothing
                undone = sqlite3.OperationalError("SQLite has undone the transaction by itself")
                undone.sqlite_errorcode = sqlite3.SQLITE_IOERR
                raise undone
            raw.commit()

        try:
            await_(self._connection._execute(lambda: trip(self._connection._conn)))
        except Exception as error:
            self._handle_exception(error)
        self._begun = None

    def rollback(self) -> None:
        """Undo everything; what waits is forgotten. A reader's transaction ends in its turn on the thread, before any later statement."""
        begun = self._begun if _READ not in self.take_waiting() else None
        self._begun = None
        if begun == "writing":
            super().rollback()
        elif begun == "reading" and self._connection._connection:
            ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            ended.add_done_callback(lambda done: done.cancelled() or done.exception())  # the next BEGIN says it, if it did not work
            self._connection._tx.put_nowait((ended, self._connection._conn.rollback))


def _run_all(raw: sqlite3.Connection, statements: Sequence[str]) -> None:
    for statement in statements:
        raw.execute(statement).close()


class OneTripDriver(AsyncAdapt_aiosqlite_dbapi):
    """The driver module as SQLAlchemy wants it: ``create_async_engine(url, module=OneTripDriver())``."""

    def __init__(self) -> None:
        super().__init__(aiosqlite, sqlite3)

    def connect(self, *args: Any, **options: Any) -> AsyncAdapt_aiosqlite_connection:
        """Open a connection with a thread of its own, which does not keep the program alive."""
        connection = aiosqlite.connect(*args, **options)
        connection._thread.daemon = True
        return OneTripConnection(self, cast(Any, await_(connection)))
