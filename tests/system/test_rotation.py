"""The encryption key is changed: everything or nothing, and never beside a dashboard (SEC-7)."""

from __future__ import annotations

import asyncio
import base64
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from tests.support import processes
from tests.support.installations import all_columns, box_of, fill, readable, sealed_values, settings_in
from tests.support.server import Server
from tests.support.waiting import PATIENCE
from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.core.crypto import KEY_FILE, SEALED, CryptoError, SecretBox, key_id, key_id_of, load_keys, stage_key, staged
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.models.base import metadata
from whatsapp_dashboard.system.data_lock import DataFolderBusy, DataLock, while_backing_up
from whatsapp_dashboard.system.database_lock import database_lock
from whatsapp_dashboard.system.key_watch import KeyWatch
from whatsapp_dashboard.system.preflight import prepare_installation
from whatsapp_dashboard.system.rekey import finish_rotation, rotate

_CUT = text("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid()"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")  # fmt: skip
"""Cuts the connection that holds the lock."""


async def test_rotation_seals_every_secret_anew(settings: Settings) -> None:
    """SEC-7: wherever in the database something sealed lies, afterwards it is sealed with the new key; so is the check value."""
    await fill(settings)
    before = await sealed_values(settings)
    assert set(before) == all_columns() | {"setting/value"}, "a column holds secrets that no rotation knows: add it to SEALED"
    count = await rotate(settings, None)
    keys = load_keys(None, settings.data_dir / KEY_FILE)
    assert [key_id(key) for key in keys] != [key_id_of(before["operator/totp_secret"][0])]
    assert len(keys) == 1
    assert count == await readable(settings) == len(SEALED)
    for place, values in (await sealed_values(settings)).items():
        assert all(key_id(keys[0]) in value for value in values), place


def test_what_a_rotation_does_not_know_cannot_be_sealed() -> None:
    """SEC-7: a new column with secrets is added to SEALED, or nothing can be written into it."""
    with pytest.raises(CryptoError, match="add it there"):
        SecretBox(os.urandom(32)).seal(b"x", "operator/something_new/o")
    for spot in SEALED:
        assert {spot.column, spot.key} <= set(metadata.tables[spot.table].columns.keys())


def test_a_secret_moved_to_another_row_does_not_open() -> None:
    """SEC-7: a sealed value is bound to its place."""
    box = SecretBox(os.urandom(32))
    sealed = box.seal(b"x", "operator/totp_secret/ana")
    with pytest.raises(CryptoError, match="moved"):
        box.open(sealed, "operator/totp_secret/ben")


async def test_an_interrupted_rotation_is_finished_by_the_next_one_and_by_the_next_start(settings: Settings) -> None:
    """SEC-7, DUR-4: killed after the new key was written, before or after the secrets were sealed with it."""
    await fill(settings)
    path = settings.data_dir / KEY_FILE
    for finish in (lambda: rotate(settings, None), lambda: finish_rotation(settings)):
        fresh = os.urandom(32)
        stage_key(path, fresh)
        assert await readable(settings)
        await finish()
        assert load_keys(None, path) == [fresh]
        assert await readable(settings) == len(SEALED)


async def test_a_new_key_of_ones_own_comes_after_the_interrupted_one(settings: Settings) -> None:
    """SEC-7: what was asked for is what is done."""
    await fill(settings)
    stage_key(settings.data_dir / KEY_FILE, os.urandom(32))
    wanted = os.urandom(32)
    await rotate(settings, wanted)
    assert load_keys(None, settings.data_dir / KEY_FILE) == [wanted]
    assert await readable(settings)


async def test_a_configured_key_is_changed_to_the_given_one(tmp_path: Path, database_url: str) -> None:
    """SEC-7: with ENCRYPTION_KEY there is no key file; doing it twice says that it is done already."""
    old, new = os.urandom(32), os.urandom(32)
    settings = settings_in(tmp_path / "data", database_url, encryption_key=base64.b64encode(old).decode())
    await fill(settings)
    with pytest.raises(CryptoError, match="give the new key"):
        await rotate(settings, None)
    await rotate(settings, new)
    after = settings_in(tmp_path / "data", database_url, encryption_key=base64.b64encode(new).decode())
    assert await readable(after) == len(SEALED)
    assert not (settings.data_dir / KEY_FILE).exists()
    with pytest.raises(CryptoError, match="with the new key already"):
        await rotate(settings, new)


async def test_rotation_waits_for_the_dashboard_and_for_backups(settings: Settings) -> None:
    """SEC-7: a running dashboard would go on sealing with the old key; on both databases."""
    await fill(settings)
    key = (settings.data_dir / KEY_FILE).read_bytes()
    lock = DataLock(settings.data_dir)
    lock.take()
    with pytest.raises(DataFolderBusy, match=str(os.getpid())):
        await rotate(settings, None)
    lock.free()
    with while_backing_up(settings), pytest.raises(DataFolderBusy, match="backup"):
        await rotate(settings, None)
    assert (settings.data_dir / KEY_FILE).read_bytes() == key


async def test_a_dashboard_elsewhere_on_the_same_database_keeps_the_key_from_being_changed(tmp_path: Path, postgres_url: str) -> None:
    """SEC-7, OPS-3: it has another data folder, perhaps on another machine."""
    settings = settings_in(tmp_path / "data", postgres_url)
    await fill(settings)
    db = Database(postgres_url)
    watch = KeyWatch(db, box_of(settings))
    await watch.start()
    async with database_lock(postgres_url, shared=True):
        with pytest.raises(DataFolderBusy, match="PostgreSQL"):
            await rotate(settings, None)
    with pytest.raises(DataFolderBusy, match=r"127\.0\.0\.1"):
        await rotate(settings, None)
    await watch.stop()
    await rotate(settings, None)
    await db.close()
    assert not staged(settings.data_dir / KEY_FILE).exists()


async def test_no_dashboard_starts_while_the_key_is_changed(tmp_path: Path, postgres_url: str) -> None:
    """SEC-7: it would start with the old one."""
    db = Database(postgres_url)
    async with database_lock(postgres_url, shared=False):
        with pytest.raises(DataFolderBusy, match="being changed"):
            await KeyWatch(db, SecretBox(os.urandom(32))).start()
    await db.close()


async def test_a_lock_whose_connection_broke_is_taken_again(tmp_path: Path, postgres_url: str) -> None:
    """SEC-7: the server was started anew; only a key that was changed meanwhile ends the dashboard."""
    settings = settings_in(tmp_path / "data", postgres_url)
    await fill(settings)
    db, ended = Database(postgres_url), list[bool]()
    watch = KeyWatch(db, box_of(settings), end=lambda: ended.append(True))
    await watch.start()

    async def cut() -> None:
        async with db.write() as session:
            await session.execute(_CUT)

    await cut()
    await watch.tick()
    with pytest.raises(DataFolderBusy):
        await rotate(settings, None)
    assert not ended
    await cut()
    await rotate(settings, None)
    await watch.tick()
    assert ended
    await watch.stop()
    await db.close()


def test_a_running_dashboard_refuses_a_rotation(new_server: Callable[..., Server], postgres_url: str, tmp_path: Path) -> None:
    """SEC-7: the command beside a dashboard on PostgreSQL, with its data folder and with another one; each ends with a sentence."""
    server = new_server(DATABASE_URL=postgres_url)
    server.start()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / KEY_FILE).write_bytes((server.data_dir / KEY_FILE).read_bytes())
    for folder, words in ((server.data_dir, "Another dashboard"), (elsewhere, "works on this PostgreSQL database")):
        log = tmp_path / f"{folder.name}-command.log"
        env = {"PATH": os.environ["PATH"], "DATA_DIR": str(folder), "DATABASE_URL": postgres_url}
        command = processes.start("whatsapp_dashboard", "rotate-key", log=log, env=env)
        assert command.wait(PATIENCE) == 1
        assert words in log.read_text()
        assert "Traceback" not in log.read_text()
    assert not staged(server.data_dir / KEY_FILE).exists()


@pytest.mark.alone
async def test_killed_at_any_moment_a_rotation_leaves_everything_readable(settings: Settings, tmp_path: Path) -> None:
    """SEC-7, DUR-4: every secret, also by the program that starts after it, and nothing of the old key is left then."""
    await fill(settings, accounts=150)
    expected = await readable(settings)
    env = {"PATH": os.environ["PATH"], "DATA_DIR": str(settings.data_dir), "DATABASE_URL": _plain(settings)}
    log = tmp_path / "rotate.log"
    began = time.monotonic()
    assert processes.start("whatsapp_dashboard", "rotate-key", log=log, env=env).wait(PATIENCE) == 0, log.read_text()
    whole = time.monotonic() - began
    for part in (0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95):
        process = processes.start("whatsapp_dashboard", "rotate-key", log=log, env=env)
        await asyncio.sleep(whole * part * random.uniform(0.9, 1.1))
        processes.kill_group(process)
        assert await readable(settings) == expected
        if part > 0.8:
            await asyncio.to_thread(prepare_installation, settings, print)
            assert not staged(settings.data_dir / KEY_FILE).exists()
            assert await readable(settings) == expected


def _plain(settings: Settings) -> str:
    url = make_url(settings.database)
    return "" if url.drivername.startswith("sqlite") else url.render_as_string(hide_password=False)
