"""What operators may do with messages: send, send again, react, edit, delete, mark read (MSG-1, MSG-2, MSG-6, MSG-11, SEC-6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database, after_commit
from whatsapp_dashboard.domain.account_settings import AccountSettings
from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import MEDIA_TYPES, Content, Direction, MediaFile, MessageStatus, MessageType, Origin
from whatsapp_dashboard.domain.numbers import read_number
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.engines.base import Capability
from whatsapp_dashboard.errors import Conflict, Invalid, NotFound, Unsupported
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.messages.changes import status_data
from whatsapp_dashboard.messages.contact_cards import with_read_numbers
from whatsapp_dashboard.messages.contacts import ContactBook, lock_accounts
from whatsapp_dashboard.messages.content import MAX_TEXT, check_sendable
from whatsapp_dashboard.messages.doubt import is_in_doubt, send_anew
from whatsapp_dashboard.messages.media import MediaStore, Staged
from whatsapp_dashboard.messages.outbound import Outbound
from whatsapp_dashboard.messages.placing import by_key, phone_of, place
from whatsapp_dashboard.messages.takeover import pause_after_writing, state_data
from whatsapp_dashboard.messages.waiting import recount
from whatsapp_dashboard.messages.withdrawal import withdraw_replies
from whatsapp_dashboard.models import Account, Conversation, Message, MessageAction

EDIT_MINUTES = 15
"""WhatsApp lets a text be edited for this long."""
MAX_KEY = 255
MAX_EMOJI = 32


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that was queued: ``number`` is where it goes (digits; None for a group or a hidden number), ``other`` what the
    digits that were given could have meant as well."""

    message: Message
    number: str | None = None
    other: str | None = None


class MessageService:
    """Accepted means stored: what these methods return is on disk and will be sent, or fail with a reason that people see."""

    def __init__(
        self, db: Database, clock: Clock, outbound: Outbound, store: MediaStore, capabilities: Callable[[str], frozenset[Capability]]
    ) -> None:
        self._db = db
        self._clock = clock
        self._outbound = outbound
        self._store = store
        self._capabilities = capabilities

    async def send(
        self,
        who: Principal,
        account_id: str,
        content: Content,
        *,
        number: str | None = None,
        conversation_id: str | None = None,
        idempotency_key: str | None = None,
        origin: Origin = Origin.OPERATOR,
    ) -> Message:
        """What :meth:`accept` does, for those who need not know which number was understood."""
        where = {"number": number, "conversation_id": conversation_id}
        return (await self.accept(who, account_id, content, **where, idempotency_key=idempotency_key, origin=origin)).message

    async def accept(
        self,
        who: Principal,
        account_id: str,
        content: Content,
        *,
        number: str | None = None,
        conversation_id: str | None = None,
        idempotency_key: str | None = None,
        origin: Origin = Origin.OPERATOR,
    ) -> Accepted:
        """Queue one message to ``number`` or into ``conversation_id``. For a file, ``content.media`` is a :class:`MediaFile`; of
        type DOCUMENT it may be anything. The same ``idempotency_key`` again answers the first message (API-5).

        A message an operator writes pauses bots in the conversation (AI-8).
        """
        who.require(Role.OPERATOR)
        if (number is None) == (conversation_id is None):
            raise Invalid("Say either a number or a conversation.", field="number")
        if idempotency_key is not None and not 1 <= len(idempotency_key) <= MAX_KEY:
            raise Invalid(f"An idempotency key has 1 to {MAX_KEY} characters.", field="idempotency_key")
        async with self._db.read() as session:
            account = await _account(session, who, account_id)
        check_sendable(content, self._capabilities(account.engine))
        settings = AccountSettings.model_validate(account.settings)
        reading = read_number(number, country=settings.default_country) if number is not None else None
        content = with_read_numbers(content, settings.default_country)
        staged = await self._stage(content)
        if staged:
            content = replace(content, media=MediaFile(b"", staged.mimetype, staged.filename))
        async with self._db.write() as session:
            address, other = (reading.address, reading.other) if reading else (None, None)
            message, phone = await self._store_send(
                session, who, account_id, content, staged, address, conversation_id, idempotency_key, origin
            )
        return Accepted(message, phone, other)

    async def goes_to(self, who: Principal, message: Message) -> str | None:
        """The number (digits) ``message`` goes to, as far as it is known."""
        async with self._db.read() as session:
            return await phone_of(session, (await _message(session, who, message.id))[0])

    async def retry(self, who: Principal, message_id: str) -> Message:
        """Send a failed message again, or one that was never proven delivered (MSG-11): both go out under the key of the first try,
        so that the contact never gets it twice. One in doubt goes out under a new key: the contact may."""
        who.require(Role.OPERATOR)
        async with self._db.write() as session:
            message, account = await _message(session, who, message_id)
            if message.direction != Direction.OUTGOING:
                raise Conflict("Only outgoing messages can be sent again.")
            if message.status == MessageStatus.FAILED:
                message.status, message.status_reason = MessageStatus.QUEUED.value, ""
                message.attempts, message.not_before = 0, None
                recount(session, [message.conversation_id])
                _tell(session, account, message, "message.status", status_data(message, "failed"))
                self._wake_after(session, account.id)
            elif is_in_doubt(message):
                send_anew(message)
                _tell(session, account, message, "message.status", status_data(message, "sent"))
                self._wake_after(session, account.id)
            elif message.flagged_at is not None and message.origin != Origin.PHONE:
                await self._act(session, account, message, "resend", "")
            else:
                raise Conflict(f"This message is {message.status}; there is nothing to send again.")
        return message

    async def react(self, who: Principal, message_id: str, emoji: str) -> None:
        """Set our reaction; an empty ``emoji`` takes it back."""
        who.require(Role.OPERATOR)
        if len(emoji) > MAX_EMOJI or emoji != emoji.strip() or any(sign.isascii() and sign.isalpha() for sign in emoji):
            raise Invalid("A reaction is one emoji.", field="emoji")
        async with self._db.write() as session:
            message, account = await self._changeable(session, who, message_id, Capability.REACTION)
            await self._act(session, account, message, "reaction", emoji)

    async def edit(self, who: Principal, message_id: str, text: str) -> None:
        """Change the text of a message of ours, within 15 minutes."""
        who.require(Role.OPERATOR)
        if not text.strip() or len(text) > MAX_TEXT:
            raise Invalid(f"The new text has 1 to {MAX_TEXT:,} characters.", field="message")
        async with self._db.write() as session:
            message, account = await self._changeable(session, who, message_id, Capability.EDIT)
            if message.direction != Direction.OUTGOING or message.type != MessageType.TEXT:
                raise Conflict("Only texts that this account sent can be edited.")
            if (message.sent_at or message.at) < self._clock.now() - timedelta(minutes=EDIT_MINUTES):
                raise Conflict(f"WhatsApp lets a message be edited for {EDIT_MINUTES} minutes only.")
            await self._act(session, account, message, "edit", text)

    async def revoke(self, who: Principal, message_id: str) -> None:
        """Delete a message of ours for everyone."""
        who.require(Role.OPERATOR)
        async with self._db.write() as session:
            message, account = await self._changeable(session, who, message_id, Capability.REVOKE)
            if message.direction != Direction.OUTGOING:
                raise Conflict("Only messages that this account sent can be deleted for everyone.")
            await self._act(session, account, message, "revoke", "")

    async def mark_read(self, who: Principal, conversation_id: str) -> None:
        """Nothing is unread here any more; the senders are told where the engine can."""
        who.require(Role.OPERATOR)
        async with self._db.write() as session:
            conversation, account = await _conversation(session, who, conversation_id)
            unread = conversation.unread
            if unread == 0:
                return
            conversation.unread = 0
            record(
                session,
                "conversation.updated",
                workspace_id=account.workspace_id,
                account_id=account.id,
                conversation_id=conversation.id,
                data={"unread": 0},
            )
            newest = select(Message).where(
                col(Message.conversation_id) == conversation.id,
                col(Message.direction) == Direction.INCOMING,
                col(Message.history).is_(False),
            )
            message = await session.scalar(newest.order_by(col(Message.id).desc()).limit(1))
            if message and Capability.MARK_READ in self._capabilities(account.engine):
                await self._act(session, account, message, "read", str(unread))

    # -- inside

    async def _stage(self, content: Content) -> Staged | None:
        if content.type not in MEDIA_TYPES:
            return None
        if not isinstance(content.media, MediaFile):
            raise Invalid("A file is needed.", field="media")
        return await self._store.stage(content.media.data, content.media.filename, content.type, given=content.media.mimetype)

    async def _store_send(  # noqa: PLR0917
        self,
        session: AsyncSession,
        who: Principal,
        account_id: str,
        content: Content,
        staged: Staged | None,
        address: Address | None,
        conversation_id: str | None,
        idempotency_key: str | None,
        origin: Origin,
    ) -> tuple[Message, str | None]:
        await lock_accounts(session, [account_id])
        account = await _account(session, who, account_id)
        # Behind the lock: of two requests with one key that come together, the second finds what the first has stored.
        earlier = await by_key(session, account_id, idempotency_key, content)
        if earlier:
            return earlier, await phone_of(session, earlier)
        now = self._clock.now()
        book = ContactBook(session, now)
        contact, conversation = await place(session, book, account_id, address, conversation_id)
        if conversation.status == "closed":
            conversation.status, conversation.closed_at = "active", None
            _tell_conversation(session, account, conversation.id, {"status": "active"})
        if origin is Origin.OPERATOR and pause_after_writing(conversation, AccountSettings.model_validate(account.settings), now):
            _tell_conversation(session, account, conversation.id, state_data(conversation))
        if origin is Origin.OPERATOR:
            await withdraw_replies(session, [conversation.id])
        await book.save()
        for created in book.created:
            _tell_conversation(session, account, created.id, {"contact_id": contact.id}, "conversation.created")
        for kept, gone in book.merged:
            _tell_conversation(session, account, kept.id, {"merged_id": gone}, "conversation.merged")
        media = await self._store.keep(session, account_id, staged) if staged else None
        message = await self._outbound.enqueue(
            session,
            account=account,
            conversation=conversation,
            contact=contact,
            content=content,
            origin=origin,
            operator_id=who.operator_id if origin is Origin.OPERATOR else None,
            idempotency_key=idempotency_key,
            media_id=media.id if media else None,
        )
        book.touch(conversation)
        await book.save()
        return message, contact.phone

    async def _changeable(self, session: AsyncSession, who: Principal, message_id: str, needed: Capability) -> tuple[Message, Account]:
        message, account = await _message(session, who, message_id)
        if needed not in self._capabilities(account.engine):
            raise Unsupported(f"The engine of this account cannot do this: {needed.value}.")
        if message.wa_id is None:
            raise Conflict("This message has not been sent yet.")
        if message.revoked_at is not None:
            raise Conflict("This message was deleted.")
        return message, account

    async def _act(self, session: AsyncSession, account: Account, message: Message, kind: str, value: str) -> None:
        session.add(MessageAction(account_id=account.id, message_id=message.id, kind=kind, value=value, created_at=self._clock.now()))
        self._wake_after(session, account.id)

    def _wake_after(self, session: AsyncSession, account_id: str) -> None:
        after_commit(session, f"wake:{account_id}", lambda: self._outbound.wake(account_id, acts=True))


async def _account(session: AsyncSession, who: Principal, account_id: str) -> Account:
    account = await session.get(Account, account_id)
    if account is None or account.workspace_id != who.workspace_id:
        raise NotFound("There is no such account.")
    return account


async def _message(session: AsyncSession, who: Principal, message_id: str) -> tuple[Message, Account]:
    statement = select(Message, Account).join(Account, col(Account.id) == col(Message.account_id)).where(col(Message.id) == message_id)
    row = (await session.execute(statement.where(col(Account.workspace_id) == who.workspace_id).with_for_update(of=Message))).first()
    if row is None:
        raise NotFound("There is no such message.")
    return row[0], row[1]


async def _conversation(session: AsyncSession, who: Principal, conversation_id: str) -> tuple[Conversation, Account]:
    statement = select(Conversation, Account).join(Account, col(Account.id) == col(Conversation.account_id))
    statement = statement.where(col(Conversation.id) == conversation_id, col(Account.workspace_id) == who.workspace_id)
    row = (await session.execute(statement.with_for_update(of=Conversation))).first()
    if row is None:
        raise NotFound("There is no such conversation.")
    return row[0], row[1]


def _tell(session: AsyncSession, account: Account, message: Message, type: str, data: dict[str, object]) -> None:
    record(
        session,
        type,
        workspace_id=account.workspace_id,
        account_id=account.id,
        conversation_id=message.conversation_id,
        message_id=message.id,
        data=data,
    )


def _tell_conversation(
    session: AsyncSession, account: Account, conversation_id: str, data: dict[str, object], type: str = "conversation.updated"
) -> None:
    record(session, type, workspace_id=account.workspace_id, account_id=account.id, conversation_id=conversation_id, data=data)
