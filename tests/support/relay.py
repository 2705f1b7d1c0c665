"""A line to a server on loopback (PostgreSQL, a dashboard) that a test can cut: what is open ends, what is new is refused, until it is
mended."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

from tests.support.ports import ReservedPort

CHUNK = 65_536


class Relay:
    """Passes bytes between its own port and the server of ``url`` while it is whole."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._port = ReservedPort()
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()
        self._question = b""

    @property
    def url(self) -> str:
        """The server through this line."""
        user = f"{self._parts.username}@" if self._parts.username else ""
        host = "127.0.0.1" if user else "localhost"
        return urlunsplit(self._parts._replace(netloc=f"{user}{host}:{self._port.number}"))

    def leads_to(self, url: str) -> None:
        """Lead to another server from the next connection on."""
        self._parts = urlsplit(url)

    async def mend(self) -> None:
        """Let connections through."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self._port.number)

    async def cut(self) -> None:
        """End every connection, refuse new ones."""
        if self._server is not None:
            self._server.close()
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    def lose_answer_to(self, question: bytes) -> None:
        """The next time ``question`` passes, the server gets it, and in place of its answer the line breaks."""
        self._question = question

    async def close(self) -> None:
        """Cut it for good."""
        await self.cut()
        self._port.free()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lines.add(task)
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", self._parts.port or 5432)
            doomed = asyncio.Event()
            try:
                await asyncio.gather(self._ask(reader, forth, doomed), _answer(back, writer, doomed))
            finally:
                forth.transport.abort()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            self._lines.discard(task)

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, doomed: asyncio.Event) -> None:
        while data := await reader.read(CHUNK):
            if self._question and self._question in data:
                self._question = b""
                doomed.set()
            await _write(writer, data)
        with contextlib.suppress(OSError):
            writer.write_eof()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, doomed: asyncio.Event) -> None:
    while data := await reader.read(CHUNK):
        if doomed.is_set():
            raise ConnectionAbortedError
        await _write(writer, data)
    with contextlib.suppress(OSError):
        writer.write_eof()


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


@asynccontextmanager
async def relay_to(url: str) -> AsyncIterator[Relay]:
    """A relay to the server of ``url``, whole at first."""
    relay = Relay(url)
    await relay.mend()
    try:
        yield relay
    finally:
        await relay.close()
