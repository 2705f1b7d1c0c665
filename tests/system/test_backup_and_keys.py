"""Backup, restore and key rotation on real files (OPS-4, SEC-7)."""

from __future__ import annotations

import os
import sqlite3
import stat
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.core.crypto import KEY_FILE, CryptoError, SecretBox, load_keys, stage_key
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.migrations import upgrade
from whatsapp_dashboard.models import Account, SessionCredential, Workspace
from whatsapp_dashboard.system.backup import BackupError, backup, restore
from whatsapp_dashboard.system.data_lock import DataFolderBusy, DataLock
from whatsapp_dashboard.system.rekey import rotate

SECRET = b"the linked device"


def settings_in(folder: Path) -> Settings:
    return Settings(_env_file=None, data_dir=folder)  # type: ignore[call-arg]


def place(account_id: str) -> str:
    return f"session_credential/sealed/{account_id}"


async def fill(settings: Settings) -> str:
    """A data folder with one account, its sealed session and a media file."""
    settings.data_dir.mkdir(parents=True)
    box = SecretBox(*load_keys(None, settings.data_dir / KEY_FILE))
    await upgrade(settings.database)
    db = Database(settings.database)
    async with db.write() as session:
        workspace = Workspace(name="Default")
        session.add(workspace)
        await session.flush()
        account = Account(workspace_id=workspace.id, name="Shop", engine="sandbox", linked=True)
        session.add(account)
        await session.flush()
        session.add(SessionCredential(account_id=account.id, sealed=box.seal(SECRET, place(account.id))))
    await db.close()
    (settings.media_dir / "ab").mkdir(parents=True)
    (settings.media_dir / "ab" / "abcd").write_bytes(b"picture")
    return account.id


async def opened(settings: Settings, account_id: str) -> bytes:
    """The stored session as the program would read it at its next start."""
    box = SecretBox(*load_keys(None, settings.data_dir / KEY_FILE))
    db = Database(settings.database)
    async with db.read() as session:
        row = await session.get(SessionCredential, account_id)
    await db.close()
    assert row is not None
    return box.open(row.sealed, place(account_id))


async def test_a_backup_restores_everything_into_an_empty_folder(tmp_path: Path) -> None:
    """OPS-4: what was stored is there again, secrets readable, media in place."""
    old, new = settings_in(tmp_path / "old"), settings_in(tmp_path / "new")
    account_id = await fill(old)
    backup(old, tmp_path / "all.tar.gz")
    restore(new, tmp_path / "all.tar.gz")
    assert await opened(new, account_id) == SECRET
    assert (new.media_dir / "ab" / "abcd").read_bytes() == b"picture"


async def test_a_session_that_runs_is_saved_as_it_is_at_this_moment(tmp_path: Path) -> None:
    """OPS-4, ACC-4: its database is open and not all of it is in the file yet."""
    old, new = settings_in(tmp_path / "old"), settings_in(tmp_path / "new")
    account_id = await fill(old)
    folder = old.data_dir / "sessions" / account_id
    folder.mkdir(parents=True)
    (folder / "session.lock").touch()
    (folder / "session.sealed").write_bytes(b"sealed")
    with closing(sqlite3.connect(folder / "session.db", isolation_level=None)) as running:
        running.execute("PRAGMA journal_mode = WAL")
        running.execute("CREATE TABLE device (jid TEXT)")
        running.execute("INSERT INTO device VALUES ('34600')")
        backup(old, tmp_path / "all.tar.gz")
    restore(new, tmp_path / "all.tar.gz")
    restored = new.data_dir / "sessions" / account_id
    assert {path.name for path in restored.iterdir()} == {"session.db", "session.sealed"}
    with closing(sqlite3.connect(restored / "session.db")) as db:
        assert db.execute("SELECT jid FROM device").fetchall() == [("34600",)]


async def test_a_backup_can_be_read_by_its_owner_only(tmp_path: Path) -> None:
    """SEC-7: the file holds the key, so nobody else may read it."""
    settings = settings_in(tmp_path / "data")
    await fill(settings)
    backup(settings, tmp_path / "all.tar.gz")
    assert stat.S_IMODE(os.stat(tmp_path / "all.tar.gz").st_mode) == 0o600


async def test_a_restore_never_overwrites_data(tmp_path: Path) -> None:
    """OPS-4: a folder that holds data is refused, and left as it was."""
    settings = settings_in(tmp_path / "data")
    account_id = await fill(settings)
    backup(settings, tmp_path / "all.tar.gz")
    with pytest.raises(BackupError, match="already holds"):
        restore(settings, tmp_path / "all.tar.gz")
    assert await opened(settings, account_id) == SECRET


async def test_a_cut_off_backup_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    """OPS-4: a damaged file is named, and nothing half-done remains."""
    settings = settings_in(tmp_path / "data")
    await fill(settings)
    whole = tmp_path / "all.tar.gz"
    backup(settings, whole)
    whole.write_bytes(whole.read_bytes()[:-200])
    new = settings_in(tmp_path / "new")
    with pytest.raises(BackupError, match="not a whole backup"):
        restore(new, whole)
    assert [path.name for path in new.data_dir.iterdir()] == ["dashboard.lock"]


async def test_a_restore_stays_inside_its_folder(tmp_path: Path) -> None:
    """A made-up archive with a path that climbs out writes nothing outside."""
    evil = tmp_path / "evil.tar.gz"
    (tmp_path / "x").write_text("x")
    with tarfile.open(evil, "w:gz") as archive:
        archive.add(tmp_path / "x", arcname="../../outside")
    with pytest.raises(BackupError):
        restore(settings_in(tmp_path / "a" / "b"), evil)
    assert not list(tmp_path.glob("**/outside"))


async def test_rotation_seals_every_secret_with_a_new_key(tmp_path: Path) -> None:
    """SEC-7: afterwards the new key opens it and the old one does not."""
    settings = settings_in(tmp_path / "data")
    account_id = await fill(settings)
    before = load_keys(None, settings.data_dir / KEY_FILE)
    assert await rotate(settings, None) == 1
    after = load_keys(None, settings.data_dir / KEY_FILE)
    assert len(after) == 1
    assert after != before
    assert await opened(settings, account_id) == SECRET


async def test_an_interrupted_rotation_leaves_everything_readable_and_can_be_finished(tmp_path: Path) -> None:
    """SEC-7, DUR-4: killed after the new key was written, before or after the secrets were sealed with it."""
    settings = settings_in(tmp_path / "data")
    account_id = await fill(settings)
    fresh = os.urandom(32)
    stage_key(settings.data_dir / KEY_FILE, fresh)
    assert await opened(settings, account_id) == SECRET
    await rotate(settings, None)
    assert load_keys(None, settings.data_dir / KEY_FILE) == [fresh]
    assert await opened(settings, account_id) == SECRET


async def test_rotation_waits_for_the_dashboard_to_stop(tmp_path: Path) -> None:
    """A running dashboard would go on sealing with the old key."""
    settings = settings_in(tmp_path / "data")
    await fill(settings)
    lock = DataLock(settings.data_dir)
    lock.take()
    with pytest.raises(DataFolderBusy, match=str(os.getpid())):
        await rotate(settings, None)
    lock.free()


def test_a_secret_moved_to_another_row_does_not_open() -> None:
    """SEC-7: a sealed value is bound to its place."""
    box = SecretBox(os.urandom(32))
    sealed = box.seal(b"x", "operator/totp_secret/ana")
    with pytest.raises(CryptoError, match="moved"):
        box.open(sealed, "operator/totp_secret/ben")
