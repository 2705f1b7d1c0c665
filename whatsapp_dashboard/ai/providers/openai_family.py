"""Providers that speak OpenAI's chat completions: OpenAI, OpenRouter, SambaNova, Hugging Face's router, and servers of one's own (AI-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from whatsapp_dashboard.ai.providers.base import ModelInfo
from whatsapp_dashboard.ai.providers.library import PICTURES, LibraryKind
from whatsapp_dashboard.ai.providers.listing import Caller
from whatsapp_dashboard.core.library_http import Terms, httpx2_client

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from pydantic_ai.models import Model


class OpenAiFamily(LibraryKind):
    """A kind that OpenAI's SDK speaks to."""

    file_types = PICTURES | {"audio/mpeg", "audio/mp3", "audio/wav", "audio/x-wav"}

    def client(self, url: str, key: str, terms: Terms) -> AsyncOpenAI:
        """OpenAI's SDK, without retries and without a look at the environment: a key it must have, what is sent is in ``terms``."""
        from openai import AsyncOpenAI

        return AsyncOpenAI(base_url=url, api_key=key or "none", max_retries=0, timeout=None, http_client=httpx2_client(self.http, terms))


class OpenAi(OpenAiFamily):
    """OpenAI, or a gateway to it."""

    name = "openai"
    title = "OpenAI"
    default_url = "https://api.openai.com/v1"
    default_model = "gpt-5.6-luna"
    key_help_url = "https://platform.openai.com/api-keys"
    prices = "openai"

    def build(self, model: str, url: str, key: str, terms: Terms) -> Model[Any]:
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.providers.openai import OpenAIProvider

        return OpenAIChatModel(model, provider=OpenAIProvider(openai_client=self.client(url, key, terms)))


class OpenRouter(OpenAiFamily):
    """OpenRouter: hundreds of models behind one key. Says what each request cost."""

    name = "openrouter"
    title = "OpenRouter"
    default_url = "https://openrouter.ai/api/v1"
    default_model = "google/gemini-3.5-flash-lite"
    key_help_url = "https://openrouter.ai/settings/keys"
    prices = "openrouter"

    def build(self, model: str, url: str, key: str, terms: Terms) -> Model[Any]:
        from pydantic_ai.models.openrouter import OpenRouterModel
        from pydantic_ai.providers.openrouter import OpenRouterProvider

        return OpenRouterModel(model, provider=OpenRouterProvider(openai_client=self.client(url, key, terms)))

    def settings(self) -> dict[str, Any]:
        return {"openrouter_usage": {"include": True}}

    async def list_models(self, url: str, caller: Caller) -> list[ModelInfo]:
        answer = await self.listing.get(f"{url}/models", caller)
        found = []
        for entry in answer.dicts("data"):
            architecture = entry.get("architecture")
            modes = architecture if isinstance(architecture, dict) else {}
            if not isinstance(entry.get("id"), str) or "text" not in (modes.get("output_modalities") or ["text"]):
                continue
            given = modes.get("input_modalities")
            images = "image" in given if isinstance(given, list) else None
            found.append(self.info(entry["id"], str(entry.get("name") or ""), images=images))
        return found


class SambaNova(OpenAiFamily):
    """SambaNova Cloud."""

    name = "sambanova"
    title = "SambaNova"
    default_url = "https://api.sambanova.ai/v1"
    default_model = "Meta-Llama-3.3-70B-Instruct"
    key_help_url = "https://cloud.sambanova.ai/apis"

    def build(self, model: str, url: str, key: str, terms: Terms) -> Model[Any]:
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.providers.sambanova import SambaNovaProvider

        profile = {"openai_chat_supports_max_completion_tokens": False}
        return OpenAIChatModel(model, provider=SambaNovaProvider(openai_client=self.client(url, key, terms)), profile=profile)  # type: ignore[arg-type]


class HuggingFace(OpenAiFamily):
    """Hugging Face's inference providers, by the router that speaks OpenAI's language."""

    name = "huggingface"
    title = "Hugging Face"
    default_url = "https://router.huggingface.co/v1"
    default_model = "openai/gpt-oss-120b"
    key_help_url = "https://huggingface.co/settings/tokens"

    def build(self, model: str, url: str, key: str, terms: Terms) -> Model[Any]:
        return _compatible("huggingface", model, self.client(url, key, terms))

    async def list_models(self, url: str, caller: Caller) -> list[ModelInfo]:
        answer = await self.listing.get(f"{url}/models", caller)
        found = []
        for entry in answer.dicts("data"):
            architecture = entry.get("architecture")
            given = architecture.get("input_modalities") if isinstance(architecture, dict) else None
            if isinstance(entry.get("id"), str):
                found.append(self.info(entry["id"], images="image" in given if isinstance(given, list) else None))
        return found


class Compatible(OpenAiFamily):
    """A server of one's own, or any other that speaks OpenAI's language. ``http://host:11434`` is read as ``http://host:11434/v1``."""

    name = "compatible"
    title = "OpenAI-compatible server"
    url_needed = True
    needs_key = False

    def address(self, url: str) -> str:
        url = super().address(url)
        return f"{url}/v1" if urlsplit(url).path in ("", "/") else url

    def build(self, model: str, url: str, key: str, terms: Terms) -> Model[Any]:
        return _compatible("compatible", model, self.client(url, key, terms))


def _compatible(name: str, model: str, client: AsyncOpenAI) -> Model[Any]:
    from pydantic_ai.models.openai import OpenAIChatModel, OpenAIChatModelSettings
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

    # What every such server understands: the older name of the limit, and one system message.
    profile = {"openai_chat_supports_max_completion_tokens": False, "openai_chat_supports_multiple_system_messages": False}
    provider = OpenAICompatibleProvider(name, openai_client=client)
    settings = OpenAIChatModelSettings(openai_reasoning_effort="low") if "gpt-oss" in model.lower() else None
    return OpenAIChatModel(model, provider=provider, profile=profile, settings=settings)  # type: ignore[arg-type]
