"""What an engine tells the rest of the program (ENG-1): plain data, already converted from the wire.

An engine emits these through :meth:`whatsapp_dashboard.engines.base.EngineContext.emit`, which returns only when the event is stored; an
engine that must acknowledge to WhatsApp does so afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import Content, Timer


@dataclass(frozen=True, slots=True)
class QrCode:
    """A new QR to show; ``expires_at`` is when WhatsApp rotates or withdraws it. ``last`` marks the final rotation."""

    text: str
    expires_at: datetime
    last: bool = False


@dataclass(frozen=True, slots=True)
class PairingCode:
    """The code to type on the phone instead of a scan."""

    code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class QrExpired:
    """No one scanned; the engine waits to be asked for new codes."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Linked, connected and proven by an answer of WhatsApp."""

    phone: str | None
    push_name: str = ""
    platform: str = ""
    lid: str | None = None


class DisconnectCause(StrEnum):
    """Why a session is down, each handled as what it is (ACC-5)."""

    CONNECTION_LOST = "connection_lost"
    RESTART_REQUIRED = "restart_required"
    REPLACED = "replaced"
    LOGGED_OUT = "logged_out"
    BANNED = "banned"
    OUTDATED = "outdated"
    ENGINE_CRASHED = "engine_crashed"
    QR_EXPIRED = "qr_expired"
    PASSKEY_NEEDED = "passkey_needed"
    """WhatsApp links the number only after an answer of its passkey, which no engine here can give (ACC-14)."""


PASSKEY_NEEDED_REASON = (
    "WhatsApp links this number only after a check with its passkey, which this dashboard cannot answer yet. The number and its chats are "
    "not affected; on the phone, leave the linking. A new code ends the same way as long as WhatsApp asks: try again another day, or link "
    "a number that is not asked."
)


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The session is down. ``reason`` is for people; ``until`` is the end of a temporary ban."""

    cause: DisconnectCause
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """One message of a conversation, in either direction: ``from_me`` ones were written on the linked phone (AI-8)."""

    wa_id: str
    chat: Address
    content: Content
    at: datetime
    from_me: bool = False
    sender: Address | None = None
    """In a group, who wrote it; in a private chat the contact."""
    sender_name: str = ""
    chat_name: str = ""
    """Name of the group or channel."""
    history: bool = False
    """Synced from the past: stored, never answered, never new (ACC-8)."""
    timer: Timer | None = None
    """That of the chat, where the message tells it."""
    offline: bool = False
    """Waited on WhatsApp's server while this session was away (ACC-10)."""


class ReceiptKind(StrEnum):
    """How far an outgoing message got."""

    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receipt for one or more of our messages. ``reason`` explains ``failed``."""

    wa_ids: tuple[str, ...]
    kind: ReceiptKind
    at: datetime
    chat: Address | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ReactionReceived:
    """Somebody set (or with empty ``emoji`` removed) a reaction."""

    target_wa_id: str
    chat: Address
    sender: Address | None
    emoji: str
    at: datetime
    from_me: bool = False


@dataclass(frozen=True, slots=True)
class MessageEdited:
    """The text of an earlier message was changed by its writer."""

    target_wa_id: str
    chat: Address
    text: str
    at: datetime
    from_me: bool = False
    sender: Address | None = None
    """In a group, who changed it."""
    readable: bool = True
    """False: it was changed, and the new text is sealed with a secret that is not known here; ``text`` is empty then."""


@dataclass(frozen=True, slots=True)
class MessageRevoked:
    """An earlier message was deleted for everyone by its writer."""

    target_wa_id: str
    chat: Address
    at: datetime
    from_me: bool = False


@dataclass(frozen=True, slots=True)
class PollChanged:
    """A poll was changed by its writer, or got options of other people: ``options`` are all it has now. An empty ``question`` stays."""

    target_wa_id: str
    chat: Address
    question: str
    options: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class PollVoted:
    """The choices of one voter, complete: an empty tuple takes the vote back."""

    target_wa_id: str
    chat: Address
    voter: Address | None
    options: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class TimerChanged:
    """Messages of a chat disappear after so many seconds from ``at`` on; 0: they stay (MSG-12)."""

    chat: Address
    seconds: int
    at: datetime


@dataclass(frozen=True, slots=True)
class ContactSeen:
    """WhatsApp told a name, or which phone number and LID belong together (MSG-10)."""

    address: Address
    name: str = ""
    push_name: str = ""


@dataclass(frozen=True, slots=True)
class CallReceived:
    """Somebody calls; we only tell."""

    chat: Address
    at: datetime
    video: bool = False


@dataclass(frozen=True, slots=True)
class Restricted:
    """WhatsApp refuses sends for a while (463, reach-out time lock): the breaker of ACC-11."""

    code: str
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class OfflineSyncDone:
    """All that waited on WhatsApp's server has been handed over (ACC-10)."""

    count: int = field(default=0)


ConversationEvent = (
    MessageReceived
    | Receipt
    | ReactionReceived
    | MessageEdited
    | MessageRevoked
    | PollChanged
    | PollVoted
    | TimerChanged
    | ContactSeen
    | CallReceived
)
SessionEvent = QrCode | PairingCode | QrExpired | Ready | Disconnected | Restricted | OfflineSyncDone
EngineEvent = ConversationEvent | SessionEvent
