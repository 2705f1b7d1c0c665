"""HTTP clients for libraries that want one of their own (httpx or httpx2): what they send leaves through core/safe_http.py, checked alike.

A library is told less than it would find out by itself: it reaches one server only, its headers are sorted, and nothing of the environment
(proxies, keys, headers, other addresses) has a say.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from whatsapp_dashboard.core.safe_http import NoAnswer, SafeHttp, check_url
from whatsapp_dashboard.errors import Invalid

if TYPE_CHECKING:
    import httpx2

ANSWER_LIMIT = 4 * 2**20
"""Bytes of one answer."""
_KEPT_OF_ERRORS = 16 * 2**10
_ALWAYS = frozenset({"accept", "content-type"})
_QUIET: Mapping[str, Any] = {"trust_env": False, "follow_redirects": False, "timeout": None}
"""Nothing from the environment. Whoever asks limits the time, over everything."""
_exchange: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


class TooMuch(Exception):
    """An answer that is larger than the limit, or packed although nobody asked for that."""


@dataclass(slots=True)
class Exchange:
    """What went over the wire last, however the library that made the request wraps it."""

    requests: int = 0
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    """Of an answer that is an error: its first bytes."""
    trouble: Exception | None = None
    """Why there was no complete answer."""


@contextmanager
def recorded() -> Iterator[Exchange]:
    """Record what libraries exchange in this block, in the returned :class:`Exchange`."""
    exchange = Exchange()
    token = _exchange.set(exchange)
    try:
        yield exchange
    finally:
        _exchange.reset(token)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a library's client may do. ``url``: only the server of this URL is reached. ``put``: headers that are sent as they stand here;
    ``keep``: headers of the library that may leave beside them, in lower case."""

    url: str
    put: Mapping[str, str] = field(default_factory=dict, repr=False)
    keep: frozenset[str] = frozenset()


def httpx_client(http: SafeHttp, terms: Terms) -> httpx.AsyncClient:
    """A client for libraries that use httpx."""
    return httpx.AsyncClient(transport=_transport(httpx, http, terms), **_QUIET)


def httpx2_client(http: SafeHttp, terms: Terms) -> httpx2.AsyncClient:
    """A client for libraries that use httpx2."""
    import httpx2

    return httpx2.AsyncClient(transport=_transport(httpx2, http, terms), **_QUIET)


def _transport(family: Any, http: SafeHttp, terms: Terms) -> Any:
    """An ``AsyncBaseTransport`` of ``family``, httpx or httpx2: the two have the same interface and share no class."""
    origin = _origin(check_url(terms.url))

    class Body(family.AsyncByteStream):  # type: ignore[misc]
        def __init__(self, answer: httpx.Response, request: Any) -> None:
            self._answer = answer
            self._request = request

        async def __aiter__(self) -> AsyncIterator[bytes]:
            exchange = _exchange.get() or Exchange()
            size = 0
            try:
                async for chunk in self._answer.stream:  # type: ignore[union-attr]
                    size += len(chunk)
                    if size > ANSWER_LIMIT:
                        raise TooMuch(f"The answer has more than {ANSWER_LIMIT // 2**20} MiB.")
                    if self._answer.status_code >= 300:
                        exchange.body = (exchange.body + chunk)[:_KEPT_OF_ERRORS]
                    yield chunk
            except Exception as reason:
                exchange.trouble = reason
                raise _as(family, reason, self._request) from reason

        async def aclose(self) -> None:
            await self._answer.stream.aclose()  # type: ignore[union-attr]

    class Transport(family.AsyncBaseTransport):  # type: ignore[misc]
        async def handle_async_request(self, request: Any) -> Any:
            exchange = _exchange.get() or Exchange()
            exchange.requests += 1
            exchange.status, exchange.headers, exchange.body, exchange.trouble = None, {}, b"", None
            try:
                url = httpx.URL(str(request.url))
                if _origin(url) != origin:
                    raise Invalid(f"The library wanted to ask {url.host}, which nobody told it to.", code="other_server", field="url")
                sent = httpx.Request(request.method, url, headers=_headers(request, terms, http.user_agent), content=await request.aread())
                answer = await http.send(sent)
                if answer.headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
                    await answer.aclose()
                    raise TooMuch("The answer is compressed although that was not asked for.")
            except Exception as reason:
                exchange.trouble = reason
                raise _as(family, reason, request) from reason
            exchange.status, exchange.headers = answer.status_code, dict(answer.headers)
            return family.Response(
                answer.status_code, headers=answer.headers.raw, stream=Body(answer, request), extensions={"http_version": b"HTTP/1.1"}
            )

    return Transport()


def _headers(request: Any, terms: Terms, user_agent: str) -> dict[str, str]:
    ours = {name.lower(): value for name, value in terms.put.items()} | {"user-agent": user_agent, "accept-encoding": "identity"}
    allowed = _ALWAYS | terms.keep
    kept = {name.lower(): value for name, value in request.headers.items() if name.lower() in allowed}
    return kept | ours


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host.rstrip("."), url.port or (443 if url.scheme == "https" else 80)


def _as(family: Any, reason: Exception, request: Any) -> Exception:
    """The reason as an exception that libraries of ``family`` expect of a transport."""
    words = str(reason) or type(reason).__name__
    if isinstance(reason, httpx.TransportError):
        return getattr(family, type(reason).__name__, family.TransportError)(words, request=request)
    if isinstance(reason, TooMuch):
        return family.RemoteProtocolError(words, request=request)
    if isinstance(reason, (NoAnswer, Invalid, OSError)):
        return family.ConnectError(words, request=request)
    return family.TransportError(words, request=request)
