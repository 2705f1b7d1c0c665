"""Retell's chats: begun once, then one request for each line. The server keeps them, as Retell does."""

from __future__ import annotations

from typing import Any

from tests.support.llm_server.wire import Behaviour, Json, Reply, Said, Wire


class Retell(Wire):
    """POST /create-chat, /create-chat-completion and /v2/list-agents."""

    def __init__(self) -> None:
        self.chats: dict[str, list[str]] = {}
        """By name: what was said in it so far."""

    def route(self, method: str, path: str) -> str | None:
        routes = {"/create-chat": "create", "/create-chat-completion": "chat", "/v2/list-agents": "models"}
        return routes.get(path) if method == "POST" else None

    def end(self, chat_id: str) -> None:
        """The chat is over, as after a while of silence."""
        del self.chats[chat_id]

    def said(self, path: str, body: Json) -> Said:
        return Said(turns=(("user", body["content"]),))

    def answer(self, path: str, body: Json, said: Said, does: Behaviour) -> Json:
        self.chats[body["chat_id"]].append(body["content"])
        lines: list[Json] = [{"role": "tool_call_invocation", "name": "look_up", "arguments": "{}", "tool_call_id": "t1"}]
        if does.text:
            lines.append({"message_id": "m1", "role": "agent", "content": does.text, "created_timestamp": 1_703_302_428_855})
        return {"messages": lines}

    def refuse(self, path: str, body: Json, said: Said, does: Behaviour) -> Reply:
        return Reply(self.error(403, "The message was flagged by moderation.", ""), status=403)

    def error(self, status: int, words: str, code: str) -> Json:
        return {"status": "error", "message": words}

    def models(self, path: str) -> Any:
        def agent(name: str, channel: str) -> Json:
            return {"agent_id": f"agent_{name.lower()}", "agent_name": name, "channel": channel, "is_suspended": False, "tags": {}}

        return {"items": [agent("Bella", "chat"), agent("Phone", "voice")], "has_more": False}

    def other(self, route: str, path: str, body: Json, does: Behaviour) -> Reply | None:
        if route == "create":
            chat_id = f"chat_{len(self.chats) + 1}_{body['agent_id']}"
            self.chats[chat_id] = []
            return Reply({"chat_id": chat_id, "agent_id": body["agent_id"], "chat_status": "ongoing"}, status=201)
        if route == "chat" and body.get("chat_id") not in self.chats:
            return Reply(self.error(422, "Chat already ended", ""), status=422)
        return None
