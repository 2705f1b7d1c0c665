"""One PostgreSQL server for all workers of a test run, with real fsync, on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import asyncpg
import psutil

from tests.support.ports import ReservedPort
from tests.support.processes import alive

START_SECONDS = 60
STOP_SECONDS = 20
_CLEAR = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
SET session_replication_role = replica; -- rows go in any order: foreign keys are not looked at
DO $$ DECLARE found record; BEGIN
    FOR found IN SELECT oid::regclass AS name FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version' LOOP
        EXECUTE format('DELETE FROM %s', found.name);
    END LOOP;
    PERFORM setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) FROM pg_sequences WHERE last_value IS NOT NULL;
END $$;
"""


class PostgresServer:
    """Started by :meth:`start` in one process, used from others by what :meth:`describe` told; every test gets a database of its own
    from :meth:`create`."""

    def __init__(self, binaries: Path, folder: Path, port: int, pid: int) -> None:
        self._binaries = binaries
        self._folder = folder
        self._pid = pid
        self.port = port

    @classmethod
    def start(cls, folder: Path | None = None, port: ReservedPort | None = None) -> Self:
        """Make a cluster (in ``folder``, on ``port``, which stays reserved), start it, and wait until it answers. Raises RuntimeError when
        it does not, or there is no PostgreSQL here."""
        binaries = _find_binaries()
        if binaries is None:
            raise RuntimeError("PostgreSQL's server programs are needed: apt-get install postgresql")
        folder = folder or Path(tempfile.mkdtemp(prefix="wa-postgres-"))
        user = _unprivileged()
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)
        folder.chmod(0o700)
        reserved = port or ReservedPort()
        server = cls(binaries, folder, reserved.number, 0)
        data = str(folder / "data")
        server._run("initdb", "-D", data, "-U", "dashboard", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        server.launch()
        if port is None:
            reserved.free()
        return server

    def launch(self) -> None:
        """Start the server on its cluster, as it was left, and wait until it answers. Raises RuntimeError when it does not."""
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": str(self._folder), "max_connections": "400", "fsync": "on"}
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with (self._folder / "server.log").open("wb") as log:
            process = subprocess.Popen(
                [str(self._binaries / "postgres"), "-D", str(self._folder / "data"), "-p", str(self.port), *arguments],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                start_new_session=True,
                **_as_user(),
            )
        self._pid = process.pid
        ready = [str(self._binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        deadline = time.monotonic() + START_SECONDS
        while subprocess.run(ready, check=False, cwd="/").returncode:
            if process.poll() is not None or time.monotonic() > deadline:
                log_end = (self._folder / "server.log").read_text()[-2_000:]
                self.stop()
                raise RuntimeError("PostgreSQL did not start:\n" + log_end)
            time.sleep(0.05)

    @property
    def running(self) -> bool:
        """Whether its first process lives."""
        return alive(self._pid)

    def processes(self) -> list[psutil.Process]:
        """All its processes, the first one first; each leads a group of its own."""
        try:
            first = psutil.Process(self._pid)
            return [first, *first.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def kill(self) -> None:
        """SIGKILL to all of it: what a power failure does. :meth:`launch` brings it back."""
        doomed = self.processes()
        for process in doomed:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(doomed, STOP_SECONDS)

    def describe(self) -> list[Any]:
        """What another process passes to :meth:`known`."""
        return [str(self._binaries), str(self._folder), self.port, self._pid]

    @classmethod
    def known(cls, description: list[Any]) -> PostgresServer:
        """A server that another process has started."""
        binaries, folder, port, pid = description
        return cls(Path(binaries), Path(folder), port, pid)

    def create(self, template: str = "template1") -> str:
        """Make a database, a copy of ``template``, and return its URL."""
        name = f"t_{secrets.token_hex(6)}"
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "dashboard", "-T", template, name)
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected to it."""
        name = url.rpartition("/")[2]
        self._run("dropdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "dashboard", "--force", "--if-exists", name)

    def clear(self, url: str) -> None:
        """Take everything out of a migrated database that nobody needs any more, which is ten times quicker than making another one."""

        async def work() -> None:
            connection = await asyncpg.connect(url.replace("+asyncpg", ""))
            try:
                await connection.execute(_CLEAR)
            finally:
                await connection.close()

        asyncio.run(work())

    def url(self, name: str) -> str:
        """The SQLAlchemy URL of database ``name``."""
        return f"postgresql+asyncpg://dashboard@127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        """Stop the server and remove its files."""
        try:
            process = psutil.Process(self._pid)
            process.send_signal(signal.SIGINT)  # "fast shutdown"
            process.wait(STOP_SECONDS)
        except psutil.NoSuchProcess:
            pass
        except psutil.TimeoutExpired:
            process.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._binaries / program), *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=self._folder,
            **_as_user(),
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr or done.stdout}")


def _find_binaries() -> Path | None:
    """The folder with the newest installed PostgreSQL server, if there is one."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if folders:
        return folders[-1].parent
    found = shutil.which("postgres")
    return Path(found).resolve().parent if found else None


def _unprivileged() -> pwd.struct_passwd | None:
    """Who runs it, because PostgreSQL refuses to run as root; None where we are not."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL cannot run as root, and there is neither a user postgres nor nobody.")


def _as_user() -> dict[str, Any]:
    user = _unprivileged()
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
