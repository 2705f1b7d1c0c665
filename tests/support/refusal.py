"""A database that does not take messages with a certain text: the way to have an event that cannot be stored."""

from __future__ import annotations

from sqlalchemy import text

from whatsapp_dashboard.core.db import Database

REFUSED = "no database takes this"
WHY = "this text is refused"

_SQLITE = (
    f"CREATE TRIGGER refusal BEFORE INSERT ON message WHEN NEW.body LIKE '%{REFUSED}%' BEGIN SELECT RAISE(ABORT, '{WHY}'); END",
)
_POSTGRES = (
    "CREATE FUNCTION refusal() RETURNS trigger AS $$ BEGIN "
    f"IF NEW.body LIKE '%{REFUSED}%' THEN RAISE EXCEPTION '{WHY}' USING ERRCODE = '22000'; END IF; RETURN NEW; END $$ LANGUAGE plpgsql",
    "CREATE TRIGGER refusal BEFORE INSERT ON message FOR EACH ROW EXECUTE FUNCTION refusal()",
)


async def refuse(db: Database) -> None:
    """From now on messages that say :data:`REFUSED` cannot be stored."""
    await _run(db, *(_SQLITE if db.is_sqlite else _POSTGRES))


async def accept(db: Database) -> None:
    """They can be stored again. To be called at the end: PostgreSQL databases are used by the next test."""
    await _run(db, *(("DROP TRIGGER IF EXISTS refusal",) if db.is_sqlite else ("DROP FUNCTION IF EXISTS refusal() CASCADE",)))


async def _run(db: Database, *statements: str) -> None:
    async with db.write() as session:
        for statement in statements:
            await session.execute(text(statement))
