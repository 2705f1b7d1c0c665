"""Files through the whole program: what the contact's phone is told of them, and how they are offered again (MSG-9, API-3)."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.api.test_routes import CARLA, number_of
from tests.support import file_samples as files
from tests.support.linking import linked_account
from tests.support.server import Server
from tests.support.waiting import until
from whatsapp_dashboard.domain.messages import Content, MediaFile, MessageType
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone
from whatsapp_dashboard.engines.sandbox.server import socket_path_for

pytestmark = pytest.mark.slow

HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"


@pytest.fixture
async def phone(server: Server) -> AsyncIterator[SandboxPhone]:
    """The sandbox phone of the server's world."""
    async with SandboxPhone(str(socket_path_for(server.data_dir))) as opened:
        yield opened


async def offered(api: httpx.AsyncClient, message_id: str) -> httpx.Response:
    """The file of a message, as the dashboard gives it."""
    message = (await api.get(f"/api/messages/{message_id}")).json()
    return await api.get(f"/api/media/{message['media_id']}")


async def test_files_go_out_with_type_and_name_and_are_never_run_here(api: httpx.AsyncClient, phone: SandboxPhone) -> None:
    """MSG-9: as JSON and as a form; what a browser would run is only ever a download, whatever it is called."""
    account = await linked_account(api, phone, "Shop")
    target = {"account_id": account, "number": await number_of(phone, CARLA)}
    cases: list[tuple[bytes, str, str, str, str]] = [
        (files.LATIN, "prices.csv", "", "text/csv", "prices.csv"),
        (files.PDF, "", "", "application/pdf", "document.pdf"),
        (files.LATIN, "", "text/csv", "text/csv", "document.csv"),
        (HTML, "page.html", "image/png", "text/html", "page.html"),
        (SVG, "logo", "image/svg+xml", "image/svg+xml", "logo.svg"),
    ]
    sent: list[str] = []
    for data, name, given, _, _ in cases:
        media = {"base64": base64.b64encode(data).decode(), "filename": name, "mimetype": given}
        answer = await api.post("/api/messages/send/media", json={**target, "media": media})
        assert answer.status_code == 202, answer.text
        sent.append(answer.json()["id"])
    form = {"file": ("menú.csv", files.LATIN, "application/vnd.ms-excel")}
    by_form = await api.post("/api/messages/send/media", data=target, files=form)
    sent.append(by_form.json()["id"])

    async def all_there() -> list[Any]:
        found = await phone.received(CARLA)
        return found if len(found) == len(sent) else []

    told = [(one.content["media"]["mimetype"], one.content["media"]["filename"]) for one in await until(all_there)]
    assert told == [*((type, full) for *_, type, full in cases), ("text/csv", "menú.csv")]
    for message_id, (data, *_, full) in zip(sent, cases, strict=False):
        answer = await offered(api, message_id)
        assert answer.content == data
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"] == f"attachment; filename=\"{full}\"; filename*=UTF-8''{full}"
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await offered(api, sent[-1])).headers["content-disposition"] == (
        "attachment; filename=\"men_.csv\"; filename*=UTF-8''men%C3%BA.csv"
    )


async def test_what_came_without_a_name_is_offered_under_one(api: httpx.AsyncClient, phone: SandboxPhone) -> None:
    """MSG-9: voice messages, stickers and pictures have no name on WhatsApp."""
    account = await linked_account(api, phone, "Shop")
    came = [
        (MessageType.VOICE, files.opus(), "audio/ogg; codecs=opus", "inline", "audio.ogg"),
        (MessageType.STICKER, files.webp(moving=True), "image/webp", "inline", "picture.webp"),
        (MessageType.IMAGE, files.JPEG, "image/jpeg", "inline", "picture.jpg"),
        (MessageType.DOCUMENT, HTML, "text/html", "attachment", "document.txt"),
    ]
    for kind, data, claimed, _, _ in came:
        await phone.send(CARLA, Content(kind, media=MediaFile(data, claimed)))

    async def stored() -> list[Any]:
        items: list[Any] = (await api.get("/api/messages", params={"account_id": account, "direction": "incoming"})).json()["items"]
        rows = [(await api.get(f"/api/messages/{item['id']}")).json() for item in reversed(items)]
        return rows if [row["media_state"] for row in rows] == ["stored"] * len(came) else []

    for row, (_, data, _, how, name) in zip(await until(stored), came, strict=True):
        answer = await api.get(f"/api/media/{row['media_id']}")
        assert answer.content == data
        assert answer.headers["content-disposition"].startswith(f'{how}; filename="{name}"')
        forced = await api.get(f"/api/media/{row['media_id']}", params={"download": True})
        assert forced.headers["content-disposition"].startswith(f'attachment; filename="{name}"')
