"""Sessions are encrypted at rest when they are stopped (SEC-7, ACC-4)."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from whatsapp_dashboard.engines.multidevice.protocol import LOCK_FILE, STORE_FILE
from whatsapp_dashboard.engines.multidevice.vault import SEALED_FILE, MissingStore, Vault

SECRET = "the private key of this device"


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """A session that has run: its store is there, plain, with what is not yet checkpointed."""
    vault = Vault(tmp_path / "session", Vault.new_key())
    vault.begin()
    return vault


def write_store(vault: Vault) -> sqlite3.Connection:
    """A store as the library leaves it: in WAL mode, and still open."""
    db = sqlite3.connect(vault.folder / STORE_FILE)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE device (secret TEXT)")
    db.execute("INSERT INTO device VALUES (?)", (SECRET,))
    db.commit()
    return db


def read_store(vault: Vault) -> str:
    """What the store says."""
    with closing(sqlite3.connect(vault.folder / STORE_FILE)) as db:
        return str(db.execute("SELECT secret FROM device").fetchone()[0])


def files(vault: Vault) -> set[str]:
    """The names of the session's files."""
    return {path.name for path in vault.folder.iterdir()} - {LOCK_FILE}


def test_a_stopped_session_can_not_be_read_and_comes_back_whole(vault: Vault) -> None:
    """SEC-7, ACC-4."""
    db = write_store(vault)
    assert vault.seal()
    db.close()
    assert files(vault) == {SEALED_FILE}
    assert SECRET.encode() not in (vault.folder / SEALED_FILE).read_bytes()
    assert (vault.folder / SEALED_FILE).stat().st_mode & 0o077 == 0
    vault.unseal()
    assert read_store(vault) == SECRET
    assert files(vault) == {STORE_FILE}
    assert (vault.folder / STORE_FILE).stat().st_mode & 0o077 == 0


def test_after_a_crash_the_plain_file_is_the_newer_one(vault: Vault) -> None:
    """DUR-4: killed between any two steps."""
    write_store(vault).close()
    shutil.copy(vault.folder / STORE_FILE, vault.folder / "kept")
    vault.seal()
    (vault.folder / "kept").rename(vault.folder / STORE_FILE)  # the old sealed file was not yet removed
    with closing(sqlite3.connect(vault.folder / STORE_FILE)) as db, db:
        db.execute("UPDATE device SET secret = 'newer'")
    vault.unseal()
    assert read_store(vault) == "newer"
    assert files(vault) == {STORE_FILE}


def test_a_half_written_file_does_no_harm(vault: Vault) -> None:
    """DUR-4."""
    write_store(vault).close()
    vault.seal()
    (vault.folder / (STORE_FILE + ".part")).write_bytes(b"half of")
    vault.unseal()
    assert read_store(vault) == SECRET


def test_a_session_without_its_files_must_be_linked_again(vault: Vault) -> None:
    """ACC-4: said, not guessed."""
    with pytest.raises(MissingStore, match="gone"):
        vault.unseal()
    write_store(vault).close()
    vault.seal()
    with pytest.raises(MissingStore, match="damaged or belongs to another key"):
        Vault(vault.folder, Vault.new_key()).unseal()
    sealed = vault.folder / SEALED_FILE
    sealed.write_bytes(sealed.read_bytes()[:-20])
    with pytest.raises(MissingStore, match="damaged"):
        vault.unseal()


def test_a_session_that_somebody_runs_is_left_alone(vault: Vault) -> None:
    """A process that still finishes owns its files."""
    write_store(vault).close()
    descriptor = os.open(vault.folder / LOCK_FILE, os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert not vault.seal()
    assert files(vault) == {STORE_FILE}
    os.close(descriptor)
    assert vault.seal()


def test_a_host_learns_nothing_that_opens_the_store(vault: Vault) -> None:
    """SEC-7."""
    assert vault.message_secret not in (vault._key, b"")
    assert len(vault.message_secret) == 32
