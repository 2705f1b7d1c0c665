"""Idempotency keys of requests (API-5): the same key again is answered what the first request was, and changes nothing.

Messages, notes and credits keep the key with what they made, for good. Every other POST is wrapped by :func:`answered_once`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Annotated, Any

from fastapi import Header, Request, Response
from fastapi.responses import JSONResponse

from whatsapp_dashboard import runtime
from whatsapp_dashboard.api.problems import problem
from whatsapp_dashboard.core import once
from whatsapp_dashboard.domain.principal import Principal
from whatsapp_dashboard.errors import AppError

HEADER = "Idempotency-Key"
NOT_HERE = frozenset({"/api/auth/login", "/api/auth/logout", "/api/auth/token"})
"""Nobody is known there to whom a key could belong, and what they hand out is told once."""
_SAYS = (
    "The same key again, within a week, answers what the first request was answered and changes nothing. What is told once (a secret, a "
    "password) is null then."
)

IdempotencyKey = Annotated[
    str | None,
    Header(alias=HEADER, max_length=once.MAX_KEY, description="The same key again answers with the first one instead of making a second"),
]
"""For routes that keep the key with what they make."""


def described(extra: dict[str, Any] | None) -> dict[str, Any]:
    """What the OpenAPI document says of a route that :func:`answered_once` wraps."""
    parameter = {
        "name": HEADER, "in": "header", "required": False, "description": _SAYS, "schema": {"type": "string", "maxLength": once.MAX_KEY},
    }  # fmt: skip
    found = dict(extra or {})
    return {**found, "parameters": [*found.get("parameters", []), parameter]}


async def answered_once(request: Request, handle: Callable[[Request], Awaitable[Response]]) -> Response:
    """What ``handle`` answers, or has answered to an earlier request under the same key."""
    principal: Principal | None = getattr(request.state, "principal", None)
    if principal is None:
        return await handle(request)
    keys = runtime.current().request_keys
    body = await request.body()
    digest = hashlib.sha256(str(request.url.query).encode() + b"\n" + body).hexdigest()
    asked = keys.begin(principal.operator_id, request.headers[HEADER], f"{request.method} {request.url.path}"[:255], digest)
    if (earlier := await keys.earlier(asked)) is not None:
        return _again(*earlier)
    try:
        with once.under(asked):
            response = await handle(request)
    except once.DoneBefore:
        # Two requests came together, and the other one was first.
        return _again(*(await keys.earlier(asked, sure=True) or (409, None)))
    except AppError as error:
        if asked.stored:
            await keys.keep(asked, error.status, _body(problem(error)))
        elif (earlier := await keys.earlier(asked)) is not None:
            return _again(*earlier)  # what is refused is there because the other request made it
        raise
    if response.status_code < 400:
        await keys.keep(asked, response.status_code, _body(response))
    return response


def _again(status: int, body: Any) -> Response:
    headers = {"Idempotent-Replayed": "true"}
    if status == 204 or body is None:
        return Response(status_code=status, headers=headers)
    kind = "application/problem+json" if status >= 400 else "application/json"
    return JSONResponse(body, status, headers=headers, media_type=kind)


def _body(response: Response) -> Any:
    with suppress(ValueError, AttributeError):
        return json.loads(bytes(response.body))
    return None
