"""The login page: plain HTML from the server, so that nobody without a session opens a socket or loads the app (SEC-4)."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from importlib.resources import files
from urllib.parse import parse_qs

from starlette.responses import HTMLResponse

from whatsapp_dashboard.auth.web import Request, safe_next

_PARTS = files("whatsapp_dashboard.ui.login")
_STYLE = (_PARTS / "login.css").read_text("utf-8")
_SCRIPT = (_PARTS / "login.js").read_text("utf-8")
_BODY = (_PARTS / "login.html").read_text("utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


_POLICY = (
    f"default-src 'none'; script-src {_hash(_SCRIPT)}; style-src {_hash(_STYLE)}; img-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

MESSAGES = {
    "bad_credentials": "The user name or the password is not right.",
    "totp_required": "Enter the code from your authenticator app, and your password once more.",
    "totp_wrong": "That code is not right. Wait for the next one and try again.",
    "locked_out": "Too many failed log-ins. Try again in {minutes} minutes.",
    "invalid": "Enter your user name and your password.",
}


def login_page(request: Request) -> HTMLResponse:
    """The page, with what went wrong at the last try when the address says so."""
    query = {name: values[0] for name, values in parse_qs(request.scope.get("query_string", b"").decode("latin-1")).items()}
    error = MESSAGES.get(query.get("error", ""), "Logging in did not work. Try again.") if query.get("error") else ""
    minutes = query.get("minutes", "")
    note = "You are logged out." if query.get("ended") and not error else ""
    body = (
        _BODY.replace("{{style}}", _STYLE)
        .replace("{{script}}", _SCRIPT)
        .replace("{{next}}", escape(safe_next(query.get("next")), quote=True))
        .replace("{{username}}", escape(query.get("username", "")[:64], quote=True))
        .replace("{{error}}", escape(error.replace("{minutes}", minutes if minutes.isdecimal() else "some")))
        .replace("{{error_hidden}}", "" if error else "hidden")
        .replace("{{note}}", escape(note))
        .replace("{{note_hidden}}", "" if note else "hidden")
        .replace("{{code_hidden}}", "" if query.get("code") else "hidden")
    )
    return HTMLResponse(body, headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"})
