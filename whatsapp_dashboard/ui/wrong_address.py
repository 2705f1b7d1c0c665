"""Told to whoever opens the dashboard under a name that it does not take for its own: there no page can load its data (SEC-5, OPS-1).

Only the browser knows the address it shows; a reverse proxy may have sent us another. So the browser asks, by session.js and login.js.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape
from importlib.resources import files
from urllib.parse import parse_qs, urlsplit

from starlette.responses import HTMLResponse, RedirectResponse, Response

from whatsapp_dashboard.auth.web import Origins, Request, safe_next
from whatsapp_dashboard.config import Settings

PATH = "/wrong-address"
_STYLE = (files("whatsapp_dashboard.ui") / "wrong_address.css").read_text("utf-8")
_PAGE = (files("whatsapp_dashboard.ui") / "wrong_address.html").read_text("utf-8").replace("{{style}}", _STYLE)
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'; img-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_MISDIRECTED = 421
_LONGEST = 300


def wrong_address(request: Request, origins: Origins, settings: Settings) -> Response:
    """``?from=`` is the browser's own origin: back to ``?next=`` when it is ours, else what to set, with status 421."""
    query = {name: values[0] for name, values in parse_qs(request.scope.get("query_string", b"").decode("latin-1")).items()}
    here = _origin(query.get("from", ""))
    if here is None or origins.is_own(here, request.header("host")):
        return RedirectResponse(safe_next(query.get("next")), 303)
    by_number = settings.dashboard_url is None
    body = (
        _PAGE.replace("{{here}}", escape(here, quote=True))
        .replace("{{known}}", escape(settings.public_url, quote=True))
        .replace("{{numbers}}", " and by its IP address" if by_number else "")
        .replace("{{instead}}", "" if by_number else "; it takes the place of the address of now")
    )
    return HTMLResponse(body, _MISDIRECTED, headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"})


def _origin(text: str) -> str | None:
    """``text`` as an origin of the web; None when it is none."""
    try:
        parts = urlsplit(text[:_LONGEST])
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query or parts.username is not None:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if port is None else f":{port}")
