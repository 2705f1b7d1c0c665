"""A stranger's poison does not end a session: what can be stored is, what cannot is set aside, and nothing reconnects (DUR-1, ACC-5)."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from tests.support.clients import answer_of
from tests.support.linking import linked_account, wait_ready
from tests.support.refusal import REFUSED, WHY, accept, refuse
from tests.support.server import OWNER, OWNER_PASSWORD, Server
from tests.support.waiting import PATIENCE
from tests.support.world import World
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.messages import Content, MediaFile, MessageType
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone


@pytest.mark.timeout(200)
async def test_poison_from_a_phone_ends_no_session(new_server: Callable[..., Server], world: World, database_url: str) -> None:
    """DUR-1, ACC-5, MSG-3: a file's name with NUL, and a message that the database refuses; then a restart, and a retry."""
    db = Database(database_url)
    server = new_server(DATABASE_URL=database_url, SANDBOX_WORLD=world.socket)
    server.start()
    try:
        async with SandboxPhone(world.socket) as phone, httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as api:
            answer = await api.post("/api/auth/token", json={"username": OWNER, "password": OWNER_PASSWORD})
            api.headers["Authorization"] = f"Bearer {answer.json()['token']}"
            account = await linked_account(api, phone, "Shop")
            await refuse(db)
            before = (await api.get(f"/api/accounts/{account}/status")).json()
            carla = (await phone.add_contact("Car\x00la", "34600111222"))["id"]
            await phone.send(carla, Content(MessageType.DOCUMENT, "a\x00b", media=MediaFile(b"hi", "text/plain\x00", "me\x00nu.txt")))
            await phone.send(carla, Content(MessageType.TEXT, f"{REFUSED}: two loaves"))
            await phone.send(carla, Content(MessageType.TEXT, "the last one"))
            await answer_of(api, "/api/messages", lambda said: "the last one" in str(said))
            kept = (await api.get(f"/api/accounts/{account}/set-aside")).json()
            assert [(row["what"], WHY in row["reason"]) for row in kept["rows"]] == [(f"{REFUSED}: two loaves", True)]
            after = (await api.get(f"/api/accounts/{account}/status")).json()
            assert (after["status"], after["status_changed_at"]) == ("ready", before["status_changed_at"])
            assert "menu.txt" in (await api.get("/api/messages")).text
            server.kill()
            server.start()
            await wait_ready(api, account)
            event = (await api.get(f"/api/accounts/{account}/set-aside")).json()["rows"][0]
            path = f"/api/accounts/{account}/set-aside/{event['id']}"
            again = await api.post(f"{path}/retry")
            assert (again.status_code, again.json()["code"]) == (409, "still_refused")
            await accept(db)
            assert (await api.post(f"{path}/retry")).status_code == 204
            assert (await api.post(f"{path}/retry")).status_code == 404
            assert (await api.delete(path)).status_code == 404
            assert "two loaves" in (await api.get("/api/messages")).text
            assert (await api.get(f"/api/accounts/{account}/set-aside")).json()["total"] == 0
            assert (await api.post(f"/api/accounts/{account}/set-aside/retry")).json() == {"stored": 0, "refused": 0}
            assert "session down" not in server.log
    finally:
        await accept(db)
        await db.close()
