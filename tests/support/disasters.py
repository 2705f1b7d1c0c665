"""What can befall a computer on which the dashboard runs: each begins, lasts, and ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil

from tests.support.postgres import PostgresServer
from tests.support.server import Server
from tests.support.small_disk import SmallDisk, everything_of

HOUR = 3_600
_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True)
class Disaster:
    """``strike()`` is a context that lasts as long as it does."""

    name: str
    strike: Callable[[], AbstractAsyncContextManager[None]]
    writable: bool
    """Whether anything can be written meanwhile."""
    answering: bool = True
    """Whether the program can answer anybody meanwhile."""


def postgres_killed(postgres: PostgresServer) -> Disaster:
    """All of PostgreSQL is killed, and started again at the end."""

    @asynccontextmanager
    async def strike() -> AsyncIterator[None]:
        await asyncio.to_thread(postgres.kill)
        try:
            yield
        finally:
            await asyncio.to_thread(postgres.launch)

    return Disaster("PostgreSQL killed", strike, writable=False)


def connections_ended(url: str) -> Disaster:
    """PostgreSQL ends all connections, four times a second."""

    async def end_all() -> None:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        try:
            while True:
                await connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
                await asyncio.sleep(0.25)
        finally:
            await connection.close()

    @asynccontextmanager
    async def strike() -> AsyncIterator[None]:
        ending = asyncio.create_task(end_all())
        try:
            yield
        finally:
            ending.cancel()
            await asyncio.gather(ending, return_exceptions=True)

    return Disaster("connections ended", strike, writable=True)


def disk_full(disk: SmallDisk, server: Server, postgres: PostgresServer | None) -> Disaster:
    """Somebody else writes the database's disk full; at the end he takes his file away, and PostgreSQL, if it gave up, is started."""

    @asynccontextmanager
    async def strike() -> AsyncIterator[None]:
        disk.fill(_writers(server, postgres))
        try:
            yield
        finally:
            disk.free(_writers(server, postgres))
            if postgres and not postgres.running:
                await asyncio.to_thread(postgres.launch)

    return Disaster("disk full", strike, writable=False)


def _writers(server: Server, postgres: PostgresServer | None) -> list[psutil.Process]:
    return postgres.processes() if postgres else everything_of(server.pid)


def database_locked(path: Path) -> Disaster:
    """Another process holds SQLite's lock."""

    @asynccontextmanager
    async def strike() -> AsyncIterator[None]:
        with subprocess.Popen([sys.executable, "-c", _LOCK, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            assert holder.stdout
            assert await asyncio.to_thread(holder.stdout.readline) == b"locked\n"
            yield
            # Its input ends here, and with it the process.

    return Disaster("database locked", strike, writable=False)


def stopped(server: Server) -> Disaster:
    """The whole program is frozen, as with a computer that sleeps."""

    @asynccontextmanager
    async def strike() -> AsyncIterator[None]:
        os.killpg(server.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(server.pid, signal.SIGCONT)

    return Disaster("program stopped", strike, writable=True, answering=False)


class SteppedClock:
    """The time of day of one program (:mod:`tests.support.wrong_clock`)."""

    def __init__(self, file: Path, server: Server) -> None:
        self._file = file
        self._set(0)
        server.module = "tests.support.wrong_clock"
        server.set(WRONG_CLOCK=str(file))

    def wrong(self, seconds: int) -> Disaster:
        """The clock is set wrong, and right again at the end."""

        @asynccontextmanager
        async def strike() -> AsyncIterator[None]:
            self._set(seconds)
            try:
                yield
            finally:
                self._set(0)

        return Disaster(f"clock {seconds // HOUR:+} h", strike, writable=True)

    def _set(self, seconds: int) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(str(seconds))
        new.replace(self._file)
