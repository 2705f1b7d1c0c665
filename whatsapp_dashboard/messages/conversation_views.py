"""What the inbox and the API see of conversations and their threads (MSG-7)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from whatsapp_dashboard.domain.account_status import AccountStatus
from whatsapp_dashboard.errors import Invalid

MAX_SEARCH = 200


@dataclass(frozen=True, slots=True)
class ConversationFilters:
    """Which conversations are wanted; an empty field does not filter. Raises :class:`Invalid` for values that cannot be."""

    account_id: str = ""
    status: str = ""
    answered_by: str = ""
    unread: bool = False
    waiting: bool = False
    """Only those in which the contact waits for a person (MSG-14)."""
    text: str = ""
    """Looked for in names, phone numbers and what the messages say."""

    def __post_init__(self) -> None:
        for name, allowed in (("status", ("", "active", "closed")), ("answered_by", ("", "bot", "human"))):
            if getattr(self, name) not in allowed:
                raise Invalid(f"The filter “{name}” is one of: {', '.join(allowed[1:])}.", field=name)
        if len(self.text) > MAX_SEARCH:
            raise Invalid(f"A search takes at most {MAX_SEARCH} characters.", field="text")


@dataclass(frozen=True, slots=True)
class Hit:
    """The newest message of a conversation that says what was searched for, and the part of it that does."""

    message_id: str
    at: datetime
    direction: str
    type: str
    text: str


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """One conversation as a line of the inbox."""

    id: str
    account_id: str
    account_name: str
    account_status: AccountStatus
    contact_id: str
    contact_kind: str
    contact_name: str
    """Empty when neither a name nor a push name is known."""
    contact_phone: str
    contact_address: str
    opted_out: bool
    status: str
    answered_by: str
    bot_paused_until: datetime | None
    unread: int
    last_message_at: datetime
    last_inbound_at: datetime | None
    preview: str
    preview_direction: str
    preview_type: str
    preview_status: str
    created_at: datetime
    preview_unconfirmed: bool = False
    """Whether the last message is in doubt."""
    handover_reason: str = ""
    """Why the bot gave the conversation to people; empty when it did not, and once one of them wrote."""
    disappear_seconds: int = 0
    """After how many seconds messages disappear on WhatsApp; 0: they stay."""
    waiting_since: datetime | None = None
    """Since when the contact waits for a person; None: nobody has to answer (MSG-14)."""
    answers_next: str = "nobody"
    """Who would answer the next message: ``bot``, ``person`` or ``nobody``."""
    has_bot: bool = False
    """Whether a bot is set up for this contact, be it awake, silent or paused."""
    hit: Hit | None = None
    """Where what was searched for was said; None when only the name or the number matches."""


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """Rows from the newest message on, and the cursor of the next page (None: that was all)."""

    rows: tuple[ConversationRow, ...]
    older: str | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many conversations each of the inbox' lists has. While something is searched for, ``active`` counts closed ones too, as the list
    of all then shows them."""

    active: int
    unread: int
    human: int
    waiting: int = 0
    closed: int | None = None
    """Counted only while something is searched for."""


@dataclass(frozen=True, slots=True)
class MediaView:
    """The file of a message. ``state`` is ``pending``, ``stored`` or ``failed`` with its reason."""

    id: str
    state: str
    reason: str
    mimetype: str
    size: int | None
    filename: str
    seconds: int | None


@dataclass(frozen=True, slots=True)
class QuotedView:
    """The message another one replies to. Without an id it is not stored here, and the rest is what the reply says of it."""

    message_id: str
    direction: str
    type: str
    text: str
    sender_name: str


@dataclass(frozen=True, slots=True)
class ThreadItem:
    """One message or note of a thread. ``kind`` is ``message`` or ``note``; a note has only text, operator and times."""

    kind: str
    id: str
    at: datetime
    key: str = ""
    """Under which idempotency key it was sent, if any: how a page knows again what it has sent itself."""
    direction: str = ""
    type: str = ""
    text: str = ""
    payload: dict[str, Any] = field(default_factory=dict)
    status: str = ""
    status_reason: str = ""
    origin: str = ""
    operator: str = ""
    sender_name: str = ""
    sender_address: str = ""
    wa_id: str = ""
    media: MediaView | None = None
    quoted: QuotedView | None = None
    reactions: dict[str, str] = field(default_factory=dict)
    votes: dict[str, list[str]] = field(default_factory=dict)
    history: bool = False
    recovered: bool = False
    edited: bool = False
    edit_unreadable: bool = False
    """It was edited, and the new text could not be read: ``text`` is what it said before."""
    revoked: bool = False
    flagged: bool = False
    unconfirmed: bool = False
    """Sending was cut off: it is in doubt whether WhatsApp has it."""
    created_at: datetime | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """Items from old to new, the cursor of the older ones (None: this is the beginning), and that of the newer ones (None: this is the
    end)."""

    items: tuple[ThreadItem, ...]
    older: str | None
    newer: str | None = None
