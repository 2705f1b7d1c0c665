"""Opens the database: the drivers, their limits and their settings."""

from __future__ import annotations

from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from whatsapp_dashboard.core.outage import reason_of
from whatsapp_dashboard.core.sqlite_driver import OneTripDriver
from whatsapp_dashboard.errors import DatabaseAway

READERS = 15
"""Connections to the SQLite file that read; one more writes."""
READER_CACHE_KIB = 1_000
"""Pages of the SQLite file that a reader keeps in memory: SQLite drops all of them when somebody else has written."""
WRITER_CACHE_KIB = 8_000
"""Those of the writer stay good, because nobody else writes."""
READER_STATEMENTS, WRITER_STATEMENTS = 64, 128
"""Prepared statements that a connection keeps, about 20 kB each."""
LOCKED_SECONDS = 8
"""How long a write waits for another program that has locked the SQLite file."""
CONNECT_SECONDS = 10
"""How long PostgreSQL may take to let us in."""
QUEUE_SECONDS = 30
"""How long one may wait for a connection to PostgreSQL that others use: a queue is no outage yet."""
STATEMENT_SECONDS = 60
"""How long PostgreSQL may take for one statement: a server that has gone without a word is noticed."""


def create_engine(url: str, *, writer: bool = False) -> AsyncEngine:
    """An engine for the database at ``url`` (an SQLAlchemy async URL). For SQLite ``writer`` asks for one with a single connection, which
    takes its turn to write as soon as it begins; for PostgreSQL it means nothing."""
    if not url.startswith("sqlite"):
        return create_async_engine(
            url,
            pool_size=10,
            max_overflow=10,
            pool_pre_ping=True,
            pool_timeout=QUEUE_SECONDS,
            connect_args={"timeout": CONNECT_SECONDS, "command_timeout": STATEMENT_SECONDS, "async_creator_fn": _connect},
        )
    # The connection used last is used next: each keeps pages and statements of its own in memory, and most then never get to it.
    size = 1 if writer else READERS
    options: dict[str, Any] = {"pool_size": size, "max_overflow": 0, "pool_timeout": LOCKED_SECONDS, "pool_use_lifo": True}
    given = {"timeout": LOCKED_SECONDS, "cached_statements": WRITER_STATEMENTS if writer else READER_STATEMENTS}
    engine = create_async_engine(url, module=OneTripDriver(), connect_args=given, **options)

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # The driver must not begin transactions by itself: BEGIN below says which kind.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "synchronous=FULL",  # NORMAL may lose commits when the power fails
            f"busy_timeout={LOCKED_SECONDS * 1_000}",
            "foreign_keys=ON",
            "secure_delete=ON",  # what is deleted is overwritten in the file
            f"cache_size=-{WRITER_CACHE_KIB if writer else READER_CACHE_KIB}",
            "temp_store=MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        # A read that turns into a write late fails in spite of busy_timeout, so writers say so at once.
        connection.connection.dbapi_connection.begin(writing=writer)

    return engine


async def _connect(*args: Any, **options: Any) -> Any:
    """A connection of the driver's. What the network says to that is about the database; SQLAlchemy would pass it on as it is."""
    try:
        return await asyncpg.connect(*args, **options)
    except OSError as error:
        raise DatabaseAway(reason_of(error)) from error
