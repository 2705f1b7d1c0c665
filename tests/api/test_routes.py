"""An API client does everything an operator does on the pages (API-1 to API-5, OBS-5)."""

from __future__ import annotations

import asyncio
import base64
import csv
import io
import struct
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.support.clients import answer_of
from tests.support.linking import qr_text, wait_ready
from tests.support.lively import Office
from tests.support.server import Server
from tests.support.waiting import PATIENCE, until
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.engine_events import PASSKEY_NEEDED_REASON
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone
from whatsapp_dashboard.engines.sandbox.server import socket_path_for

pytestmark = pytest.mark.slow

CARLA = "carla"


def png(width: int = 8) -> bytes:
    """A real PNG image."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\x00" + b"\x30\x90\xf0" * width) * width
    header = struct.pack(">IIBBBBB", width, width, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.fixture
async def phone(server: Server) -> AsyncIterator[SandboxPhone]:
    """The sandbox phone of the server's world."""
    async with SandboxPhone(str(socket_path_for(server.data_dir))) as opened:
        yield opened


async def linked(api: httpx.AsyncClient, phone: SandboxPhone, **settings: Any) -> str:
    """A connected account without pauses between sends."""
    settings = {"pacing": {"min_ms": 0, "max_ms": 0, "typing": False}, "governor": {"enabled": False}, **settings}
    created = await api.post("/api/accounts", json={"name": "Shop", "engine": "sandbox", "settings": settings})
    assert created.status_code == 201, created.text
    account = created.json()["id"]
    assert (await api.post(f"/api/accounts/{account}/reconnect")).status_code == 200
    await phone.scan(await qr_text(api, account))
    await wait_ready(api, account)
    return account


async def number_of(phone: SandboxPhone, contact: str) -> str:
    """The contact's phone number."""
    return next("+" + item["phone"] for item in await phone.contacts() if item["id"] == contact)


async def test_an_account_is_linked_and_speaks_by_api_alone(api: httpx.AsyncClient, phone: SandboxPhone) -> None:
    """API-3, ACC-3: create, QR as JSON and as an image, status, a message each way, history."""
    account = await linked(api, phone, auto_reply={"enabled": True, "text": "We answer in an hour.", "every_minutes": 0})
    assert (await api.get(f"/api/accounts/{account}/qr")).json()["code"] == "no_qr"
    await phone.send_text(CARLA, "Are you open?")

    async def answered() -> bool:
        return [item.text for item in await phone.received(CARLA)] == ["We answer in an hour."]

    await until(answered)
    number = await number_of(phone, CARLA)
    sent = await api.post("/api/messages/send", json={"account_id": account, "number": number, "message": "Until eight."})
    assert sent.status_code == 202, sent.text
    message = sent.json()["id"]

    async def proven() -> bool:
        return (await api.get(f"/api/messages/{message}")).json()["row"]["status"] in ("delivered", "read")

    await until(proven)
    history = (await api.get(f"/api/accounts/{account}/messages")).json()["items"]
    assert [item["text"] for item in reversed(history)] == ["Are you open?", "We answer in an hour.", "Until eight."]


async def test_the_qr_is_there_as_an_image(api: httpx.AsyncClient) -> None:
    """ACC-3: for systems that show it themselves."""
    account = (await api.post("/api/accounts", json={"name": "Shop", "engine": "sandbox"})).json()["id"]
    await api.post(f"/api/accounts/{account}/reconnect")

    async def image() -> Any:
        answer = await api.get(f"/api/accounts/{account}/qr", params={"format": "png"})
        return answer if answer.status_code == 200 else None

    answer = await until(image)
    assert answer.headers["content-type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")
    assert answer.headers["cache-control"] == "no-store"


async def test_a_pairing_code_links_as_well(api: httpx.AsyncClient, phone: SandboxPhone) -> None:
    """ACC-3: where a camera is of no use."""
    account = (await api.post("/api/accounts", json={"name": "Shop", "engine": "sandbox"})).json()["id"]
    await api.post(f"/api/accounts/{account}/reconnect")

    async def code() -> Any:
        answer = await api.post(f"/api/accounts/{account}/pairing-code", json={"phone": "+34600111222"})
        return answer.json().get("code") if answer.status_code == 200 else None

    await phone.enter_pairing_code(await until(code))
    await wait_ready(api, account)


async def test_a_number_that_needs_a_passkey_has_a_code_for_programs(api: httpx.AsyncClient, phone: SandboxPhone) -> None:
    """ACC-14: status, reason and what to do; the same after a look at the list, and gone with the next try."""
    account = (await api.post("/api/accounts", json={"name": "Shop", "engine": "sandbox"})).json()["id"]
    await api.post(f"/api/accounts/{account}/reconnect")
    await phone.scan(await qr_text(api, account), passkey=True)
    status = await answer_of(api, f"/api/accounts/{account}/status", lambda said: said["status"] == "disconnected")
    assert (status["status_code"], status["status_reason"]) == ("passkey_needed", PASSKEY_NEEDED_REASON)
    assert (status["linked"], status["next_attempt_at"]) == (False, None), "nothing is tried by itself"
    assert (await api.get("/api/accounts")).json()[0]["status_code"] == "passkey_needed"
    refused = await api.get(f"/api/accounts/{account}/qr")
    assert (refused.status_code, refused.json()["detail"]) == (409, PASSKEY_NEEDED_REASON)
    await api.post(f"/api/accounts/{account}/reconnect")
    await phone.scan(await qr_text(api, account))
    await wait_ready(api, account)
    assert (await api.get(f"/api/accounts/{account}")).json()["status_code"] == ""


async def test_every_kind_of_message_arrives(api: httpx.AsyncClient, phone: SandboxPhone) -> None:
    """MSG-1: text, image, document, voice, location, contact, poll, buttons as numbered text."""
    account = await linked(api, phone)
    target = {"account_id": account, "number": await number_of(phone, CARLA)}
    picture = base64.b64encode(png()).decode()
    posts = [
        ("", {"message": "text"}),
        ("/media", {"media": {"base64": picture, "filename": "a.png"}, "caption": "look"}),
        ("/media", {"media": {"base64": base64.b64encode(b"%PDF-1.4\n%%EOF\n").decode(), "filename": "bill.pdf"}}),
        ("/location", {"latitude": 40.4, "longitude": -3.7, "name": "Shop"}),
        ("/contact", {"name": "Ben", "phones": ["+34600111223"]}),
        ("/poll", {"question": "When?", "options": ["Mon", "Tue"]}),
        ("/buttons", {"message": "Choose", "options": ["Yes", "No"]}),
    ]
    for path, body in posts:
        answer = await api.post(f"/api/messages/send{path}", json={**target, **body})
        assert answer.status_code == 202, answer.text

    async def all_there() -> list[Any]:
        found = await phone.received(CARLA)
        return found if len(found) == len(posts) else []

    received = await until(all_there)
    assert [item.type for item in received] == ["text", "image", "document", "location", "contact", "poll", "text"]
    assert received[1].text == "look"
    assert received[-1].text.splitlines() == ["Choose", "", "1. Yes", "2. No"] or "1" in received[-1].text


async def test_a_file_sent_as_a_form_comes_back_from_the_media_route(api: httpx.AsyncClient, phone: SandboxPhone) -> None:
    """MSG-9: random address, right type, never executed in our origin; ranges for players."""
    account = await linked(api, phone)
    form = {"account_id": account, "number": await number_of(phone, CARLA), "caption": "form"}
    sent = await api.post("/api/messages/send/media", data=form, files={"file": ("../<b>.png", png(), "text/html")})
    assert sent.status_code == 202, sent.text
    media = (await api.get(f"/api/messages/{sent.json()['id']}")).json()["media_id"]
    answer = await api.get(f"/api/media/{media}")
    assert answer.content == png()
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert (await api.get(f"/api/media/{media}", headers={"Range": "bytes=0-3"})).content == png()[:4]
    evil = await api.post("/api/messages/send/media", data=form, files={"file": ("x.html", b"<script>alert(1)</script>", "image/png")})
    assert evil.status_code == 202, evil.text
    page = await api.get(f"/api/media/{(await api.get('/api/messages/' + evil.json()['id'])).json()['media_id']}")
    assert page.headers["content-type"] == "application/octet-stream"
    assert page.headers["content-disposition"].startswith("attachment")


async def test_the_same_idempotency_key_sends_once(api: httpx.AsyncClient, phone: SandboxPhone) -> None:
    """API-5: also when both requests come at the same moment."""
    account = await linked(api, phone)
    body = {"account_id": account, "number": await number_of(phone, CARLA), "message": "once"}
    headers = {"Idempotency-Key": "order-17"}
    answers = await asyncio.gather(*(api.post("/api/messages/send", json=body, headers=headers) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    other = await api.post("/api/messages/send", json={**body, "message": "something else"}, headers=headers)
    assert other.status_code == 409, other.text
    await asyncio.sleep(0.5)
    assert [item.text for item in await phone.received(CARLA)] == ["once"]


async def test_a_conversation_is_worked_on_by_api(api: httpx.AsyncClient, phone: SandboxPhone) -> None:
    """MSG-7, AI-8: find, take over, annotate, hand back, close, reopen."""
    account = await linked(api, phone)
    await phone.send_text(CARLA, "Good morning")

    async def found() -> Any:
        return (await api.get("/api/conversations", params={"account_id": account, "unread": True})).json()["items"]

    conversation = (await until(found))[0]
    path = f"/api/conversations/{conversation['id']}"
    assert (await api.post(f"{path}/take-over")).json()["answered_by"] == "human"
    assert (await api.post(f"{path}/notes", json={"text": "VIP"})).status_code == 201
    thread = (await api.get(f"{path}/messages")).json()["items"]
    assert [(item["kind"], item["text"]) for item in thread] == [("message", "Good morning"), ("note", "VIP")]
    assert (await api.post(f"{path}/read")).status_code == 204
    assert (await api.get(path)).json()["unread"] == 0
    assert (await api.post(f"{path}/hand-back")).json()["answered_by"] == "bot"
    assert (await api.post(f"{path}/close")).json()["status"] == "closed"
    assert (await api.post(f"{path}/reopen")).json()["status"] == "active"


async def test_the_log_is_exported_as_csv(api: httpx.AsyncClient, phone: SandboxPhone) -> None:
    """MSG-8: with the filters of the page, and no formula in it."""
    await linked(api, phone)
    await phone.send_text(CARLA, "=1+1")

    async def lines() -> Any:
        answer = await api.get("/api/messages/export.csv", params={"direction": "incoming"})
        assert answer.headers["content-type"].startswith("text/csv")
        found = list(csv.reader(io.StringIO(answer.text)))
        return found if len(found) == 2 else None

    assert any(cell.startswith("'=1+1") for cell in (await until(lines))[1])


async def test_the_documentation_needs_no_internet(api: httpx.AsyncClient) -> None:
    """API-1: page, script and style come from here; every route is described."""
    page = (await api.get("/api/docs")).text
    assert "http://" not in page
    assert "https://" not in page
    for part in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js"):
        assert f"/api/docs/{part}" in page
        assert (await api.get(f"/api/docs/{part}")).status_code == 200
    document = (await api.get("/api/openapi.json")).json()
    for path, methods in document["paths"].items():
        for method, what in methods.items():
            assert what.get("description"), f"{method} {path}"


async def test_health_needs_no_login(server: Server) -> None:
    """OBS-5: the exact answers."""
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as client:
        live = (await client.get("/health/live")).json()
        assert live["status"] == "alive"
        assert live["timestamp"]
        ready = await client.get("/health/ready")
        assert (ready.status_code, ready.json()) == (200, {"status": "ready"})


async def test_every_answer_can_be_found_in_the_log(api: httpx.AsyncClient) -> None:
    """OBS-6: a request id on each."""
    first, second = await api.get("/api/accounts"), await api.get("/api/nowhere")
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert second.json()["status"] == 404


async def test_a_message_in_doubt_is_listed_and_sent_again_only_when_told_to(api: httpx.AsyncClient, server: Server) -> None:
    """MSG-4, MSG-11, API-3: a program finds what a crash left open, and decides."""
    office = await Office(Database(f"sqlite+aiosqlite:///{server.data_dir / 'dashboard.db'}"), server.data_dir).open()
    conversation = await office.conversation("Carla Ruiz", "34600555444")
    doubtful = await office.say(conversation, "Shall I add a card?", mine=True, status="sent", unconfirmed=True)
    await office.say(conversation, "Sent and proven", mine=True, status="delivered")
    await office.db.close()
    (row,) = (await api.get("/api/messages", params={"status": "in_doubt"})).json()["items"]
    assert (row["id"], row["unconfirmed"]) == (doubtful.id, True)
    items = (await api.get(f"/api/conversations/{conversation.id}/messages")).json()["items"]
    assert sorted(item["unconfirmed"] for item in items) == [False, True]
    answer = await api.post(f"/api/messages/{doubtful.id}/retry")
    assert (answer.status_code, answer.json()["status"], answer.json()["unconfirmed"]) == (202, "queued", True)
    assert (await api.get("/api/messages", params={"status": "in_doubt"})).json()["items"] == []
    assert (await api.post(f"/api/messages/{doubtful.id}/retry")).status_code == 409
    assert (await api.get("/api/messages", params={"status": "doubtful"})).status_code == 422
