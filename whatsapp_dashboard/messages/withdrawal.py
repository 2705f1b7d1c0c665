"""Automatic answers that still wait when a person takes over, or when the contact writes more, are not sent any more: bots do not talk
over people (AI-8)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import case, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.domain.messages import MessageStatus, Origin
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.messages.changes import status_data
from whatsapp_dashboard.messages.waiting import recount
from whatsapp_dashboard.models import Account, Message

AUTOMATIC = (Origin.AUTO_REPLY, Origin.AI)
TAKEN_OVER = ("Not sent: a person took over the conversation.", "Not sent again: a person took over the conversation.")
NEWER = (
    "Not sent: the contact wrote more, and one answer to all of it follows.",
    "Not sent again: the contact wrote more, and one answer to all of it follows.",
)
CHANGED = (
    "Not sent: the contact changed or deleted what it answers.",
    "Not sent again: the contact changed or deleted what it answers.",
)
"""Why, for a message that was never sent and for one that was to be sent again."""


async def queued_replies(session: AsyncSession, conversation_id: str, origin: Origin) -> list[Message]:
    """The automatic answers of this origin in the conversation that still wait to be sent, oldest first."""
    statement = (
        select(Message)
        .where(col(Message.conversation_id) == conversation_id)
        .where(col(Message.status) == MessageStatus.QUEUED.value, col(Message.origin) == origin)
        .order_by(col(Message.id))
    )
    return list(await session.scalars(statement))


async def withdraw_replies(
    session: AsyncSession, conversation_ids: Collection[str], *, why: tuple[str, str] = TAKEN_OVER, origins: Collection[Origin] = AUTOMATIC
) -> Sequence[Message]:
    """Fail the automatic answers of these conversations that are still queued, with the reason; returns them.

    One that is being handed over at this very moment may still go out; its row then says that it was sent.
    """
    if not conversation_ids:
        return ()
    statement = (
        update(Message)
        .where(col(Message.conversation_id).in_(conversation_ids))
        .where(col(Message.status) == MessageStatus.QUEUED.value, col(Message.origin).in_(origins))
        .values(status=MessageStatus.FAILED.value, status_reason=case((col(Message.unconfirmed), why[1]), else_=why[0]))
        .returning(Message)
    )
    rows = (await session.scalars(statement)).all()
    if rows:
        recount(session, {row.conversation_id for row in rows})
        owners = select(col(Account.id), col(Account.workspace_id)).where(col(Account.id).in_({row.account_id for row in rows}))
        workspaces = {row[0]: row[1] for row in await session.execute(owners)}
        for row in rows:
            record(
                session,
                "message.status",
                workspace_id=workspaces[row.account_id],
                account_id=row.account_id,
                conversation_id=row.conversation_id,
                message_id=row.id,
                data=status_data(row, MessageStatus.QUEUED.value),
            )
    return rows


async def is_still_wanted(session: AsyncSession, message_id: str) -> bool:
    """Whether a message is still to be sent: asked again after a pause."""
    status = await session.scalar(select(col(Message.status)).where(col(Message.id) == message_id))
    return bool(status == MessageStatus.QUEUED.value)
