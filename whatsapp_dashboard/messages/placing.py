"""Where a message to send belongs: its contact and conversation, or the message that was sent under its key before (MSG-10, API-5)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import Content
from whatsapp_dashboard.errors import Conflict, NotFound
from whatsapp_dashboard.messages.contact_entries import ContactEntry, ConversationEntry
from whatsapp_dashboard.messages.contacts import ContactBook
from whatsapp_dashboard.messages.content import body_of
from whatsapp_dashboard.models import Contact, Conversation, Message


async def place(
    session: AsyncSession, book: ContactBook, account_id: str, address: Address | None, conversation_id: str | None
) -> tuple[ContactEntry, ConversationEntry]:
    """Where the message goes: an existing conversation, or the one with ``address``, made when there is none."""
    if address is not None:
        await book.load([(account_id, address)])
        contact = book.resolve(account_id, address, reported=False)
        conversation = book.open(contact, book.now)
    else:
        contact_id = await session.scalar(
            select(col(Conversation.contact_id)).where(col(Conversation.id) == conversation_id, col(Conversation.account_id) == account_id)
        )
        if contact_id is None:
            raise NotFound("There is no such conversation.")
        found = await book.with_twins(contact_id)
        there = book.conversation(found) if found else None
        if found is None or there is None:
            raise NotFound("There is no such conversation.")
        contact, conversation = found, there
    book.touch(conversation)
    return contact, conversation


async def phone_of(session: AsyncSession, message: Message) -> str | None:
    """The number (digits) of the contact ``message`` is for."""
    return await session.scalar(select(col(Contact.phone)).where(col(Contact.id) == message.contact_id))


async def by_key(session: AsyncSession, account_id: str, key: str | None, content: Content) -> Message | None:
    """The message that was queued under this idempotency key. Raises :class:`Conflict` when it says something else."""
    if key is None:
        return None
    statement = select(Message).where(col(Message.account_id) == account_id, col(Message.idempotency_key) == key)
    message = await session.scalar(statement)
    if message and (message.type, message.body) != (content.type.value, body_of(content)):
        raise Conflict("This idempotency key was used for another message.", code="idempotency_key_reused", field="idempotency_key")
    return message
