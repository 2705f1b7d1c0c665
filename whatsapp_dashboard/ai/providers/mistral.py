"""Mistral (AI-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from whatsapp_dashboard.ai.providers.base import ModelInfo
from whatsapp_dashboard.ai.providers.library import LibraryKind
from whatsapp_dashboard.ai.providers.listing import Caller
from whatsapp_dashboard.core.library_http import Terms, httpx2_client

if TYPE_CHECKING:
    from pydantic_ai.models import Model


class Mistral(LibraryKind):
    """Mistral's platform, by its own SDK."""

    name = "mistral"
    title = "Mistral"
    default_url = "https://api.mistral.ai"
    default_model = "mistral-small-latest"
    key_help_url = "https://console.mistral.ai/api-keys"
    prices = "mistral"

    def build(self, model: str, url: str, key: str, terms: Terms) -> Model[Any]:
        from mistralai.client import Mistral as Sdk
        from pydantic_ai.models.mistral import MistralModel
        from pydantic_ai.providers.mistral import MistralProvider

        client = Sdk(api_key=key, server_url=url, async_client=httpx2_client(self.http, terms))
        return MistralModel(model, provider=MistralProvider(mistral_client=client))

    def settings(self) -> dict[str, Any]:
        return {"max_retries": 0}

    async def list_models(self, url: str, caller: Caller) -> list[ModelInfo]:
        answer = await self.listing.get(f"{url}/v1/models", caller)
        found: dict[str, ModelInfo] = {}
        for entry in answer.dicts("data"):
            given = entry.get("capabilities")
            can = given if isinstance(given, dict) else {}
            if isinstance(entry.get("id"), str) and can.get("completion_chat", True):
                vision = can.get("vision")
                found[entry["id"]] = self.info(entry["id"], images=vision if isinstance(vision, bool) else None)
        return list(found.values())
