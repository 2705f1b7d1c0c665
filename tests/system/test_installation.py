"""Database, data folder and key belong together, or the start ends with a sentence and changes nothing (SEC-7, SEC-8, OPS-4)."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import delete, text, update
from sqlmodel import col

from tests.support.installations import box_of, fill, readable, settings_in
from tests.support.server import Server
from tests.support.waiting import PATIENCE
from whatsapp_dashboard.config import ConfigError, Settings
from whatsapp_dashboard.core.crypto import KEY_FILE, SEALED
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.models import Operator, Setting, Webhook
from whatsapp_dashboard.system.forget_secrets import forget
from whatsapp_dashboard.system.installation import ID_FILE, adopt, check
from whatsapp_dashboard.system.sqlite_file import check_file


def pictures_of(folder: Path) -> dict[str, str]:
    """What lies in a folder: every file's path and a hash of it, but for locks and what SQLite writes while it is only read."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith((".lock", "-wal", "-shm"))
    }


async def write(settings: Settings, *statements: object) -> None:
    """Change the database behind the program's back."""
    db = Database(settings.database)
    async with db.write() as session:
        for statement in statements:
            await session.execute(statement)  # type: ignore[call-overload]
    await db.close()


async def refused(settings: Settings, words: str) -> None:
    """The start is refused with these words, and everything is as it was."""
    before = pictures_of(settings.data_dir)
    with pytest.raises(ConfigError, match=words):
        await check(settings)
    assert pictures_of(settings.data_dir) == before


async def test_a_new_installation_and_a_whole_one_are_let_in(settings: Settings) -> None:
    """SEC-8: nothing to complain about."""
    settings.data_dir.mkdir()
    if settings.database_url is None:
        assert not await check(settings)
        (settings.data_dir / "dashboard.db").touch()  # the first start was killed in its first moment
        assert not await check(settings)
    await fill(settings)
    assert await check(settings)


async def test_a_wrong_and_an_old_key_are_refused(settings: Settings) -> None:
    """SEC-7: with the check value, and without one (installations from before there was one)."""
    await fill(settings)
    right = (settings.data_dir / KEY_FILE).read_bytes()
    (settings.data_dir / KEY_FILE).write_bytes(os.urandom(32))
    await refused(settings, "is not the key of this database")
    await write(settings, delete(Setting).where(col(Setting.key) == "key_check"))
    await refused(settings, "is not the key of this database")
    (settings.data_dir / KEY_FILE).write_bytes(right[:-1])
    await refused(settings, "31 bytes")
    (settings.data_dir / KEY_FILE).write_bytes(right)
    assert await check(settings)


async def test_a_missing_key_file_is_not_made_anew(settings: Settings) -> None:
    """SEC-7: the sentence says where the key belongs, and how to go on without it."""
    await fill(settings)
    (settings.data_dir / KEY_FILE).unlink()
    await refused(settings, "is missing.*backup.*forget-secrets")


async def test_a_configured_key_beside_a_key_file(settings: Settings) -> None:
    """SEC-7: ENCRYPTION_KEY is not the key while the file is: that is what is said."""
    await fill(settings)
    other = settings.model_copy(update={"encryption_key": None})
    wrong = settings_in(settings.data_dir, settings.database_url, encryption_key=base64.b64encode(os.urandom(32)).decode())
    await refused(wrong, "ENCRYPTION_KEY is not the key of this database, but the key file")
    key = (settings.data_dir / KEY_FILE).read_bytes()
    same = settings_in(settings.data_dir, settings.database_url, encryption_key=base64.b64encode(key).decode())
    assert await check(same)
    (settings.data_dir / KEY_FILE).unlink()
    await refused(wrong, "Set it to the one in use before")
    await refused(other, "or set ENCRYPTION_KEY when that was used")


async def test_an_older_installation_gets_its_check_value_at_its_first_good_start(settings: Settings) -> None:
    """SEC-7: but not with a key that does not open what is stored."""
    await fill(settings)
    await write(settings, delete(Setting))
    (settings.data_dir / ID_FILE).unlink()
    right = (settings.data_dir / KEY_FILE).read_bytes()
    db = Database(settings.database)
    (settings.data_dir / KEY_FILE).write_bytes(os.urandom(32))
    with pytest.raises(ConfigError, match="key"):
        await adopt(db, settings, box_of(settings))
    (settings.data_dir / KEY_FILE).write_bytes(right)
    await adopt(db, settings, box_of(settings))
    async with db.read() as session:
        assert {row[0] for row in await session.execute(text("SELECT key FROM setting"))} == {"key_check", "installation"}
    await db.close()
    assert (settings.data_dir / ID_FILE).read_text().strip()


async def test_a_lost_database_is_not_a_new_installation(tmp_path: Path) -> None:
    """OPS-4: a file with 0 bytes, and none at all, beside a key, files and sessions."""
    settings = settings_in(tmp_path / "data")
    await fill(settings)
    database = settings.data_dir / "dashboard.db"
    for path in settings.data_dir.glob("dashboard.db*"):
        path.unlink()
    await refused(settings, "There is no database at .*encryption.key.*media, sessions.*not a new installation.*begin anew on purpose")
    database.touch()
    await refused(settings, r"empty \(0 bytes\)")
    with closing(sqlite3.connect(database)) as empty:
        empty.execute("PRAGMA journal_mode=WAL")
    await refused(settings, "not a new installation")


async def test_an_empty_postgresql_beside_data_is_not_a_new_installation(tmp_path: Path, postgres_url: str) -> None:
    """OPS-3, OPS-4: DATABASE_URL names the wrong database; the password is not shown."""
    settings = settings_in(tmp_path / "data")
    await fill(settings)
    await write(settings_in(tmp_path, postgres_url), text("DROP TABLE alembic_version"))
    try:
        moved = settings_in(settings.data_dir, postgres_url)
        await refused(moved, "is empty, but .*encryption.key.*dashboard.db")
    finally:
        revision = closing(sqlite3.connect(settings.data_dir / "dashboard.db"))
        with revision as db:
            newest = db.execute("SELECT version_num FROM alembic_version").fetchone()[0]
        await write(
            settings_in(tmp_path, postgres_url),
            text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"),
            text(f"INSERT INTO alembic_version VALUES ('{newest}')"),
        )


async def test_a_data_folder_of_another_database_is_refused(settings: Settings, tmp_path: Path) -> None:
    """OPS-4, MSG-9: its files would belong to no message."""
    await fill(settings)
    other = settings_in(tmp_path / "other")
    await fill(other)
    shutil.copy(other.data_dir / ID_FILE, settings.data_dir / ID_FILE)
    await refused(settings, "belong to different dashboards")


async def test_files_of_which_none_is_known_are_refused(settings: Settings) -> None:
    """MSG-9: also where no id tells whose they are."""
    await fill(settings)
    shutil.rmtree(settings.media_dir)
    (settings.data_dir / ID_FILE).unlink()
    (settings.media_dir / "ab").mkdir(parents=True)
    for number in range(30):
        (settings.media_dir / "ab" / f"ab{number:062}").write_bytes(b"x")
    await refused(settings, "None of 30 files")


async def test_a_database_of_a_newer_version_is_left_alone(settings: Settings) -> None:
    """OPS-4: it is named, with its revision."""
    await fill(settings)
    db = Database(settings.database)
    async with db.read() as session:
        revision = (await session.execute(text("SELECT version_num FROM alembic_version"))).scalar_one()
    await db.close()
    await write(settings, text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        await refused(settings, "newer version.*9999")
    finally:
        await write(settings, text(f"UPDATE alembic_version SET version_num = '{revision}'"))


async def test_files_that_are_no_database_of_ours_are_named(tmp_path: Path) -> None:
    """OPS-4: something else, another program's, a cut off one, one with damaged pages."""
    settings = settings_in(tmp_path / "data")
    await fill(settings)
    file = settings.data_dir / "dashboard.db"
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = file.read_bytes()
    file.write_bytes(b"PK\x03\x04" + whole[4:])
    await refused(settings, "is not an SQLite database")
    file.write_bytes(whole[: len(whole) // 2])
    await refused(settings, "damaged.*restore a backup")
    middle = len(whole) // 2
    file.write_bytes(whole[:4096] + os.urandom(middle - 4096) + whole[middle:])
    await refused(settings, "damaged")
    file.unlink()
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE songs (id)")
    await refused(settings, "another program")


def test_a_large_file_is_not_read_through_at_every_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, migrated_sqlite: Path) -> None:
    """OPS-1: of a large one the beginning and the length are looked at."""
    file = tmp_path / "dashboard.db"
    shutil.copy(migrated_sqlite, file)
    with closing(sqlite3.connect(file)) as connection:  # what is spoiled is content, not the schema
        connection.execute("CREATE TABLE filler (content BLOB)")
        connection.execute("INSERT INTO filler VALUES (zeroblob(65536))")
        connection.commit()
    whole = file.read_bytes()
    file.write_bytes(whole[:-8192] + os.urandom(8192))
    monkeypatch.setattr("whatsapp_dashboard.system.sqlite_file.QUICK_BYTES", 1_000)
    assert check_file(file)
    file.write_bytes(whole[:-8192])
    with pytest.raises(ConfigError, match="damaged"):
        check_file(file)


async def test_secrets_of_a_lost_key_are_given_up_by_a_command(settings: Settings) -> None:
    """SEC-7: the rest stays; a webhook without its secret is off, an operator without second factor can log in."""
    await fill(settings)
    (settings.data_dir / KEY_FILE).unlink()
    said = await forget(settings)
    assert "1 in operator.totp_secret" in said
    assert await check(settings)
    assert await readable(settings) == 0
    db = Database(settings.database)
    async with db.read() as session:
        operator, webhook = await session.get(Operator, "o"), await session.get(Webhook, "h")
    await db.close()
    assert operator is not None
    assert webhook is not None
    assert not operator.totp_enabled
    assert not webhook.enabled


async def test_what_can_be_read_is_not_given_up(settings: Settings) -> None:
    """SEC-7: one damaged secret, and no other, goes."""
    await fill(settings)
    await write(settings, update(Operator).values(totp_secret="v1.00000000.AAAA.AAAA"))
    assert "1 in operator.totp_secret" in await forget(settings)
    assert await readable(settings) == len(SEALED) - 1


def test_a_start_with_a_wrong_key_ends_and_changes_nothing(new_server: Callable[..., Server]) -> None:
    """SEC-7, SEC-8: the program itself: exit code 2, a sentence, and the same data; then it starts with the right key again."""
    server = new_server()
    server.start()
    server.terminate()
    key = server.data_dir / KEY_FILE
    right = key.read_bytes()
    key.unlink()
    before = pictures_of(server.data_dir)
    server.start(wait=False)
    assert server.wait_end(PATIENCE) == 2
    assert "is missing" in server.log
    assert "Traceback" not in server.log
    assert pictures_of(server.data_dir) == before
    key.write_bytes(right)
    server.start()
