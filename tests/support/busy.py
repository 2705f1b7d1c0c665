"""A running dashboard with something on every page: conversations, deliveries, answers by AI, documents, credits, operators."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.support import lively
from tests.support.clients import answer_of, clients_of
from tests.support.linking import linked_account
from tests.support.llm_server import Behaviour, LlmServer
from tests.support.receivers import Receivers
from tests.support.server import OWNER, Server
from tests.support.world import World
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone


@dataclass
class Busy:
    """The dashboard, who speaks to it, and what is in it."""

    server: Server
    api: httpx.AsyncClient
    phone: SandboxPhone
    account: str
    conversation: str
    """One with a message of every kind."""


@asynccontextmanager
async def busy(folder: Path) -> AsyncIterator[Busy]:
    """Fill a data folder, start a dashboard on it, and let customers write until there is something everywhere."""
    world = World()
    await asyncio.to_thread(world.start)
    server = Server(folder / "data", env={"SANDBOX_WORLD": world.socket}, quick=True)
    try:
        await asyncio.to_thread(lambda: asyncio.run(lively.fill(server.data_dir)))
        await asyncio.to_thread(server.start)
        async with clients_of(server) as make, SandboxPhone(world.socket) as phone, Receivers(1) as receivers, LlmServer() as llm:
            api = await make(OWNER)
            account = await linked_account(api, phone, "Bakery with a rather long name, Barcelona")
            await _webhooks(api, receivers)
            await _bot(api, account, llm)
            await _knowledge(api)
            await _credits(api)
            for text in ("Good morning, when do you open?", "And what does a rye bread of two kilos cost?"):
                await phone.send_text("carla", text, account=account)
            await answer_of(api, "/api/webhooks/deliveries", lambda said: len(said["items"]) >= 4)
            await answer_of(api, "/api/ai/calls", lambda said: said["items"])
            found = (await api.get("/api/conversations", params={"search": "Carla Ruiz"})).json()["items"]
            yield Busy(server, api, phone, account, found[0]["id"])
    finally:
        server.close()
        world.close()


async def _post(api: httpx.AsyncClient, path: str, body: dict[str, Any]) -> Any:
    answer = await api.post(path, json=body)
    assert answer.is_success, f"{path}: {answer.text}"
    return answer.json()


async def _webhooks(api: httpx.AsyncClient, receivers: Receivers) -> None:
    for value in ("127.0.0.1", "10.20.0.0/16"):
        await _post(api, "/api/network/allowed", {"value": value})
    await _post(api, "/api/webhooks", {"url": receivers.url("accept", "crm"), "name": "CRM"})
    await _post(api, "/api/webhooks", {"url": receivers.url("500", "stock") + "?a=" + "long" * 30, "name": "Stock keeping, which fails"})


async def _bot(api: httpx.AsyncClient, account: str, llm: LlmServer) -> None:
    llm.behave("groq", Behaviour("error", status=500))
    llm.behave("openai", Behaviour(text="At seven, on Sundays at nine."))
    providers = [{"kind": kind, "model": "gpt-4.1-mini", "key": "sk-planted-4711", "url": llm.url(kind)} for kind in ("groq", "openai")]
    await _post(api, f"/api/accounts/{account}/ai-config", {"enabled": True, "settings": {"wait_seconds": 0}, "providers": providers})


async def _knowledge(api: httpx.AsyncClient) -> None:
    for title in ("Opening hours", "Prices of all breads and cakes, with and without seeds, for resellers and for everybody else"):
        made = await _post(api, "/api/knowledge/documents", {"title": title, "text": f"# {title}\nThe bakery opens at seven. Rye costs 4."})
        await answer_of(api, f"/api/knowledge/documents/{made['id']}", lambda found: found["state"] == "ready")


async def _credits(api: httpx.AsyncClient) -> None:
    (await api.patch("/api/credits", json={"price": 2})).raise_for_status()
    await _post(api, "/api/credits/top-up", {"amount": 500, "description": "Invoice 2026-10"})
    await _post(api, "/api/credits/adjust", {"amount": -30, "description": "Counted twice"})
