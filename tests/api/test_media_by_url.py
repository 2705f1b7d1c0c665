"""Files that lie at a URL are fetched and sent, and no URL leads into a private network (API-3, MSG-1, HOOK-7)."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.support.linking import linked_account
from tests.support.receivers import Receivers
from tests.support.server import OWNER, OWNER_PASSWORD, Server
from tests.support.waiting import PATIENCE, until
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone
from whatsapp_dashboard.engines.sandbox.server import socket_path_for

ApiAs = Callable[[str], Awaitable[httpx.AsyncClient]]
SEND = "/api/messages/send/media"
PICTURE = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
NOWHERE = "0" * 8
"""An account that is not there: what is refused before anything is looked at must be refused for it too."""


@dataclass
class Shelf:
    """A server with one picture, at any path that ends in .png; it claims to be something else. Everything else is not there."""

    port: int = 0
    served: int = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer."""
        head = await reader.readuntil(b"\r\n\r\n")
        self.served += 1
        found = head.split(b" ")[1].endswith(b".png")
        status, body = (b"200 OK", PICTURE) if found else (b"404 Not Found", b"")
        size = b"Content-Length: %d" % len(body)
        writer.write(b"\r\n".join([b"HTTP/1.1 " + status, b"Content-Type: text/html", size, b"Connection: close", b"", body]))
        await writer.drain()
        writer.close()

    def url(self, path: str) -> str:
        """Where a file of this shelf lies."""
        return f"http://127.0.0.1:{self.port}/{path}"


@pytest.fixture
async def shelf() -> AsyncIterator[Shelf]:
    """A file server on loopback."""
    made = Shelf()
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


@pytest.fixture
async def receivers() -> AsyncIterator[Receivers]:
    """Servers that behave badly."""
    async with Receivers(2) as found:
        yield found


@pytest.fixture
async def phone(server: Server) -> AsyncIterator[SandboxPhone]:
    """A hand on the sandbox phone inside the dashboard."""
    async with SandboxPhone(str(socket_path_for(server.data_dir))) as found:
        yield found


async def target_of(api: httpx.AsyncClient, phone: SandboxPhone) -> dict[str, Any]:
    """An account that is linked, and Carla's number."""
    account_id = await linked_account(api, phone, "Bakery")
    number = next("+" + item["phone"] for item in await phone.contacts() if item["id"] == "carla")
    return {"account_id": account_id, "number": number}


def body(url: str, **more: Any) -> dict[str, Any]:
    """A request for the account that is not there."""
    return {"account_id": NOWHERE, "number": "+34600111222", "media": {"url": url, **more}}


async def test_a_file_at_a_url_is_sent_once_and_is_what_its_bytes_say(api: httpx.AsyncClient, phone: SandboxPhone, shelf: Shelf) -> None:
    """API-3, API-5: the repetition of an accepted request does not ask for the file again, which may be gone by then."""
    await api.post("/api/network/allowed", json={"value": "127.0.0.1"})
    target = await target_of(api, phone)
    given = {**target, "media": {"url": shelf.url("menus/today%20special.png?size=1.png")}, "caption": "Today"}
    key = {"Idempotency-Key": "menu-1"}
    first = await api.post(SEND, json=given, headers=key)
    assert first.status_code == 202, first.text
    assert (first.json()["type"], shelf.served) == ("image", 1)
    again = await api.post(SEND, json=given, headers=key)
    assert (again.json()["id"], shelf.served) == (first.json()["id"], 1)
    other = await api.post(SEND, json={**given, "caption": "Tomorrow"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    received = await until(lambda: phone.received("carla"))
    assert [(item.type, item.text) for item in received] == [("image", "Today")]
    media = await api.get(f"/api/media/{(await api.get('/api/messages/' + first.json()['id'])).json()['media_id']}")
    assert media.content == PICTURE
    assert media.headers["content-type"] == "image/png"
    assert "today%20special.png" in media.headers["content-disposition"] or "today special.png" in media.headers["content-disposition"]
    named = await api.post(SEND, json={**target, "media": {"url": shelf.url("x.png"), "filename": "menu.png"}})
    kept = await api.get(f"/api/media/{(await api.get('/api/messages/' + named.json()['id'])).json()['media_id']}")
    assert "menu.png" in kept.headers["content-disposition"]


PRIVATE = ["http://127.0.0.1:{port}/a.png", "http://localhost:{port}/a.png", "http://[::ffff:127.0.0.1]:{port}/a.png"]
REFUSED = [
    "http://2130706433:{port}/", "http://0x7f000001:{port}/", "http://0177.0.0.1:{port}/", "http://127.1:{port}/", "http://[::1]:{port}/",
    "http://[::127.0.0.1]:{port}/", "http://[64:ff9b::7f00:1]:{port}/", "http://[2002:7f00:1::]:{port}/", "http://0.0.0.0:{port}/",
    "http://[fe80::1%25lo]:{port}/", "http://169.254.169.254/latest/meta-data/", "http://user:secret@127.0.0.1:{port}/", "http://127.0.0.1:0/",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/", "file:///etc/passwd", "ftp://127.0.0.1:{port}/", "//127.0.0.1:{port}/", "x", "",
    "http://localhost.:{port}/", "http://１２７.0.0.1:{port}/", "http://127。0。0。1:{port}/",
]  # fmt: skip


async def test_no_url_reaches_a_private_network_unasked(api: httpx.AsyncClient, receivers: Receivers) -> None:
    """HOOK-7: nothing connects, in whatever form the address is written; the answer names what an owner would have to allow."""
    port = receivers.numbers[0]
    for url in PRIVATE:
        refused = await api.post(SEND, json=body(url.format(port=port)))
        problem = refused.json()
        assert (refused.status_code, problem["code"], problem["field"]) == (422, "private_network", "media.url"), url
        assert problem["host"] in problem["detail"]
        assert "POST /api/network/allowed" in problem["detail"]
    for url in REFUSED:
        refused = await api.post(SEND, json=body(url.format(port=port)))
        assert refused.status_code in (422, 503), (url, refused.text)
        assert refused.json()["field"] == "media.url", url
    assert receivers.connections == 0
    never = await api.post(SEND, json=body("http://169.254.169.254/latest/meta-data/"))
    assert never.json()["code"] == "forbidden_address"
    assert "allowed" not in never.json()["detail"]


async def test_a_redirect_into_a_private_network_is_not_followed(api: httpx.AsyncClient, receivers: Receivers) -> None:
    """HOOK-7: what may be reached does not open what may not."""
    await api.post("/api/network/allowed", json={"value": "127.0.0.1"})
    target = f"http://localhost:{receivers.numbers[1]}/accept"
    refused = await api.post(SEND, json=body(f"http://127.0.0.1:{receivers.numbers[0]}/301:{target}"))
    assert (refused.status_code, refused.json()["code"]) == (503, "fetch_failed")
    assert "answered 301" in refused.json()["detail"]
    assert receivers.connections == 1


async def test_a_file_that_does_not_come_is_said_in_words_and_nothing_is_sent(
    new_server: Callable[..., Server], receivers: Receivers, shelf: Shelf
) -> None:
    """API-1, MSG-9: too large, cut off, not there, not HTTP, nobody there."""
    server = new_server(MEDIA_MAX_MB="1")
    server.start()
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as api:
        entered = await api.post("/api/auth/token", json={"username": OWNER, "password": OWNER_PASSWORD})
        api.headers["Authorization"] = f"Bearer {entered.json()['token']}"
        await api.post("/api/network/allowed", json={"value": "127.0.0.1"})
        account_id = (await api.post("/api/accounts", json={"name": "Shop", "engine": "sandbox"})).json()["id"]
        for url, status, words in [
            (receivers.url("huge"), 413, "more than 1 MiB"),
            (receivers.url("drop"), 503, "ended before the answer was complete"),
            (receivers.url("garbage"), 503, "not HTTP"),
            (receivers.url("500"), 503, "answered 500"),
            (shelf.url("gone.jpg"), 503, "answered 404"),
            ("http://127.0.0.1:1/", 503, "Nobody listens"),
            (receivers.url("accept"), 422, "The file is empty"),
        ]:
            refused = await api.post(SEND, json={**body(url), "account_id": account_id})
            assert (refused.status_code, words in refused.json()["detail"]) == (status, True), (url, refused.text)
        assert (await api.get(f"/api/accounts/{account_id}/messages")).json()["items"] == []


async def test_only_operators_make_the_dashboard_fetch(api: httpx.AsyncClient, api_as: ApiAs, receivers: Receivers) -> None:
    """SEC-6: a viewer opens no connection; and a file comes from one place."""
    await api.post("/api/network/allowed", json={"value": "127.0.0.1"})
    vic = await api_as("vic")
    assert (await vic.post(SEND, json=body(receivers.url("say")))).status_code == 403
    for media in ({}, {"url": receivers.url("say"), "base64": "aGk="}, {"url": None, "base64": None}):
        refused = await api.post(SEND, json={**body(""), "media": media})
        assert (refused.status_code, refused.json()["code"]) == (422, "media_source")
    assert receivers.connections == 0
