"""Cohere's chat, version 2."""

from __future__ import annotations

from typing import Any

from tests.support.llm_server.wire import Behaviour, Json, Reply, Said, Wire, as_json, chat_messages


class Cohere(Wire):
    """POST /v2/chat and GET /v1/models."""

    def route(self, method: str, path: str) -> str | None:
        return {("POST", "/v2/chat"): "chat", ("GET", "/v1/models"): "models"}.get((method, path))

    def said(self, path: str, body: Json) -> Said:
        system, turns, files = chat_messages(body["messages"])
        return Said(
            model=body["model"],
            system=system,
            turns=tuple(turns),
            files=tuple(files),
            temperature=body.get("temperature"),
            max_tokens=body.get("max_tokens"),
            tools=tuple(tool["function"]["name"] for tool in body.get("tools") or []),
        )

    def answer(self, path: str, body: Json, said: Said, does: Behaviour) -> Json:
        message: Json = {"role": "assistant", "content": [{"type": "text", "text": does.text}] if does.text else []}
        finish = "MAX_TOKENS" if does.finish == "length" else "COMPLETE"
        if does.thinking:
            message["content"].insert(0, {"type": "thinking", "thinking": does.thinking})
        if said.tools and does.data:
            call = {"id": "call_1", "type": "function", "function": {"name": said.tools[0], "arguments": as_json(does.data)}}
            message = {"role": "assistant", "tool_plan": "I will write it down.", "tool_calls": [call]}
            finish = "TOOL_CALL"
        tokens = {"input_tokens": does.tokens[0], "output_tokens": does.tokens[1]}
        return {"id": "c1", "finish_reason": finish, "message": message, "usage": {"billed_units": tokens, "tokens": tokens}}

    def refuse(self, path: str, body: Json, said: Said, does: Behaviour) -> Reply:
        return Reply({"id": "e1", "message": "the request was blocked by the safety filter", "code": "content_filtered"}, status=400)

    def error(self, status: int, words: str, code: str) -> Json:
        return {"id": "e1", "message": words} | ({"code": code} if code else {})

    def models(self, path: str) -> Any:
        names = ["command-a-03-2025", "command-r7b-12-2024"]
        return {"models": [{"name": name, "endpoints": ["chat"], "context_length": 128_000, "finetuned": False} for name in names]}
