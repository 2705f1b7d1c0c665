"""Security headers on every response (SEC-5)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

STATIC: dict[bytes, bytes] = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), payment=(), usb=(), microphone=(self)",
    b"cross-origin-opener-policy": b"same-origin",
}


def script_hashes(pages: Iterable[Path]) -> list[str]:
    """The hashes of all inline scripts of built pages, so that these run and no other inline script does."""
    found: set[str] = set()
    for page in pages:
        for attributes, body in _scripts(page.read_bytes()):
            if b"src=" not in attributes:
                digest = hashlib.sha256(body.replace(b"\r\n", b"\n")).digest()
                found.add(f"'sha256-{base64.b64encode(digest).decode()}'")
    return sorted(found)


def _scripts(page: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The attributes and the body of each script element."""
    end = 0
    while (begin := page.find(b"<script", end)) >= 0:
        begin += len(b"<script")
        body = page.find(b">", begin) + 1
        end = page.find(b"</script>", body)
        if not body or end < 0:
            return
        yield page[begin : body - 1], page[body:end]


def content_policy(hashes: Iterable[str]) -> str:
    """The content security policy. ``unsafe-eval`` is Reflex's: its client runs what our own server sends over the socket
    through ``eval``; inline scripts, the way injected markup runs, stay forbidden."""
    return "; ".join(
        (
            "default-src 'self'",
            " ".join(("script-src 'self' 'unsafe-eval'", *hashes)),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class SecurityHeaders:
    """ASGI middleware that adds the headers to every HTTP response that does not bring its own."""

    def __init__(self, app: Any, *, policy: str, https: bool) -> None:
        self._app = app
        self._headers = {**STATIC, b"content-security-policy": policy.encode()}
        if https:
            self._headers[b"strict-transport-security"] = b"max-age=31536000"

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Pass the request on and decorate what comes back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def decorated(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message.get("headers", [])}
                message["headers"] = [
                    *message.get("headers", []),
                    *((name, value) for name, value in self._headers.items() if name not in present),
                ]
            await send(message)

        await self._app(scope, receive, decorated)
