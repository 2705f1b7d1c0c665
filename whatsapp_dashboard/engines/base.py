"""The one contract every engine implements, and the only thing the rest of the program knows of engines (ENG-1)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from whatsapp_dashboard.domain.engine_events import EngineEvent, PairingCode
from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import Content, MediaFile, MediaRef, MessageKey, SendResult
from whatsapp_dashboard.errors import Unsupported


class Capability(StrEnum):
    """What an engine may be able to do. Pages hide what is missing; the API answers 501 (ENG-1)."""

    QR = "qr"
    PAIRING_CODE = "pairing_code"
    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"
    LOCATION = "location"
    CONTACT = "contact"
    POLL = "poll"
    BUTTONS = "buttons"
    REACTION = "reaction"
    EDIT = "edit"
    REVOKE = "revoke"
    MARK_READ = "mark_read"
    TYPING = "typing"
    DOWNLOAD = "download"
    LOOKUP = "lookup"


@dataclass(frozen=True, slots=True)
class Lookup:
    """Whether a number is on WhatsApp, and under which identities."""

    exists: bool
    address: Address
    name: str = ""


@dataclass(frozen=True, slots=True)
class EngineProcess:
    """A process that carries sessions; ``starts`` is how many it has begun so far."""

    pid: int
    sessions: int
    starts: int
    accounts: frozenset[str] = frozenset()
    """Whose sessions they are."""


class Surroundings(ABC):
    """What the sessions of one engine share in this process, for instance the processes they run in. Made when the first session
    needs it, from the engine options; stopped after the last session."""

    @abstractmethod
    def __init__(self, options: Mapping[str, str]) -> None:
        """Nothing is started yet."""

    @abstractmethod
    async def stop(self) -> None:
        """End what runs. Never raises."""

    def processes(self) -> list[EngineProcess]:
        """The processes that run now."""
        return []


@dataclass(slots=True)
class EngineContext:
    """What the pool gives an engine: who it is for, where to put files, and where events go.

    ``emit`` returns when the event is durably stored; it may raise while the program is stopping, and then the engine
    must not acknowledge the event to WhatsApp. ``load_credentials``/``save_credentials`` keep the linked session across restarts,
    encrypted by the pool (SEC-7); ``None`` forgets it.
    """

    account_id: str
    data_dir: Path
    emit: Callable[[EngineEvent], Awaitable[None]]
    load_credentials: Callable[[], Awaitable[bytes | None]]
    save_credentials: Callable[[bytes | None], Awaitable[None]]
    options: dict[str, str] = field(default_factory=dict)
    """Engine options from the settings, for instance the sandbox world's address."""
    surroundings: Surroundings | None = None
    """What :attr:`Engine.surroundings` names, when it names something."""
    workspace_id: str = ""
    """Whose account it is, for engines that keep what they simulate apart (ACC-15)."""


class Engine(ABC):
    """One account's way to WhatsApp. No logic, no database.

    Life: ``start`` once, then events flow, then ``stop`` once; an engine is never started again (the pool makes a new
    one). Methods raise :class:`Retryable` (try later), :class:`Permanent` (never), :class:`Unavailable` (not connected)
    or :class:`Unsupported`. The pool puts a time limit around every call (ACC-6).
    """

    name: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    """One sentence for the person who chooses an engine."""
    capabilities: ClassVar[frozenset[Capability]]
    surroundings: ClassVar[type[Surroundings] | None] = None
    """What its sessions share in a process, if anything; the pool makes one of it and hands it over in the context."""

    def __init__(self, context: EngineContext) -> None:
        self.context = context

    @abstractmethod
    async def start(self) -> None:
        """Begin to connect: with stored credentials emits :class:`Ready`, without them :class:`QrCode`. Returns soon; the
        outcome comes as events. Raises :class:`Retryable` when not even a try could be made."""

    @abstractmethod
    async def stop(self) -> None:
        """End the connection, keep the credentials. Never raises; safe to call twice."""

    @abstractmethod
    async def logout(self) -> None:
        """Unlink this device at WhatsApp and forget the credentials."""

    @abstractmethod
    async def probe(self) -> None:
        """Prove that WhatsApp answers on this connection (ACC-9). Raises :class:`Unavailable` when it does not."""

    async def pair_with_phone(self, phone: str) -> PairingCode:
        """Ask for a code to type on the phone with number ``phone`` (digits), instead of a scan (ACC-3)."""
        raise self.unsupported(Capability.PAIRING_CODE)

    @abstractmethod
    async def send(self, key: str, to: Address, content: Content) -> SendResult:
        """Send one message. Idempotent by ``key``: a key that was sent before answers the first result again."""

    async def react(self, key: str, target: MessageKey, emoji: str) -> SendResult:
        """Set our reaction on ``target``; an empty ``emoji`` removes it."""
        raise self.unsupported(Capability.REACTION)

    async def edit(self, key: str, target: MessageKey, text: str) -> SendResult:
        """Change the text of a message of ours."""
        raise self.unsupported(Capability.EDIT)

    async def revoke(self, key: str, target: MessageKey) -> SendResult:
        """Delete a message of ours for everyone."""
        raise self.unsupported(Capability.REVOKE)

    async def mark_read(self, messages: list[MessageKey]) -> None:
        """Tell the senders that these were read."""
        raise self.unsupported(Capability.MARK_READ)

    async def set_typing(self, to: Address, on: bool) -> None:
        """Show or end "typing..." at the contact."""
        raise self.unsupported(Capability.TYPING)

    async def download(self, ref: MediaRef) -> MediaFile:
        """Fetch the bytes of a received file. :class:`Permanent` when WhatsApp no longer has it."""
        raise self.unsupported(Capability.DOWNLOAD)

    async def lookup(self, phone: str) -> Lookup:
        """Ask whether the number ``phone`` (digits) is on WhatsApp."""
        raise self.unsupported(Capability.LOOKUP)

    def unsupported(self, what: Capability) -> Unsupported:
        """The error for a capability this engine lacks."""
        return Unsupported(f"The {self.title} engine cannot do this: {what.value.replace('_', ' ')}.")
