"""A request under a key has its effect once (API-5, MSG-13): the key is stored in the same write as the effect.

    with once.under(Request(operator_id, key, what)):
        await handler()        # its first db.write() stores the key with what it changes

A second request under the key finds it there when it is about to write, and changes nothing: :class:`DoneBefore`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import column, table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from whatsapp_dashboard.core.utc_datetime import UtcDateTime
from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.errors import Conflict

MAX_KEY = 255
_KEYS = table(
    "request_key", column("id"), column("operator_id"), column("key"), column("what"), column("digest"), column("created_at", UtcDateTime)
)  # fmt: skip


class DoneBefore(Conflict):
    """A request under this key has had its effect already; nothing was done again."""

    code = "done_before"

    def __init__(self) -> None:
        super().__init__("This was done before, under the same key. Nothing was done twice.")


@dataclass
class Request:
    """One request under a key of its sender. ``what`` names what is asked for, ``digest`` what with."""

    operator_id: str
    key: str
    what: str
    digest: str = ""
    id: str = field(default_factory=new_id)
    stored: bool = False
    """Whether the key is on disk, and with it the effect."""
    task: asyncio.Task[Any] | None = field(default_factory=asyncio.current_task)
    """Work the request leaves behind runs in other tasks, and has nothing to do with its key."""

    def mark_stored(self) -> None:
        """The write with the key was committed."""
        self.stored = True


_running: ContextVar[Request | None] = ContextVar("request_under_a_key", default=None)


@contextmanager
def under(request: Request | None) -> Iterator[None]:
    """What is written in this block, in this task, is the effect of ``request``; without one the block is as any other."""
    before = _running.get()
    _running.set(request)
    try:
        yield
    finally:
        _running.set(before)


async def claim(session: AsyncSession, after_commit: Callable[[AsyncSession, str, Callable[[], Any]], None]) -> None:
    """Store the key of the running request in this write, unless it has been. Raises :class:`DoneBefore`."""
    request = _running.get()
    if request is None or request.stored or request.task is not asyncio.current_task():
        return
    make: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = {"id": request.id, "operator_id": request.operator_id, "key": request.key, "what": request.what, "digest": request.digest}
    statement = make(_KEYS).values(**values, created_at=datetime.now(UTC)).on_conflict_do_nothing().returning(_KEYS.c.id)
    if (await session.scalar(statement)) is None:
        raise DoneBefore
    after_commit(session, "request key", request.mark_stored)
