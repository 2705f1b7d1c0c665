"""Messages, what hangs on them, and the reply each incoming one may cause."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, false, text
from sqlmodel import Field, SQLModel

from whatsapp_dashboard.models.base import Json, created_field, id_field, owned_by, time_field

_QUEUED = text("status = 'queued'")
_UNPROVEN = text("status = 'sent'")
_AUTOMATIC = text("in_reply_to IS NOT NULL")


class Message(SQLModel, table=True):
    """One incoming or outgoing item of a conversation. The engine sends it under a key made of its id (:attr:`send_key`), so that
    asking twice is safe."""

    __table_args__ = (
        # MSG-3: every message of WhatsApp is stored once. WhatsApp's ids are unique only inside a chat.
        UniqueConstraint("account_id", "contact_id", "wa_id", "direction"),
        # DUR-1: at most one reply per trigger.
        UniqueConstraint("in_reply_to"),
        UniqueConstraint("account_id", "idempotency_key"),
        Index("ix_message_conversation_id_id", "conversation_id", "id"),
        Index("ix_message_conversation_id_at_id", "conversation_id", "at", "id"),
        Index("ix_message_automatic", "conversation_id", "at", postgresql_where=_AUTOMATIC, sqlite_where=_AUTOMATIC),
        Index("ix_message_account_id_id", "account_id", "id"),
        Index("ix_message_queued", "account_id", "id", postgresql_where=_QUEUED, sqlite_where=_QUEUED),
        Index("ix_message_unproven", "account_id", "sent_at", postgresql_where=_UNPROVEN, sqlite_where=_UNPROVEN),
        Index("ix_message_unconfirmed", "account_id", "id", postgresql_where=text("unconfirmed"), sqlite_where=text("unconfirmed = 1")),
        Index("ix_message_account_id_wa_id", "account_id", "wa_id"),
        # Without it, deleting a contact looks through all messages for its own.
        Index("ix_message_contact_id", "contact_id"),
    )

    id: str = id_field()
    account_id: str = owned_by("account.id", index=False)
    conversation_id: str = owned_by("conversation.id", index=False)
    contact_id: str = owned_by("contact.id", index=False)
    direction: str = Field(max_length=16)
    type: str = Field(max_length=16)
    body: str = ""
    payload: dict[str, Any] = Field(default_factory=dict, sa_type=Json, nullable=False)
    """Location, contacts, poll, buttons: written and read by messages/content.py."""
    media_id: str | None = Field(default=None, foreign_key="media.id", ondelete="SET NULL", max_length=36, index=True)
    wa_id: str | None = Field(default=None, max_length=128)
    origin: str | None = Field(default=None, max_length=16)
    operator_id: str | None = Field(default=None, foreign_key="operator.id", ondelete="SET NULL", max_length=36)
    in_reply_to: str | None = Field(default=None, max_length=36)
    """The incoming message an automatic answer belongs to."""
    idempotency_key: str | None = Field(default=None, max_length=255)
    quoted_wa_id: str | None = Field(default=None, max_length=128)
    sender_address: str = Field(default="", max_length=128)
    sender_name: str = Field(default="", max_length=255)
    """Who wrote it, in a group."""

    status: str = Field(max_length=16)
    status_reason: str = Field(default="", max_length=500)
    history: bool = False
    recovered: bool = False
    edited_at: datetime | None = time_field()
    edit_unreadable: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """It was edited last with a text that cannot be read here; ``body`` is what it said before."""
    revoked_at: datetime | None = time_field()
    reactions: dict[str, str] = Field(default_factory=dict, sa_type=Json, nullable=False)
    """Sender's address to emoji; ours under ``me``."""
    votes: dict[str, list[str]] = Field(default_factory=dict, sa_type=Json, nullable=False)
    """Voter's address to the options chosen (polls)."""

    at: datetime = created_field()
    """When it was written, by WhatsApp's clock."""
    created_at: datetime = created_field()
    sent_at: datetime | None = time_field()
    delivered_at: datetime | None = time_field()
    read_at: datetime | None = time_field()
    flagged_at: datetime | None = time_field()
    """When it was flagged as sent without proof of delivery (MSG-11)."""
    unconfirmed: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """Sending was cut off, by a crash or a lost connection, and nothing has proved since that WhatsApp has it (MSG-4)."""
    resends: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """How often it was sent anew although WhatsApp may have had it."""
    attempts: int = 0
    not_before: datetime | None = time_field()

    @property
    def send_key(self) -> str:
        """Under what the engine sends it. A message sent anew gets a new key, for the engine answers a known one from its journal."""
        return self.id + (":again" + (str(self.resends) if self.resends > 1 else "") if self.resends else "")


class MessageAction(SQLModel, table=True):
    """A change to a message that must reach WhatsApp: reaction, edit, revoke or read mark. A durable queue of its own,
    emptied in order together with the sends of the account."""

    __tablename__ = "message_action"
    __table_args__ = (Index("ix_message_action_account_id_id", "account_id", "id"),)

    id: str = id_field()
    account_id: str = owned_by("account.id", index=False)
    message_id: str = owned_by("message.id")
    kind: str = Field(max_length=16)
    value: str = Field(default="", max_length=65_536)
    attempts: int = 0
    not_before: datetime | None = time_field()
    created_at: datetime = created_field()


class Media(SQLModel, table=True):
    """The file of a message. The bytes lie in the media store under their SHA-256 (MSG-9)."""

    __table_args__ = (
        Index("ix_media_pending", "account_id", "id", postgresql_where=text("state = 'pending'"), sqlite_where=text("state = 'pending'")),
    )

    id: str = id_field()
    account_id: str = owned_by("account.id")
    state: str = Field(default="pending", max_length=16)
    """``pending`` until the bytes are here, then ``stored``, or ``failed`` with the reason."""
    reason: str = Field(default="", max_length=500)
    sha256: str | None = Field(default=None, max_length=64, index=True)
    mimetype: str = Field(default="", max_length=128)
    """Sniffed from the bytes once they are here; what the sender claims before."""
    size: int | None = None
    filename: str = Field(default="", max_length=255)
    seconds: int | None = None
    token: dict[str, Any] | None = Field(default=None, sa_type=Json, nullable=True)
    """What the engine needs to download it."""
    attempts: int = 0
    not_before: datetime | None = time_field()
    created_at: datetime = created_field()


class Reply(SQLModel, table=True):
    """The decision an incoming message still waits for: written with the message, gone through once, also after a crash."""

    __table_args__ = (
        Index(
            "ix_reply_pending",
            "account_id",
            "message_id",
            postgresql_where=text("state = 'pending'"),
            sqlite_where=text("state = 'pending'"),
        ),
        Index(
            "ix_reply_undecided", "conversation_id", postgresql_where=text("state = 'pending'"), sqlite_where=text("state = 'pending'")
        ),
    )

    message_id: str = Field(primary_key=True, foreign_key="message.id", ondelete="CASCADE", max_length=36)
    account_id: str = owned_by("account.id", index=False)
    conversation_id: str = owned_by("conversation.id")
    state: str = Field(default="pending", max_length=16)
    """``pending``, then ``answered`` or ``skipped``."""
    reason: str = Field(default="", max_length=255)
    """Why nobody answered, for people."""
    settled_at: datetime | None = time_field()


class SetAsideEvent(SQLModel, table=True):
    """What an engine told and could not be stored, for a person to look at: nothing waits for it (DUR-1)."""

    __tablename__ = "set_aside_event"
    __table_args__ = (Index("ix_set_aside_event_account_id_id", "account_id", "id"),)

    id: str = id_field()
    account_id: str = owned_by("account.id", index=False)
    kind: str = Field(max_length=32)
    """``message``, ``receipt``, ``reaction`` ... : messages/event_text.py."""
    who: str = Field(default="", max_length=255)
    what: str = Field(default="", max_length=255)
    reason: str = Field(default="", max_length=500)
    content: str
    """The event as ASCII text, so that every database takes it: written and read by messages/event_text.py."""
    attempts: int = 1
    """How often it was tried to store it; the tries before it was set aside count as one."""
    created_at: datetime = created_field()
    tried_at: datetime = created_field()


class ParkedEvent(SQLModel, table=True):
    """What happened to a message that is not known yet (WhatsApp does not keep the order): applied when the message arrives or
    gets its WhatsApp id, forgotten after some days."""

    __tablename__ = "parked_event"
    __table_args__ = (Index("ix_parked_event_account_id_wa_id", "account_id", "wa_id"),)

    id: str = id_field()
    account_id: str = owned_by("account.id", index=False)
    wa_id: str = Field(max_length=128)
    kind: str = Field(max_length=16)
    """``receipt``, ``reaction``, ``edit``, ``revoke``, ``poll`` or ``vote``."""
    data: dict[str, Any] = Field(default_factory=dict, sa_type=Json, nullable=False)
    created_at: datetime = created_field(index=True)
