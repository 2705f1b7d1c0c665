"""Errors that carry the decision: what the caller is told, and whether to try again.

Every error a service raises on purpose is an :class:`AppError`. Pages show its message, the API turns it into a
problem document (API-1), queues read :class:`Retryable` and :class:`Permanent`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from whatsapp_dashboard.text import clean


class AppError(Exception):
    """An expected failure with a sentence for the person who caused it.

    ``message`` says what happened and what to do; ``code`` is stable for machines; ``field`` names the input at fault; ``facts`` are
    further members of the problem document, for programs.
    """

    status: ClassVar[int] = 500
    code: str = "error"
    facts: Mapping[str, str] = MappingProxyType({})

    def __init__(self, message: str, *, code: str | None = None, field: str | None = None) -> None:
        # It may quote what somebody else wrote, and is stored as a reason or sent as JSON.
        self.message = clean(message)
        super().__init__(self.message)
        if code is not None:
            self.code = code
        self.field = clean(field) if field else field


class Invalid(AppError):
    """The input is wrong; ``field`` says which."""

    status = 422
    code = "invalid"


class Unauthenticated(AppError):
    """Nobody is logged in, or the session has ended."""

    status = 401
    code = "unauthenticated"


class Forbidden(AppError):
    """Logged in, but the role does not allow it."""

    status = 403
    code = "forbidden"


class NotFound(AppError):
    """No such thing, or it belongs to another workspace (both look the same from outside)."""

    status = 404
    code = "not_found"


class Conflict(AppError):
    """The thing is in a state that does not allow this now."""

    status = 409
    code = "conflict"


class TooLarge(AppError):
    """More bytes than the limit, which the message names."""

    status = 413
    code = "too_large"


class TooMany(AppError):
    """Too many tries; ``after`` seconds from now the next one is welcome."""

    status = 429
    code = "too_many"

    def __init__(self, message: str, *, after: float, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.after = after


class Unsupported(AppError):
    """The account's engine cannot do this (ENG-1)."""

    status = 501
    code = "unsupported"


class Unavailable(AppError):
    """Cannot be done at this moment, for instance because the account is offline; ``after`` seconds from now it may, when given."""

    status = 503
    code = "unavailable"

    def __init__(self, message: str, *, after: float | None = None, code: str | None = None, field: str | None = None) -> None:
        super().__init__(message, code=code, field=field)
        self.after = after


class DatabaseAway(Unavailable):
    """The database cannot be used at this moment (``core/outage.py``). Nothing was stored by the block that raised it, or nobody knows:
    its connection may have ended while it committed. What is tried again must bear that."""

    code = "database_unreachable"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The database cannot be used right now ({reason}). Nothing was changed; try again in a moment.", after=5)
        self.reason = reason


class Retryable(AppError):
    """Failed for now; try again, not before ``after`` seconds when given."""

    status = 503
    code = "retryable"

    def __init__(self, message: str, *, after: float | None = None, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.after = after


class Permanent(AppError):
    """Failed for good; trying again cannot help."""

    status = 422
    code = "permanent"
