"""Who waits, who answers next, and where something was said, as API clients see it (MSG-7, MSG-14)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.support.linking import linked_account
from tests.support.lively import Office
from tests.support.server import Server
from tests.support.waiting import until
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone
from whatsapp_dashboard.engines.sandbox.server import socket_path_for

pytestmark = pytest.mark.slow


@pytest.fixture
async def phone(server: Server) -> AsyncIterator[SandboxPhone]:
    """The sandbox phone of the server's world."""
    async with SandboxPhone(str(socket_path_for(server.data_dir))) as opened:
        yield opened


async def waiting(api: httpx.AsyncClient) -> list[dict[str, Any]]:
    """The conversations whose contact waits."""
    return (await api.get("/api/conversations", params={"waiting": True})).json()["items"]


async def test_who_waits_for_a_person_is_told_until_somebody_answers(api: httpx.AsyncClient, phone: SandboxPhone) -> None:
    """MSG-14: by a filter, with since when; the count says the same; a look changes nothing; who answers next is told."""
    account = await linked_account(api, phone, "Shop")
    await phone.send_text("carla", "Good morning")
    (row,) = await until(lambda: waiting(api))
    assert (row["answers_next"], row["has_bot"]) == ("nobody", False)
    assert row["waiting_since"] == row["last_message_at"]
    assert (await api.post(f"/api/conversations/{row['id']}/read")).status_code == 204
    counts = (await api.get("/api/conversations/counts")).json()
    assert (counts["waiting"], counts["unread"], counts["active"]) == (1, 0, 1)
    assert len(await waiting(api)) == 1
    sent = await api.post("/api/messages/send", json={"account_id": account, "conversation_id": row["id"], "message": "Good morning!"})
    assert sent.status_code == 202, sent.text
    assert await waiting(api) == []
    assert (await api.get("/api/conversations/counts")).json()["waiting"] == 0
    await api.patch(f"/api/accounts/{account}", json={"settings": {"auto_reply": {"enabled": True, "text": "We are open from nine."}}})
    assert (await api.post(f"/api/conversations/{row['id']}/hand-back")).json()["answers_next"] == "bot"
    assert (await api.post(f"/api/conversations/{row['id']}/take-over")).json()["answers_next"] == "person"


async def test_a_search_tells_where_it_was_said_and_the_thread_is_read_from_there(api: httpx.AsyncClient, server: Server) -> None:
    """MSG-7: the newest message that says it, the part around it, the page around that, and on from both ends."""
    office = await Office(Database(f"sqlite+aiosqlite:///{server.data_dir / 'dashboard.db'}"), server.data_dir).open()
    carla, dev = await office.conversation("Carla Ruiz", "34600555444"), await office.conversation("Dev", "919812345678")
    for number in range(60):
        text = "the blue lamp, please: " + "x" * 300 if number == 20 else f"number {number}"
        await office.say(carla, text, ago=(60 - number) * 5)
    await office.say(dev, "nothing")
    await office.db.close()
    (row,) = (await api.get("/api/conversations", params={"text": "Blue Lamp"})).json()["items"]
    assert row["hit"]["text"].startswith("the blue lamp, please")
    assert len(row["hit"]["text"]) < 200
    counts = (await api.get("/api/conversations/counts", params={"text": "blue lamp"})).json()
    assert (counts["active"], counts["closed"]) == (1, 0)
    path = f"/api/conversations/{carla.id}/messages"
    page = (await api.get(path, params={"around": row["hit"]["message_id"], "limit": 10})).json()
    texts = [item["text"][:9] for item in page["items"]]
    assert texts == [f"number {n}" for n in range(16, 20)] + ["the blue "] + [f"number {n}" for n in range(21, 26)]
    after = (await api.get(path, params={"after": page["newer"], "limit": 200})).json()
    before = (await api.get(path, params={"cursor": page["older"], "limit": 200})).json()
    assert [len(part["items"]) for part in (before, page, after)] == [16, 10, 34]
    assert (before["older"], after["newer"]) == (None, None)
    assert (await api.get(path, params={"around": "nothing"})).status_code == 404
    assert (await api.get(path, params={"around": "x", "after": "y"})).status_code == 422
    assert (await api.get("/api/conversations", params={"text": "carla"})).json()["items"][0]["hit"] is None
