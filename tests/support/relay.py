"""A line to a server on loopback that a test can cut: what is open ends, what is new is refused, until it is mended."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.ports import ReservedPort

CHUNK = 65_536


class Relay:
    """Passes bytes between its own port and ``target`` while it is whole."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._port = ReservedPort()
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """Where to connect to."""
        return self._port.number

    async def mend(self) -> None:
        """Let connections through."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)

    async def cut(self) -> None:
        """End every connection, refuse new ones."""
        if self._server is not None:
            self._server.close()
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    async def close(self) -> None:
        """Cut it for good."""
        await self.cut()
        self._port.free()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lines.add(task)
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", self._target)
            try:
                await asyncio.gather(_copy(reader, forth), _copy(back, writer))
            finally:
                forth.transport.abort()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            self._lines.discard(task)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()


@asynccontextmanager
async def relay_to(port: int) -> AsyncIterator[Relay]:
    """A relay to ``port``, whole at first."""
    relay = Relay(port)
    await relay.mend()
    try:
        yield relay
    finally:
        await relay.close()
