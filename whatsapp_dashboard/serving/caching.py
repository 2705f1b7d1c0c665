"""How long a browser may keep what the pages are made of."""

from __future__ import annotations

from typing import Any

HASHED = "/assets/"
"""Files of the build whose name changes with what is in them."""
FOR_EVER = b"public, max-age=31536000, immutable"
ASK_FIRST = b"no-cache"
"""Kept, and asked for again each time: mostly answered by 304. Without a word, browsers would show the pages of an old version for days."""


class Caching:
    """ASGI middleware around the pages. Answers that say themselves how long they last keep their word."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Pass the request on and mark what comes back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        hashed = scope["path"].startswith(HASHED)

        async def marked(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", []))
                if not any(name.lower() == b"cache-control" for name, _ in headers):
                    found = message["status"] in (200, 206, 304)
                    headers.append((b"cache-control", FOR_EVER if hashed and found else ASK_FIRST))
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, marked)
