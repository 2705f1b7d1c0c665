"""An event that cannot be stored is set aside with the reason, so that the others go on (DUR-1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.domain.engine_events import ConversationEvent
from whatsapp_dashboard.errors import AppError, NotFound
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.messages.event_text import kind_of, what_of, who_of, write_event
from whatsapp_dashboard.models import Account, SetAsideEvent
from whatsapp_dashboard.text import clean

_REASON = 500


async def set_aside(session: AsyncSession, account_id: str, event: ConversationEvent, error: Exception, now: datetime) -> None:
    """Keep ``event``, which ``error`` kept from being stored. Raises :class:`NotFound` when its account is gone."""
    workspace_id = await session.scalar(select(col(Account.workspace_id)).where(col(Account.id) == account_id))
    if workspace_id is None:
        raise NotFound("This account does not exist any more.")
    row = SetAsideEvent(
        account_id=account_id,
        kind=kind_of(event),
        who=_in_words(who_of, event),
        what=_in_words(what_of, event),
        reason=reason_of(error),
        content=write_event(event),
        created_at=now,
        tried_at=now,
    )
    session.add(row)
    tell(session, "inbound.set_aside", workspace_id, row)


def reason_of(error: Exception) -> str:
    """Why, for people: what the database said, or which fault of ours it was."""
    if isinstance(error, AppError):
        words = error.message
    elif isinstance(error, DBAPIError):
        words = f"The database does not take it: {_first_line(error.orig)}"
    else:
        words = f"The dashboard could not work it in: {type(error).__name__}: {_first_line(error)}"
    return clean(words)[:_REASON]


def tell(session: AsyncSession, type: str, workspace_id: str | None, row: SetAsideEvent) -> None:
    """Record what happened to an event that was set aside."""
    data = {"id": row.id, "kind": row.kind, "who": row.who, "what": row.what, "reason": row.reason}
    record(session, type, workspace_id=workspace_id, account_id=row.account_id, data=data)


def _first_line(error: BaseException | None) -> str:
    """What an error says, without statements, values and the class the driver puts in front."""
    lines = str(error).strip().splitlines()
    return (lines[0].rpartition("'>: ")[2] if lines else "") or type(error).__name__


def _in_words(words: Callable[[ConversationEvent], str], event: ConversationEvent) -> str:
    """An event that is not even one must not keep itself from being set aside."""
    try:
        return words(event)
    except Exception:
        return ""
