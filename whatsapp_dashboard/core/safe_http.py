"""Outgoing HTTP when somebody else's text says where to: no request reaches a private network by accident (HOOK-7).

A name is resolved once for a connection, every address it leads to is judged (core/addresses.py), and exactly a judged address is dialled.
No redirects, no proxies from the environment, no unix sockets, no cookies, nothing unpacked.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from email.message import Message as Headers
from functools import cache
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

import certifi
import httpcore
import httpx

from whatsapp_dashboard.core.addresses import Allowed
from whatsapp_dashboard.core.cancelling import cancelled_once, to_its_end
from whatsapp_dashboard.core.dialling import CheckedBackend, Dialled, NameLookup, NoAnswer, Refused, Resolver
from whatsapp_dashboard.errors import Invalid, TooLarge, Unavailable

__all__ = ["Answer", "Fetched", "NoAnswer", "Refused", "SafeHttp", "check_url"]

MAX_URL = 2_048
_HOST = re.compile(r"^([a-z0-9._-]+|[0-9a-f:.]+)$", re.IGNORECASE)
_KEEP_IDLE_SECONDS = 4.0
"""Less than servers keep an idle connection (Node.js: 5 s), so that a request rarely meets one that is just being closed."""
_MAX_IDLE = 20
"""Connections to one server that are kept for the next request."""
_MAX_SERVERS = 300
"""Servers whose connections are kept."""
_dialled: ContextVar[Dialled | None] = ContextVar("dialled", default=None)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``body`` holds the first bytes only; ``ms`` is the time until they were here."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    truncated: bool
    address: str
    ms: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file from elsewhere. ``mimetype`` is what the server claims."""

    data: bytes
    mimetype: str
    filename: str


def check_url(url: str) -> httpx.URL:
    """Read a web address, without looking anything up. Raises :class:`Invalid` that says what is wrong with it."""
    url = url.strip()
    if not url:
        raise Invalid("A URL is needed, for example https://example.org/hook.", code="bad_url", field="url")
    if len(url) > MAX_URL:
        raise Invalid(f"A URL has at most {MAX_URL} characters.", code="bad_url", field="url")
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, UnicodeError) as reason:
        raise Invalid(f"This is not a URL: {str(reason)[:200]}", code="bad_url", field="url") from None
    if parsed.scheme not in ("http", "https"):
        raise Invalid("A URL begins with https:// or http://.", code="bad_url", field="url")
    if not parsed.host:
        raise Invalid("The URL has no host name.", code="bad_url", field="url")
    if not _HOST.match(parsed.raw_host.decode("ascii", "replace")):
        raise Invalid("The host name has signs that no host name has.", code="bad_url", field="url")
    if parsed.userinfo:
        raise Invalid("A URL with a user name or password in it is not taken; use a custom header.", code="bad_url", field="url")
    if parsed.port is not None and not 1 <= parsed.port <= 65_535:
        raise Invalid("A port is a number from 1 to 65535.", code="bad_url", field="url")
    return parsed.copy_with(fragment=None)


@dataclass(slots=True)
class _Server:
    transport: httpx.AsyncHTTPTransport
    users: int = 0


class _Leaving(httpx.AsyncByteStream):
    """The body of an answer; its server counts as used until it is closed."""

    def __init__(self, stream: httpx.AsyncByteStream, stack: AsyncExitStack) -> None:
        self._stream = stream
        self._stack = stack

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = aiter(self._stream)

        async def following() -> bytes | None:
            return await anext(chunks, None)

        while (chunk := await cancelled_once(following())) is not None:
            yield chunk

    async def aclose(self) -> None:
        await to_its_end(self._close())

    async def _close(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            await self._stack.aclose()


@cache
def _trusted() -> ssl.SSLContext:
    """Whom TLS trusts; reading all the certificates takes 20 ms."""
    return ssl.create_default_context(cafile=certifi.where())


class SafeHttp:
    """Makes requests. ``allowed`` is asked at each connection; ``names`` are shared with others, or looked up by itself; ``resolve`` and
    ``connect`` stand in for the system's in tests."""

    def __init__(
        self,
        allowed: Callable[[], Allowed],
        *,
        user_agent: str,
        resolve: Resolver | None = None,
        names: NameLookup | None = None,
        connect: Callable[..., Any] | None = None,
    ) -> None:
        self.user_agent = user_agent
        self._backend = CheckedBackend(allowed, _dialled, names or NameLookup(resolve), connect=connect)
        self._own_names = names is None
        self._ssl = _trusted()
        self._servers: OrderedDict[tuple[str, str, int | None], _Server] = OrderedDict()

    async def close(self) -> None:
        """Close every connection."""
        for server in self._servers.values():
            await server.transport.aclose()
        self._servers.clear()
        if self._own_names:
            self._backend.close()

    async def examine(self, url: str) -> None:
        """Judge ``url`` as a request would, without connecting. Raises :class:`Refused`, or :class:`Invalid` for a name that leads
        nowhere."""
        parsed = check_url(url)
        try:
            await self._backend.addresses(parsed.host, parsed.port or 443)
        except NoAnswer as reason:
            raise Invalid(f"{reason.message} Check the spelling.", code="unknown_host", field="url") from None

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        content: bytes = b"",
        seconds: float = 10.0,
        body_limit: int = 4_096,
    ) -> Answer:
        """Send one request and read the head and the first ``body_limit`` bytes of the answer, all within ``seconds``.

        Raises :class:`NoAnswer`, :class:`Refused`, or :class:`Invalid` for a bad URL.
        """
        began = time.monotonic()
        dialled = Dialled()
        token = _dialled.set(dialled)
        try:
            async with asyncio.timeout(seconds):
                try:
                    answer = await cancelled_once(self._once(method, url, headers, content, body_limit))
                except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                    if dialled.address or dialled.answered:
                        raise
                    # A kept connection that the server closed just now: what was asked may be asked again at once.
                    answer = await cancelled_once(self._once(method, url, headers, content, body_limit))
        except TimeoutError:
            raise _no_answer("timeout", f"No complete answer within {seconds:g} s.", dialled, began) from None
        except NoAnswer as reason:
            raise _no_answer(reason.kind, reason.message, dialled, began) from None
        except (httpx.TransportError, OSError, httpcore.ProtocolError) as reason:
            kind, words = in_words(reason)
            raise _no_answer(kind, words, dialled, began) from None
        finally:
            _dialled.reset(token)
        return Answer(**answer, ms=int((time.monotonic() - began) * 1_000))

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Send a request that a library made (core/library_http.py). The answer's stream is open: whoever gets it closes it, and limits its
        time and size.

        Raises :class:`NoAnswer`, :class:`Refused`, :class:`Invalid` for a bad URL, or what httpx raises when a connection breaks.
        """
        check_url(str(request.url))
        dialled = Dialled()
        token = _dialled.set(dialled)
        try:
            return await cancelled_once(self._begin(request, dialled), unclaimed=httpx.Response.aclose)
        finally:
            _dialled.reset(token)

    async def _begin(self, request: httpx.Request, dialled: Dialled) -> httpx.Response:
        async with AsyncExitStack() as stack:
            transport = await stack.enter_async_context(self._server(request.url))
            try:
                response = await transport.handle_async_request(request)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                if dialled.address:
                    raise
                response = await transport.handle_async_request(request)  # as in request()
            response.stream = _Leaving(response.stream, stack.pop_all())  # type: ignore[arg-type]
        return response

    async def fetch(self, url: str, *, seconds: float, limit: int) -> Fetched:
        """Get a whole file of at most ``limit`` bytes. Raises :class:`Refused`, :class:`TooLarge`, :class:`Unavailable` or
        :class:`Invalid`, each for people."""
        parsed = check_url(url)
        try:
            answer = await self.request("GET", url, seconds=seconds, body_limit=limit)
        except NoAnswer as reason:
            raise Unavailable(f"The file could not be fetched from {parsed.host}. {reason.message}", code="fetch_failed") from None
        if not httpx.codes.is_success(answer.status):
            raise Unavailable(f"The file could not be fetched: {parsed.host} answered {answer.status}.", code="fetch_failed")
        if answer.truncated:
            raise TooLarge(f"The file at {parsed.host} has more than {limit / 2**20:g} MiB.")
        head = Headers()
        for name, value in answer.headers:
            if name.lower() in ("content-type", "content-disposition"):
                head[name] = value
        filename = PurePosixPath(head.get_filename() or unquote(parsed.path)).name
        return Fetched(answer.body, head.get_content_type() if head["content-type"] else "", filename)

    @asynccontextmanager
    async def _server(self, url: httpx.URL) -> AsyncIterator[httpx.AsyncHTTPTransport]:
        """The connections to one server. A pool for all of them would look through all of them at every request."""
        key = (url.scheme, url.host, url.port)
        server = self._servers.get(key)
        if server is None:
            server = self._servers[key] = _Server(self._transport())
        self._servers.move_to_end(key)
        server.users += 1
        try:
            yield server.transport
        finally:
            server.users -= 1
            await self._forget_old()

    def _transport(self) -> httpx.AsyncHTTPTransport:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=_MAX_IDLE, keepalive_expiry=_KEEP_IDLE_SECONDS)
        transport = httpx.AsyncHTTPTransport(verify=self._ssl, trust_env=False, limits=limits)
        # The only way to say who dials; a private attribute, so httpx is pinned and a test looks.
        transport._pool._network_backend = self._backend
        return transport

    async def _forget_old(self) -> None:
        while len(self._servers) > _MAX_SERVERS and not (oldest := next(iter(self._servers.items())))[1].users:
            del self._servers[oldest[0]]
            await oldest[1].transport.aclose()

    async def _once(self, method: str, url: str, headers: Any, content: bytes, body_limit: int) -> dict[str, Any]:
        given = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
        ours = [("User-Agent", self.user_agent), ("Accept", "*/*"), ("Accept-Encoding", "identity")]
        request = httpx.Request(method, check_url(url), headers=[*ours, *given], content=content)
        async with self._server(request.url) as transport:
            response = await transport.handle_async_request(request)
            if dialled := _dialled.get():
                dialled.answered = True
            body = bytearray()
            try:
                async for chunk in response.stream:  # type: ignore[union-attr]
                    body += chunk
                    if len(body) > body_limit:
                        break
            finally:
                await response.aclose()
        stream = response.extensions["network_stream"]
        return {
            "status": response.status_code,
            "headers": [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw],
            "body": bytes(body[:body_limit]),
            "truncated": len(body) > body_limit,
            "address": stream.get_extra_info("server_addr")[0],
        }


def _no_answer(kind: str, words: str, dialled: Dialled, began: float) -> NoAnswer:
    return NoAnswer(kind, words, address=dialled.address, ms=int((time.monotonic() - began) * 1_000))


def in_words(reason: Exception) -> tuple[str, str]:
    """What a broken connection means: the kind of :class:`NoAnswer`, and a sentence for people."""
    if isinstance(reason, ssl.SSLError) or isinstance(reason.__cause__, ssl.SSLError) or "SSL" in str(reason):
        return "tls", f"The secure connection failed: {str(reason)[:300]}"
    if isinstance(reason, (httpx.RemoteProtocolError, httpcore.ProtocolError)):
        text = str(reason)
        if "without sending" in text or "incomplete" in text or "closed connection" in text:
            return "network", "The connection ended before the answer was complete."
        return "protocol", f"The answer is not HTTP: {text[:300]}"
    return "network", f"The connection broke: {str(reason)[:300] or type(reason).__name__}"
