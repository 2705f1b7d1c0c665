"""What a browser's request says about who sent it: cookie, origin, address. Shared by the pages' guard and the API's gate.

Cross-site requests (SEC-5): a request that changes something and carries our cookie must come from an allowed origin. A
browser always sends ``Origin`` with such requests; programs that send none show ``X-Requested-With`` instead, which a foreign
page cannot set without being allowed by CORS first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.text import clean

COOKIE = "wa.sid"
COOKIE_SECONDS = 30 * 24 * 3600
"""How long the browser keeps the cookie. The session's row decides whether it is still worth anything (SEC-2)."""
PROGRAM_HEADER = "x-requested-with"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Request:
    """The parts of an ASGI scope that matter here."""

    def __init__(self, scope: Mapping[str, Any]) -> None:
        self.scope = scope
        self._headers: dict[str, list[str]] = {}
        for name, value in scope.get("headers", []):
            self._headers.setdefault(name.decode("latin-1").lower(), []).append(clean(value.decode("latin-1")))

    @property
    def method(self) -> str:
        """The HTTP method; GET for a websocket."""
        return str(self.scope.get("method", "GET"))

    @property
    def path(self) -> str:
        """The path, decoded by the server."""
        return str(self.scope.get("path", ""))

    def header(self, name: str) -> str | None:
        """The header's value; None when it is absent or, being sent twice, ambiguous."""
        values = self._headers.get(name, [])
        return values[0] if len(values) == 1 else None

    def has(self, name: str) -> bool:
        """Whether the header was sent at all."""
        return name in self._headers

    @property
    def cookie(self) -> str | None:
        """The session's secret from the cookie."""
        try:
            jar = SimpleCookie("; ".join(self._headers.get("cookie", [])))
        except CookieError:
            return None
        return clean(jar[COOKIE].value) if COOKIE in jar else None

    @property
    def bearer(self) -> str | None:
        """The token of an ``Authorization: Bearer`` header."""
        kind, _, token = (self.header("authorization") or "").partition(" ")
        return token.strip() if kind.lower() == "bearer" and token.strip() else None

    @property
    def user_agent(self) -> str:
        """What the browser calls itself; a session works only under the name it was given to."""
        return self.header("user-agent") or ""

    @property
    def ip(self) -> str:
        """Where the request came from; forwarded addresses count only from trusted proxies, which the server has checked."""
        client = self.scope.get("client")
        return str(client[0]) if client else "unknown"


class Origins:
    """Which origins are our own."""

    def __init__(self, settings: Settings) -> None:
        self._configured = settings.dashboard_url is not None
        self.cors = frozenset(settings.cors_origins)
        own = {settings.public_url}
        if settings.dashboard_url is None:
            own |= {f"http://{name}:{settings.dashboard_port}" for name in ("localhost", "127.0.0.1", "[::1]")}
        self.own = frozenset(_normal(origin) for origin in own)

    def is_own(self, origin: str | None, host: str | None) -> bool:
        """Whether ``origin`` is exactly one of ours.

        Without DASHBOARD_URL the dashboard does not know by which addresses it is reached: then an origin that is this very
        host is ours if it is a bare IP address. A name could be rebound to us by a foreign DNS server; an address cannot.
        """
        if not origin:
            return False
        if _normal(origin) in self.own:
            return True
        if self._configured or not host:
            return False
        parts = urlsplit(origin)
        return parts.scheme == "http" and parts.netloc == host and _is_address(parts.hostname or "")

    def may_call(self, origin: str | None, host: str | None) -> bool:
        """Whether ``origin`` may call the API: our own or one from CORS_ORIGINS."""
        return self.is_own(origin, host) or (origin is not None and origin in self.cors)


def is_forged(request: Request, origins: Origins) -> bool:
    """Whether a changing request with our cookie may have been caused by a foreign page (SEC-5)."""
    if request.method in SAFE_METHODS:
        return False
    if request.has("origin"):
        return not origins.may_call(request.header("origin"), request.header("host"))
    if request.header("sec-fetch-site") not in (None, "same-origin", "none"):
        return True
    return not request.has(PROGRAM_HEADER)


def set_cookie(token: str, *, secure: bool) -> str:
    """The ``Set-Cookie`` value that logs a browser in (SEC-2)."""
    return _cookie(token, COOKIE_SECONDS, secure)


def clear_cookie(*, secure: bool) -> str:
    """The ``Set-Cookie`` value that logs a browser out."""
    return _cookie("", 0, secure)


def safe_next(target: str | None, default: str = "/") -> str:
    """``target`` when it is a path of this dashboard, else ``default``: a log-in never forwards to another site."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or not target.isprintable():
        return default
    return target


def _cookie(value: str, max_age: int, secure: bool) -> str:
    parts: Iterable[str] = (
        f"{COOKIE}={value}",
        "Path=/",
        f"Max-Age={max_age}",
        "HttpOnly",
        "SameSite=Lax",
        *(("Secure",) if secure else ()),
    )
    return "; ".join(parts)


def _normal(origin: str) -> str:
    """``origin`` in lower case and without the scheme's default port, as browsers send it."""
    parts = urlsplit(origin.lower())
    try:
        port = parts.port
    except ValueError:
        return origin
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{port}")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
