"""Deleted is deleted: canaries are planted wherever an account keeps text, it is deleted while it is busy, and every table and file is
searched for them (ACC-1)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from sqlmodel import col

from tests.support.clients import answer_of, clients_of
from tests.support.linking import linked_account
from tests.support.llm_server import Behaviour, LlmServer
from tests.support.receivers import Receivers
from tests.support.remains import in_bytes, in_files, in_tables
from tests.support.samples import picture
from tests.support.server import OWNER, Server
from tests.support.waiting import until
from tests.support.world import World
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.messages import ContactCard, Location, MediaFile, MessageType, Poll
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone
from whatsapp_dashboard.models import Erasure, Media, Message, WebhookDelivery, WebhookEvent

PUSH_PHONE = "34655123987"
SHARED = picture(20, 20)


class House:
    """A dashboard with a doomed account and one that stays."""

    def __init__(self, server: Server, api: httpx.AsyncClient, phone: SandboxPhone, receivers: Receivers, llm: LlmServer, url: str) -> None:
        self.server, self.api, self.phone, self.receivers, self.llm = server, api, phone, receivers, llm
        self.url = url or f"sqlite+aiosqlite:///{server.data_dir / 'dashboard.db'}"
        self.db = Database(self.url)
        self.doomed = self.stays = ""
        self.person = ""

    async def post(self, path: str, **body: Any) -> Any:
        """Ask for something that must work."""
        answer = await self.api.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def number(self, account_id: str) -> str:
        """Of the phone an account is linked to."""
        return str((await self.api.get(f"/api/accounts/{account_id}")).json()["phone"])

    async def count(self, what: Any) -> int:
        """Rows of a query."""
        async with self.db.read() as session:
            return await session.scalar(what) or 0

    async def until_erased(self) -> None:
        """Wait until nothing is left to be erased."""
        waiting = select(func.count()).select_from(Erasure).where(col(Erasure.done_at).is_(None))
        await until(lambda: self.count(waiting), lambda left: left == 0)

    async def remains(self, *needles: str) -> dict[str, list[str]]:
        """Every canary that is left anywhere: tables, files, the log."""
        found = await in_tables(self.url, needles) | in_files(self.server.data_dir, needles)
        return found | ({"log": hits} if (hits := in_bytes(self.server.log.encode(), needles)) else {})


@pytest.fixture(params=["sqlite", "postgresql"])
def other_database(request: pytest.FixtureRequest) -> str:
    """Empty for SQLite in the data folder."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def house(other_database: str, new_server: Callable[..., Server], world: World) -> AsyncIterator[House]:
    """Everything running, on SQLite and on PostgreSQL, with two accounts."""
    server = new_server(SANDBOX_WORLD=world.socket, **({"DATABASE_URL": other_database} if other_database else {}))
    await asyncio.to_thread(server.start)
    async with clients_of(server) as make, SandboxPhone(world.socket) as phone, Receivers(1) as receivers, LlmServer() as llm:
        made = House(server, await make(OWNER), phone, receivers, llm, other_database)
        await made.post("/api/network/allowed", value="127.0.0.1")
        made.doomed = await linked_account(made.api, phone, "CANARY-account-name", default_country="ES")
        made.stays = await linked_account(made.api, phone, "Keeper")
        yield made
        await made.db.close()


async def plant(house: House) -> None:
    """Text of every kind, in and out."""
    api, phone, doomed = house.api, house.phone, house.doomed
    (await api.patch(f"/api/accounts/{doomed}", json={"description": "CANARY-description"})).raise_for_status()
    mine = await house.number(doomed)
    house.person = (await phone.add_contact("CANARY-push-name", PUSH_PHONE))["id"]
    for hook in (
        {"url": house.receivers.url("mirror", "failing"), "name": "CANARY-own-hook", "account_id": doomed},
        {"url": house.receivers.url("say", "all"), "events": ["message", "message.sent", "account.deleted"]},
        {"url": house.receivers.url("say", "paused"), "events": ["message", "account.deleted"]},
    ):
        made = await house.post("/api/webhooks", **hook)
    await house.post(f"/api/webhooks/{made['id']}/pause")
    await house.post(
        f"/api/accounts/{doomed}/ai-config", enabled=True,
        settings={"wait_seconds": 0, "prompt": "CANARY-prompt", "failure_text": "CANARY-failure-text"},
        providers=[
            {"kind": "groq", "model": "m", "key": "gsk-CANARY-key-1234", "url": house.llm.url("groq"), "label": "CANARY-label"},
            {"kind": "openai", "model": "m", "key": "sk-CANARY-key-1234", "url": house.llm.url("openai")},
        ],
    )  # fmt: skip
    house.llm.behave("groq", Behaviour("error", status=500, text="CANARY-provider-error"))
    house.llm.behave("openai", Behaviour(text="CANARY-answer"))
    person, send = house.person, {"account": mine}
    first = await phone.send_text(person, "CANARY-body", **send)
    await answer_of(api, f"/api/accounts/{doomed}/messages", lambda said: "CANARY-answer" in str(said))
    await phone.edit(first, "CANARY-edited", account=mine)
    document = MediaFile(b"CANARY-file-content", "text/plain", "CANARY-file.txt")
    await phone.send_file(person, MessageType.DOCUMENT, document, "CANARY-caption", **send)
    await phone.send_file(person, MessageType.IMAGE, MediaFile(SHARED, "image/png", "shared.png"), **send)
    await phone.send_location(person, Location(1.0, 2.0, "CANARY-place", "CANARY-street"), **send)
    await phone.send_contact(person, ContactCard("CANARY-card", ("+34600000000",)), **send)
    poll = await phone.send_poll(person, Poll("CANARY-question", ("CANARY-option", "other")), **send)
    await phone.vote(poll, ["CANARY-option"], account=mine)
    other = (await phone.contacts())[0]["id"]
    await phone.send_file(other, MessageType.IMAGE, MediaFile(SHARED, "image/png", "shared.png"), account=await house.number(house.stays))
    chats = await answer_of(api, f"/api/conversations?account_id={doomed}", lambda said: said["items"])
    await house.post(f"/api/conversations/{chats['items'][0]['id']}/notes", text="CANARY-note")
    await house.post("/api/messages/send", account_id=doomed, number=PUSH_PHONE, message="CANARY-out")
    await answer_of(api, f"/api/accounts/{doomed}/messages", lambda said: "shared.png" in str(said) and "CANARY-question" in str(said))
    stored = select(func.count()).select_from(Media).where(col(Media.state) == "stored")
    await until(lambda: house.count(stored), lambda count: count == 3)
    await house.receivers.until(3, "failing")


@pytest.mark.timeout(240)
async def test_nothing_of_a_deleted_account_is_left_anywhere(house: House) -> None:
    """ACC-1, SEC-7: bodies, names, files, captions, polls, cards, notes, prompts, keys, traces, requests and answers of webhooks, deleted
    while messages arrive and deliveries wait; what another account has too stays."""
    await plant(house)
    before = await house.remains(PUSH_PHONE)
    assert {"account", "contact", "message", "event", "webhook_event", "webhook_attempt", "ai_call", "ai_answer", "note"} <= before.keys()
    assert any(name.startswith("media/") for name in before)
    mine = await house.number(house.doomed)

    async def more() -> None:
        for number in range(10_000):
            with contextlib.suppress(Exception):
                await house.phone.send_text(house.person, f"CANARY-late-{number}", account=mine)
            await asyncio.sleep(0.02)

    busy = asyncio.create_task(more())
    await house.receivers.until(8, "all")
    (await house.api.delete(f"/api/accounts/{house.doomed}")).raise_for_status()
    assert (await house.api.get(f"/api/accounts/{house.doomed}")).status_code == 404
    busy.cancel()
    await asyncio.gather(busy, return_exceptions=True)
    await house.until_erased()
    (told,) = await until(
        lambda: [item.json for item in house.receivers.of("all") if item.json["event"] == "account.deleted"], lambda found: found
    )
    assert (told["account_id"], told["account_name"], told["data"]) == (house.doomed, None, {"by": OWNER})
    await until(lambda: house.remains(PUSH_PHONE, mine), lambda left: not left, seconds=60, pause=1)

    async with house.db.read() as session:
        media = (await session.scalars(select(Media))).one()
    assert (await house.api.get(f"/api/media/{media.id}")).content == SHARED
    kept = select(func.count()).select_from(WebhookDelivery).where(col(WebhookDelivery.event_type) == "account.deleted")
    assert await house.count(kept) == 2


@pytest.mark.alone
@pytest.mark.timeout(240)
async def test_a_deletion_that_is_cut_off_is_completed_at_the_next_start(house: House) -> None:
    """ACC-1, DUR-4: killed at once after the deletion began, or in the middle of it."""
    await plant(house)
    async with house.db.write() as session:  # enough to last a while
        row = await session.scalar(select(Message).where(col(Message.account_id) == house.doomed).limit(1))
        assert row is not None
        shared = row.model_dump(exclude={"id", "wa_id", "in_reply_to", "idempotency_key", "body"})
        session.add_all(Message(**shared, body=f"CANARY-many-{number}", wa_id=f"M{number}") for number in range(6_000))
    asking = asyncio.create_task(house.api.delete(f"/api/accounts/{house.doomed}"))
    begun = select(func.count()).select_from(Erasure)
    await until(lambda: house.count(begun), lambda count: count > 0, pause=0.005)
    await asyncio.to_thread(house.server.kill)
    await asyncio.gather(asking, return_exceptions=True)
    assert await house.remains()
    await asyncio.to_thread(house.server.start)
    async with clients_of(house.server) as make:
        assert [row["id"] for row in (await (await make(OWNER)).get("/api/accounts")).json()] == [house.stays]
    await house.until_erased()
    await until(house.remains, lambda left: not left, seconds=60, pause=1)


async def test_a_deleted_document_and_a_deleted_webhook_leave_nothing(house: House) -> None:
    """AI-5, HOOK-1: passages also in what answers were made of, and in the full-text index; bodies that only that endpoint was to get."""
    api = house.api
    text = "The cinnamon shop canariensis opens at CANARY-hour."
    document = await house.post("/api/knowledge/documents", title="CANARY-title", text=text)
    await answer_of(api, f"/api/knowledge/documents/{document['id']}", lambda found: found["state"] == "ready")
    config = {"enabled": True, "settings": {"wait_seconds": 0}}
    providers = [{"kind": "openai", "model": "m", "key": "sk-key-1234", "url": house.llm.url("openai")}]
    await house.post(f"/api/accounts/{house.stays}/ai-config", providers=providers, **config)
    house.llm.behave("openai", Behaviour(text="At nine."))
    hook = await house.post("/api/webhooks", url=house.receivers.url("mirror", "theirs"), headers={"X-Key": "CANARY-value"})
    person = (await house.phone.contacts())[0]["id"]
    await house.phone.send_text(person, "When does the cinnamon shop open?", account=await house.number(house.stays))
    await answer_of(api, f"/api/accounts/{house.stays}/messages", lambda said: "At nine." in str(said))
    await house.receivers.until(1, "theirs")
    assert {"knowledge_document", "knowledge_passage", "ai_answer"} <= (await house.remains()).keys()
    assert await house.count(select(func.count()).select_from(WebhookEvent)) == 1
    (await api.delete(f"/api/knowledge/documents/{document['id']}")).raise_for_status()
    (await api.delete(f"/api/webhooks/{hook['id']}")).raise_for_status()
    await house.until_erased()

    async def left() -> set[str]:
        found = {hit for hits in (await house.remains()).values() for hit in hits}
        return {hit for hit in found if "CANARY-account-name" not in hit}  # of an account that is still there

    await until(left, lambda found: not found, seconds=60, pause=1)
    assert await house.count(select(func.count()).select_from(WebhookEvent)) == 0
