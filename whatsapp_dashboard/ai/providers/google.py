"""Google's Gemini (AI-2): the one that hears voice messages as WhatsApp sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from whatsapp_dashboard.ai.providers.base import ModelInfo
from whatsapp_dashboard.ai.providers.capabilities import for_chats
from whatsapp_dashboard.ai.providers.library import PICTURES, LibraryKind
from whatsapp_dashboard.ai.providers.listing import Caller
from whatsapp_dashboard.core.library_http import Terms, httpx2_client

if TYPE_CHECKING:
    from pydantic_ai.models import Model

_PAGES = 10


class Google(LibraryKind):
    """The Gemini API, by Google's SDK. The key goes in a header."""

    name = "google"
    title = "Google Gemini"
    default_url = "https://generativelanguage.googleapis.com"
    default_model = "gemini-3.5-flash-lite"
    key_help_url = "https://aistudio.google.com/apikey"
    prices = "google"
    file_types = PICTURES | {"image/heic", "audio/ogg", "audio/mpeg", "audio/mp3", "audio/wav", "audio/aac", "audio/flac"}

    def auth(self, key: str) -> dict[str, str]:
        return {"x-goog-api-key": key}

    def takes_audio(self, model: str) -> bool:
        return "gemini" in model.lower() and for_chats(model)

    def build(self, model: str, url: str, key: str, terms: Terms) -> Model[Any]:
        from google.genai import Client
        from google.genai.types import HttpOptions
        from pydantic_ai.models.google import GoogleModel
        from pydantic_ai.providers.google import GoogleProvider

        options = HttpOptions(base_url=url, api_version="v1beta", httpx_async_client=httpx2_client(self.http, terms))
        client = Client(vertexai=False, api_key=key, http_options=options)
        return GoogleModel(model, provider=GoogleProvider(client=client))

    def settings(self) -> dict[str, Any]:
        return {"max_retries": 0}

    async def list_models(self, url: str, caller: Caller) -> list[ModelInfo]:
        found, page = [], ""
        for _ in range(_PAGES):
            answer = await self.listing.get(f"{url}/v1beta/models?pageSize=1000{page}", caller)
            for entry in answer.dicts("models"):
                model = str(entry.get("name") or "").removeprefix("models/")
                if model and "generateContent" in (entry.get("supportedGenerationMethods") or []):
                    found.append(self.info(model, str(entry.get("displayName") or "")))
            token = answer.get("nextPageToken")
            if not isinstance(token, str) or not token:
                break
            page = f"&pageToken={quote(token, safe='')}"
        return found
