"""The contract between the bot and a provider of answers (AI-2). Nothing here imports an SDK: the dashboard starts without them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol, TypeVar

from pydantic import BaseModel

from whatsapp_dashboard.core.masking import masked
from whatsapp_dashboard.domain.messages import MediaFile
from whatsapp_dashboard.text import clean

ErrorKind = Literal[
    "auth", "rate_limited", "timeout", "unavailable", "network", "bad_answer", "empty", "refused", "invalid", "blocked_address"
]
Schema = TypeVar("Schema", bound=BaseModel)


class ChatMemory(Protocol):
    """Where the name of a chat is kept, for providers that keep the conversation themselves (Retell)."""

    async def get(self) -> str | None:
        """The provider's name for it; None before the first answer."""

    async def set(self, chat_id: str) -> None:
        """Remember the name."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One side's words. ``files`` are pictures and voice messages of the user."""

    role: Literal["user", "assistant"]
    text: str
    files: tuple[MediaFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """A whole request: what the model is told, and the conversation, oldest turn first, which ends with the user."""

    system: str
    turns: tuple[Turn, ...]
    temperature: float
    max_tokens: int
    """Of the answer. What a model thinks before it writes does not count."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Whom to ask, and as whom."""

    kind: str
    model: str
    key: str = field(repr=False)
    url: str = ""
    """Empty: the default of the kind."""
    chat: ChatMemory | None = None
    workspace_id: str = ""
    """In whose name: what may be reached. Nobody's reaches no private network."""


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer. ``text`` is never empty."""

    text: str
    model: str
    tokens_in: int
    tokens_out: int
    cost_micros: int | None
    """Millionths of a US dollar; None when nobody knows."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model as its provider lists it; None: the provider does not say, and its name does not tell."""

    id: str
    name: str
    takes_images: bool | None
    takes_audio: bool | None


class ProviderError(Exception):
    """Why there is no answer. ``message`` is for people and never holds the key.

    ``kind``: auth (the key, or an account without credit: nothing changes until a person acts), rate_limited, timeout, unavailable (their
    side is broken), network, bad_answer, empty, refused (the model or a filter declined), invalid (the model's name, the address or the
    request), blocked_address (a private network that an owner may allow under the name ``host``, or an address nobody may).
    """

    def __init__(
        self, kind: ErrorKind, message: str, *, retry_after: float | None = None, status: int | None = None, host: str = ""
    ) -> None:
        self.message = clean(message)
        super().__init__(self.message)
        self.kind = kind
        self.retry_after = retry_after
        """Seconds after which the provider wants to be asked again."""
        self.status = status
        """What HTTP said."""
        self.host = host

    def __repr__(self) -> str:
        return f"ProviderError({self.kind!r}, {self.message!r})"


class ProviderKind(ABC):
    """A kind of provider that can be chosen."""

    name: ClassVar[str]
    title: ClassVar[str]
    default_url: ClassVar[str] = ""
    url_needed: ClassVar[bool] = False
    url_editable: ClassVar[bool] = True
    """Gateways and regional addresses are common; empty means :attr:`default_url`."""
    needs_key: ClassVar[bool] = True
    lists_models: ClassVar[bool] = True
    structured: ClassVar[bool] = True
    """Whether :meth:`extract` works."""
    model_word: ClassVar[str] = "Model"
    default_model: ClassVar[str] = ""
    """A suggestion: quick, cheap and good enough for a chat."""
    key_help_url: ClassVar[str] = ""

    @abstractmethod
    async def complete(self, connection: Connection, prompt: Prompt, seconds: float) -> Completion:
        """Ask for the next line of the conversation. Raises :class:`ProviderError`."""

    @abstractmethod
    async def extract(
        self,
        connection: Connection,
        prompt: Prompt,
        schema: type[Schema],
        seconds: float,
        *,
        used: Callable[[Completion], None] | None = None,
    ) -> Schema:
        """Ask for typed data. ``used`` is told what it took (``text`` is the data as JSON). Raises :class:`ProviderError`."""

    @abstractmethod
    async def models(self, connection: Connection, seconds: float) -> list[ModelInfo]:
        """What can be asked there, by name. ``connection.model`` may be empty. Raises :class:`ProviderError`."""

    def takes_images(self, model: str) -> bool:
        """Whether the model is known to see pictures."""
        return False

    def takes_audio(self, model: str) -> bool:
        """Whether the model is known to hear voice messages as WhatsApp sends them (Ogg Opus)."""
        return False

    async def close(self) -> None:  # noqa: B027  (most have nothing to forget)
        """Forget what was kept for the next request."""


def without_key(text: str, key: str) -> str:
    """``text`` with the key masked, in every form in which servers echo it."""
    return masked(text, [key])


def check_key(title: str, key: str) -> None:
    """Raises :class:`ProviderError` for what cannot be a key, such as a line that was copied along."""
    if not key.isascii() or not key.isprintable() or key != key.strip():
        raise ProviderError("auth", f"{title}: the key has signs that no key has. Copy it again.")
