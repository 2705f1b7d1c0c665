"""Reads what an account has to send next, in order, leaving out contacts who must wait (MSG-6, DUR-2)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.domain.account_settings import AccountSettings
from whatsapp_dashboard.domain.messages import MessageStatus, Timer
from whatsapp_dashboard.messages.governor import WINDOW, Wait
from whatsapp_dashboard.messages.quotes import Quoted, read_quoted
from whatsapp_dashboard.models import Account, Contact, Conversation, Media, Message, MessageAction

_TIMER = (col(Conversation.disappear_seconds), col(Conversation.disappear_set_at))


@dataclass(frozen=True, slots=True)
class Send:
    """A queued message with what is needed to send it."""

    message: Message
    contact: Contact
    last_inbound_at: datetime | None
    media: Media | None
    quoted: Quoted | None
    """What the message it replies to says."""
    timer: Timer | None
    """That of its chat, when messages disappear there."""

    @property
    def id(self) -> str:
        """Position in the order of the account."""
        return self.message.id


@dataclass(frozen=True, slots=True)
class Act:
    """A queued change to a message that was sent or received."""

    action: MessageAction
    message: Message
    contact: Contact
    media: Media | None
    quoted: Quoted | None
    timer: Timer | None

    @property
    def id(self) -> str:
        """Position in the order of the account."""
        return self.action.id


@dataclass(frozen=True, slots=True)
class Work:
    """The account as it is now, and what is due; ``full`` when there may be more."""

    account: Account
    settings: AccountSettings
    items: list[Send | Act]
    full: bool


async def read_work(
    session: AsyncSession, account_id: str, now: datetime, *, busy: Collection[str], held: Collection[str], limit: int, acts: bool
) -> Work | None:
    """Up to ``limit`` due items, messages only unless ``acts``; ``busy`` ones and those of ``held`` contacts are left out. None when
    there is nothing."""
    later = select(col(Message.contact_id)).where(
        col(Message.account_id) == account_id, col(Message.status) == MessageStatus.QUEUED, col(Message.not_before) > now
    )
    due = (
        select(Message, Contact, col(Conversation.last_inbound_at), Media, *_TIMER, Account)
        .join(Account, col(Account.id) == col(Message.account_id))
        .join(Contact, col(Contact.id) == col(Message.contact_id))
        .join(Conversation, col(Conversation.id) == col(Message.conversation_id))
        .outerjoin(Media, col(Media.id) == col(Message.media_id))
        .where(col(Message.account_id) == account_id, col(Message.status) == MessageStatus.QUEUED)
        .where(col(Message.contact_id).not_in(later), col(Message.contact_id).not_in(list(held)), col(Message.id).not_in(list(busy)))
        .order_by(col(Message.id))
        .limit(limit)
    )
    rows = (await session.execute(due)).all()
    account = rows[0][-1] if rows else None
    quoted = await read_quoted(session, account_id, (row[0] for row in rows))
    items: list[Send | Act] = [Send(*row[:4], quoted.get(row[0].id), _timer(*row[4:6])) for row in rows]
    if acts:
        items += await _acts(session, account_id, now, busy=busy, held=held, limit=limit)
        items.sort(key=lambda item: item.id)
        account = account or (await session.get(Account, account_id) if items else None)
    if account is None:
        return None
    return Work(account, AccountSettings.model_validate(account.settings), items[:limit], full=len(items) >= limit)


async def _acts(
    session: AsyncSession, account_id: str, now: datetime, *, busy: Collection[str], held: Collection[str], limit: int
) -> list[Act]:
    actions = (
        select(MessageAction, Message, Contact, Media, *_TIMER)
        .join(Message, col(Message.id) == col(MessageAction.message_id))
        .join(Conversation, col(Conversation.id) == col(Message.conversation_id))
        .join(Contact, col(Contact.id) == col(Message.contact_id))
        .outerjoin(Media, col(Media.id) == col(Message.media_id))
        .where(col(MessageAction.account_id) == account_id, col(MessageAction.id).not_in(list(busy)))
        .where(or_(col(MessageAction.not_before).is_(None), col(MessageAction.not_before) <= now))
        # What is still queued has nothing at WhatsApp that could be changed.
        .where(col(Message.status) != MessageStatus.QUEUED, col(Message.contact_id).not_in(list(held)))
        .order_by(col(MessageAction.id))
        .limit(limit)
    )
    rows = (await session.execute(actions)).all()
    quoted = await read_quoted(session, account_id, (row[1] for row in rows if row[0].kind == "resend"))
    return [Act(*row[:4], quoted.get(row[1].id), _timer(*row[4:])) for row in rows]


def _timer(seconds: int, set_at: datetime | None) -> Timer | None:
    return Timer(seconds, set_at) if seconds > 0 else None


async def has_acts(session: AsyncSession, account_id: str) -> bool:
    """Whether any change waits, due or not."""
    return (await session.scalar(select(col(MessageAction.id)).where(col(MessageAction.account_id) == account_id).limit(1))) is not None


async def next_due(session: AsyncSession, account_id: str) -> datetime | None:
    """When the next thing that waits becomes due."""
    times = [
        await session.scalar(
            select(func.min(col(Message.not_before))).where(
                col(Message.account_id) == account_id, col(Message.status) == MessageStatus.QUEUED
            )
        ),
        await session.scalar(select(func.min(col(MessageAction.not_before))).where(col(MessageAction.account_id) == account_id)),
    ]
    return min((at for at in times if at), default=None)


async def approaches(session: AsyncSession, account_id: str, now: datetime) -> tuple[int, datetime | None]:
    """How many strangers this account wrote to in the last 24 hours, and when the first of them was."""
    statement = select(func.count(), func.min(col(Contact.approached_at))).where(
        col(Contact.account_id) == account_id, col(Contact.approached_at) > now - WINDOW
    )
    count, oldest = (await session.execute(statement)).one()
    return count, oldest


async def hold_all(session: AsyncSession, account_id: str, wait: Wait) -> None:
    """The breaker is open: everything queued waits until it closes, and says why."""
    held = update(Message).where(col(Message.account_id) == account_id, col(Message.status) == MessageStatus.QUEUED)
    sooner = or_(col(Message.not_before).is_(None), col(Message.not_before) < wait.until - timedelta(seconds=1))
    await session.execute(held.where(sooner).values(not_before=wait.until, status_reason=wait.reason))
