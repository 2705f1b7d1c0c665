"""What the message rooms need of the session pool, and no more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from whatsapp_dashboard.engines.base import Engine

T = TypeVar("T")


class Sessions(Protocol):
    """The way to a connected engine."""

    def engine(self, account_id: str) -> Engine | None:
        """The engine while the account is ``ready``, else None."""
        ...

    async def call(self, account_id: str, make_call: Callable[[Engine], Awaitable[T]]) -> T:
        """Call into a ready engine within the time limit; raises :class:`Unavailable` when the account is not connected."""
        ...
