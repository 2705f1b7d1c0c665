"""The way to a server for core/safe_http.py: look the name up, judge every address, dial a judged one (HOOK-7)."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpcore

from whatsapp_dashboard.core.addresses import Allowed, Verdict, judge
from whatsapp_dashboard.errors import Invalid

Resolver = Callable[[str, int], Awaitable[list[str]]]
"""From a host name and a port to its addresses; raises OSError when there are none."""

LOOKUP_SECONDS = 5.0
_LOOKUPS_AT_ONCE = 16
_TRIED = 4
"""Addresses of one name that are dialled, at most."""


class Refused(Invalid):
    """The address must not be dialled: an owner may allow a ``private_network`` under the name ``host``, a ``forbidden_address`` nobody."""

    def __init__(self, message: str, *, code: str, host: str, address: str) -> None:
        super().__init__(message, code=code, field="url")
        self.host = host
        self.address = address
        self.facts = {"host": host}


class NoAnswer(Exception):
    """A request that got no complete answer. ``kind``: timeout, network, dns, refused, protocol or tls; ``message`` is for people."""

    def __init__(self, kind: str, message: str, *, address: str = "", ms: int = 0) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.address = address
        self.ms = ms


@dataclass(slots=True)
class Dialled:
    """Which address a request was sent to, if it opened a connection; and whether an answer began."""

    address: str = ""
    answered: bool = False


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections to judged addresses only."""

    def __init__(
        self,
        allowed: Callable[[], Allowed],
        dialled: ContextVar[Dialled | None],
        names: NameLookup,
        *,
        connect: Callable[..., Any] | None = None,
    ) -> None:
        self._allowed = allowed
        self._dialled = dialled
        self._names = names
        self._connect = connect or asyncio.open_connection

    def close(self) -> None:
        """No more look-ups."""
        self._names.close()

    async def addresses(self, host: str, port: int) -> list[str]:
        """Where ``host`` leads now. Raises :class:`Refused` when any of its addresses must not be dialled, :class:`NoAnswer` when it has
        none."""
        found = await self._names.look_up(host, port)
        allowed = self._allowed()
        verdicts = {address: judge(address, host, allowed) for address in found}
        for verdict in (Verdict.FORBIDDEN, Verdict.PRIVATE):
            bad = next((address for address in found if verdicts[address] is verdict), None)
            if bad is not None:
                raise _refusal(verdict, host, bad)
        return found

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        problem: OSError | None = None
        dialled = self._dialled.get()
        for address in (await self.addresses(host, port))[:_TRIED]:
            if dialled is not None:
                dialled.address = address
            try:
                reader, writer = await self._connect(address, port)
            except OSError as reason:
                problem = reason
                continue
            return _Stream(reader, writer)
        where = f"{dialled.address if dialled else host}:{port}"
        if isinstance(problem, ConnectionRefusedError):
            raise NoAnswer("refused", f"Nobody listens at {where} (connection refused).")
        raise NoAnswer("network", f"There is no way to {where}: {problem.strerror or problem if problem else 'no address'}.")

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise Refused("Sockets of this machine are never reached.", code="forbidden_address", host=path, address="")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class NameLookup:
    """Looks names up in threads of its own; each name once at a time, so that a name server that hangs keeps nobody else waiting."""

    def __init__(self, resolve: Resolver | None = None) -> None:
        self._resolve = resolve or self._ask_system
        self._threads = ThreadPoolExecutor(_LOOKUPS_AT_ONCE, thread_name_prefix="names")
        self._running: dict[tuple[str, int], asyncio.Task[list[str]]] = {}

    def close(self) -> None:
        """Leave look-ups that hang to themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def look_up(self, host: str, port: int) -> list[str]:
        """The addresses of ``host``, each once. Raises :class:`NoAnswer`."""
        key = (host, port)
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(self._ask(host, port))
            task.add_done_callback(lambda _: self._running.pop(key, None))
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                found = await asyncio.shield(task)
        except TimeoutError:
            raise NoAnswer("dns", f"The name {host} could not be looked up within {LOOKUP_SECONDS:g} s.") from None
        except (OSError, UnicodeError):
            raise NoAnswer("dns", f"The name {host} does not lead anywhere.") from None
        if not found:
            raise NoAnswer("dns", f"The name {host} does not lead anywhere.")
        return found

    async def _ask(self, host: str, port: int) -> list[str]:
        return list(dict.fromkeys(await self._resolve(host, port)))

    async def _ask_system(self, host: str, port: int) -> list[str]:
        def ask() -> list[str]:
            return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]

        return await asyncio.get_running_loop().run_in_executor(self._threads, ask)


class _Stream(httpcore.AsyncNetworkStream):
    """A connection, as httpcore wants it. Time limits are the caller's."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return await self._reader.read(max_bytes)
        except OSError as reason:
            raise httpcore.ReadError(str(reason)) from reason

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            self._writer.write(buffer)
            await self._writer.drain()
        except OSError as reason:
            raise httpcore.WriteError(str(reason)) from reason

    async def aclose(self) -> None:
        # At once: what is still to be read or written is of no interest, and a peer that reads nothing must not hold us.
        self._writer.transport.abort()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        try:
            await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
        except (OSError, ssl.SSLError) as reason:
            raise httpcore.ConnectError(str(reason)) from reason
        return self

    def get_extra_info(self, info: str) -> Any:
        names = {"ssl_object": "ssl_object", "client_addr": "sockname", "server_addr": "peername", "socket": "socket"}
        if info == "is_readable":  # asked of an idle connection: has the server closed it, or said something unasked?
            return self._reader.at_eof() or self._writer.is_closing() or bool(self._reader._buffer)  # type: ignore[attr-defined]
        return self._writer.get_extra_info(names[info]) if info in names else None


def _refusal(verdict: Verdict, host: str, address: str) -> Refused:
    name = host if host == address else f"{host} ({address})"
    if verdict is Verdict.PRIVATE:
        words = f"{name} is on a private network. An owner can allow it."
        return Refused(words, code="private_network", host=host.rstrip(".").lower(), address=address)
    return Refused(f"{name} is an address that is never reached from here.", code="forbidden_address", host=host, address=address)
