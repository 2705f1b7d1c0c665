"""The database comes up to date by itself (OPS-4)."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect

from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.migrations import alembic_config, context_options, migration_connection, upgrade
from whatsapp_dashboard.models import Workspace, metadata


async def test_models_and_migrations_say_the_same(db: Database) -> None:
    """OPS-4: a change of the tables without a migration is noticed here."""

    def compare(connection: Connection) -> list[object]:
        options = {name: value for name, value in context_options().items() if name.startswith("compare_")}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    async with db.engine.connect() as connection:
        differences = await connection.run_sync(compare)
    assert differences == [], "models changed: run python alembic/regenerate.py (before the first release) or write a revision"


async def test_applying_twice_changes_nothing(empty_database_url: str) -> None:
    """OPS-4: a second start finds nothing to do and keeps what is stored."""
    await upgrade(empty_database_url)
    db = Database(empty_database_url)
    async with db.write() as session:
        session.add(Workspace(name="Kept"))
    await db.close()
    await upgrade(empty_database_url)
    db = Database(empty_database_url)
    async with db.engine.connect() as connection:
        rows = (await connection.exec_driver_sql("SELECT name FROM workspace")).scalars().all()
        versions = (await connection.exec_driver_sql("SELECT version_num FROM alembic_version")).scalars().all()
    await db.close()
    assert rows == ["Kept"]
    assert len(versions) == 1


async def test_two_processes_may_start_at_once(empty_database_url: str) -> None:
    """OPS-4: several processes that start on an empty database all come up, and the tables are made once."""
    program = "import asyncio, sys; from whatsapp_dashboard.core.migrations import upgrade; asyncio.run(upgrade(sys.argv[1]))"
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", program, empty_database_url, stderr=subprocess.PIPE) for _ in range(3)
    ]
    async with asyncio.timeout(60):
        outputs = [await process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], outputs


async def test_a_revision_that_fails_leaves_nothing_behind(empty_database_url: str) -> None:
    """OPS-4: all revisions of one start are one transaction."""

    async def fail_late() -> None:
        async with migration_connection(empty_database_url) as connection:
            await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), "head"))
            raise RuntimeError("power failure")

    with pytest.raises(RuntimeError, match="power failure"):
        await fail_late()
    db = Database(empty_database_url)
    async with db.engine.connect() as connection:
        tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    await db.close()
    assert tables == []


async def test_revisions_can_be_undone(empty_database_url: str) -> None:
    """OPS-4: downgrading removes every table again."""
    async with migration_connection(empty_database_url) as connection:
        await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), "head"))
        await connection.run_sync(lambda sync: command.downgrade(alembic_config(sync), "base"))
        tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    assert tables == ["alembic_version"]
