"""HTTP receivers on loopback that behave well or badly: in this process, or in one of their own (``python -m tests.support.receivers``).

An endpoint is ``/<behaviour>/<name>`` on any of the ports; its behaviour may be changed while it runs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx

from tests.support.waiting import PATIENCE, until

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Arrival:
    """A request that came in."""

    name: str
    at: float
    """``time.time()``."""
    headers: dict[str, str]
    body: bytes

    @property
    def event_id(self) -> str:
        """What receivers deduplicate by."""
        return self.headers.get("webhook-id", "")

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


@dataclass
class Receivers:
    """Listens on ``ports`` ports while the context is open; on exactly the port ``at`` when it is given."""

    ports: int = 1
    at: int = 0
    arrivals: list[Arrival] = field(default_factory=list)
    behaviours: dict[str, str] = field(default_factory=dict)
    """By name, stronger than what the URL says."""
    words: dict[str, bytes] = field(default_factory=dict)
    """What the behaviour ``answer`` says, by name."""
    on_arrival: Callable[[Arrival], None] = lambda _: None
    connections: int = 0
    """Opened so far."""

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: set[asyncio.BaseTransport] = set()
        self._servers = [
            await loop.create_server(lambda: _Connection(self), "127.0.0.1", self.at, backlog=1_000) for _ in range(self.ports)
        ]
        self.numbers = [server.sockets[0].getsockname()[1] for server in self._servers]
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        for transport in list(self._open):
            transport.abort()  # type: ignore[attr-defined]
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def open(self) -> int:
        """Connections that are open now."""
        return len(self._open)

    def url(self, behaviour: str, name: str = "", port: int = 0) -> str:
        """The URL of an endpoint; ``port`` counts from 0."""
        return f"http://127.0.0.1:{self.numbers[port]}/{behaviour}/{name or behaviour}"

    def of(self, name: str) -> list[Arrival]:
        """What came in at an endpoint."""
        return [arrival for arrival in self.arrivals if arrival.name == name]

    async def until(self, count: int, name: str = "") -> list[Arrival]:
        """Wait until so many requests have come in (at one endpoint), and return them."""
        return await until(lambda: self.of(name) if name else self.arrivals, lambda found: len(found) >= count, pause=0.01)


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with kept connections, as little of it as receivers need."""

    def __init__(self, owner: Receivers) -> None:
        self._owner = owner
        self._buffer = b""
        self._busy = False
        self._lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._owner.connections += 1
        self._owner._open.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        self._owner._open.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._next()

    def _next(self) -> None:
        while not self._busy and (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
            headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            size = end + 4 + int(headers.get("content-length", "0"))
            if len(self._buffer) < size:
                return
            body, self._buffer = self._buffer[end + 4 : size], self._buffer[size:]
            self._request(first.split(" ")[1], headers, body)

    def _request(self, path: str, headers: dict[str, str], body: bytes) -> None:
        _, behaviour, name = [*path.split("?", maxsplit=1)[0].split("/", 2), ""][:3]
        if behaviour == "_control":
            self._control(name, body)
            return
        arrival = Arrival(name, time.time(), headers, body)
        self._owner.arrivals.append(arrival)
        self._owner.on_arrival(arrival)
        behaviour = self._owner.behaviours.get(name, behaviour)
        if behaviour == "accept":
            self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            return
        self._busy = True
        task = asyncio.get_running_loop().create_task(self._behave(behaviour, arrival))
        self._owner._tasks.add(task)
        task.add_done_callback(self._owner._tasks.discard)

    def _answer(self, status: str, body: bytes = b"", *headers: str) -> None:
        head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
        self._transport.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)

    async def _behave(self, behaviour: str, arrival: Arrival) -> None:
        kind, _, extra = behaviour.partition(":")
        if kind == "hang":
            await asyncio.sleep(3_600)
        elif kind == "half":
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf of it")
            await asyncio.sleep(3_600)
        elif kind == "slow":
            await asyncio.sleep(float(extra))
            self._answer("200 OK", b"late but fine")
        elif kind == "drip":
            for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n" + b"x" * 50:
                self._transport.write(bytes([byte]))
                await asyncio.sleep(1)
        elif kind == "drop":
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf of it")
            await asyncio.sleep(0.01)
            self._transport.close()
        elif kind == "garbage":
            self._transport.write(b"\x00\xffthis is not HTTP\r\n\r\n" * 3)
            self._transport.close()
        elif kind == "huge":
            await self._send_much(int(extra or 1_000_000_000))
        elif kind == "bighead":
            self._transport.write(b"HTTP/1.1 200 OK\r\n" + b"X-Fill: " + b"y" * 2_000_000 + b"\r\n\r\n")
        elif kind == "say":
            self._answer("200 OK", b"<b>thanks</b>", "Content-Type: text/html", "X-Served-By: test")
        elif kind == "echo":
            heard = [f"X-Echo-{name}: {value}" for name, value in arrival.headers.items()]
            self._answer("500 Oops", json.dumps(arrival.headers).encode(), *heard)
        elif kind == "mirror":
            self._answer("500 Oops", arrival.body)
        elif kind == "answer":
            self._answer("200 OK", self._owner.words.get(arrival.name, b""))
        elif kind == "429":
            self._answer("429 Too Many Requests", b"slow down", f"Retry-After: {extra or 2}")
        elif kind == "301":
            self._answer("301 Moved Permanently", b"", f"Location: {extra or 'http://10.0.0.1/'}")
        else:
            self._answer(f"{kind} Status", f"answer {kind}".encode(), "Content-Type: text/plain")
        self._busy = False
        self._next()

    async def _send_much(self, size: int) -> None:
        self._transport.write(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
        block, sent = b"z" * 65_536, 0
        while sent < size and not self._lost:
            if self._transport.get_write_buffer_size() < 1_000_000:
                self._transport.write(block)
                sent += len(block)
                await asyncio.sleep(0)
            else:
                await asyncio.sleep(0.001)
        self._transport.close()

    def _control(self, what: str, body: bytes) -> None:
        """Read out and change receivers that run in another process."""
        found: Any = None
        if what == "behaviour":
            self._owner.behaviours |= json.loads(body)
        elif what == "arrivals":
            found = [[item.name, item.at, item.event_id, item.json.get("data", {}).get("body", "")] for item in self._owner.arrivals]
        elif what == "counts":
            found = {}
            for item in self._owner.arrivals:
                found.setdefault(item.name, set()).add(item.event_id)
            found = {name: len(ids) for name, ids in found.items()}
        self._answer("200 OK", json.dumps(found).encode(), "Content-Type: application/json")


class ReceiverProcess:
    """Receivers in a process of their own, which outlives whatever is done to the dashboard."""

    def __init__(self, ports: int = 1, at: int = 0) -> None:
        self._ports = ports
        self._at = at
        self.numbers: list[int] = []

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.support.receivers", str(self._ports), str(self._at)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.numbers = json.loads(self._process.stdout.readline())
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{self.numbers[0]}", timeout=PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._process.kill()
        self._process.wait(PATIENCE)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def url(self, behaviour: str, name: str = "", port: int = 0) -> str:
        """The URL of an endpoint; ``port`` counts from 0."""
        return f"http://127.0.0.1:{self.numbers[port]}/{behaviour}/{name or behaviour}"

    def behave(self, **behaviours: str) -> None:
        """Change how endpoints behave."""
        self._client.post("/_control/behaviour", json=behaviours).raise_for_status()

    def counts(self) -> dict[str, int]:
        """How many different events each endpoint got."""
        return dict(self._client.get("/_control/counts").json())

    def arrivals(self) -> list[tuple[str, float, str, str]]:
        """Name, time, event id and text of each request, in the order they came."""
        return [(name, at, event_id, text) for name, at, event_id, text in self._client.get("/_control/arrivals").json()]


async def _serve(ports: int, at: int) -> None:
    async with Receivers(ports, at) as receivers:
        print(json.dumps(receivers.numbers), flush=True)
        # Until whoever started it is gone.
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ports", type=int)
    parser.add_argument("at", type=int, nargs="?", default=0)
    given = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(given.ports, given.at))
