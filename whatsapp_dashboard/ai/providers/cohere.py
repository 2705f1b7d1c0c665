"""Cohere (AI-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from whatsapp_dashboard.ai.providers.base import ModelInfo
from whatsapp_dashboard.ai.providers.library import LibraryKind
from whatsapp_dashboard.ai.providers.listing import Caller
from whatsapp_dashboard.core.library_http import Terms, httpx_client

if TYPE_CHECKING:
    from pydantic_ai.models import Model


class Cohere(LibraryKind):
    """Cohere, by its own SDK. Text only: pydantic-ai hands it no pictures."""

    name = "cohere"
    title = "Cohere"
    default_url = "https://api.cohere.com"
    default_model = "command-a-03-2025"
    key_help_url = "https://dashboard.cohere.com/api-keys"
    prices = "cohere"
    file_types = frozenset()

    def takes_images(self, model: str) -> bool:
        return False

    def build(self, model: str, url: str, key: str, terms: Terms) -> Model[Any]:
        from cohere import AsyncClientV2
        from pydantic_ai.models.cohere import CohereModel
        from pydantic_ai.providers.cohere import CohereProvider

        client = AsyncClientV2(
            api_key=key, base_url=url, max_retries=0, httpx_client=httpx_client(self.http, terms), log_warning_experimental_features=False
        )
        return CohereModel(model, provider=CohereProvider(cohere_client=client))

    def settings(self) -> dict[str, Any]:
        return {"max_retries": 0}

    async def list_models(self, url: str, caller: Caller) -> list[ModelInfo]:
        answer = await self.listing.get(f"{url}/v1/models?endpoint=chat&page_size=1000", caller)
        return [self.info(entry["name"], images=False) for entry in answer.dicts("models") if isinstance(entry.get("name"), str)]
