"""Mistral's chat completions: like OpenAI's, with parts for thinking and errors of its own."""

from __future__ import annotations

from typing import Any

from tests.support.llm_server.openai import OpenAi
from tests.support.llm_server.wire import Behaviour, Json, Reply, Said


class Mistral(OpenAi):
    """POST /v1/chat/completions and GET /v1/models."""

    def __init__(self) -> None:
        super().__init__("/v1", owner="mistralai", model="mistral-small-latest")

    def answer(self, path: str, body: Json, said: Said, does: Behaviour) -> Json:
        answer = super().answer(path, body, said, does)
        message = answer["choices"][0]["message"]
        message.pop("refusal", None)
        if message.pop("reasoning", None):
            thought = {"type": "thinking", "thinking": [{"type": "text", "text": does.thinking}]}
            message["content"] = [thought, {"type": "text", "text": does.text}]
        return answer

    def refuse(self, path: str, body: Json, said: Said, does: Behaviour) -> Reply:
        words = "The request was blocked by the guardrails of your workspace."
        return Reply({"object": "error", "message": words, "type": "content_filter", "code": "3100"}, status=403)

    def error(self, status: int, words: str, code: str) -> Json:
        if status == 401:
            return {"detail": words}
        return {"object": "error", "message": words, "type": code or "api_error", "param": None, "code": "1300"}

    def models(self, path: str) -> Any:
        def entry(name: str, *, chat: bool, vision: bool) -> Json:
            can = {"completion_chat": chat, "completion_fim": False, "function_calling": chat, "fine_tuning": False, "vision": vision}
            return {"id": name, "object": "model", "created": 1_700_000_000, "owned_by": "mistralai", "capabilities": can}

        return {"object": "list", "data": [
            entry("mistral-small-latest", chat=True, vision=True), entry("open-mistral-nemo", chat=True, vision=False),
            entry("mistral-embed", chat=False, vision=False),
        ]}  # fmt: skip
