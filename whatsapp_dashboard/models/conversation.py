"""Contacts, conversations and the notes operators leave in them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from whatsapp_dashboard.models.base import created_field, id_field, owned_by, time_field

_UNREAD = text("unread > 0")
_PAUSED = text("bot_paused_until IS NOT NULL")
_HANDED_OVER = text("handover_reason <> ''")
_WAITING = text("waiting_since IS NOT NULL")


class Contact(SQLModel, table=True):
    """The person, group or channel on the other side of one account (MSG-10). Known by phone number, LID or JID."""

    __table_args__ = (
        UniqueConstraint("account_id", "phone"),
        UniqueConstraint("account_id", "lid"),
        UniqueConstraint("account_id", "jid"),
        Index("ix_contact_account_id_approached_at", "account_id", "approached_at"),
    )

    id: str = id_field()
    account_id: str = owned_by("account.id", index=False)
    kind: str = Field(default="person", max_length=16)
    phone: str | None = Field(default=None, max_length=32)
    lid: str | None = Field(default=None, max_length=32)
    jid: str | None = Field(default=None, max_length=128)
    name: str = Field(default="", max_length=255)
    """Given by the operator or the address book of the linked phone; stronger than the push name."""
    push_name: str = Field(default="", max_length=255)
    opted_out: bool = False
    approached_at: datetime | None = time_field()
    """When we wrote first to somebody who had never written: what the daily limit of ACC-11 counts."""
    created_at: datetime = created_field()


class Conversation(SQLModel, table=True):
    """One contact on one account, with what the inbox list shows of it, so that the list is one query."""

    __table_args__ = (
        UniqueConstraint("contact_id"),
        Index("ix_conversation_account_id_last_message_at_id", "account_id", "last_message_at", "id"),
        Index("ix_conversation_unread", "account_id", postgresql_where=_UNREAD, sqlite_where=_UNREAD),
        Index("ix_conversation_handed_over", "account_id", postgresql_where=_HANDED_OVER, sqlite_where=_HANDED_OVER),
        Index("ix_conversation_bot_paused_until", "bot_paused_until", postgresql_where=_PAUSED, sqlite_where=_PAUSED),
        # For counts and for who waits longest; and for the list, which begins with the newest message.
        Index("ix_conversation_waiting", "account_id", "waiting_since", postgresql_where=_WAITING, sqlite_where=_WAITING),
        Index("ix_conversation_waiting_newest", "last_message_at", "id", postgresql_where=_WAITING, sqlite_where=_WAITING),
    )

    id: str = id_field()
    account_id: str = owned_by("account.id", index=False)
    contact_id: str = owned_by("contact.id", index=False)
    status: str = Field(default="active", max_length=16)
    answered_by: str = Field(default="bot", max_length=16)
    bot_paused_until: datetime | None = time_field()
    """Bots are silent until then; with answered_by ``human`` and no time here: until handed back (AI-8)."""
    handover_reason: str = Field(default="", max_length=255, sa_column_kwargs={"server_default": text("''")})
    """Why the bot gave it to people, until one of them writes or hands it back; empty when it did not."""
    bot_since: datetime | None = time_field()
    """When the bot was last given it back: what it answered before does not count towards its limits."""
    unread: int = 0
    last_message_at: datetime = created_field(index=True)
    last_message_id: str | None = Field(default=None, max_length=36)
    last_inbound_at: datetime | None = time_field()
    last_message_preview: str = Field(default="", max_length=200)
    last_message_direction: str = Field(default="", max_length=16)
    last_message_type: str = Field(default="", max_length=16)
    closed_at: datetime | None = time_field()
    unanswered_since: datetime | None = time_field()
    """When the first word of the contact came that nobody has answered: kept by messages/last_word.py (MSG-14)."""
    waiting_since: datetime | None = time_field()
    """The same, while nobody will answer either unless a person does: written only by messages/waiting.py."""
    dealt_with: str | None = Field(default=None, max_length=36)
    """An id: what was stored before it needs no answer, because the conversation was closed."""
    disappear_seconds: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """After how many seconds its messages disappear on WhatsApp; 0: they stay (MSG-12)."""
    disappear_set_at: datetime | None = time_field()
    """When that was set or switched off, by WhatsApp's clock; None while it is not known."""
    created_at: datetime = created_field()


class Note(SQLModel, table=True):
    """A remark in a conversation that nobody outside sees (MSG-7)."""

    __table_args__ = (UniqueConstraint("conversation_id", "idempotency_key"),)

    id: str = id_field()
    conversation_id: str = owned_by("conversation.id")
    operator_id: str | None = Field(default=None, foreign_key="operator.id", ondelete="SET NULL", max_length=36)
    text: str = Field(max_length=4_096)
    idempotency_key: str | None = Field(default=None, max_length=255)
    created_at: datetime = created_field()
