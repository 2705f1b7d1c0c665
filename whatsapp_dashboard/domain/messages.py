"""What a message is: types, content in and out, and the one-way ladder of outgoing statuses (MSG-1, MSG-4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from whatsapp_dashboard.domain.ids import Address


class Direction(StrEnum):
    """Which way a message went, seen from the account."""

    INCOMING = "incoming"
    OUTGOING = "outgoing"


class MessageType(StrEnum):
    """The kinds of message stored (MSG-1). Reactions, edits and revokes change a stored message instead."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    VOICE = "voice"
    DOCUMENT = "document"
    STICKER = "sticker"
    LOCATION = "location"
    CONTACT = "contact"
    POLL = "poll"
    BUTTONS = "buttons"
    UNSUPPORTED = "unsupported"


MEDIA_TYPES = frozenset(
    {MessageType.IMAGE, MessageType.VIDEO, MessageType.AUDIO, MessageType.VOICE, MessageType.DOCUMENT, MessageType.STICKER}
)


class MessageStatus(StrEnum):
    """Where a message is. Incoming ones are ``received``; outgoing ones climb from ``queued`` to ``read`` or fail."""

    RECEIVED = "received"
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


_LADDER = {MessageStatus.QUEUED: 0, MessageStatus.SENT: 1, MessageStatus.DELIVERED: 2, MessageStatus.READ: 3}


def status_advances(old: MessageStatus, new: MessageStatus) -> bool:
    """Whether an outgoing message may go from ``old`` to ``new``: only upwards; ``failed`` only from ``queued`` or
    ``sent``; a failed message is ``queued`` again only by an explicit retry, which does not ask here (MSG-4)."""
    if new is MessageStatus.FAILED:
        return old in (MessageStatus.QUEUED, MessageStatus.SENT)
    if old is MessageStatus.FAILED:
        return new in (MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ)
    return old in _LADDER and new in _LADDER and _LADDER[new] > _LADDER[old]


class Origin(StrEnum):
    """Who wrote an outgoing message."""

    OPERATOR = "operator"
    API = "api"
    AUTO_REPLY = "auto_reply"
    AI = "ai"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Location:
    """A point on the map; degrees."""

    latitude: float
    longitude: float
    name: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class ContactCard:
    """One shared contact; ``vcard`` is the raw card where the sender gave one."""

    name: str
    phones: tuple[str, ...] = ()
    vcard: str = ""


@dataclass(frozen=True, slots=True)
class Poll:
    """A question with options; ``selectable`` is how many may be chosen (0: any number)."""

    question: str
    options: tuple[str, ...]
    selectable: int = 1


@dataclass(frozen=True, slots=True)
class Buttons:
    """A text with choices. Engines without buttons send the choices as numbered text (MSG-1)."""

    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MediaRef:
    """A file that comes with an incoming message: what the sender claims, and ``token``, opaque to everyone but the
    engine, with which :meth:`Engine.download` fetches the bytes."""

    token: dict[str, Any]
    mimetype: str = ""
    size: int | None = None
    filename: str = ""
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class MediaFile:
    """Bytes to send or just received, with their checked type."""

    data: bytes
    mimetype: str
    filename: str = ""


@dataclass(frozen=True, slots=True)
class Timer:
    """After how many seconds the messages of a chat disappear (0: they stay), and when that was set, where it is known (MSG-12)."""

    seconds: int
    set_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What a message says. ``text`` is the body, the caption of a file, or the question of a poll."""

    type: MessageType
    text: str = ""
    location: Location | None = None
    contacts: tuple[ContactCard, ...] = ()
    poll: Poll | None = None
    buttons: Buttons | None = None
    media: MediaRef | MediaFile | None = None
    quoted_id: str | None = None
    """WhatsApp id of the message this one replies to."""
    quoted_from_me: bool = False
    quoted_text: str = ""
    """What the quoted message says: as the reply shows it."""
    quoted_type: MessageType | None = None
    """What kind of message it is, where the reply shows that."""
    quoted_sender: Address | None = None
    """Who wrote the quoted message; to send, only in a group."""
    mentions: tuple[str, ...] = ()
    timer: Timer | None = None
    """To send: the timer of a chat whose messages disappear."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """WhatsApp's id of a sent message and the time it was accepted (UTC)."""

    wa_id: str
    at: datetime
    unconfirmed: bool = False
    """True when a crash left it in doubt whether WhatsApp has it."""


@dataclass(frozen=True, slots=True)
class MessageKey:
    """How an engine names one message on WhatsApp."""

    wa_id: str
    chat: Address
    from_me: bool
    sender: Address | None = field(default=None)
    """In a group, who wrote it."""
