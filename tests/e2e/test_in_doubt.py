"""An engine host is killed in the middle of a send: the real library, the real dashboard, and the contact's phone as the witness."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import psutil
import pytest

from tests.peer.client import PeerClient
from tests.peer.process import PeerProcess
from tests.support.linking import UNPACED, qr_text, wait_ready
from tests.support.server import OWNER, OWNER_PASSWORD, Server
from tests.support.waiting import PATIENCE, until

BAKERY, CARLA = "34600111222", "34600555444"

pytestmark = pytest.mark.timeout(150)


@pytest.fixture
async def peer(peer: PeerClient) -> PeerClient:
    """A hand on the phones; Carla's shows what she got, and tells nobody that she got it."""
    await peer.phone(BAKERY, "Bakery")
    await peer.phone(CARLA, "Carla")
    return peer


@pytest.fixture
def server(new_server: Callable[..., Server], peer_process: PeerProcess) -> Server:
    """A running dashboard whose real numbers reach the peer."""
    server = new_server(MULTIDEVICE_PEER=str(peer_process.descriptor))
    server.start()
    return server


@pytest.fixture
async def api(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the dashboard, logged in."""
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as client:
        answer = await client.post("/api/auth/token", json={"username": OWNER, "password": OWNER_PASSWORD})
        client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        yield client


async def _linked(api: httpx.AsyncClient, peer: PeerClient, **settings: Any) -> str:
    """A connected account that has written to Carla before."""
    created = await api.post("/api/accounts", json={"name": "Shop", "engine": "multidevice", "settings": {**UNPACED, **settings}})
    account = str(created.json()["id"])
    await api.post(f"/api/accounts/{account}/reconnect")
    await peer.scan(await qr_text(api, account), BAKERY, "Bakery")
    await wait_ready(api, account)
    await _send(api, account, "hello")
    await until(lambda: _has(peer, 1))
    return account


async def _send(api: httpx.AsyncClient, account: str, text: str) -> str:
    answer = await api.post("/api/messages/send", json={"account_id": account, "number": CARLA, "message": text})
    return str(answer.json()["id"])


async def _has(peer: PeerClient, count: int) -> bool:
    return len(await peer.owner_sees(CARLA)) >= count


async def _cut_off(api: httpx.AsyncClient, peer: PeerClient, server: Server, account: str) -> str:
    """Send a message that reaches Carla, and kill the host before the server's answer reaches it; returns our id."""
    await peer.faults(drop_acks=1.0)
    message = await _send(api, account, "once or twice?")
    await until(lambda: _has(peer, 2))
    hosts = [child.pid for child in psutil.Process(server.pid).children(recursive=True) if "multidevice" in " ".join(child.cmdline())]
    assert hosts
    for pid in hosts:
        os.kill(pid, signal.SIGKILL)
    await peer.faults()
    return message


async def _message(api: httpx.AsyncClient, message: str) -> dict[str, Any]:
    return dict((await api.get(f"/api/messages/{message}")).json())


async def test_a_send_cut_off_by_a_kill_waits_for_a_decision(api: httpx.AsyncClient, peer: PeerClient, server: Server) -> None:
    """MSG-4, MSG-11, ENG-2: never a second one by itself; told to, it is really sent again."""
    account = await _linked(api, peer)
    message = await _cut_off(api, peer, server, account)

    async def in_doubt() -> bool:
        return bool((await _message(api, message))["row"]["unconfirmed"])

    await until(in_doubt)
    await wait_ready(api, account)
    await _send(api, account, "and another one")
    await until(lambda: _has(peer, 3))
    assert [one["text"] for one in await peer.owner_sees(CARLA)] == ["hello", "once or twice?", "and another one"]
    assert (await api.post(f"/api/messages/{message}/retry")).status_code == 202
    await until(lambda: _has(peer, 4))
    assert [one["text"] for one in await peer.owner_sees(CARLA)][-1] == "once or twice?"

    async def settled() -> bool:
        found = await _message(api, message)
        return found["row"]["status"] == "sent" and not found["row"]["unconfirmed"]

    await until(settled)


async def test_an_account_may_send_again_by_itself_and_does_so_once(api: httpx.AsyncClient, peer: PeerClient, server: Server) -> None:
    """MSG-11, ENG-2: its setting says that a message twice is better than none."""
    account = await _linked(api, peer, resend_unconfirmed=True)
    message = await _cut_off(api, peer, server, account)
    await until(lambda: _has(peer, 3))

    async def settled() -> bool:
        found = await _message(api, message)
        return found["row"]["status"] == "sent" and not found["row"]["unconfirmed"] and found["resends"] == 1

    await until(settled)
    assert [one["text"] for one in await peer.owner_sees(CARLA)] == ["hello", "once or twice?", "once or twice?"]
