"""Carries out the queued changes of an account: reactions, edits, revokes, read marks (MSG-1). The row of the message changes
when WhatsApp has accepted the change, not before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlmodel import col

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.engine_events import MessageEdited, MessageRevoked, ReactionReceived
from whatsapp_dashboard.domain.ids import Address, ContactKind, parse_jid
from whatsapp_dashboard.domain.messages import Direction, MessageKey
from whatsapp_dashboard.engines.base import Engine
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.messages.changes import apply_change, preview_after
from whatsapp_dashboard.messages.message_book import MessageBook
from whatsapp_dashboard.messages.parking import Change
from whatsapp_dashboard.messages.send_queue import Act, Work
from whatsapp_dashboard.messages.sessions import Sessions
from whatsapp_dashboard.messages.settling import Failed, Later
from whatsapp_dashboard.models import Conversation, Message, MessageAction


class Actions:
    """The changes of one account, one after the other."""

    def __init__(self, db: Database, clock: Clock, sessions: Sessions) -> None:
        self._db = db
        self._clock = clock
        self._sessions = sessions

    async def run(self, item: Act, work: Work) -> None:
        """Tell WhatsApp, then change the row and forget the action. Raises what the engine raises."""
        action, message = item.action, item.message
        if message.wa_id is None:
            await self.put_off(item, work, Failed("The message never reached WhatsApp."))
            return
        key, now = message_key(message, item.contact), self._clock.now()
        calls: dict[str, tuple[Callable[[Engine], Awaitable[Any]], Change | None]] = {
            "reaction": (
                lambda engine: engine.react(action.id, key, action.value),
                ReactionReceived(message.wa_id, key.chat, None, action.value, now, from_me=True),
            ),
            "edit": (
                lambda engine: engine.edit(action.id, key, action.value),
                MessageEdited(message.wa_id, key.chat, action.value, now, from_me=True),
            ),
            "revoke": (lambda engine: engine.revoke(action.id, key), MessageRevoked(message.wa_id, key.chat, now, from_me=True)),
        }
        if action.kind == "read":
            keys = await self._unread(item)
            await self._sessions.call(action.account_id, lambda engine: engine.mark_read(keys))
            await self.drop(item)
            return
        call, change = calls[action.kind]
        await self._sessions.call(action.account_id, call)
        await self._done(item, work, change)

    async def drop(self, item: Act) -> None:
        """Forget the action."""
        async with self._db.write() as session:
            await session.execute(delete(MessageAction).where(col(MessageAction.id) == item.action.id))

    async def put_off(self, item: Act, work: Work, verdict: Later | Failed) -> None:
        """Try the action later, or give it up and say why."""
        action = item.action
        async with self._db.write() as session:
            if isinstance(verdict, Later):
                values: dict[str, datetime | int] = {"attempts": action.attempts + 1, "not_before": verdict.not_before}
                await session.execute(update(MessageAction).where(col(MessageAction.id) == action.id).values(**values))
                return
            await session.execute(delete(MessageAction).where(col(MessageAction.id) == action.id))
            record(
                session,
                "message.status",
                workspace_id=work.account.workspace_id,
                account_id=action.account_id,
                conversation_id=item.message.conversation_id,
                message_id=action.message_id,
                data={"status": item.message.status, "failed_action": action.kind, "reason": verdict.reason},
            )

    async def _done(self, item: Act, work: Work, change: Change | None) -> None:
        action = item.action
        async with self._db.write() as session:
            book = MessageBook(session)
            await book.load((), [action.message_id])
            entry = book.by_id(action.message_id)
            await session.execute(delete(MessageAction).where(col(MessageAction.id) == action.id))
            if entry is None or change is None or (told := apply_change(entry, change)) is None:
                return
            book.touch(entry)
            await book.save()
            if (line := preview_after(entry, change)) is not None:
                shown = update(Conversation).where(col(Conversation.last_message_id) == entry.id)
                await session.execute(shown.values(last_message_preview=line))
            record(
                session,
                told[0],
                workspace_id=work.account.workspace_id,
                account_id=action.account_id,
                conversation_id=entry.conversation_id,
                message_id=entry.id,
                data=told[1],
            )

    async def _unread(self, item: Act) -> list[MessageKey]:
        """The messages a read mark is about: the newest ones up to the one that was newest when it was made."""
        count = max(1, min(int(item.action.value or "1"), 200))
        statement = (
            select(Message)
            .where(col(Message.conversation_id) == item.message.conversation_id, col(Message.direction) == Direction.INCOMING)
            .where(col(Message.id) <= item.message.id, col(Message.wa_id).is_not(None))
            .order_by(col(Message.id).desc())
            .limit(count)
        )
        async with self._db.read() as session:
            return [message_key(row, item.contact) for row in reversed((await session.scalars(statement)).all())]


def message_key(message: Message, contact: Any) -> MessageKey:
    """How an engine names ``message`` of ``contact``."""
    chat = Address(ContactKind(contact.kind), contact.phone, contact.lid, contact.jid)
    sender = parse_jid(message.sender_address) if message.sender_address else None
    return MessageKey(message.wa_id or "", chat, message.direction == Direction.OUTGOING, sender)
