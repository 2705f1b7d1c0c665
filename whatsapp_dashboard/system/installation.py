"""Database, data folder and key belong together: looked at before a start, which changes nothing when they do not (SEC-7, SEC-8, OPS-4).

The database knows the installation's id and a sealed value that only the right key opens (two rows of ``setting``); the data folder holds
the same id in a file.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, bindparam, inspect, make_url, select, table, text
from sqlalchemy import column as sql_column
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel import col

from whatsapp_dashboard.config import ConfigError, Settings
from whatsapp_dashboard.core.crypto import KEY_CHECK, KEY_FILE, SEALED, CryptoError, SecretBox, find_keys, staged
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.migrations import alembic_config
from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.models import Setting
from whatsapp_dashboard.system.sqlite_file import check_file, sqlite_path
from whatsapp_dashboard.system.wrong_key import explain

ID_FILE = "installation"
_ID_KEY, _CHECK_KEY = "installation", "key_check"
_CHECK = b"the right key"
_SAMPLE = 200
_ENOUGH = 10
"""Files of which not one has a message are no accident."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the database says. ``secret`` is a sealed value and its place: the check value, or the first secret there is."""

    id: str | None
    secret: tuple[str, str] | None


async def check(settings: Settings) -> bool:
    """Whether there is a dashboard in the database; False for a new installation. Changes nothing.

    Raises :class:`ConfigError` when database, data folder and key do not belong together, or the database cannot be used.
    """
    is_sqlite = settings.database.startswith("sqlite")
    path = sqlite_path(settings.database)
    if path is not None and not check_file(path):
        return _is_new(settings, _missing(path))
    engine = create_async_engine(settings.database, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            found = await connection.run_sync(_look, is_sqlite)
            if found is None:
                return _is_new(settings, f"The database {make_url(settings.database).render_as_string(hide_password=True)} is empty")
            _check_id(settings, found.id)
            await connection.run_sync(_check_media, settings, found.id)
    finally:
        await engine.dispose()
    check_key(settings, found.secret)
    return True


def check_key(settings: Settings, secret: tuple[str, str] | None) -> None:
    """Raise :class:`ConfigError` when the key cannot be read, or does not open ``secret``."""
    configured = settings.encryption_key.get_secret_value() if settings.encryption_key else None
    path = settings.data_dir / KEY_FILE
    try:
        keys = find_keys(configured, path)
    except CryptoError as error:
        raise ConfigError(f"ENCRYPTION_KEY: {error}" if configured else str(error)) from None
    if secret is not None and not (keys and opens(SecretBox(*keys), secret)):
        raise ConfigError(explain(settings, secret, keys))


def opens(box: SecretBox, secret: tuple[str, str]) -> bool:
    """Whether the box opens this sealed value at its place."""
    try:
        box.open(*secret)
    except CryptoError:
        return False
    return True


async def adopt(db: Database, settings: Settings, box: SecretBox) -> None:
    """Give a database without them an id and a check value, and the data folder the id. Raises :class:`ConfigError` when the key is not
    that of the database: it was changed since :func:`check`."""
    async with db.write() as session:
        found = await session.run_sync(lambda sync: _stored(sync.connection()))
        if found.secret is not None and not opens(box, found.secret):
            raise ConfigError("The encryption key of this database was changed a moment ago. Start again with the new one.")
        installation = found.id or _written_id(settings) or new_id()
        if found.id is None:
            session.add(Setting(key=_ID_KEY, value={"id": installation}))
        if found.secret is None or found.secret[1] != KEY_CHECK:
            await write_check(session, box)
    _check_id(settings, installation)
    file = settings.data_dir / ID_FILE
    if not file.exists():
        file.write_text(installation + "\n", encoding="ascii")


async def still_ours(db: Database, box: SecretBox) -> bool:
    """Whether the key of ``box`` is that of the database, while the program runs."""
    async with db.read() as session:
        found = await session.run_sync(lambda sync: _stored(sync.connection()))
    return found.secret is None or opens(box, found.secret)


async def write_check(session: AsyncSession, box: SecretBox) -> None:
    """Store the check value, sealed with the box's first key."""
    await session.merge(Setting(key=_CHECK_KEY, value={"sealed": box.seal(_CHECK, KEY_CHECK)}))


def sealed_columns(connection: Connection) -> list[Any]:
    """Those of :data:`SEALED` that this database has, be it of an older version, each with its query for ``(row, sealed)``."""
    there = inspect(connection)
    tables = set(there.get_table_names())
    found = []
    for spot in SEALED:
        if spot.table in tables and spot.column in {one["name"] for one in there.get_columns(spot.table)}:
            columns = table(spot.table, sql_column(spot.key), sql_column(spot.column))
            sealed = columns.c[spot.column]
            found.append((spot, columns, select(columns.c[spot.key], sealed).where(sealed.is_not(None), sealed != "")))
    return found


async def stored_revision(url: str) -> str | None:
    """The revision of the database; None for one without tables of ours."""
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_revision)
    finally:
        await engine.dispose()


def check_revision(revision: str | None, what: str) -> None:
    """Raise :class:`ConfigError` when ``what`` was made by a newer version of the program."""
    if revision is not None and revision not in known_revisions():
        raise ConfigError(
            f"{what} was made by a newer version of the dashboard (revision {revision}). Use that version, or a newer one; or restore a"
            " backup that was made before the update."
        )


def newest_revision() -> str | None:
    """The revision this program brings a database to."""
    return ScriptDirectory.from_config(alembic_config(None)).get_current_head()


def known_revisions() -> set[str]:
    """The revisions of the database that this program knows."""
    return {script.revision for script in ScriptDirectory.from_config(alembic_config(None)).walk_revisions()}


def _look(connection: Connection, is_sqlite: bool) -> Found | None:
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" not in tables:
        if tables and is_sqlite:
            raise ConfigError("The database file was made by another program. Set DATA_DIR (or DATABASE_URL) to the dashboard's own.")
        return None
    check_revision(_revision(connection), "The database")
    return _stored(connection) if "setting" in tables else None


def _revision(connection: Connection) -> str | None:
    if "alembic_version" not in inspect(connection).get_table_names():
        return None
    return connection.scalar(text("SELECT version_num FROM alembic_version"))


def _stored(connection: Connection) -> Found:
    rows = connection.execute(select(col(Setting.key), col(Setting.value)).where(col(Setting.key).in_((_ID_KEY, _CHECK_KEY))))
    values: dict[str, dict[str, Any]] = {row[0]: row[1] for row in rows}
    sealed = values.get(_CHECK_KEY, {}).get("sealed")
    return Found(values.get(_ID_KEY, {}).get("id"), (sealed, KEY_CHECK) if sealed else _any_secret(connection))


def _any_secret(connection: Connection) -> tuple[str, str] | None:
    for spot, _, query in sealed_columns(connection):
        row = connection.execute(query.limit(1)).first()
        if row is not None:
            return row[1], spot.place(row[0])
    return None


def _written_id(settings: Settings) -> str:
    file = settings.data_dir / ID_FILE
    return file.read_text(encoding="ascii", errors="replace").strip() if file.exists() else ""


def _check_id(settings: Settings, installation: str | None) -> None:
    written = _written_id(settings)
    if written and installation and written != installation:
        raise ConfigError(
            f"The data folder {settings.data_dir.resolve()} and the database belong to different dashboards (file {ID_FILE}: {written},"
            f" database: {installation}). Set DATA_DIR and DATABASE_URL to two that belong together."
        )


def _check_media(connection: Connection, settings: Settings, installation: str | None) -> None:
    """Where one side has no id yet: look whether the files are those of the messages."""
    if installation and _written_id(settings):
        return
    names = [file.name for file in itertools.islice(settings.media_dir.glob("??/????????????????*"), _SAMPLE)]
    known = text("SELECT count(*) FROM media WHERE sha256 IN :names").bindparams(bindparam("names", expanding=True))
    if len(names) >= _ENOUGH and not connection.scalar(known, {"names": names}):
        raise ConfigError(
            f"None of {len(names)} files in {settings.media_dir.resolve()} belongs to a message of this database. Set DATA_DIR and"
            " DATABASE_URL to two that belong together; or move that folder away if its messages were deleted on purpose."
        )


def _missing(path: Path) -> str:
    return f"The database {path} is empty (0 bytes)" if path.exists() else f"There is no database at {path}"


def leftovers(settings: Settings) -> list[str]:
    """What of an installation lies in the data folder besides the database in use."""
    data = settings.data_dir
    database = [] if settings.database.startswith("sqlite") else [data / "dashboard.db"]
    candidates = (data / KEY_FILE, staged(data / KEY_FILE), data / ID_FILE, *database)
    files = [path for path in candidates if path.exists() and path.stat().st_size]
    folders = [path for path in (data / "media", data / "sessions") if any(item.is_file() for item in path.rglob("*"))]
    return [path.name for path in (*files, *folders)]


def _is_new(settings: Settings, what: str) -> bool:
    """False, for :func:`check`: no dashboard is there. Raises :class:`ConfigError` when there was one."""
    found = leftovers(settings)
    if found:
        names = ", ".join(found)
        raise ConfigError(
            f"{what}, but {settings.data_dir.resolve()} holds {names}: this is not a new installation. Check DATA_DIR and DATABASE_URL,"
            " put the database back, or restore a backup into an empty folder (./run restore FILE)."
            f" To begin anew on purpose, move {names} away first."
        )
    check_key(settings, None)
    return False
