"""Gemini's generateContent."""

from __future__ import annotations

import re
from typing import Any

from tests.support.llm_server.wire import Behaviour, Json, Reply, Said, Wire, as_json

_CHAT = re.compile(r"^/v1beta/models/([^/:]+):generateContent$")
_STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL"}


class Gemini(Wire):
    """POST /v1beta/models/<model>:generateContent and GET /v1beta/models."""

    key_header = "x-goog-api-key"

    def route(self, method: str, path: str) -> str | None:
        if method == "POST" and _CHAT.match(path):
            return "chat"
        return "models" if (method, path) == ("GET", "/v1beta/models") else None

    def said(self, path: str, body: Json) -> Said:
        found = _CHAT.match(path)
        assert found
        system = "\n\n".join(part["text"] for part in body.get("systemInstruction", {}).get("parts", []))
        turns, files = [], []
        for content in body["contents"]:
            role = "assistant" if content["role"] == "model" else "user"
            turns.append((role, "\n".join(part["text"] for part in content["parts"] if "text" in part)))
            for part in content["parts"]:
                if inline := part.get("inlineData") or part.get("inline_data"):  # the API takes either way of writing names
                    files.append((inline.get("mimeType") or inline["mime_type"], inline["data"]))
        config = body.get("generationConfig", {})
        return Said(
            model=found[1],
            system=system,
            turns=tuple(turns),
            files=tuple(files),
            temperature=config.get("temperature"),
            max_tokens=config.get("maxOutputTokens"),
            tools=tuple(one["name"] for tool in body.get("tools", []) for one in tool.get("functionDeclarations", [])),
        )

    def answer(self, path: str, body: Json, said: Said, does: Behaviour) -> Json:
        parts: list[Json] = [{"text": does.text}] if does.text else []
        if does.thinking:
            parts.insert(0, {"text": does.thinking, "thought": True})
        if said.tools and does.data:
            parts = [{"functionCall": {"name": said.tools[0], "args": dict(does.data)}}]
        elif does.data and body.get("generationConfig", {}).get("responseMimeType") == "application/json":
            parts = [{"text": as_json(does.data)}]
        finish = "MAX_TOKENS" if does.finish == "length" else "STOP"
        return self._response(said, {"content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0}, does)

    def refuse(self, path: str, body: Json, said: Said, does: Behaviour) -> Reply:
        if does.code == "prompt":
            answer = self._response(said, None, does)
            return Reply(answer | {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})
        return Reply(self._response(said, {"finishReason": "SAFETY", "index": 0, "safetyRatings": []}, does))

    def error(self, status: int, words: str, code: str) -> Json:
        error: Json = {"code": status, "message": words, "status": code or _STATUS.get(status, "UNKNOWN")}
        if code == "API_KEY_INVALID":
            error["status"] = "INVALID_ARGUMENT"
            error["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": code, "domain": "googleapis.com"}]
        if code == "retry_in_body":
            error["status"] = "RESOURCE_EXHAUSTED"
            error["details"] = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}]
        return {"error": error}

    def models(self, path: str) -> Any:
        def entry(name: str, title: str, *methods: str) -> Json:
            return {"name": f"models/{name}", "displayName": title, "supportedGenerationMethods": list(methods)}

        if "pageToken=" not in path:
            return {"models": [entry("gemini-3.5-flash-lite", "Gemini 3.5 Flash-Lite", "generateContent")], "nextPageToken": "p/2"}
        return {"models": [entry("gemma-4-31b-it", "Gemma 4", "generateContent"), entry("gemini-embedding-2", "Embedding", "embedContent")]}

    def _response(self, said: Said, candidate: Json | None, does: Behaviour) -> Json:
        usage = {"promptTokenCount": does.tokens[0], "candidatesTokenCount": does.tokens[1], "totalTokenCount": sum(does.tokens)}
        answer: Json = {"usageMetadata": usage, "modelVersion": said.model, "responseId": "r1"}
        return answer if candidate is None else {"candidates": [candidate], **answer}
