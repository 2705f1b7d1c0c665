"""The event log: every change anyone may care about is appended here in the transaction of the change.

Readers (live pages, webhooks, counters) follow it with a cursor. Nobody calls them from the code that changes things.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.core.db import announce, before_commit
from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.models import Event
from whatsapp_dashboard.models.base import metadata, utc_now

_PENDING = "events"
_EVENT = metadata.tables[str(Event.__tablename__)]
_COLUMNS = [
    _EVENT.c[name] for name in ("seq", "id", "type", "created_at", "workspace_id", "account_id", "conversation_id", "message_id", "data")
]
"""In the order of :class:`EventRecord`."""
_LOG_LOCK = 0x57414C4F47  # "WALOG": the advisory lock that makes commit order and seq order the same


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One event as readers get it. ``data`` is JSON and never holds a secret."""

    seq: int
    id: str
    type: str
    at: datetime
    workspace_id: str | None
    account_id: str | None
    conversation_id: str | None
    message_id: str | None
    data: dict[str, Any]


def record(
    session: AsyncSession,
    type: str,
    *,
    workspace_id: str | None = None,
    account_id: str | None = None,
    conversation_id: str | None = None,
    message_id: str | None = None,
    data: dict[str, Any] | None = None,
) -> str:
    """Append an event of ``type`` (``message``, ``session.status`` ...) to this write and return its id."""
    event_id = new_id()
    session.info.setdefault(_PENDING, []).append(
        {
            "id": event_id,
            "type": type,
            "workspace_id": workspace_id,
            "account_id": account_id,
            "conversation_id": conversation_id,
            "message_id": message_id,
            "data": data or {},
            "created_at": utc_now(),
        }
    )
    before_commit(session, _PENDING, _append)
    announce(session)
    return event_id


async def _append(session: AsyncSession) -> None:
    """Write the collected events last, so that on PostgreSQL the log is locked only for a moment and ``seq`` grows in the
    order of commits: a reader's cursor never passes an event that is still on its way."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOG_LOCK})
    await session.execute(insert(_EVENT), session.info.pop(_PENDING))


async def read_after(session: AsyncSession, seq: int, *, limit: int) -> list[EventRecord]:
    """Up to ``limit`` events behind ``seq``, in order."""
    rows = await session.execute(select(*_COLUMNS).where(col(Event.seq) > seq).order_by(col(Event.seq)).limit(limit))
    return [EventRecord(*row) for row in rows]


async def last_seq(session: AsyncSession) -> int:
    """The newest ``seq``, 0 in an empty log."""
    return await session.scalar(select(col(Event.seq)).order_by(col(Event.seq).desc()).limit(1)) or 0
