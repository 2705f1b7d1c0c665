"""A bare socket client for Reflex's interface, the way an attacker would write one: no browser, any header, any event."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.support.waiting import PATIENCE

NAMESPACE = "/_event"
STATE = "reflex___state____state"
HYDRATE = f"{STATE}.hydrate_and_load"


class Refused(Exception):
    """The server did not accept the socket; carries the HTTP status."""


class Tab:
    """One open socket. ``token`` is the name of the browser tab whose state it asks for."""

    def __init__(self, connection: ClientConnection, token: str) -> None:
        self._connection = connection
        self.token = token

    async def send(self, name: str, payload: dict[str, Any] | None = None, path: str = "/") -> None:
        """Call an event handler. Nothing when the server has hung up meanwhile: its answers then tell."""
        event = {"name": name, "payload": payload or {}, "token": self.token, "router_data": {"pathname": path, "asPath": path}}
        with contextlib.suppress(ConnectionClosed):
            await self._connection.send(f"42{NAMESPACE}," + json.dumps(["event", event]))

    async def answers(self, quiet: float = 0.4, wanted: Callable[[dict[str, Any]], bool] | None = None) -> list[dict[str, Any]]:
        """Everything the server says until it is silent for ``quiet`` seconds or hangs up; silence counts from the first answer that is
        ``wanted``, if one is."""
        said: list[dict[str, Any]] = []
        async with asyncio.timeout(PATIENCE):
            while True:
                waits = wanted is not None and not any(wanted(answer) for answer in said)
                try:
                    async with asyncio.timeout(None if waits else quiet):
                        raw = str(await self._connection.recv())
                except (TimeoutError, ConnectionClosed):
                    return said
                if raw == "2":
                    await self._connection.send("3")
                elif raw.startswith("42"):
                    said.append(json.loads(raw[raw.index("[") :])[1])

    async def call(self, name: str, payload: dict[str, Any] | None = None, path: str = "/") -> list[dict[str, Any]]:
        """Call an event handler that answers, and collect the answers."""
        await self.send(name, payload, path)
        return await self.answers(wanted=lambda _: True)

    async def hydrate(self, path: str = "/") -> list[dict[str, Any]]:
        """What a browser does first."""
        await self.send(HYDRATE, {}, path)
        return await self.answers(wanted=lambda answer: vars_of([answer]).get(f"{STATE}.is_hydrated") is True)

    async def closed_within(self, seconds: float) -> bool:
        """Whether the server closes the socket in this time."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    if await self._connection.recv() == "2":
                        await self._connection.send("3")
        except ConnectionClosed:
            return True
        except TimeoutError:
            return False


@contextlib.asynccontextmanager
async def open_tab(url: str, headers: dict[str, str], *, token: str | None = None, path: str = "/_event/") -> AsyncIterator[Tab]:
    """Open a socket with exactly these headers. Raises :class:`Refused`."""
    tab = token or str(uuid.uuid4())
    address = url.replace("http", "ws", 1) + f"{path}?EIO=4&transport=websocket&token={tab}"
    own = dict(headers)
    agent = own.pop("User-Agent", None)
    try:
        connection = await connect(address, additional_headers=own, user_agent_header=agent, open_timeout=PATIENCE, close_timeout=1)
    except InvalidStatus as error:
        raise Refused(error.response.status_code) from None
    async with connection:
        try:
            await asyncio.wait_for(connection.recv(), PATIENCE)
            await connection.send(f"40{NAMESPACE},")
            await asyncio.wait_for(connection.recv(), PATIENCE)
        except ConnectionClosed:
            raise Refused(connection.close_code) from None
        yield Tab(connection, tab)


def vars_of(answers: list[dict[str, Any]]) -> dict[str, Any]:
    """All vars that the answers carry, by full name."""
    return {
        f"{state}.{name.removesuffix('_rx_state_')}": value
        for answer in answers
        for state, delta in (answer.get("delta") or {}).items()
        for name, value in delta.items()
    }


def events_of(answers: list[dict[str, Any]]) -> list[str]:
    """The names of the events the answers tell the browser to run."""
    return [event["name"] for answer in answers for event in answer.get("events") or []]
