"""Brings the database to the newest revision at start (OPS-4). Safe to run twice, and by several processes at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import JSON, event, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel import AutoString

from whatsapp_dashboard.core.sqlite_journal import use_journal
from whatsapp_dashboard.core.utc_datetime import UtcDateTime

INI = Path(__file__).resolve().parents[2] / "alembic.ini"
WAIT_SECONDS = 60
"""How long one process waits for another that is migrating."""
_LOCK = 0x57414D4947  # "WAMIG"


async def upgrade(url: str) -> None:
    """Apply every missing revision to the database at ``url``, all in one transaction: after a crash none or all are there."""
    async with migration_connection(url) as connection:
        await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), "head"))


@asynccontextmanager
async def migration_connection(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection inside a transaction that no other process migrates beside; committed when the block ends well.

    On SQLite foreign keys are off: a changed table is rebuilt, and dropping the old one would delete the rows that point to it.
    """
    is_sqlite = url.startswith("sqlite")
    if is_sqlite:
        await asyncio.to_thread(use_journal, url, WAIT_SECONDS)
    engine = create_async_engine(url, poolclass=NullPool, connect_args={"timeout": WAIT_SECONDS})
    if is_sqlite:

        @event.listens_for(engine.sync_engine, "connect")
        def _prepare(connection: Any, _record: Any) -> None:
            connection.isolation_level = None
            connection.execute("PRAGMA foreign_keys=OFF").close()

        @event.listens_for(engine.sync_engine, "begin")
        def _begin(connection: Any) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    try:
        async with engine.begin() as connection:
            if not is_sqlite:
                await connection.execute(text(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'"))
                await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            yield connection
    finally:
        await engine.dispose()


def alembic_config(connection: Any) -> Config:
    """Alembic's configuration, bound to an open ``connection``."""
    config = Config(str(INI))
    config.attributes["connection"] = connection
    return config


def context_options() -> dict[str, Any]:
    """How revisions are compared and written: in plain SQLAlchemy types, so that old revisions never depend on our code."""
    return {
        "render_as_batch": True,
        "render_item": _render,
        "compare_type": True,
        "compare_server_default": True,
        "include_object": _is_modelled,
    }


def _is_modelled(item: Any, name: str | None, kind: str, _reflected: bool, _compare_to: Any) -> bool:
    """Full-text indexes are of a kind each database has for itself; only their revision knows them, no model does."""
    if kind == "table":
        return not str(name).startswith(("knowledge_index", "knowledge_words"))
    return (kind, name) not in (("index", "ix_knowledge_passage_words"), ("column", "words"))


def _render(kind: str, item: Any, _context: Any) -> str | bool:
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, JSON):
        return "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')"
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    return False
