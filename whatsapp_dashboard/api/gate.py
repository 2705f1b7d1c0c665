"""The API's gate: nobody passes unless the route is on the public list or the request says who it is from (API-2, SEC-5).

It stands before the router, so a route added later is closed by itself.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from whatsapp_dashboard import runtime
from whatsapp_dashboard.api.problems import problem
from whatsapp_dashboard.auth.web import Origins, Request, is_forged
from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.domain.principal import Principal
from whatsapp_dashboard.errors import AppError, Forbidden, Unauthenticated

FOR_OPERATOR = "x-for-operator"
"""Whom a request is from, by its sender's own word: what one operator wrote never goes out as another's (MSG-13)."""
PREFIXES = ("/api", "/health", "/metrics")
"""Paths that belong to the API; all others are the pages'."""

PUBLIC: frozenset[tuple[str, str]] = frozenset(
    {
        ("POST", "/api/auth/login"),
        ("POST", "/api/auth/logout"),
        ("POST", "/api/auth/token"),
        ("GET", "/health/live"),
        ("GET", "/health/ready"),
    }
)
"""The whole list of routes that answer without a session. ``/api/auth/logout`` only ever ends the caller's own."""

_LONGEST_ORIGIN = 300
_PROGRAMS = "A program sends X-Requested-With with any value, and no Origin."


def belongs_to_api(path: str) -> bool:
    """Whether ``path`` is one of the API's."""
    return any(path == prefix or path.startswith(prefix + "/") for prefix in PREFIXES)


class Gate:
    """ASGI middleware in front of the API's router; others' paths pass untouched."""

    def __init__(self, app: Any, settings: Settings) -> None:
        self._app = app
        self._origins = Origins(settings)
        self._url = settings.public_url

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Let the request through with ``scope["state"]["principal"]`` set, or answer with a problem document."""
        if scope["type"] != "http" or not belongs_to_api(scope["path"]):
            await self._app(scope, receive, send)
            return
        try:
            scope.setdefault("state", {})["principal"] = await self._identify(Request(scope))
        except AppError as error:
            response: Response = problem(error)
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _identify(self, request: Request) -> Principal | None:
        method = "GET" if request.method == "HEAD" else request.method
        public = (method, request.path) in PUBLIC
        foreign = request.has("origin") and not self._origins.may_call(request.header("origin"), request.header("host"))
        if public:
            if foreign and request.method == "POST":
                raise self._forged(request)
            return None
        auth = runtime.current().auth
        if request.has("authorization"):
            principal = await auth.authenticate_jwt(request.bearer) if request.bearer else None
        else:
            cookie = request.cookie
            principal = await auth.authenticate(cookie, request.user_agent) if cookie else None
            if principal is not None and is_forged(request, self._origins):
                raise self._forged(request)
        if principal is not None and request.header(FOR_OPERATOR) not in (None, principal.operator_id):
            raise Forbidden("Somebody else is logged in here by now.", code="other_operator")
        if principal is None:
            raise Unauthenticated("Log in first: send the session cookie, or Authorization: Bearer with a token.")
        return principal

    def _forged(self, request: Request) -> Forbidden:
        """What to set, if this was no forgery."""
        seen = (request.header("origin") or "")[:_LONGEST_ORIGIN]
        if not seen:
            return Forbidden(f"This request does not say where it comes from. {_PROGRAMS}", code="foreign_origin")
        error = Forbidden(
            f"This request comes from {seen}, and the dashboard is {self._url}. If people reach it there, set DASHBOARD_URL={seen} and"
            f" start it again; another site whose pages may call the API is named in CORS_ORIGINS. {_PROGRAMS}",
            code="foreign_origin",
        )
        error.facts = {"origin": seen, "expected": self._url}
        return error
