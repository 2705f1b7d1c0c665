"""OpenAI's chat completions, and the variants of Groq, OpenRouter, SambaNova, Hugging Face's router and servers of one's own."""

from __future__ import annotations

from typing import Any

from tests.support.llm_server.wire import Behaviour, Json, Reply, Said, Wire, as_json, chat_messages


class OpenAi(Wire):
    """POST <base>/chat/completions and GET <base>/models."""

    def __init__(self, base: str, *, owner: str = "openai", model: str = "gpt-test") -> None:
        self.base = base
        self._owner = owner
        self._model = model

    def route(self, method: str, path: str) -> str | None:
        return {("POST", f"{self.base}/chat/completions"): "chat", ("GET", f"{self.base}/models"): "models"}.get((method, path))

    def said(self, path: str, body: Json) -> Said:
        system, turns, files = chat_messages(body["messages"])
        return Said(
            model=body["model"],
            system=system,
            turns=tuple(turns),
            files=tuple(files),
            temperature=body.get("temperature"),
            max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
            tools=tuple(tool["function"]["name"] for tool in body.get("tools", [])),
        )

    def answer(self, path: str, body: Json, said: Said, does: Behaviour) -> Json:
        message: Json = {"role": "assistant", "content": does.text, "refusal": None}
        finish: str = does.finish
        if does.thinking:
            message["reasoning"] = does.thinking
        if said.tools and does.data:
            call = {"name": said.tools[0], "arguments": as_json(does.data)}
            message |= {"content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": call}]}
            finish = "tool_calls"
        elif body.get("response_format") and does.data:
            message["content"] = as_json(does.data)
        return self._completion(body, message, finish, does)

    def refuse(self, path: str, body: Json, said: Said, does: Behaviour) -> Reply:
        message = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
        if self._owner != "openai":
            return Reply(self._completion(body, {"role": "assistant", "content": ""}, "content_filter", does))
        return Reply(self._completion(body, message, "stop", does))

    def error(self, status: int, words: str, code: str) -> Json:
        kinds = {401: "invalid_request_error", 404: "invalid_request_error", 429: "rate_limit_error"}
        if self._owner == "openrouter":
            return {"error": {"message": words, "code": status, "metadata": {}}, "user_id": "user_1"}
        if self._owner == "huggingface":
            return {"error": words}
        return {"error": {"message": words, "type": kinds.get(status, "server_error"), "param": None, "code": code or None}}

    def models(self, path: str) -> Any:
        models = [self._model, "llama-3.2-vision-test", "text-embedding-3-small"]
        entries: list[Json] = [{"id": name, "object": "model", "created": 1_700_000_000, "owned_by": self._owner} for name in models]
        if self._owner in ("openrouter", "huggingface"):
            for entry in entries:
                inputs = ["text", "image"] if "vision" in entry["id"] else ["text"]
                entry |= {"name": f"Test: {entry['id']}", "architecture": {"input_modalities": inputs, "output_modalities": ["text"]}}
        return {"object": "list", "data": entries}

    def _completion(self, body: Json, message: Json, finish: str, does: Behaviour) -> Json:
        tokens_in, tokens_out = does.tokens
        usage: Json = {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}
        if does.cost is not None:
            usage["cost"] = does.cost
        completion: Json = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": body["model"],
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
            "usage": usage,
        }
        if self._owner == "openrouter":
            completion["provider"] = "Test"
            completion["choices"][0]["native_finish_reason"] = finish
        return completion
