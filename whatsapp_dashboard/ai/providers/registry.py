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
from whatsapp_dashboard.core.outgoing import Outgoing
from whatsapp_dashboard.core.safe_http import SafeHttp
from whatsapp_dashboard.domain.storable import storable
from whatsapp_dashboard.text import clean_all

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
    """Asks providers of any kind. Every request leaves through ``http``, in the name of the connection's workspace: each has kinds, and in
    them clients, of its own."""

    def __init__(self, http: Outgoing) -> None:
        self._http = http
        self._kinds = self._make("")
        self._of: dict[str, dict[str, ProviderKind]] = {"": self._kinds}

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
        kind = self._kind(connection)
        completion = storable(await kind.complete(connection, prompt, seconds))
        if not completion.text.strip():
            raise ProviderError("empty", f"{kind.title} gave an empty answer.")
        return completion

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
        found = await self._kind(connection).extract(connection, prompt, schema, seconds, used=used)
        return schema.model_validate(clean_all(found.model_dump()))

    async def models(self, connection: Connection, seconds: float) -> list[ModelInfo]:
        """What can be asked there. Raises :class:`ProviderError`."""
        return storable(await self._kind(connection).models(connection, seconds))

    async def close(self) -> None:
        """Forget clients that are kept for the next request."""
        for kinds in self._of.values():
            for kind in kinds.values():
                await kind.close()

    def _kind(self, connection: Connection) -> ProviderKind:
        self.kind(connection.kind)
        if connection.workspace_id not in self._of:
            self._of[connection.workspace_id] = self._make(connection.workspace_id)
        return self._of[connection.workspace_id][connection.kind]

    def _make(self, workspace_id: str) -> dict[str, ProviderKind]:
        made = [kind(self._http.of(workspace_id)) for kind in KINDS]
        return {kind.name: kind for kind in made}
