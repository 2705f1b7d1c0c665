"""One engine host as the dashboard sees it: a child process and the line to it (ENG-2)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from whatsapp_dashboard.engines.multidevice.protocol import VERSION, Method
from whatsapp_dashboard.engines.wire import Line
from whatsapp_dashboard.errors import AppError, Unavailable

log = structlog.get_logger(__name__)

START_SECONDS = 30.0
END_SECONDS = 3.0
PING_SECONDS = 15.0
"""A host that does not answer a ping for so long hangs, and is killed."""
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "VIRTUAL_ENV")
"""The host gets no other variables: it needs none of the dashboard's secrets."""
_ROOT = Path(__file__).resolve().parents[3]


class HostProcess:
    """A running host. ``on_push`` gets what it says unasked, ``on_death`` is called once when it is gone, whatever the cause."""

    def __init__(self, on_push: Callable[[dict[str, Any]], None], on_death: Callable[[], None]) -> None:
        self._on_push = on_push
        self._on_death = on_death
        self._process: asyncio.subprocess.Process | None = None
        self._line: Line | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ending = False

    @property
    def pid(self) -> int:
        """Its process id; 0 before the start."""
        return self._process.pid if self._process else 0

    async def start(self, arguments: list[str], variables: dict[str, str]) -> None:
        """Start it with ``variables`` in its environment: the library reads them before any code of ours runs.

        Raises :class:`Unavailable` when it does not come up.
        """
        ours, theirs = socket.socketpair()
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "whatsapp_dashboard.engines.multidevice.host", "--fd", str(theirs.fileno()), *arguments),
                cwd=_ROOT,
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ} | variables,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                pass_fds=(theirs.fileno(),),
                # Not in our process group: it must outlive us for the moment in which it finishes what it sends.
                start_new_session=True,
            )
        finally:
            theirs.close()
        self._reader = asyncio.create_task(self._follow_output(self._process), name=f"output of host {self.pid}")
        ours.setblocking(False)
        try:
            self._line = await Line.open(ours, {"v": VERSION}, self._on_push, self._on_close, other="engine host", timeout=START_SECONDS)
        except AppError:
            await self.kill()
            raise Unavailable("The engine's process could not be started; the log says why.", code="engine_start") from None
        log.info("engine host started", pid=self.pid)

    async def call(self, method: Method, args: dict[str, Any], data: bytes = b"") -> tuple[dict[str, Any], bytes]:
        """Ask it. Raises what it raises, and :class:`Unavailable` when it is gone."""
        if self._line is None:
            raise Unavailable("The engine's process is gone.", code="engine_gone")
        return await self._line.call(method.value, args, data)

    def post(self, frame: dict[str, Any]) -> None:
        """Tell it something that needs no answer."""
        if self._line:
            self._line.post(frame)

    async def ping(self) -> dict[str, Any] | None:
        """Its figures; None when it hangs."""
        try:
            async with asyncio.timeout(PING_SECONDS):
                answer, _ = await self.call(Method.PING, {})
        except (TimeoutError, AppError):
            return None
        return {**answer, "pid": self.pid}

    async def end(self) -> None:
        """Close the line, wait for its end; kill it when it does not come."""
        self._ending = True
        if self._line:
            await self._line.close()
        if self._process:
            try:
                async with asyncio.timeout(END_SECONDS):
                    await self._process.wait()
            except TimeoutError:
                await self.kill()
        await self._close_output()

    async def kill(self) -> None:
        """End it at once."""
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)  # Process.kill() would snatch the exit code from asyncio's watcher
            await self._process.wait()
        await self._close_output()

    def _on_close(self) -> None:
        if not self._ending:
            log.error("engine host is gone", pid=self.pid)
            self._on_death()

    async def _close_output(self) -> None:
        if self._reader and self._reader is not asyncio.current_task():
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    async def _follow_output(self, process: asyncio.subprocess.Process) -> None:
        """What it writes goes to our log: its own lines by their level, a crash of the library as errors."""
        assert process.stdout is not None
        crashed = False
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:
                continue  # a line longer than the buffer
            if not line:
                return
            words = line.decode(errors="replace").rstrip()
            level, _, rest = words.partition(" ")
            crashed = crashed or words.startswith(("fatal error:", "panic:", "SIGSEGV", "unexpected fault", "Traceback"))
            if level in ("ERROR", "CRITICAL") or crashed:
                log.error("engine host says", pid=process.pid, line=rest if level in ("ERROR", "CRITICAL") else words)
            elif level == "WARNING":
                log.warning("engine host says", pid=process.pid, line=rest)
            elif words:
                log.debug("engine host says", pid=process.pid, line=words)
