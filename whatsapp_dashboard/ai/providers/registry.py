"""Every kind of provider, and the one object that asks them (AI-2)."""

from __future__ import annotations

from collections.abc import Callable

from whatsapp_dashboard.ai.providers.anthropic import Anthropic
from whatsapp_dashboard.ai.providers.base import Completion, Connection, ModelInfo, Prompt, ProviderError, ProviderKind, Schema
from whatsapp_dashboard.ai.providers.cohere import Cohere
from whatsapp_dashboard.ai.providers.google import Google
from whatsapp_dashboard.ai.providers.groq import Groq
from whatsapp_dashboard.ai.providers.mistral import Mistral
from whatsapp_dashboard.ai.providers.openai_family import Compatible, HuggingFace, OpenAi, OpenRouter, SambaNova
from whatsapp_dashboard.ai.providers.retell import Retell
from whatsapp_dashboard.core.safe_http import SafeHttp

KINDS: tuple[Callable[[SafeHttp], ProviderKind], ...] = (
    Groq,
    Google,
    OpenRouter,
    Mistral,
    SambaNova,
    HuggingFace,
    OpenAi,
    Anthropic,
    Cohere,
    Compatible,
    Retell,
)


class Providers:
    """Asks providers of any kind. Every request leaves through ``http``."""

    def __init__(self, http: SafeHttp) -> None:
        made = [kind(http) for kind in KINDS]
        self._kinds = {kind.name: kind for kind in made}

    def kinds(self) -> list[ProviderKind]:
        """All of them, in the order in which they are offered."""
        return list(self._kinds.values())

    def kind(self, name: str) -> ProviderKind:
        """The kind called ``name``. Raises :class:`ProviderError` when there is none."""
        try:
            return self._kinds[name]
        except KeyError:
            raise ProviderError("invalid", f"There is no kind of provider called {name[:50]!r}.") from None

    async def complete(self, connection: Connection, prompt: Prompt, seconds: float) -> Completion:
        """Ask for the next line of the conversation. Raises :class:`ProviderError`."""
        return await self.kind(connection.kind).complete(connection, prompt, seconds)

    async def extract(
        self,
        connection: Connection,
        prompt: Prompt,
        schema: type[Schema],
        seconds: float,
        *,
        used: Callable[[Completion], None] | None = None,
    ) -> Schema:
        """Ask for typed data; ``used`` is told what it took. Raises :class:`ProviderError`."""
        return await self.kind(connection.kind).extract(connection, prompt, schema, seconds, used=used)

    async def models(self, connection: Connection, seconds: float) -> list[ModelInfo]:
        """What can be asked there. Raises :class:`ProviderError`."""
        return await self.kind(connection.kind).models(connection, seconds)

    async def close(self) -> None:
        """Forget clients that are kept for the next request."""
        for kind in self._kinds.values():
            await kind.close()
