"""The one way out: every message is stored first, then paced, then sent, then settled (MSG-6, DUR-1)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import insert, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database, after_commit
from whatsapp_dashboard.domain.ids import Address, ContactKind, new_id
from whatsapp_dashboard.domain.messages import Content, Direction, MessageStatus, Origin
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.messages.changes import status_data
from whatsapp_dashboard.messages.contact_entries import ContactEntry, ConversationEntry
from whatsapp_dashboard.messages.content import as_numbered_text, body_of, content_of, payload_of, preview
from whatsapp_dashboard.messages.last_word import answered
from whatsapp_dashboard.messages.media import MediaStore
from whatsapp_dashboard.messages.message_events import outgoing_data
from whatsapp_dashboard.messages.sender import AccountSender
from whatsapp_dashboard.messages.sessions import Sessions
from whatsapp_dashboard.messages.settling import Outcome, Settler
from whatsapp_dashboard.messages.waiting import settle
from whatsapp_dashboard.models import Account, Contact, Conversation, Message, MessageAction
from whatsapp_dashboard.models.base import metadata

UNPROVEN_SECONDS = 60
"""A message still only sent after this long is flagged (MSG-11)."""

_MESSAGE = metadata.tables[str(Message.__tablename__)]


class Outbound:
    """Stores what is to be sent, and runs one sender per account while the account is ready."""

    def __init__(self, db: Database, clock: Clock, sessions: Sessions, store: MediaStore) -> None:
        self._db = db
        self._clock = clock
        self._sessions = sessions
        self._store = store
        self._settler = Settler(db, clock, self._settled, self.wake)
        self._senders: dict[str, AccountSender] = {}
        db.on_return.append(self.look_anew)

    async def enqueue(
        self,
        session: AsyncSession,
        *,
        account: Account,
        conversation: Conversation | ConversationEntry,
        contact: Contact | ContactEntry,
        content: Content,
        origin: Origin,
        operator_id: str | None = None,
        in_reply_to: str | None = None,
        idempotency_key: str | None = None,
        media_id: str | None = None,
        excuse: bool = False,
    ) -> Message:
        """Store a message to be sent, in the caller's write; its account's sender is woken when the write is on disk.
        ``conversation`` is changed too: the caller's session or book saves it. An ``excuse`` answers nothing: a person still has to.

        Raises IntegrityError when ``in_reply_to`` was answered or ``idempotency_key`` was used before.
        """
        now = self._clock.now()
        message = Message(
            id=new_id(),
            account_id=account.id,
            conversation_id=conversation.id,
            contact_id=contact.id,
            direction=Direction.OUTGOING.value,
            type=content.type.value,
            body=body_of(content),
            payload=payload_of(content),
            media_id=media_id,
            origin=origin.value,
            operator_id=operator_id,
            in_reply_to=in_reply_to,
            idempotency_key=idempotency_key,
            quoted_wa_id=content.quoted_id,
            status=MessageStatus.QUEUED.value,
            at=now,
            created_at=now,
        )
        await session.execute(insert(_MESSAGE), [message.model_dump()])
        conversation.last_message_at = max(conversation.last_message_at, now)
        conversation.last_message_id = message.id
        filename = content.media.filename if content.media else ""
        conversation.last_message_preview = preview(message.type, message.body, message.payload, filename)
        conversation.last_message_direction, conversation.last_message_type = message.direction, message.type
        if not excuse:
            answered(conversation)
        settle(session, [conversation.id])
        to = Address(ContactKind(contact.kind), contact.phone, contact.lid, contact.jid)
        record(
            session,
            "message.queued",
            workspace_id=account.workspace_id,
            account_id=account.id,
            conversation_id=conversation.id,
            message_id=message.id,
            data=outgoing_data(
                wa_id=None, to=to, type=message.type, body=message.body, origin=message.origin, in_reply_to=message.in_reply_to
            ),
        )
        account_id = account.id
        after_commit(session, f"wake:{account_id}", lambda: self.wake(account_id))
        return message

    def wake(self, account_id: str, *, acts: bool = False) -> None:
        """There may be something to send for ``account_id``; ``acts`` says that it is a change to a message."""
        sender = self._senders.get(account_id)
        if sender:
            sender.wake(acts=acts)

    def account_ready(self, account_id: str) -> None:
        """The account can send: what waited goes out in order."""
        self._sender(account_id).set_ready(True)

    def account_gone(self, account_id: str) -> None:
        """The account cannot send any more: what is queued waits."""
        sender = self._senders.get(account_id)
        if sender:
            sender.set_ready(False)

    def in_doubt(self, account_id: str) -> Mapping[str, tuple[str, str]]:
        """Messages that WhatsApp may have although their rows do not say so: our id to (type, body)."""
        sender = self._senders.get(account_id)
        return sender.in_doubt if sender else {}

    async def start(self) -> None:
        """Remember what an earlier run may have sent without being able to write it down. Before the first session starts."""
        # By something that is not the id itself, though it is: SQLite would go through all messages in the order of their ids.
        oldest = col(Message.id).concat("")
        statement = select(Message).where(col(Message.status) == MessageStatus.QUEUED).order_by(oldest).limit(5_000)
        async with self._db.read() as session:
            for row in (await session.scalars(statement)).all():
                content = as_numbered_text(content_of(row))
                self._sender(row.account_id).in_doubt[row.id] = (content.type.value, body_of(content))

    async def stop(self, seconds: float = 4.0) -> None:
        """Finish the sends that run and settle them, within about ``seconds``; the rest stays queued."""
        await asyncio.gather(*(sender.stop(seconds * 0.6) for sender in self._senders.values()))
        await self._settler.stop(seconds * 0.4)

    async def idle(self) -> None:
        """Wait until every finished send is settled."""
        await self._settler.idle()

    async def tick(self) -> int:
        """Flag messages that were sent a minute ago and never proven delivered (MSG-11). Returns how many. For the scheduler."""
        now = self._clock.now()
        statement = (
            select(Message, col(Account.workspace_id))
            .join(Account, col(Account.id) == col(Message.account_id))
            .join(Contact, col(Contact.id) == col(Message.contact_id))
            .where(col(Message.status) == MessageStatus.SENT, col(Message.sent_at) < now - timedelta(seconds=UNPROVEN_SECONDS))
            .where(col(Message.flagged_at).is_(None), col(Message.history).is_(False), col(Message.origin) != Origin.PHONE)
            .where(col(Message.unconfirmed).is_(False))
            .where(col(Contact.kind) == ContactKind.PERSON.value)
            .order_by(col(Message.account_id), col(Message.sent_at))  # as the index of those that are sent: not through all messages
            .limit(500)
            .with_for_update(of=Message)
        )
        async with self._db.write() as session:
            rows = (await session.execute(statement)).all()
            for message, workspace_id in rows:
                message.flagged_at = now
                record(
                    session,
                    "message.status",
                    workspace_id=workspace_id,
                    account_id=message.account_id,
                    conversation_id=message.conversation_id,
                    message_id=message.id,
                    data=status_data(message, message.status),
                )
        return len(rows)

    async def clock_was_set_back(self) -> None:
        """What waits for a time is tried now: that time would come too late. Who must still wait is told to wait again."""
        now = self._clock.now()
        async with self._db.write() as session:
            for table, waiting in ((Message, col(Message.status) == MessageStatus.QUEUED), (MessageAction, true())):
                await session.execute(update(table).where(waiting, col(table.not_before) > now).values(not_before=now))
        self.look_anew()

    def look_anew(self) -> None:
        """There may be something to send that nobody was woken for."""
        for sender in self._senders.values():
            sender.look_anew()

    def _sender(self, account_id: str) -> AccountSender:
        sender = self._senders.get(account_id)
        if sender is None:
            sender = AccountSender(account_id, self._db, self._clock, self._sessions, self._store, self._settler)
            self._senders[account_id] = sender
        return sender

    def _settled(self, outcome: Outcome) -> None:
        sender = self._senders.get(outcome.account_id)
        if sender:
            sender.settled(outcome)
