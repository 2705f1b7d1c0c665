"""Account statuses and the one table of legal transitions (ACC-2)."""

from __future__ import annotations

from enum import StrEnum


class AccountStatus(StrEnum):
    """The statuses of an account, exactly as users and the API see them."""

    INITIALIZING = "initializing"
    QR_READY = "qr_ready"
    READY = "ready"
    DISCONNECTED = "disconnected"
    AUTH_FAILED = "auth_failed"
    ERROR = "error"


_S = AccountStatus

LEGAL: dict[AccountStatus, frozenset[AccountStatus]] = {
    _S.INITIALIZING: frozenset({_S.QR_READY, _S.READY, _S.DISCONNECTED, _S.AUTH_FAILED, _S.ERROR}),
    _S.QR_READY: frozenset({_S.INITIALIZING, _S.READY, _S.DISCONNECTED, _S.AUTH_FAILED, _S.ERROR}),
    _S.READY: frozenset({_S.INITIALIZING, _S.DISCONNECTED, _S.AUTH_FAILED, _S.ERROR}),
    _S.DISCONNECTED: frozenset({_S.INITIALIZING, _S.READY, _S.AUTH_FAILED, _S.ERROR}),
    _S.AUTH_FAILED: frozenset({_S.INITIALIZING, _S.DISCONNECTED}),
    _S.ERROR: frozenset({_S.INITIALIZING, _S.DISCONNECTED, _S.AUTH_FAILED}),
}


def is_legal(old: AccountStatus, new: AccountStatus) -> bool:
    """Whether an account may go from ``old`` to ``new``; staying is always legal (a new reason may come with it)."""
    return old == new or new in LEGAL[old]
