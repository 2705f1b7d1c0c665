"""A faster way to SQLite's thread: one trip per statement.

The stock adapter asks the connection's thread four times per SELECT (make a cursor, execute, fetch, close). Each trip costs a turn of
the event loop and a thread switch, many times what SQLite itself needs. Here one function does all four there.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)
from sqlalchemy.util.concurrency import await_


class OneTripCursor(AsyncAdapt_aiosqlite_cursor):
    """Runs a statement and brings all its rows back in one trip."""

    __slots__ = ("_described", "_last_id", "_touched")

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
        def trip(raw: sqlite3.Connection) -> tuple[Any, list[Any], int, int | None]:
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
    """Makes :class:`OneTripCursor`."""

    __slots__ = ()
    _cursor_cls = OneTripCursor


class OneTripDriver(AsyncAdapt_aiosqlite_dbapi):
    """The driver module as SQLAlchemy wants it: ``create_async_engine(url, module=OneTripDriver())``."""

    def __init__(self) -> None:
        super().__init__(aiosqlite, sqlite3)

    def connect(self, *args: Any, **options: Any) -> AsyncAdapt_aiosqlite_connection:
        """Open a connection with a thread of its own, which does not keep the program alive."""
        connection = aiosqlite.connect(*args, **options)
        connection._thread.daemon = True
        return OneTripConnection(self, cast(Any, await_(connection)))
