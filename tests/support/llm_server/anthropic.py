"""Anthropic's messages."""

from __future__ import annotations

from typing import Any

from tests.support.llm_server.wire import Behaviour, Json, Reply, Said, Wire


class Anthropic(Wire):
    """POST /v1/messages and GET /v1/models."""

    key_header = "x-api-key"

    def route(self, method: str, path: str) -> str | None:
        return {("POST", "/v1/messages"): "chat", ("GET", "/v1/models"): "models"}.get((method, path))

    def said(self, path: str, body: Json) -> Said:
        system = body.get("system") or ""
        if isinstance(system, list):
            system = "\n\n".join(part["text"] for part in system)
        turns, files = [], []
        for message in body["messages"]:
            content = message["content"]
            parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
            turns.append((message["role"], "\n".join(part["text"] for part in parts if part["type"] == "text")))
            files += [(part["source"]["media_type"], part["source"]["data"]) for part in parts if part["type"] == "image"]
        return Said(
            model=body["model"],
            system=system,
            turns=tuple(turns),
            files=tuple(files),
            temperature=body.get("temperature"),
            max_tokens=body["max_tokens"],
            tools=tuple(tool["name"] for tool in body.get("tools", [])),
        )

    def answer(self, path: str, body: Json, said: Said, does: Behaviour) -> Json:
        content: list[Json] = [{"type": "text", "text": does.text}] if does.text else []
        stop = "max_tokens" if does.finish == "length" else "end_turn"
        if does.thinking:
            content.insert(0, {"type": "thinking", "thinking": does.thinking, "signature": "c2lnbmVk"})
        if said.tools and does.data:
            content = [{"type": "tool_use", "id": "toolu_1", "name": said.tools[0], "input": dict(does.data)}]
            stop = "tool_use"
        return self._message(body, content, stop, does)

    def refuse(self, path: str, body: Json, said: Said, does: Behaviour) -> Reply:
        return Reply(self._message(body, [], "refusal", does))

    def error(self, status: int, words: str, code: str) -> Json:
        kinds = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error", 529: "overloaded_error"}
        return {"type": "error", "error": {"type": code or kinds.get(status, "api_error"), "message": words}, "request_id": "req_1"}

    def models(self, path: str) -> Any:
        entry = {"type": "model", "id": "claude-haiku-5-5", "display_name": "Claude Haiku 5.5", "created_at": "2026-10-01T00:00:00Z"}
        return {"data": [entry], "has_more": False, "first_id": entry["id"], "last_id": entry["id"]}

    def _message(self, body: Json, content: list[Json], stop: str, does: Behaviour) -> Json:
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": content,
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": {"input_tokens": does.tokens[0], "output_tokens": does.tokens[1]},
        }
