"""Errors as RFC 9457 problem documents, never with a stack trace (API-1)."""

from __future__ import annotations

import math
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from whatsapp_dashboard.errors import AppError, Retryable, TooMany, Unavailable

log = structlog.get_logger(__name__)

TITLES = {
    400: "Bad request",
    401: "Not logged in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    422: "Invalid input",
    429: "Too many requests",
    500: "Internal error",
    501: "Not supported",
    503: "Not available",
    504: "Time limit",
}


def problem(error: AppError) -> JSONResponse:
    """The response for an expected error."""
    headers = {}
    if isinstance(error, TooMany | Retryable | Unavailable) and error.after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.after)))
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    extra = {"field": error.field} if error.field else {}
    return _document(error.status, error.code, error.message, headers, **extra, **error.facts)


def install(app: FastAPI) -> None:
    """Answer every error of ``app`` with a problem document."""

    @app.exception_handler(AppError)
    async def _expected(_request: Request, error: AppError) -> JSONResponse:
        return problem(error)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        errors = [
            {"field": ".".join(str(part) for part in item["loc"][1:]) or str(item["loc"][0]), "message": item["msg"]}
            for item in error.errors()
        ]
        detail = " ".join(f"{item['field']}: {item['message']}." for item in errors)
        return _document(422, "invalid", detail, {}, errors=errors)

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, error: HTTPException) -> JSONResponse:
        code = TITLES.get(error.status_code, "error").lower().replace(" ", "_")
        return _document(error.status_code, code, str(error.detail), dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def _bug(request: Request, error: Exception) -> JSONResponse:
        log.error("request failed", path=request.url.path, exc_info=error)
        return _document(500, "internal", "Something went wrong on our side; the log has the details.", {})


def _document(status: int, code: str, detail: str, headers: dict[str, str], **extra: Any) -> JSONResponse:
    body = {"type": "about:blank", "title": TITLES.get(status, "Error"), "status": status, "code": code, "detail": detail, **extra}
    return JSONResponse(body, status, headers={**headers, "Cache-Control": "no-store"}, media_type="application/problem+json")
