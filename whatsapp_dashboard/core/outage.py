"""When the database cannot be used for a while: restarted, unreachable, locked by somebody else, its disk full (DUR-1).

:meth:`Database.read` and :meth:`Database.write` turn what the drivers raise then into one error, :class:`DatabaseAway`. Requests pass it
on (503, with ``Retry-After``); what must not be lost waits: :func:`outlast`.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from whatsapp_dashboard.errors import DatabaseAway

T = TypeVar("T")

PAUSE_SECONDS = 1.0
"""Between two tries of what waits."""

_SQLITE = frozenset(
    {
        sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
    }
)  # fmt: skip
_SQLSTATE_CLASSES = frozenset({"08", "53", "57", "58", "F0"})
"""Connection, resources (a full disk among them), somebody shut it down, system error, its configuration."""
_SQLSTATES = frozenset({"40001", "40P01", "55P03", "25006"})
"""Two transactions in each other's way, a lock that was not free in time, a server that only reads for now."""


def is_outage(error: BaseException) -> bool:
    """Whether ``error``, or what led to it, says that the database is away and not that a statement is wrong."""
    return outage_in(error) is not None


def outage_in(error: BaseException) -> BaseException | None:
    """What in ``error`` and all that led to it says that the database is away; None when nothing does."""
    if not isinstance(error, SQLAlchemyError | sqlite3.Error | DatabaseAway):
        return None
    waiting: list[BaseException | None] = [error]
    while waiting:
        found = waiting.pop()
        if found is None:
            continue
        if isinstance(found, DatabaseAway | NoConnectionFree):
            return found
        if isinstance(found, sqlite3.Error) and _is_sqlite_outage(found):
            return found  # BEGIN is ours: SQLAlchemy does not wrap what it raises
        if isinstance(found, DBAPIError) and _is_driver_outage(found):
            return found
        waiting += [found.__cause__, found.__context__]
    return None


def _is_sqlite_outage(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _SQLITE


def _is_driver_outage(error: DBAPIError) -> bool:
    original = error.orig
    if isinstance(original, sqlite3.Error):
        return _is_sqlite_outage(original)
    state = getattr(original, "sqlstate", None)
    if state:
        return state[:2] in _SQLSTATE_CLASSES or state in _SQLSTATES
    if isinstance(getattr(original, "__cause__", None), ValueError):
        return False  # a value the driver cannot encode
    return error.connection_invalidated or isinstance(error, InterfaceError | OperationalError)


def reason_of(error: BaseException) -> str:
    """What the driver said, in one short line without statements and addresses of memory."""
    error = outage_in(error) or error
    original = getattr(error, "orig", None) or error
    lines = str(getattr(original, "__cause__", None) or original).strip().splitlines()
    return (lines[0][:200] if lines else "") or type(original).__name__


async def outlast(work: Callable[[], Awaitable[T]], *, unless: asyncio.Event | None = None) -> T:
    """What ``work`` returns, begun again for as long as the database is away. ``work`` must bear to be done twice. Raises
    :class:`DatabaseAway` when it is away and ``unless`` is set: nobody waits any more."""
    given_up = unless or asyncio.Event()
    while True:
        try:
            return await work()
        except DatabaseAway:
            if given_up.is_set():
                raise
        with suppress(TimeoutError):
            async with asyncio.timeout(PAUSE_SECONDS):
                await given_up.wait()
