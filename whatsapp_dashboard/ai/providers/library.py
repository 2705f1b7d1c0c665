"""Kinds of providers that pydantic-ai speaks to by their real SDKs; the HTTP below is ours (docs/decisions/ai-providers.md)."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from whatsapp_dashboard.ai.providers.base import (
    Completion,
    Connection,
    ModelInfo,
    Prompt,
    ProviderError,
    ProviderKind,
    Schema,
    check_key,
    without_key,
)
from whatsapp_dashboard.ai.providers.capabilities import for_chats, sees
from whatsapp_dashboard.ai.providers.errors import from_exchange, from_trouble
from whatsapp_dashboard.ai.providers.listing import Caller, Listing
from whatsapp_dashboard.core.library_http import Exchange, Terms, recorded
from whatsapp_dashboard.core.safe_http import SafeHttp
from whatsapp_dashboard.errors import Invalid

if TYPE_CHECKING:
    from pydantic_ai.models import Model
    from pydantic_ai.settings import ModelSettings

PICTURES = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
_NO_TAGS = ("\x00<", "\x00>")
"""No text has them."""
_KEPT = 200
"""Models that are kept ready for the next request."""


class LibraryKind(ProviderKind):
    """What the kinds have in common: the way to a model object, time limits, errors."""

    prices: ClassVar[str] = ""
    """The provider's name in the price list; empty: costs are not known."""
    file_types: ClassVar[frozenset[str]] = PICTURES
    """What requests can carry, whatever the model makes of it."""
    headers: ClassVar[frozenset[str]] = frozenset()
    """Headers of the SDK that may leave, beside the ones every request has."""

    def __init__(self, http: SafeHttp) -> None:
        self.http = http
        self.listing = Listing(http)
        self._kept: OrderedDict[tuple[str, str, str], Model[Any]] = OrderedDict()
        self._building = asyncio.Lock()

    @abstractmethod
    def build(self, model: str, url: str, key: str, terms: Terms) -> Model[Any]:
        """The model object, with an SDK client that sends within ``terms`` and retries nothing. Runs in a thread, imports the SDK there."""

    def auth(self, key: str) -> dict[str, str]:
        """The header that says who asks."""
        return {"authorization": f"Bearer {key}"} if key else {}

    def settings(self) -> dict[str, Any]:
        """Settings of pydantic-ai for each request."""
        return {}

    def address(self, url: str) -> str:
        """The base address for the SDK."""
        return (url.strip() or self.default_url).rstrip("/")

    def takes_images(self, model: str) -> bool:
        return sees(model)

    async def complete(self, connection: Connection, prompt: Prompt, seconds: float) -> Completion:
        async with self._asking(connection, seconds):
            model = await self._ready(connection)
            from whatsapp_dashboard.ai.providers import conversation

            response = await conversation.ask(model, prompt, self._settings(), self.file_types)
            return conversation.to_completion(response, self.title, connection.model, self.prices, prompt.max_tokens)

    async def extract(
        self,
        connection: Connection,
        prompt: Prompt,
        schema: type[Schema],
        seconds: float,
        *,
        used: Callable[[Completion], None] | None = None,
    ) -> Schema:
        async with self._asking(connection, seconds):
            model = await self._ready(connection)
            from whatsapp_dashboard.ai.providers import conversation

            found, responses = await conversation.ask_for(model, prompt, schema, self._settings(), self.file_types)
            if used:
                used(conversation.completion(responses, found.model_dump_json(), connection.model, self.prices))
            return found

    async def models(self, connection: Connection, seconds: float) -> list[ModelInfo]:
        self._check(connection, needs_model=False)
        caller = Caller(self.title, self.auth(connection.key), connection.key, seconds)
        found = await self.list_models(self.address(connection.url), caller)
        return sorted((model for model in found if for_chats(model.id)), key=lambda model: model.name.lower())

    async def list_models(self, url: str, caller: Caller) -> list[ModelInfo]:
        """Ask the provider what it has. The form of OpenAI's list, unless a kind says otherwise."""
        answer = await self.listing.get(f"{url}/models", caller)
        return [self.info(entry["id"]) for entry in answer.dicts("data") if isinstance(entry.get("id"), str)]

    def info(self, model: str, name: str = "", *, images: bool | None = None) -> ModelInfo:
        """A listed model; what the provider does not say is judged by the name."""
        seen = self.takes_images(model)
        return ModelInfo(model, name or model, images if images is not None else (seen or None), self.takes_audio(model) or None)

    async def close(self) -> None:
        self._kept.clear()

    def _settings(self) -> ModelSettings:
        return self.settings()  # type: ignore[return-value]

    def _check(self, connection: Connection, *, needs_model: bool = True) -> None:
        if self.url_needed and not connection.url.strip():
            raise ProviderError("invalid", f"{self.title}: an address is needed, for example http://localhost:11434/v1.")
        if self.needs_key and not connection.key:
            raise ProviderError("auth", f"{self.title} needs an API key.")
        check_key(self.title, connection.key)
        if needs_model and not connection.model.strip():
            raise ProviderError("invalid", f"{self.title}: no {self.model_word.lower()} is chosen.")

    async def _ready(self, connection: Connection) -> Model[Any]:
        """The model object. What it takes to make one, imports among it, happens in a thread."""
        key = (connection.model.strip(), self.address(connection.url), connection.key)
        if key not in self._kept:
            async with self._building:
                if key not in self._kept:
                    self._kept[key] = await asyncio.to_thread(self._build, *key)
                    while len(self._kept) > _KEPT:
                        self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _build(self, model: str, url: str, key: str) -> Model[Any]:
        from whatsapp_dashboard.ai.providers import conversation  # noqa: F401  (here, where it holds nobody up)

        built = self.build(model, url, key, Terms(url, put=self.auth(key), keep=self.headers))
        # It takes a tag out and leaves the thinking behind it where the limit has swallowed the tag at its end: thinking.py does this.
        built.__dict__["profile"] = {**built.profile, "thinking_tags": _NO_TAGS}
        return built

    @asynccontextmanager
    async def _asking(self, connection: Connection, seconds: float) -> AsyncIterator[Exchange]:
        """Everything of one request happens in here: within ``seconds``, and with every error in our words."""
        self._check(connection)
        with recorded() as exchange:
            try:
                async with asyncio.timeout(seconds):
                    yield exchange
            except ProviderError:
                raise
            except TimeoutError:
                raise ProviderError("timeout", f"{self.title} did not answer within {seconds:g} s.") from None
            except Invalid as error:
                raise from_trouble(error, self.title, connection.key) from None
            except Exception as error:
                raise self._in_words(error, exchange, connection.key) from None

    def _in_words(self, error: Exception, exchange: Exchange, key: str) -> ProviderError:
        if told := from_exchange(exchange, self.title, key):
            return told
        from whatsapp_dashboard.ai.providers import conversation

        return conversation.from_library(error, self.title, key, without_key)
