"""A dashboard with real numbers on a protocol peer, as tests and benchmarks use it: linked through the API, customers with real phones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.peer.client import PeerClient
from tests.peer.customers import Customers
from tests.peer.process import PeerProcess
from tests.support.linking import UNPACED, qr_text, wait_ready
from tests.support.server import OWNER, OWNER_PASSWORD, Server
from tests.support.waiting import PATIENCE


@dataclass
class RealNumbers:
    """A running dashboard, the peer it takes for WhatsApp, and customers."""

    server: Server
    api: httpx.AsyncClient
    peer: PeerClient
    customers: Customers
    descriptor: dict[str, Any]

    async def log_in(self) -> None:
        """A fresh bearer token for the owner."""
        answer = await self.api.post("/api/auth/token", json={"username": OWNER, "password": OWNER_PASSWORD})
        answer.raise_for_status()
        self.api.headers["Authorization"] = f"Bearer {answer.json()['token']}"

    async def link(self, number: str, name: str = "Shop", **settings: Any) -> str:
        """Create an account, scan its QR with the phone of ``number``, wait until it is ready; returns its id."""
        body = {"name": name, "engine": "multidevice", "settings": {**UNPACED, **settings}}
        answer = await self.api.post("/api/accounts", json=body)
        assert answer.status_code == 201, answer.text
        account_id = str(answer.json()["id"])
        (await self.api.post(f"/api/accounts/{account_id}/reconnect")).raise_for_status()
        await self.peer.scan(await qr_text(self.api, account_id), number, name)
        await wait_ready(self.api, account_id)
        return account_id

    async def status(self, account_id: str) -> dict[str, Any]:
        """What the API says of the account's session."""
        answer = await self.api.get(f"/api/accounts/{account_id}/status")
        answer.raise_for_status()
        return dict(answer.json())

    def hosts(self) -> list[psutil.Process]:
        """The engine hosts that have files of this dashboard open, also those whose parent was killed."""
        return [process for process in psutil.process_iter() if _is_host(process) and self._has_our_files(process)]

    def _has_our_files(self, process: psutil.Process) -> bool:
        try:
            return any(file.path.startswith(str(self.server.data_dir.resolve())) for file in process.open_files())
        except psutil.Error:
            return False


def _is_host(process: psutil.Process) -> bool:
    try:
        return "whatsapp_dashboard.engines.multidevice.host" in process.cmdline()
    except psutil.Error:
        return False


@asynccontextmanager
async def real_numbers(server: Server, folder: Path) -> AsyncIterator[RealNumbers]:
    """Start the peer, ``server`` with it, and the customers' phones; all is gone afterwards. ``folder`` must not exist."""
    peer = PeerProcess(folder)
    await asyncio.to_thread(peer.start)
    try:
        server.set(MULTIDEVICE_PEER=str(peer.descriptor))
        await asyncio.to_thread(server.start)
        async with (
            peer.client() as client,
            Customers(peer.info, client.scan) as customers,
            httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as api,
        ):
            scene = RealNumbers(server, api, client, customers, peer.info)
            await scene.log_in()
            yield scene
    finally:
        server.close()
        peer.stop()
