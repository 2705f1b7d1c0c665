"""The door with a real server behind it: sockets on loopback, uvicorn's protocols, a small app."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from ipaddress import ip_network
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from whatsapp_dashboard.serving.acceptor import Acceptor
from whatsapp_dashboard.serving.door import Door, Limits
from whatsapp_dashboard.serving.protocols import HttpConnection, PageSocket


class House:
    """A listening server. ``/wait`` is answered when ``go`` is set, ``/large`` with 50 MB, everything else with the size of its body."""

    def __init__(self, limits: Limits) -> None:
        self.door = Door(limits)
        self.go = asyncio.Event()
        self._writers: list[asyncio.StreamWriter] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.state = ServerState()
        config = uvicorn.Config(self._app, log_config=None, lifespan="off", interface="asgi3", ws=partial(PageSocket, self.door))  # type: ignore[arg-type]
        make = partial(HttpConnection, self.door, config=config, server_state=self.state, app_state={})
        self.acceptor = Acceptor(self._listening, self.door, make)
        self.acceptor.start()

    async def connect(self, begin: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A new connection that has said this."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(begin)
        self._writers.append(writer)
        return reader, writer

    async def close(self) -> None:
        """Nothing is left."""
        self.go.set()
        for writer in self._writers:
            writer.close()
        self.acceptor.close()
        await self.acceptor.wait_closed()
        for connection in list(self.state.connections):
            connection.transport.abort()
        await asyncio.gather(*self.state.tasks, return_exceptions=True)

    async def _app(self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            while (await receive())["type"] != "websocket.disconnect":
                pass
            return
        if scope["path"] == "/wait":
            await self.go.wait()
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            size, more = size + len(message["body"]), message["more_body"]
        words = b"x" * 50_000_000 if scope["path"] == "/large" else b"%d bytes" % size
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(words))]})
        await send({"type": "http.response.body", "body": words})


@pytest.fixture
async def open_house() -> AsyncIterator[Callable[..., House]]:
    """Makes servers with these limits."""
    async with AsyncExitStack() as stack:

        def make(*, connections: int = 20, per_address: int = 20, header: float = 60, exempt: Sequence[str] = ()) -> House:
            networks = [ip_network(each) for each in exempt]
            limits = Limits(connections, per_address, header_seconds=header, idle_seconds=60, exempt=networks)
            house = House(limits)
            stack.push_async_callback(house.close)
            return house

        yield make
