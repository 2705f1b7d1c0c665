"""Anthropic's Claude (AI-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from whatsapp_dashboard.ai.providers.base import ModelInfo
from whatsapp_dashboard.ai.providers.library import LibraryKind
from whatsapp_dashboard.ai.providers.listing import Caller
from whatsapp_dashboard.core.library_http import Terms, httpx2_client

if TYPE_CHECKING:
    from pydantic_ai.models import Model

_VERSION = "2023-06-01"


class Anthropic(LibraryKind):
    """Anthropic, by its own SDK."""

    name = "anthropic"
    title = "Anthropic"
    default_url = "https://api.anthropic.com"
    default_model = "claude-haiku-5-5"
    key_help_url = "https://platform.claude.com/settings/keys"
    prices = "anthropic"
    headers = frozenset({"anthropic-beta"})

    def auth(self, key: str) -> dict[str, str]:
        return {"x-api-key": key, "anthropic-version": _VERSION}

    def build(self, model: str, url: str, key: str, terms: Terms) -> Model[Any]:
        from anthropic import AsyncAnthropic
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        client = AsyncAnthropic(
            base_url=url, api_key=key, max_retries=0, timeout=None, open_telemetry=False, http_client=httpx2_client(self.http, terms)
        )
        return AnthropicModel(model, provider=AnthropicProvider(anthropic_client=client))

    async def list_models(self, url: str, caller: Caller) -> list[ModelInfo]:
        answer = await self.listing.get(f"{url}/v1/models?limit=1000", caller)
        found = []
        for entry in answer.dicts("data"):
            if isinstance(entry.get("id"), str):
                found.append(self.info(entry["id"], str(entry.get("display_name") or "")))
        return found
