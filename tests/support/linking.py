"""Bringing a sandbox account to life through the API, as a client of the dashboard does."""

from __future__ import annotations

from typing import Any

import httpx

from tests.support.clients import answer_of
from tests.support.waiting import PATIENCE
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone

UNPACED: dict[str, Any] = {"pacing": {"min_ms": 0, "max_ms": 0, "typing": False}}
UNLIMITED: dict[str, Any] = {"answer_limits": {"per_minute": 0, "per_hour": 0, "per_day": 0}}
"""For contacts who write more in a minute than any person does."""


def answers_each(text: str) -> dict[str, Any]:
    """Settings of an account that answers each message with the text, however many come."""
    return {"auto_reply": {"enabled": True, "text": text, "every_minutes": 0}, **UNLIMITED}


async def linked_account(api: httpx.AsyncClient, phone: SandboxPhone, name: str, **settings: Any) -> str:
    """Create a sandbox account with ``settings``, scan its QR with a new phone, wait until it is ready; returns its id."""
    answer = await api.post("/api/accounts", json={"name": name, "engine": "sandbox", "settings": {**UNPACED, **settings}})
    assert answer.status_code == 201, answer.text
    account_id = str(answer.json()["id"])
    (await api.post(f"/api/accounts/{account_id}/reconnect")).raise_for_status()
    await phone.scan(await qr_text(api, account_id))
    await wait_ready(api, account_id)
    return account_id


async def qr_text(api: httpx.AsyncClient, account_id: str) -> str:
    """What the account's QR says, as soon as there is one."""
    path = f"/api/accounts/{account_id}/qr"
    return str((await answer_of(api, path, lambda said: "text" in said))["text"])


async def wait_ready(api: httpx.AsyncClient, account_id: str, seconds: float = PATIENCE) -> None:
    """Wait until the account is connected."""
    await answer_of(api, f"/api/accounts/{account_id}/status", lambda said: said["status"] == "ready", seconds=seconds)
