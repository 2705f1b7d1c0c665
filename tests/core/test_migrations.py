"""The database comes up to date by itself (OPS-4)."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, DateTime, MetaData, String, Table, insert, inspect, text

from tests.support.waiting import PATIENCE
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.migrations import alembic_config, context_options, migration_connection, upgrade
from whatsapp_dashboard.core.sqlite_journal import use_journal
from whatsapp_dashboard.errors import DatabaseAway
from whatsapp_dashboard.models import Workspace, metadata


async def test_models_and_migrations_say_the_same(db: Database) -> None:
    """OPS-4: a change of the tables without a migration is noticed here."""

    def compare(connection: Connection) -> list[object]:
        options = {name: value for name, value in context_options().items() if name.startswith(("compare_", "include_"))}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    async with db.engine.connect() as connection:
        differences = await connection.run_sync(compare)
    assert differences == [], "models changed: write a revision (docs/operations.md)"


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
    async with asyncio.timeout(PATIENCE):
        outputs = [await process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], outputs


async def test_the_first_ones_to_open_a_new_file_do_not_lock_each_other_out(tmp_path: Path) -> None:
    """OPS-4: SQLite is told to write ahead before anybody else is there; it does not wait for that, and two at once made one fail."""
    path = tmp_path / "new.db"
    await upgrade(f"sqlite+aiosqlite:///{path}")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_who_switches_to_writing_ahead_waits_for_who_uses_the_file(tmp_path: Path) -> None:
    """OPS-4: as a program that looks at a restored file does."""
    path = tmp_path / "used.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.executescript("CREATE TABLE t (a); BEGIN; SELECT * FROM t")
        switching = asyncio.create_task(asyncio.to_thread(use_journal, f"sqlite+aiosqlite:///{path}", PATIENCE))
        with pytest.raises(DatabaseAway, match="locked"):
            await asyncio.to_thread(use_journal, f"sqlite+aiosqlite:///{path}", 0.2)
        assert not switching.done()
        other.execute("COMMIT")
        await switching
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


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


async def test_messages_stored_before_the_second_revision_are_in_no_doubt(empty_database_url: str) -> None:
    """OPS-4, MSG-4: the columns come with a default and go again, and the rows and indexes stay what they were."""

    def shape(connection: Connection) -> list[str]:
        return sorted(str(index["name"]) for index in inspect(connection).get_indexes("message"))

    async with migration_connection(empty_database_url) as connection:
        await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), "0001"))
        before = await connection.run_sync(shape)
        await connection.run_sync(_store_old_message)
        await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), "0002"))
        row = (await connection.execute(text("SELECT body, unconfirmed, resends FROM message"))).one()
        assert (row.body, bool(row.unconfirmed), row.resends) == ("old", False, 0)
        await connection.run_sync(lambda sync: command.downgrade(alembic_config(sync), "0001"))
        assert (await connection.execute(text("SELECT body FROM message"))).scalars().all() == ["old"]
        assert await connection.run_sync(shape) == before
        columns = await connection.run_sync(lambda sync: [column["name"] for column in inspect(sync).get_columns("message")])
    assert not {"unconfirmed", "resends"} & set(columns)


def _store_old_message(connection: Connection) -> None:
    """A message with all it hangs on, in the tables as they are now; every value that must be there is a plain one."""
    for name in ("workspace", "account", "contact", "conversation", "message"):
        _store_plain(connection, name, **({"body": "old"} if name == "message" else {}))


def _plain(kind: Any) -> Any:
    if isinstance(kind, String):
        return "1"
    if isinstance(kind, DateTime):
        return datetime(2026, 1, 1, tzinfo=UTC)
    return {} if "JSON" in type(kind).__name__.upper() else kind.python_type(0)


async def test_who_waits_is_worked_out_for_what_was_stored_before(empty_database_url: str) -> None:
    """OPS-4, MSG-14: who had the last word in an open conversation waits; who was answered, is being decided about, or was put away not."""
    says = {
        "waits": [("1", "incoming", "received"), ("2", "outgoing", "failed")],
        "answered": [("1", "incoming", "received"), ("2", "outgoing", "sent")],
        "decided": [("1", "incoming", "received")], "closed": [("1", "incoming", "received")], "group": [("1", "incoming", "received")],
    }  # fmt: skip

    def store(connection: Connection) -> None:
        for name in ("workspace", "account"):
            _store_plain(connection, name)
        for name, messages in says.items():
            person = {"id": f"c-{name}", "kind": "group" if name == "group" else "person", "phone": name}
            _store_plain(connection, "contact", **person)
            status = "closed" if name == "closed" else "active"
            _store_plain(connection, "conversation", id=name, contact_id=person["id"], status=status, answered_by="bot")
            for number, direction, state in messages:
                origin = "operator" if direction == "outgoing" else None
                where = {"conversation_id": name, "contact_id": person["id"], "wa_id": number + name}
                how = {"direction": direction, "status": state, "origin": origin}
                _store_plain(connection, "message", id=f"{number}-{name}", **where, **how)
        _store_plain(connection, "reply", message_id="1-decided", conversation_id="decided", state="pending")

    async with migration_connection(empty_database_url) as connection:
        await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), "0012"))
        await connection.run_sync(store)
        await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), "head"))
        rows = (await connection.execute(text("SELECT id, unanswered_since, waiting_since FROM conversation"))).all()
    assert {row.id for row in rows if row.waiting_since} == {"waits"}
    assert {row.id for row in rows if row.unanswered_since} == {"waits", "decided", "group"}


def _store_plain(connection: Connection, name: str, **values: Any) -> None:
    """A row of which every value that must be there, and is not given, is a plain one."""
    table = Table(name, MetaData(), autoload_with=connection)
    plain = {column.name: _plain(column.type) for column in table.columns if not column.nullable}
    connection.execute(insert(table).values(plain | values))
