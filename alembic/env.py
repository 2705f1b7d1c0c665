"""How Alembic sees the database: the tables of whatsapp_dashboard.models, and a connection.

The dashboard hands its connection over (core/migrations.py). The `alembic` command line opens the database of the settings.
"""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection

from whatsapp_dashboard.config import load_settings
from whatsapp_dashboard.core.migrations import context_options, migration_connection
from whatsapp_dashboard.models import metadata


def run(connection: Connection) -> None:
    """Do what was asked on ``connection``; its transaction belongs to whoever opened it."""
    context.configure(connection=connection, target_metadata=metadata, **context_options())
    with context.begin_transaction():
        context.run_migrations()


async def run_from_command_line() -> None:
    """Open the database of the settings and do what was asked there."""
    async with migration_connection(load_settings().database) as connection:
        await connection.run_sync(run)


if context.is_offline_mode():
    raise SystemExit("Offline migrations are not supported: give the database by DATABASE_URL or DATA_DIR.")
given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    asyncio.run(run_from_command_line())
