"""Backup and restore on real files and both databases (OPS-4, SEC-7)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import os
import resource
import sqlite3
import stat
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from sqlalchemy import make_url, text

from tests.support import processes
from tests.support.installations import PICTURE, PICTURE_NAME, fill, readable, settings_in
from tests.support.postgres import PostgresServer
from tests.support.processes import ROOT
from tests.support.waiting import PATIENCE
from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.core.crypto import KEY_FILE, SEALED
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.system.backup import BackupError, backup
from whatsapp_dashboard.system.data_lock import DataFolderBusy, DataLock
from whatsapp_dashboard.system.database_lock import database_lock
from whatsapp_dashboard.system.installation import check
from whatsapp_dashboard.system.restore import restore

Change = Callable[[dict[str, bytes]], None]


@pytest.fixture
def empty(tmp_path: Path, settings: Settings, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Where to restore to: an empty folder, and with PostgreSQL an empty database."""
    if settings.database_url is None:
        yield settings_in(tmp_path / "new")
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.create()
    yield settings_in(tmp_path / "new", url)
    server.drop(url)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Where the backup goes."""
    return tmp_path / "all.tar.gz"


async def saved(settings: Settings, archive: Path) -> None:
    """An installation and its backup."""
    await fill(settings)
    await in_thread(backup, settings, archive)


async def in_thread(work: Callable[..., object], *arguments: object) -> object:
    """Commands run a loop of their own."""
    return await asyncio.to_thread(work, *arguments)


def changed(archive: Path, change: Change) -> None:
    """Rewrite the archive with other contents."""
    with tarfile.open(archive) as old:
        contents = {member.name: old.extractfile(member).read() for member in old if member.isreg()}  # type: ignore[union-attr]
    change(contents)
    with tarfile.open(archive, "w:gz") as new:
        for name, data in contents.items():
            about = tarfile.TarInfo(name)
            about.size = len(data)
            new.addfile(about, io.BytesIO(data))


async def test_everything_comes_back(settings: Settings, empty: Settings, archive: Path) -> None:
    """OPS-4: accounts, every secret readable, media, sessions, sandbox worlds; and the start has nothing to complain about."""
    await fill(settings)
    (settings.data_dir / "worlds").mkdir()
    for world in ("sandbox.db", "worlds/w2.db"):
        with closing(sqlite3.connect(settings.data_dir / world)) as db:
            db.execute("CREATE TABLE phone (number TEXT)")
    await in_thread(backup, settings, archive)
    await in_thread(restore, empty, archive)
    assert await check(empty)
    assert await readable(empty) == len(SEALED)
    assert (empty.media_dir / PICTURE_NAME[:2] / PICTURE_NAME).read_bytes() == PICTURE
    assert (empty.data_dir / "sessions" / "a0" / "session.sealed").read_bytes() == b"sealed"
    for world in ("sandbox.db", "worlds/w2.db"):
        with closing(sqlite3.connect(empty.data_dir / world)) as db:
            assert db.execute("SELECT * FROM phone").fetchall() == []
    for path in empty.data_dir.rglob("*"):
        assert not path.stat().st_mode & 0o077, path


async def test_a_backup_can_be_read_by_its_owner_only(settings: Settings, archive: Path) -> None:
    """SEC-7: the file holds the key, so nobody else may read it."""
    await saved(settings, archive)
    assert stat.S_IMODE(os.stat(archive).st_mode) == 0o600
    assert not [path for path in archive.parent.iterdir() if "scratch" in path.name or path.suffix == ".part"]


async def test_a_session_that_runs_is_saved_as_it_is_at_this_moment(tmp_path: Path, archive: Path) -> None:
    """OPS-4, ACC-4: its database is open and not all of it is in the file yet."""
    old, new = settings_in(tmp_path / "old"), settings_in(tmp_path / "new")
    await fill(old)
    folder = old.data_dir / "sessions" / "a0"
    (folder / "session.lock").touch()
    with closing(sqlite3.connect(folder / "session.db", isolation_level=None, check_same_thread=False)) as running:
        running.execute("PRAGMA journal_mode = WAL")
        running.execute("CREATE TABLE device (jid TEXT)")
        running.execute("INSERT INTO device VALUES ('34600')")
        await in_thread(backup, old, archive)
    await in_thread(restore, new, archive)
    restored = new.data_dir / "sessions" / "a0"
    assert {path.name for path in restored.iterdir()} == {"session.db", "session.sealed"}
    with closing(sqlite3.connect(restored / "session.db")) as db:
        assert db.execute("SELECT jid FROM device").fetchall() == [("34600",)]


async def test_files_that_come_go_and_grow_meanwhile_do_not_end_a_backup(tmp_path: Path, archive: Path) -> None:
    """OPS-4: the dashboard goes on: media are swept, sessions stop and start, a file is written to."""
    old, new = settings_in(tmp_path / "old"), settings_in(tmp_path / "new")
    await fill(old)
    folder, session = old.media_dir / "ab", old.data_dir / "sessions" / "a0"
    folder.mkdir(exist_ok=True)
    for number in range(400):
        (folder / f"ab{number:062}").write_bytes(os.urandom(20_000))
    over = threading.Event()

    def bustle() -> None:
        for number in range(399, 100, -1):
            if over.is_set():
                return
            (folder / f"ab{number:062}").unlink()
            with (folder / f"ab{0:062}").open("ab") as growing:
                growing.write(b"more" * 1_000)
            (session / "session.sealed").rename(session / "session.db")
            (session / "session.db").rename(session / "session.sealed")
            time.sleep(0.002)

    thread = threading.Thread(target=bustle)
    thread.start()
    try:
        await in_thread(backup, old, archive)
    finally:
        over.set()
        thread.join()
    await in_thread(restore, new, archive)
    assert await readable(new) == len(SEALED)
    assert len(list((new.media_dir / "ab").iterdir())) >= 100


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))


async def test_no_room_on_the_disk_is_said_and_leaves_nothing(settings: Settings, archive: Path) -> None:
    """OPS-4: no half backup that looks like a whole one."""
    await fill(settings)
    (settings.media_dir / "ab").mkdir(exist_ok=True)
    (settings.media_dir / "ab" / ("ab" + "0" * 62)).write_bytes(os.urandom(1_000_000))
    before = set(archive.parent.iterdir())
    url = make_url(settings.database_url or "sqlite://").render_as_string(hide_password=False)
    env = {"PATH": os.environ["PATH"], "DATA_DIR": str(settings.data_dir), "DATABASE_URL": url if settings.database_url else ""}
    command = [sys.executable, "-m", "whatsapp_dashboard", "backup", str(archive)]
    done = await in_thread(
        lambda: subprocess.run(command, cwd=ROOT, env=env, preexec_fn=_limit, capture_output=True, text=True, timeout=PATIENCE, check=False)
    )
    assert isinstance(done, subprocess.CompletedProcess)
    assert done.returncode == 1
    assert "could not be written, and nothing of it is left" in done.stderr or "failed" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert set(archive.parent.iterdir()) == before


async def test_a_backup_that_was_killed_does_not_stand_in_the_way(settings: Settings, archive: Path) -> None:
    """OPS-4: what it left is taken over; one that still runs is not."""
    await fill(settings)
    scratch, part = archive.with_name(f".{archive.name}.scratch"), archive.with_name(archive.name + ".part")
    scratch.mkdir()
    (scratch / "dashboard.db").write_bytes(b"half")
    part.write_bytes(b"half" * 100_000)
    await in_thread(backup, settings, archive)
    assert not scratch.exists()
    assert not part.exists()
    with tarfile.open(archive) as made:
        assert KEY_FILE in made.getnames()
    with pytest.raises(BackupError, match="exists already"):
        await in_thread(backup, settings, archive)


async def test_the_password_of_postgresql_is_on_no_command_line(tmp_path: Path, postgres_url: str, archive: Path) -> None:
    """SEC-7, OBS-6: every user of the machine can read the arguments of every process; so it goes by the environment."""
    await fill(settings_in(tmp_path / "data", postgres_url))
    url = make_url(postgres_url).set(drivername="postgresql", password="gehe:im", query={"sslmode": "prefer"})
    settings = settings_in(tmp_path / "data", url.render_as_string(hide_password=False).replace("?sslmode=prefer", ""))
    db = Database(postgres_url)
    seen: list[tuple[list[str], dict[str, str]]] = []
    async with db.engine.begin() as connection:
        await connection.execute(text("LOCK TABLE media IN ACCESS EXCLUSIVE MODE"))  # pg_dump waits here
        env = {"PATH": os.environ["PATH"], "DATA_DIR": str(settings.data_dir), "DATABASE_URL": str(settings.database_url)}
        log = tmp_path / "backup.log"
        process = processes.start("whatsapp_dashboard", "backup", str(archive), log=log, env=env)
        deadline = time.monotonic() + PATIENCE
        while not seen and process.poll() is None and time.monotonic() < deadline:
            for child in psutil.Process(process.pid).children(recursive=True):
                if child.name() == "pg_dump":
                    seen.append((child.cmdline(), child.environ()))
            time.sleep(0.02)
    assert process.wait(PATIENCE) == 0, log.read_text()
    await db.close()
    (arguments, variables), *_ = seen
    assert not [part for part in arguments if "gehe" in part]
    assert variables["PGPASSWORD"] == "gehe:im"


async def test_a_restore_never_overwrites_data(settings: Settings, empty: Settings, archive: Path) -> None:
    """OPS-4: a folder with anything in it is refused, and left as it was; so is a database with a dashboard in it."""
    await saved(settings, archive)
    with pytest.raises(BackupError, match="already holds"):
        await in_thread(restore, settings, archive)
    assert await readable(settings)
    empty.data_dir.mkdir()
    (empty.data_dir / "dashboard.db-wal").touch()
    with pytest.raises(BackupError, match=r"already holds dashboard\.db-wal"):
        await in_thread(restore, empty, archive)
    if settings.database_url:
        other = settings.model_copy(update={"data_dir": settings.data_dir.parent / "third"})
        with pytest.raises(BackupError, match="already holds a dashboard"):
            await in_thread(restore, other, archive)
        assert not [path.name for path in other.data_dir.iterdir() if not path.name.endswith(".lock")]


async def test_a_restore_waits_for_the_dashboard(settings: Settings, empty: Settings, archive: Path) -> None:
    """OPS-4: on the folder, and with PostgreSQL anywhere on the database."""
    await saved(settings, archive)
    empty.data_dir.mkdir()
    lock = DataLock(empty.data_dir)
    lock.take()
    with pytest.raises(DataFolderBusy):
        await in_thread(restore, empty, archive)
    lock.free()
    if empty.database_url:
        async with database_lock(empty.database, shared=True):
            with pytest.raises(DataFolderBusy, match="PostgreSQL"):
                await in_thread(restore, empty, archive)
    await in_thread(restore, empty, archive)


def drop_database(contents: dict[str, bytes]) -> None:
    for name in ("dashboard.db", "postgresql.dump"):
        contents.pop(name, None)


def empty_database(contents: dict[str, bytes]) -> None:
    for name in ("dashboard.db", "postgresql.dump"):
        if name in contents:
            contents[name] = b""


def spoil_database(contents: dict[str, bytes]) -> None:
    for name in ("dashboard.db", "postgresql.dump"):
        if name in contents:
            contents[name] = contents[name][: len(contents[name]) // 2]


def climb_out(contents: dict[str, bytes]) -> None:
    contents["media/../../outside"] = b"x"


def start_at_the_root(contents: dict[str, bytes]) -> None:
    contents["/outside"] = b"x"


def hold_something_else(contents: dict[str, bytes]) -> None:
    contents["dashboard.db-journal"] = b"x"


def be_newer(contents: dict[str, bytes]) -> None:
    contents["backup.json"] = json.dumps({**json.loads(contents["backup.json"]), "format": 99}).encode()


def have_newer_tables(contents: dict[str, bytes]) -> None:
    contents["backup.json"] = json.dumps({**json.loads(contents["backup.json"]), "revision": "9999"}).encode()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (drop_database, "holds no database"),
        (empty_database, "holds no database"),
        (spoil_database, "damaged|failed"),
        (climb_out, "is not a backup of a dashboard"),
        (start_at_the_root, "is not a backup of a dashboard"),
        (hold_something_else, "is not a backup of a dashboard"),
        (be_newer, "newer version"),
        (have_newer_tables, "newer version"),
    ],
)
async def test_what_is_no_whole_backup_is_refused_and_changes_nothing(
    settings: Settings, empty: Settings, archive: Path, change: Change, words: str
) -> None:
    """OPS-4: each with a sentence; a right backup can be restored afterwards into the same folder."""
    await saved(settings, archive)
    whole = archive.read_bytes()
    changed(archive, change)
    with pytest.raises(BackupError, match=words):
        await in_thread(restore, empty, archive)
    assert {path.name for path in empty.data_dir.iterdir()} <= {"dashboard.lock", "backup.lock"}
    assert not list(archive.parent.glob("**/outside"))
    archive.write_bytes(whole)
    await in_thread(restore, empty, archive)
    assert await readable(empty) == len(SEALED)


@pytest.mark.parametrize("how", ["link", "hard link", "cut off", "checksum", "no archive"])
async def test_links_and_damaged_archives_are_refused(tmp_path: Path, archive: Path, how: str) -> None:
    """OPS-4: a link could lead anywhere; an archive that was cut off, or changed on its way, is named."""
    await saved(settings_in(tmp_path / "data"), archive)
    whole = archive.read_bytes()
    if how in ("link", "hard link"):
        with tarfile.open(archive, "w:gz") as made:
            about = tarfile.TarInfo("media/ab")
            about.type, about.linkname = (tarfile.SYMTYPE, "/etc") if how == "link" else (tarfile.LNKTYPE, "/etc/passwd")
            made.addfile(about)
    else:
        archive.write_bytes({"cut off": whole[:-200], "checksum": whole[:-8] + b"\0" * 8, "no archive": b"hello"}[how])
    new = settings_in(tmp_path / "new")
    with pytest.raises(BackupError, match="not a"):
        await in_thread(restore, new, archive)
    assert {path.name for path in new.data_dir.iterdir()} <= {"dashboard.lock", "backup.lock"}


async def test_a_backup_needs_the_key_that_was_configured(tmp_path: Path, archive: Path) -> None:
    """SEC-7: there is no key file in it: the restore says so, and refuses a wrong ENCRYPTION_KEY."""
    key = hashlib.sha256(b"key").digest()
    right, wrong = (base64.b64encode(one).decode() for one in (key, b"x" * 32))
    await saved(settings_in(tmp_path / "data", encryption_key=right), archive)
    with pytest.raises(BackupError, match="ENCRYPTION_KEY"):
        await in_thread(restore, settings_in(tmp_path / "new", encryption_key=wrong), archive)
    assert "ENCRYPTION_KEY" in str(await in_thread(restore, settings_in(tmp_path / "new"), archive))
    assert await readable(settings_in(tmp_path / "new", encryption_key=right)) == len(SEALED)


async def test_a_backup_from_before_it_told_about_itself_is_restored(tmp_path: Path, archive: Path) -> None:
    """OPS-4: folders as entries of their own, and a file that was just being written."""
    await saved(settings_in(tmp_path / "data"), archive)

    def older(contents: dict[str, bytes]) -> None:
        del contents["backup.json"], contents["installation"]
        contents["media/ab/.new-x1y2"] = b"half"

    changed(archive, older)
    await in_thread(restore, settings_in(tmp_path / "new"), archive)
    assert await readable(settings_in(tmp_path / "new")) == len(SEALED)
