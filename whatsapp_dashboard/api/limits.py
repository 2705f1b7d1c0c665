"""Limits of every API request: how much it may bring, how long it may take; and an id that finds it in the log (API-4, OBS-6)."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from whatsapp_dashboard.api.problems import problem
from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.errors import AppError, TooLarge

log = structlog.get_logger(__name__)

SECONDS = 30.0
BODY_BYTES = 1_048_576
UPLOAD_PATH = "/api/messages/send/media"
KNOWLEDGE_PATH = "/api/knowledge/documents/upload"
UNTIMED = frozenset({UPLOAD_PATH, KNOWLEDGE_PATH, "/api/messages/export.csv", "/api/credits/ledger.csv"})
"""Up- and downloads take as long as the line needs."""


class TimeLimit(AppError):
    """The request took longer than :data:`SECONDS`."""

    status = 504
    code = "time_limit"


class Limits:
    """ASGI middleware around the API. A body over the limit is refused while it comes in, however it is announced."""

    def __init__(self, app: Any, settings: Settings) -> None:
        self._app = app
        # base64 makes a file a third larger; the rest of the form is small
        self._limits = {
            UPLOAD_PATH: settings.media_max_mb * 1_048_576 * 4 // 3 + BODY_BYTES,
            KNOWLEDGE_PATH: settings.knowledge_max_mb * 1_048_576 + BODY_BYTES,
        }

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Pass the request on, with its id in the log and in the answer."""
        if scope["type"] != "http" or not scope["path"].startswith("/api"):
            await self._app(scope, receive, send)
            return
        request_id = new_id()
        answer = _Answer(send, request_id)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                async with asyncio.timeout(None if scope["path"] in UNTIMED else SECONDS):
                    await self._app(scope, self._counted(scope, receive), answer)
            except ClientDisconnect:
                log.info("the client hung up before its request was here", path=scope["path"])
            except TooLarge as error:
                await self._refuse(error, scope, receive, answer)
            except TimeoutError:
                log.warning("request took too long", path=scope["path"])
                await self._refuse(TimeLimit(f"This took longer than {SECONDS:.0f} seconds and was stopped."), scope, receive, answer)

    def _counted(self, scope: dict[str, Any], receive: Any) -> Any:
        limit = self._limits.get(scope["path"], BODY_BYTES)
        announced = dict(scope["headers"]).get(b"content-length", b"")
        seen = int(announced) if announced.isdigit() else 0
        if seen > limit:
            raise _too_large(limit)
        seen = 0

        async def counted() -> Any:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:  # FastAPI lets only its own kind of error through while it reads a body
                raise HTTPException(413, _too_large(limit).message)
            return message

        return counted

    async def _refuse(self, error: AppError, scope: dict[str, Any], receive: Any, answer: _Answer) -> None:
        if not answer.begun:
            await problem(error)(scope, receive, answer)


class _Answer:
    """Sends the answer with the request's id, and knows whether it has begun."""

    def __init__(self, send: Any, request_id: str) -> None:
        self._send = send
        self._id = request_id.encode()
        self.begun = False

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            message = {**message, "headers": [*message["headers"], (b"x-request-id", self._id)]}
        await self._send(message)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The request is larger than {limit // 1_048_576} MiB.", code="body_too_large")
