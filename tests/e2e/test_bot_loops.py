"""Bots that answer bots, on simulated and on real numbers: each exchange ends by itself, and a person is told (AI-8, ACC-11)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.linking import linked_account
from tests.support.llm_server import Behaviour, LlmServer
from tests.support.real_numbers import real_numbers
from tests.support.server import Server
from tests.support.waiting import until
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone
from whatsapp_dashboard.engines.sandbox.server import socket_path_for

pytestmark = pytest.mark.slow

MOST = 6
QUIET_LOOKS = 15
"""So often, a tenth of a second apart, nothing more may be sent before the exchange counts as ended."""
FIXED: dict[str, Any] = {"auto_reply": {"enabled": True, "text": "Thank you, we answer soon.", "every_minutes": 0}}
ACCOUNT: dict[str, Any] = {"governor": {"enabled": False}, "answer_own_numbers": True}


async def use_ai(api: httpx.AsyncClient, llm: LlmServer, account: str) -> None:
    """The account's AI answers at once."""
    (await api.post("/api/network/allowed", json={"value": "127.0.0.1"})).raise_for_status()
    llm.behave("openai", Behaviour(text="How can I help you?"))
    provider = {"kind": "openai", "model": "m", "key": "sk-0123456789", "url": llm.url("openai")}
    config = {"enabled": True, "settings": {"wait_seconds": 0}, "providers": [provider]}
    (await api.post(f"/api/accounts/{account}/ai-config", json=config)).raise_for_status()


async def conversations(api: httpx.AsyncClient) -> list[dict[str, Any]]:
    """All of them."""
    return list((await api.get("/api/conversations", params={"limit": 200})).json()["items"])


async def answers(api: httpx.AsyncClient) -> dict[str, int]:
    """Per conversation, how many automatic answers it has."""
    found = {}
    for conversation in await conversations(api):
        thread = (await api.get(f"/api/conversations/{conversation['id']}/messages", params={"limit": 200})).json()["items"]
        found[conversation["id"]] = sum(item["origin"] in ("auto_reply", "ai") for item in thread)
    return found


async def ended(api: httpx.AsyncClient, handed_over: int) -> dict[str, int]:
    """Wait until so many conversations are people's and nothing is said any more; the answers of each."""
    seen: list[dict[str, int]] = []

    async def quiet() -> bool:
        seen.append(await answers(api))
        told = sum(bool(each["handover_reason"]) for each in await conversations(api))
        return told >= handed_over and len(seen) > QUIET_LOOKS and all(each == seen[-1] for each in seen[-QUIET_LOOKS:])

    await until(quiet, pause=0.1)
    return seen[-1]


async def check(api: httpx.AsyncClient, handed_over: int) -> None:
    """Nobody got more than the limit, and people are told where a bot stopped."""
    given = await ended(api, handed_over)
    assert max(given.values()) == MOST
    told = [each for each in await conversations(api) if each["handover_reason"]]
    assert len(told) >= handed_over
    for each in told:
        assert each["handover_reason"].startswith("The bot stopped: 6 answers within a minute.")
        assert (each["answered_by"], each["bot_paused_until"]) == ("human", None)


@dataclass
class Wires:
    """What a simulated account says to the number of another one arrives there; to a bot's number, the bot says something back."""

    phone: SandboxPhone
    to_account: dict[str, str] = field(default_factory=dict)
    """Contact to the account whose number it has."""
    contact_of: dict[str, str] = field(default_factory=dict)
    """Account to the contact that has its number."""
    passed: int = 0

    async def carry(self) -> None:
        """For ever."""
        while True:
            for account in list(self.contact_of):
                for message in (await self.phone.received(account=account))[self._seen(account) :]:
                    self._count[account] += 1
                    other = self.to_account.get(message.contact)
                    self.passed += 1
                    if other:
                        await self.phone.send_text(self.contact_of[account], message.text, account=other)
                    else:
                        await self.phone.send_text(message.contact, "I am a bot.", account=account)
            await asyncio.sleep(0.02)

    _count: dict[str, int] = field(default_factory=dict)

    def _seen(self, account: str) -> int:
        return self._count.setdefault(account, 0)

    async def add(self, api: httpx.AsyncClient, account: str) -> str:
        """The account's number, which is a contact of the others."""
        number = str((await api.get(f"/api/accounts/{account}")).json()["phone"])
        contact = (await self.phone.add_contact(f"The number {number}", number))["id"]
        self.to_account[contact], self.contact_of[account] = account, contact
        return number


@asynccontextmanager
async def carrying(server: Server) -> AsyncIterator[Wires]:
    """Simulated numbers that reach each other."""
    async with SandboxPhone(str(socket_path_for(server.data_dir))) as phone:
        wires = Wires(phone)
        task = asyncio.create_task(wires.carry())
        try:
            yield wires
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def greet(api: httpx.AsyncClient, account: str, number: str) -> None:
    """A program has the account say something to the number; that takes nothing over."""
    body = {"account_id": account, "number": f"+{number}", "message": "Hello!"}
    answer = await api.post("/api/messages/send", json=body)
    assert answer.status_code == 202, answer.text


async def test_three_simulated_numbers_in_a_ring_and_a_bot_come_to_an_end(server: Server, api: httpx.AsyncClient) -> None:
    """AI-8, CRED-1: fixed texts and AI; nothing at all while own numbers are not to be answered; calls end with the answers."""
    async with LlmServer() as llm, carrying(server) as wires:
        shops = [await linked_account(api, wires.phone, name, **ACCOUNT, **FIXED) for name in ("A", "B")]
        shops.append(await linked_account(api, wires.phone, "Hotel", **ACCOUNT))
        numbers = [await wires.add(api, shop) for shop in shops]
        await use_ai(api, llm, shops[2])
        for shop in shops:
            (await api.patch(f"/api/accounts/{shop}", json={"settings": {"answer_own_numbers": False}})).raise_for_status()
        await greet(api, shops[0], numbers[1])
        await until(lambda: wires.passed == 1)
        await asyncio.sleep(1)  # an answer would come now
        assert set((await answers(api)).values()) == {0}
        for shop in shops:
            (await api.patch(f"/api/accounts/{shop}", json={"settings": {"answer_own_numbers": True}})).raise_for_status()
        for place, shop in enumerate(shops):
            await greet(api, shop, numbers[(place + 1) % 3])
        bot = (await wires.phone.add_contact("A bot", "34600777888"))["id"]
        await wires.phone.send_text(bot, "I am a bot.", account=shops[2])
        await check(api, handed_over=4)
        assert len(llm.requests("openai")) <= 3 * MOST


async def test_two_real_numbers_and_a_bot_come_to_an_end(new_server: Callable[..., Server], tmp_path: Path) -> None:
    """AI-8, ENG-1: the same on the protocol peer, a fixed text and AI; a bot by another library answers each word."""
    async with LlmServer() as llm, real_numbers(new_server(), tmp_path / "peer") as scene:
        first = await scene.link("12025550188", "A", **ACCOUNT, **FIXED)
        second = await scene.link("12025550189", "B", **ACCOUNT)
        await use_ai(scene.api, llm, second)
        bot = await scene.customers.add("bot", "34600777888")
        await bot.echo()
        await greet(scene.api, first, "12025550189")
        await bot.send("12025550188", "I am a bot.")
        await bot.send("12025550189", "I am a bot.")
        await check(scene.api, handed_over=3)
        assert len(llm.requests("openai")) <= 2 * MOST


async def test_three_real_numbers_in_a_ring_come_to_an_end(new_server: Callable[..., Server], tmp_path: Path) -> None:
    """AI-8, ENG-1: by fixed texts; each has the next one and the one before as its contacts."""
    numbers = ["12025550188", "12025550189", "12025550190"]
    async with real_numbers(new_server(), tmp_path / "peer") as scene:
        shops = [await scene.link(number, number, **ACCOUNT, **FIXED) for number in numbers]
        for place, shop in enumerate(shops):
            await greet(scene.api, shop, numbers[(place + 1) % 3])
        await check(scene.api, handed_over=3)
