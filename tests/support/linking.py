"""Bringing a sandbox account to life through the API, as a client of the dashboard does."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx

from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone

WAIT_SECONDS = 30

UNPACED: dict[str, Any] = {"pacing": {"min_ms": 0, "max_ms": 0, "typing": False}}


async def linked_account(api: httpx.AsyncClient, phone: SandboxPhone, name: str, **settings: Any) -> str:
    """Create a sandbox account with ``settings``, scan its QR with a new phone, wait until it is ready; returns its id."""
    answer = await api.post("/api/accounts", json={"name": name, "engine": "sandbox", "settings": {**UNPACED, **settings}})
    assert answer.status_code == 201, answer.text
    account_id = str(answer.json()["id"])
    (await api.post(f"/api/accounts/{account_id}/reconnect")).raise_for_status()
    deadline = time.monotonic() + WAIT_SECONDS
    while (qr := await api.get(f"/api/accounts/{account_id}/qr")).status_code != 200:
        assert time.monotonic() < deadline, qr.text
        await asyncio.sleep(0.05)
    await phone.scan(qr.json()["text"])
    await wait_ready(api, account_id)
    return account_id


async def wait_ready(api: httpx.AsyncClient, account_id: str, seconds: float = WAIT_SECONDS) -> None:
    """Wait until the account is connected."""
    deadline = time.monotonic() + seconds
    while (status := (await api.get(f"/api/accounts/{account_id}/status")).json())["status"] != "ready":
        assert time.monotonic() < deadline, status
        await asyncio.sleep(0.05)
