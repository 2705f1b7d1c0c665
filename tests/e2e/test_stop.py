"""SIGTERM ends the program within ten seconds, whatever goes on (DUR-4, SEC-9)."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

import httpx
import psutil
import pytest

from tests.e2e.test_flood import HALF, UPLOAD, flood, login
from tests.support.linking import linked_account
from tests.support.processes import alive
from tests.support.server import OWNER, OWNER_PASSWORD, Server
from tests.support.sockets import open_tab
from tests.support.waiting import PATIENCE, block_until, until
from tests.support.world import World
from tests.ui.conftest import BROWSER
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone

STOP_SECONDS = 10
"""DUR-4."""


@pytest.fixture
def running(new_server_with_cast: Callable[..., Server]) -> Server:
    """A running dashboard."""
    return new_server_with_cast()


def stopped(server: Server) -> tuple[int, float]:
    """Its exit code and the seconds it took; nothing of it is left."""
    family = [child.pid for child in psutil.Process(server.pid).children(recursive=True)]
    ended = server.terminate(seconds=30)
    block_until(lambda: not any(alive(pid) for pid in family))
    return ended


async def test_a_flood_a_slow_upload_and_an_open_page_do_not_delay_the_end(running: Server) -> None:
    """DUR-4, SEC-9: 1,100 half-open connections, a body that is on its way, a live page."""
    async with open_tab(running.url, {"Origin": running.url, "Cookie": login(running), "User-Agent": BROWSER}) as tab:
        await tab.hydrate("/")
        with flood(running, 1_100, HALF, b""), flood(running, 5, UPLOAD):
            code, seconds = await asyncio.to_thread(stopped, running)
    assert code == 0
    assert seconds < STOP_SECONDS


def reader_of_a_document(running: Server) -> psutil.Process:
    """The process that reads a document which takes long."""
    with httpx.Client(base_url=running.url, headers={"Cookie": login(running), "User-Agent": BROWSER, "Origin": running.url}) as client:
        client.post("/api/knowledge/documents/upload", files={"file": ("slow.html", b"<a " * 1_000_000)}, timeout=60).raise_for_status()

    def look() -> list[psutil.Process]:
        return [each for each in psutil.Process(running.pid).children() if "knowledge.worker" in " ".join(each.cmdline())]

    return block_until(look)[0]


def test_a_document_that_is_being_read_does_not_delay_the_end(running: Server) -> None:
    """DUR-4, AI-5: its process ends with the dashboard, and it is read at the next start."""
    reader_of_a_document(running)
    code, seconds = stopped(running)
    assert code == 0
    assert seconds < STOP_SECONDS


def test_who_reads_a_document_dies_with_a_program_that_is_killed(running: Server) -> None:
    """DUR-1, AI-5: the system kills the program alone when memory is short."""
    reader = reader_of_a_document(running)
    os.kill(running.pid, signal.SIGKILL)
    reader.wait(PATIENCE)
    running.wait_end()


async def test_others_who_do_not_answer_do_not_delay_the_end(new_server_with_cast: Callable[..., Server], world: World) -> None:
    """DUR-4, ACC-6: a webhook's receiver and an AI provider that take the connection and say nothing, an engine that hangs as it sends."""
    asked: list[bytes] = []

    async def say_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(64))
        await reader.read()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
    server = await asyncio.to_thread(new_server_with_cast, SANDBOX_WORLD=world.socket)
    async with SandboxPhone(world.socket) as phone, httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as api:
        answer = await api.post("/api/auth/token", json={"username": OWNER, "password": OWNER_PASSWORD})
        api.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        (await api.post("/api/network/allowed", json={"value": "127.0.0.1"})).raise_for_status()
        account_id = await linked_account(api, phone, "Shop")
        (await api.post("/api/webhooks", json={"url": f"{url}/hook", "name": "Silent", "events": ["message"]})).raise_for_status()
        provider = {"kind": "groq", "model": "llama-3.3", "key": "gsk-1234567890", "url": url}
        config = {"enabled": True, "settings": {"wait_seconds": 0}, "providers": [provider]}
        (await api.post(f"/api/accounts/{account_id}/ai-config", json=config)).raise_for_status()
        contact = await phone.add_contact("Carla", "34600111222")
        await phone.send_text(contact["id"], "When do you open?")
        await until(lambda: any(b"/hook" in each for each in asked) and any(b"completions" in each for each in asked))
        with world.frozen():
            sent = await api.post("/api/messages/send", json={"account_id": account_id, "number": "34600111222", "message": "A moment."})
            assert sent.status_code == 202, sent.text
            code, seconds = await asyncio.to_thread(stopped, server)
    silent.close()
    assert code == 0
    assert seconds < STOP_SECONDS
