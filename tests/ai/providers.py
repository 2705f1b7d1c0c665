"""What tests of providers have in common: a prompt, connections to the local server, and the kinds as parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import BaseModel, Field

from tests.support.llm_server import LlmServer
from whatsapp_dashboard.ai.providers.base import Completion, Connection, Prompt, ProviderError, Turn
from whatsapp_dashboard.ai.providers.registry import KINDS, Providers
from whatsapp_dashboard.core.addresses import Allowed
from whatsapp_dashboard.core.outgoing import Outgoing

LOOPBACK = Allowed.parse(["127.0.0.0/8"])
KEY = "sk-test/9f8e+7d6c5b4a=x"
"""With signs that are written otherwise in a URL."""
ALL = [str(kind.name) for kind in KINDS]  # type: ignore[attr-defined]
BY_LIBRARY = [name for name in ALL if name != "retell"]
SDK_EACH = [name for name in BY_LIBRARY if name not in ("openrouter", "sambanova", "huggingface", "compatible")]
"""One for each SDK: the others have OpenAI's."""
SEEING = [name for name in BY_LIBRARY if name != "cohere"]
MODELS = {"compatible": "llama3.2", "retell": "agent_bella"}
"""For kinds without a default."""
PROMPT = Prompt(
    "You are the assistant of Café Luna.",
    (Turn("user", "Hello"), Turn("assistant", "Hi, how can I help?"), Turn("user", "When do you open?")),
    temperature=0.3,
    max_tokens=150,
)
SECONDS = 60.0
"""A limit that is never reached."""


class Order(BaseModel):
    """What somebody wants to eat."""

    dish: str
    count: int = Field(ge=1)


class Memory:
    """Where the name of a chat is kept."""

    def __init__(self, chat_id: str | None = None) -> None:
        self.chat_id = chat_id

    async def get(self) -> str | None:
        """The name."""
        return self.chat_id

    async def set(self, chat_id: str) -> None:
        """Keep it."""
        self.chat_id = chat_id


class Asking:
    """Providers that reach the local server."""

    def __init__(self, server: LlmServer, allowed: Allowed = LOOPBACK, **options: Any) -> None:
        self.server = server
        self.http = Outgoing(lambda _: allowed, user_agent="test", **options)
        self.providers = Providers(self.http)

    async def close(self) -> None:
        """Let go."""
        await self.providers.close()
        await self.http.close()

    def connection(self, kind: str, **changes: Any) -> Connection:
        """To the local server, with the default model."""
        model = self.providers.kind(kind).default_model or MODELS[kind]
        return replace(Connection(kind, model, KEY, self.server.url(kind), workspace_id="mine"), **changes)

    async def complete(self, kind: str, prompt: Prompt = PROMPT, *, seconds: float = SECONDS, **changes: Any) -> Completion:
        """An answer."""
        return await self.providers.complete(self.connection(kind, **changes), prompt, seconds)

    async def fails(self, kind: str, prompt: Prompt = PROMPT, *, seconds: float = SECONDS, **changes: Any) -> ProviderError:
        """The error instead of an answer."""
        try:
            answer = await self.complete(kind, prompt, seconds=seconds, **changes)
        except ProviderError as error:
            return error
        raise AssertionError(f"an answer instead of an error: {answer}")
