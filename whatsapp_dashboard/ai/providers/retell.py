"""Retell's chat agents (AI-2): the agent has its own prompt and keeps the conversation itself, one chat per conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import quote

from whatsapp_dashboard.ai.providers.base import (
    Completion,
    Connection,
    ModelInfo,
    Prompt,
    ProviderError,
    ProviderKind,
    Schema,
    Turn,
    check_key,
    without_key,
)
from whatsapp_dashboard.ai.providers.errors import clip
from whatsapp_dashboard.ai.providers.listing import Caller, Found, Listing
from whatsapp_dashboard.ai.providers.thinking import without_thoughts
from whatsapp_dashboard.core.safe_http import SafeHttp

_CHAT_IS_GONE = frozenset({400, 404, 410, 422})
"""What Retell says to a line for a chat that has ended, failed, or is not there."""
_EARLIER = 4_000
"""Characters of the earlier conversation that a chat begun anew is told."""
_PAGES = 10


class Retell(ProviderKind):
    """Retell, by plain HTTP. What the dashboard's prompt says is not told: the agent's own counts."""

    name = "retell"
    title = "Retell"
    default_url = "https://api.retellai.com"
    model_word = "Agent ID"
    key_help_url = "https://dashboard.retellai.com/settings/api-keys"
    structured = False

    def __init__(self, http: SafeHttp) -> None:
        self._http = Listing(http)

    async def complete(self, connection: Connection, prompt: Prompt, seconds: float) -> Completion:
        self._check(connection)
        if not connection.model.strip():
            raise ProviderError("invalid", "Retell: no agent id is given.")
        turns = [Turn(turn.role, text, ()) for turn in prompt.turns if (text := _words(turn))]
        if not turns or turns[-1].role != "user":
            raise ProviderError("invalid", "There is nothing to answer: the conversation does not end with the other side.")
        try:
            async with asyncio.timeout(seconds):
                text = await self._answer(connection, turns, seconds)
        except TimeoutError:
            raise ProviderError("timeout", f"Retell did not answer within {seconds:g} s.") from None
        return Completion(text, connection.model.strip(), 0, 0, None)

    async def extract(
        self,
        connection: Connection,
        prompt: Prompt,
        schema: type[Schema],
        seconds: float,
        *,
        used: Callable[[Completion], None] | None = None,
    ) -> Schema:
        raise ProviderError("invalid", "Retell's chat agents cannot give structured answers. Choose another provider for this.")

    async def models(self, connection: Connection, seconds: float) -> list[ModelInfo]:
        self._check(connection)
        found: list[ModelInfo] = []
        page = ""
        wanted = {"filter_criteria": {"channel": {"type": "string", "op": "eq", "value": "chat"}}}
        for _ in range(_PAGES):
            answer = await self._post(connection, f"/v2/list-agents?limit=1000{page}", wanted, seconds)
            for agent in answer.dicts("items"):
                if isinstance(agent.get("agent_id"), str) and agent.get("channel", "chat") == "chat" and not agent.get("is_suspended"):
                    found.append(ModelInfo(agent["agent_id"], str(agent.get("agent_name") or agent["agent_id"]), False, False))
            if not answer.get("has_more") or not isinstance(answer.get("pagination_key"), str):
                break
            page = f"&pagination_key={quote(answer['pagination_key'], safe='')}"
        return sorted(found, key=lambda agent: agent.name.lower())

    async def _answer(self, connection: Connection, turns: list[Turn], seconds: float) -> str:
        known = await connection.chat.get() if connection.chat else None
        if known:
            try:
                return await self._say(connection, known, turns[-1].text, seconds)
            except ProviderError as error:
                if error.status not in _CHAT_IS_GONE:
                    raise
        chat = await self._post(connection, "/create-chat", {"agent_id": connection.model.strip()}, seconds)
        chat_id = chat.get("chat_id")
        if not isinstance(chat_id, str) or not chat_id:
            raise ProviderError("bad_answer", "Retell began no chat.")
        text = await self._say(connection, chat_id, _with_earlier(turns), seconds)
        if connection.chat:  # only now: a chat whose first line got lost would not know what came before
            await connection.chat.set(chat_id)
        return text

    async def _say(self, connection: Connection, chat_id: str, content: str, seconds: float) -> str:
        answer = await self._post(connection, "/create-chat-completion", {"chat_id": chat_id, "content": content}, seconds)
        if not isinstance(answer.get("messages"), list):
            words = clip(without_key(str(answer.get("message") or ""), connection.key))
            raise ProviderError("bad_answer", f"Retell gave no usable answer{f': {words}' if words else '.'}")
        lines = [str(line.get("content") or "").strip() for line in answer.dicts("messages") if line.get("role") == "agent"]
        text = without_thoughts("\n".join(line for line in lines if line))
        if not text:
            raise ProviderError("empty", "Retell gave an empty answer.")
        return text

    async def _post(self, connection: Connection, path: str, body: object, seconds: float) -> Found:
        url = (connection.url.strip() or self.default_url).rstrip("/")
        auth = {"authorization": f"Bearer {connection.key}"}
        return await self._http.post(f"{url}{path}", Caller(self.title, auth, connection.key, seconds), body)

    def _check(self, connection: Connection) -> None:
        if not connection.key:
            raise ProviderError("auth", "Retell needs an API key.")
        check_key(self.title, connection.key)


def _words(turn: Turn) -> str:
    named = "".join(" (a voice message)" if file.mimetype.startswith("audio/") else " (a picture)" for file in turn.files)
    return (turn.text.strip() + named).strip()


def _with_earlier(turns: list[Turn]) -> str:
    """The newest line, after what was said before this chat began: a chat that ended knows nothing any more."""
    *before, last = turns
    if not before:
        return last.text
    earlier = "\n".join(f"{'Customer' if turn.role == 'user' else 'You'}: {turn.text}" for turn in before)[-_EARLIER:]
    return f"What was said before in this conversation:\n{earlier}\n\nThe customer writes now:\n{last.text}"
