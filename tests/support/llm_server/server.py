"""The server itself: routes, behaviours, and what it remembers."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections import defaultdict
from contextlib import suppress
from typing import Any, Self

from aiohttp import web

from tests.support.llm_server.anthropic import Anthropic
from tests.support.llm_server.cohere import Cohere
from tests.support.llm_server.gemini import Gemini
from tests.support.llm_server.mistral import Mistral
from tests.support.llm_server.openai import OpenAi
from tests.support.llm_server.retell import Retell
from tests.support.llm_server.wire import Asked, Behaviour, Reply, Said, Wire

ANY = ""
"""As a kind: all of them."""
_WORDS = {401: "Incorrect API key provided", 404: "The model does not exist", 429: "Rate limit reached", 500: "Internal error"}
LONGEST = 600.0


class LlmServer:
    """Listens on loopback while the context is open; a kind's base address is :meth:`url`."""

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self.retell = Retell()
        self.wires: dict[str, tuple[Wire, str]] = {
            "groq": (OpenAi("/openai/v1", owner="groq", model="openai/gpt-oss-120b"), ""),
            "google": (Gemini(), ""),
            "openrouter": (OpenAi("/api/v1", owner="openrouter", model="google/gemini-3.5-flash-lite"), "/api/v1"),
            "mistral": (Mistral(), ""),
            "sambanova": (OpenAi("/v1", owner="sambanova", model="Meta-Llama-3.3-70B-Instruct"), "/v1"),
            "huggingface": (OpenAi("/v1", owner="huggingface", model="openai/gpt-oss-120b"), "/v1"),
            "openai": (OpenAi("/v1", model="gpt-5.6-luna"), "/v1"),
            "anthropic": (Anthropic(), ""),
            "cohere": (Cohere(), ""),
            "compatible": (OpenAi("/v1", owner="library", model="llama3.2"), "/v1"),
            "retell": (self.retell, ""),
        }
        """By kind: how it speaks, and how its base address ends."""
        self.asked: list[Asked] = []
        self.running = 0
        self.most_at_once = 0
        self._more = asyncio.Condition()
        self._behaviours: dict[str, list[Behaviour]] = defaultdict(list)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{tail:.*}", self._handle)
        # Without a wait for handlers that hang; who hangs up ends the work for him, as at the real ones.
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, backlog=1_024)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    @property
    def address(self) -> str:
        """Of the server: ``http://127.0.0.1:<port>``."""
        return f"http://127.0.0.1:{self.port}"

    def url(self, kind: str) -> str:
        """The base address of a kind, as an operator would enter it."""
        return f"{self.address}/{kind}{self.wires[kind][1]}"

    def behave(self, kind: str, *behaviours: Behaviour) -> None:
        """From now on: each of ``behaviours`` once, the last one for ever. ``kind`` may be narrowed to a route (``openai/models``);
        :data:`ANY` means all kinds that were told nothing themselves. Nothing given: as at the beginning."""
        self._behaviours[kind] = list(behaviours)

    def requests(self, kind: str = ANY, route: str = "chat") -> list[Asked]:
        """What came in, oldest first. An empty ``route`` means all."""
        return [one for one in self.asked if kind in (ANY, one.kind) and route in ("", one.route)]

    def forget(self) -> None:
        """Forget behaviours and requests."""
        self.asked.clear()
        self._behaviours.clear()
        self.most_at_once = self.running

    def _behaviour(self, kind: str, route: str) -> Behaviour:
        for name in (f"{kind}/{route}", kind if route == "chat" else "", ANY if route == "chat" else ""):
            waiting = self._behaviours.get(name)
            if waiting:
                return waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return Behaviour()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith("/control"):
            return await self._control(request)
        kind, _, rest = request.path.lstrip("/").partition("/")
        path = f"/{rest}"
        wire = self.wires.get(kind, (None, ""))[0]
        route = wire.route(request.method, path) if wire else None
        if wire is None or route is None:
            return web.json_response({"error": f"nothing at {request.method} {request.path}"}, status=404)
        raw = await request.read()
        body: Any = json.loads(raw) if raw else {}
        said = wire.said(path, body) if route == "chat" else Said()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append(Asked(kind, route, time.time(), request.method, str(request.rel_url), headers, body, said))
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        async with self._more:
            self._more.notify_all()
        try:
            return await self._respond(request, wire, route, path, body, said, self._behaviour(kind, route))
        finally:
            self.running -= 1

    async def _respond(
        self, request: web.Request, wire: Wire, route: str, path: str, body: Any, said: Said, does: Behaviour
    ) -> web.StreamResponse:
        if does.do == "hang":
            await asyncio.sleep(LONGEST)
        if does.together:
            async with self._more:
                await self._more.wait_for(lambda: self.most_at_once >= does.together)
        if does.seconds:
            await asyncio.sleep(does.seconds)
        if body.get("stream") if isinstance(body, dict) else False:
            return web.json_response(wire.error(400, "this server does not stream", ""), status=400)
        if does.do == "error":
            words = does.text if does.text != Behaviour.text else _WORDS.get(does.status, "Something went wrong")
            headers = {"retry-after": does.retry_after} if does.retry_after else {}
            return web.json_response(wire.error(does.status, words, does.code), status=does.status, headers=headers)
        if does.do == "garbage":
            return web.Response(text="<html>a proxy in between</html>", content_type="application/json")
        if does.do == "redirect":
            return web.Response(status=307, headers={"location": f"{self.address}/elsewhere"})
        if does.do == "huge":
            return await self._endless(request)
        reply = self._reply(wire, route, path, body, said, does)
        content = json.dumps(reply.body).encode()
        if does.do == "cut":
            return await self._cut(request, content)
        if does.do == "compressed":
            packed = {"content-encoding": "gzip"}
            return web.Response(body=gzip.compress(content), content_type="application/json", headers=packed)
        return web.Response(body=content, status=reply.status, content_type="application/json", headers=dict(reply.headers))

    def _reply(self, wire: Wire, route: str, path: str, body: Any, said: Said, does: Behaviour) -> Reply:
        if route == "models":
            return Reply(wire.models(f"{path}?{self.asked[-1].path.partition('?')[2]}"))
        if (other := wire.other(route, path, body, does)) is not None:
            return other
        if does.do == "empty":
            return Reply(wire.empty(path, body, said, does))
        if does.do == "refuse":
            return wire.refuse(path, body, said, does)
        return Reply(wire.answer(path, body, said, does))

    async def _cut(self, request: web.Request, content: bytes) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"content-type": "application/json", "content-length": str(len(content))})
        await answer.prepare(request)
        await answer.write(content[: len(content) // 2])
        assert request.transport
        request.transport.close()
        return answer

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"content-type": "application/json"})
        await answer.prepare(request)
        with suppress(ConnectionError):
            await answer.write(b'{"a":"')
            while True:
                await answer.write(b"x" * 65_536)
        return answer

    async def _control(self, request: web.Request) -> web.StreamResponse:
        """What a test in another process wants: PUT /control/<kind> with a list of behaviours, GET /control, DELETE /control."""
        kind = request.path.removeprefix("/control").strip("/")
        if request.method == "PUT":
            self.behave(kind, *[Behaviour.read(one) for one in await request.json()])
        elif request.method == "DELETE":
            self.forget()
        counts: dict[str, int] = defaultdict(int)
        for one in self.asked:
            counts[f"{one.kind}/{one.route}"] += 1
        return web.json_response({"requests": counts, "running": self.running, "most_at_once": self.most_at_once})
