"""A PostgreSQL server of its own for one test run, with real fsync, on a free port of the loopback interface."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

START_SECONDS = 30


class PostgresServer:
    """Started by :meth:`start`; every test gets a database of its own from :meth:`create`."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._folder = Path(tempfile.mkdtemp(prefix="wa-postgres-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._user = _unprivileged() if os.geteuid() == 0 else None
        self.port = free_port()

    def start(self) -> None:
        """Make a cluster and wait until it answers."""
        if self._user:
            os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
        self._folder.chmod(0o700)
        data = self._folder / "data"
        self._run("initdb", "-D", str(data), "-U", "dashboard", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        log = (self._folder / "server.log").open("wb")
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": str(self._folder), "max_connections": "120", "fsync": "on"}
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self._process = subprocess.Popen(
            [str(self._binaries / "postgres"), "-D", str(data), "-p", str(self.port), *arguments],
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=self._folder,
            **self._as_user(),
        )
        log.close()
        deadline = time.monotonic() + START_SECONDS
        while subprocess.run(
            [str(self._binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False, cwd="/"
        ).returncode:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL did not start:\n" + (self._folder / "server.log").read_text()[-2_000:])
            time.sleep(0.05)

    def create(self, template: str = "template1") -> str:
        """Make a database, a copy of ``template``, and return its URL."""
        name = f"t_{secrets.token_hex(6)}"
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "dashboard", "-T", template, name)
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected to it."""
        name = url.rpartition("/")[2]
        self._run("dropdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "dashboard", "--force", "--if-exists", name)

    def url(self, name: str) -> str:
        """The SQLAlchemy URL of database ``name``."""
        return f"postgresql+asyncpg://dashboard@127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        """Stop the server and remove its files."""
        if self._process:
            self._process.send_signal(subprocess.signal.SIGINT)  # type: ignore[attr-defined]  # SIGINT is "fast shutdown"
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._binaries / program), *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=self._folder,
            **self._as_user(),
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr or done.stdout}")

    def _as_user(self) -> dict[str, object]:
        # PostgreSQL refuses to run as root.
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []} if self._user else {}


def find_binaries() -> Path | None:
    """The folder with the newest installed PostgreSQL server, if there is one."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if folders:
        return folders[-1].parent
    found = shutil.which("postgres")
    return Path(found).resolve().parent if found else None


def free_port() -> int:
    """A TCP port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL cannot run as root, and there is neither a user postgres nor nobody.")
