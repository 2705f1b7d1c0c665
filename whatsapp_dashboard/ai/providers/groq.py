"""Groq: open models, very quick (AI-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from whatsapp_dashboard.ai.providers.base import ModelInfo
from whatsapp_dashboard.ai.providers.library import LibraryKind
from whatsapp_dashboard.ai.providers.listing import Caller
from whatsapp_dashboard.core.library_http import Terms, httpx_client

if TYPE_CHECKING:
    from pydantic_ai.models import Model


class Groq(LibraryKind):
    """Groq, by its own SDK."""

    name = "groq"
    title = "Groq"
    default_url = "https://api.groq.com"
    default_model = "openai/gpt-oss-120b"
    key_help_url = "https://console.groq.com/keys"
    prices = "groq"

    def build(self, model: str, url: str, key: str, terms: Terms) -> Model[Any]:
        from groq import AsyncGroq
        from pydantic_ai.models.groq import GroqModel
        from pydantic_ai.providers.groq import GroqProvider

        client = AsyncGroq(base_url=url, api_key=key, max_retries=0, timeout=None, http_client=httpx_client(self.http, terms))
        _ = client.chat.completions  # loads its types here, in the thread
        return GroqModel(model, provider=GroqProvider(groq_client=client))

    async def list_models(self, url: str, caller: Caller) -> list[ModelInfo]:
        return await super().list_models(f"{url}/openai/v1", caller)
