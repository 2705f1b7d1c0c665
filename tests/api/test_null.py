"""Null is absent: no optional field of any body is refused for it, and it changes nothing that it cannot mean (API-1)."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.api.test_bad_input import example, filled, operations, resolve
from tests.api.test_routes import CARLA, number_of, png
from tests.support.cast import PASSWORDS
from tests.support.linking import linked_account
from tests.support.server import Server
from tests.support.waiting import until
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone
from whatsapp_dashboard.engines.sandbox.server import socket_path_for

pytestmark = pytest.mark.slow

Json = dict[str, Any]
NOBODY = "01a1fb0d-f3c1-7721-b168-23308b5dd0b5"
"""An id that nothing has: what stands in the address is not found, after the body was read."""


@pytest.fixture
async def phone(server: Server) -> AsyncIterator[SandboxPhone]:
    """The phones of the dashboard's sandbox world."""
    async with SandboxPhone(str(socket_path_for(server.data_dir))) as made:
        yield made


async def test_null_is_absent_in_every_optional_field_of_every_body(api: httpx.AsyncClient) -> None:
    """API-1: generated from the OpenAPI document, inner objects and lists of objects too."""
    document = (await api.get("/api/openapi.json")).json()
    tried = 0
    for method, path, what in operations(document):
        content = what.get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            continue
        schema = resolve(document, content["application/json"]["schema"])
        good = example(document, what)
        for place in optional(document, schema, good):
            answers = [await api.request(method, filled(path, NOBODY), json=changed(good, place, null)) for null in (False, True)]
            absent, null = answers
            where = f"{method} {path}: {'.'.join(map(str, place))}: null"
            tried += 1
            if null.status_code == 422:
                assert absent.status_code == 422, f"{where} -> {null.text}"
                assert null.json()["detail"] == absent.json()["detail"], where
            assert null.status_code < 500, where
    assert tried > 50
    log_in = {"username": "ana", "password": PASSWORDS["ana"], "code": None}
    for path in ("/api/auth/token", "/api/auth/login"):
        assert (await api.post(path, json=log_in)).status_code == 200


async def test_null_and_a_data_uri_arrive_as_a_picture(api: httpx.AsyncClient, phone: SandboxPhone) -> None:
    """API-3: what a common client library sends: every field, null where it has nothing, the picture as a data: URI."""
    account = await linked_account(api, phone, "Shop")
    uri = "data:image/png;name=cat.png;base64," + base64.encodebytes(png()).decode()
    nothing = {"conversation_id": None, "quoted_id": None, "caption": None, "voice": None}
    for media in ({"base64": uri, "url": None}, {"url": uri}):
        source = {"base64": None, "filename": None, "mimetype": None, **media}
        body = {"account_id": account, "number": await number_of(phone, CARLA), "media": source, **nothing}
        answer = await api.post("/api/messages/send/media", json=body)
        assert answer.status_code == 202, answer.text

    async def both() -> list[Any]:
        found = await phone.received(CARLA)
        return found if len(found) == 2 else []

    for message in await until(both):
        assert message.type == "image"
        media = message.content["media"]
        assert (media["mimetype"], media["filename"]) == ("image/png", "cat.png")
        assert (await phone.media(media["token"]["media"])).data == png()


async def test_a_form_with_empty_fields_is_one_without_them(api: httpx.AsyncClient, phone: SandboxPhone) -> None:
    """API-1: a form has no null; programs leave its fields empty."""
    account = await linked_account(api, phone, "Shop")
    empty = dict.fromkeys(("conversation_id", "quoted_id", "caption", "voice"), "")
    form = {"account_id": account, "number": await number_of(phone, CARLA), **empty}
    answer = await api.post("/api/messages/send/media", data=form, files={"file": ("a.png", png(), "image/png")})
    assert answer.status_code == 202, answer.text


async def test_a_fault_in_base64_says_where(api: httpx.AsyncClient) -> None:
    """API-1."""
    account = (await api.post("/api/accounts", json={"name": "Shop", "engine": "sandbox"})).json()["id"]
    body = {"account_id": account, "number": "+34600111222", "media": {"base64": "data:image/png;base64,iVBOR*0KGgo="}}
    answer = await api.post("/api/messages/send/media", json=body)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "bad_base64", "media.base64")
    assert "“*” at character 28," in answer.json()["detail"]


async def test_null_in_settings_clears_what_may_be_empty_and_leaves_the_rest(api: httpx.AsyncClient) -> None:
    """API-1: a nullable setting is cleared, any other keeps its value; so do name and description."""
    settings = {"default_country": "ES", "takeover_minutes": 7, "pacing": {"min_ms": 5, "max_ms": 9}}
    account = (await api.post("/api/accounts", json={"name": "Shop", "engine": "sandbox", "settings": settings})).json()["id"]
    change = {"default_country": None, "takeover_minutes": None, "pacing": {"min_ms": None, "max_ms": 11}, "governor": None}
    answer = await api.patch(f"/api/accounts/{account}", json={"name": None, "description": None, "settings": change})
    assert answer.status_code == 200, answer.text
    now = answer.json()["settings"]
    assert (answer.json()["name"], now["default_country"], now["takeover_minutes"]) == ("Shop", None, 7)
    assert (now["pacing"]["min_ms"], now["pacing"]["max_ms"], now["governor"]["enabled"]) == (5, 11, True)
    saved = await api.post(f"/api/accounts/{account}/ai-config", json={"settings": {"prompt": None, "temperature": 0.1, "hours": None}})
    assert saved.status_code == 200, saved.text
    assert saved.json()["settings"]["temperature"] == 0.1
    assert saved.json()["settings"]["prompt"]


async def test_null_in_a_change_of_a_webhook(api: httpx.AsyncClient) -> None:
    """API-1: without an account it belongs to all, without a secret it does not sign; the rest stays."""
    account = (await api.post("/api/accounts", json={"name": "Shop", "engine": "sandbox"})).json()["id"]
    (await api.post("/api/network/allowed", json={"value": "127.0.0.1"})).raise_for_status()
    given = {"url": "http://127.0.0.1:9/hook", "account_id": account, "secret": "0123456789", "events": None, "headers": None}
    made = await api.post("/api/webhooks", json=given)
    assert made.status_code == 201, made.text
    change = {"url": None, "name": None, "events": None, "headers": None, "enabled": None, "account_id": None, "secret": None}
    answer = await api.patch(f"/api/webhooks/{made.json()['id']}", json=change)
    assert answer.status_code == 200, answer.text
    now = answer.json()
    assert (now["url"], now["events"], now["enabled"]) == ("http://127.0.0.1:9/hook", ["message"], True)
    assert (now["account_id"], now["has_secret"]) == (None, False)


def optional(document: Json, schema: Json, value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where the fields stand that a body need not have: in it, in its objects, and in the first of each list of objects."""
    found: list[tuple[Any, ...]] = []
    for name, part in schema.get("properties", {}).items():
        here = (*place, name)
        if name not in schema.get("required", []):
            found.append(here)
        inner = value.get(name) if isinstance(value, dict) else None
        for kind in (resolve(document, one) for one in part.get("anyOf", [part])):
            if kind.get("type") == "array" and isinstance(inner, list) and inner:
                found += optional(document, resolve(document, kind.get("items", {})), inner[0], (*here, 0))
            elif isinstance(inner, dict):
                found += optional(document, kind, inner, here)
    return found


def changed(good: Json, place: tuple[Any, ...], null: bool) -> Json:
    """``good`` with what stands at ``place`` null, or taken away."""

    def walk(value: Any, rest: tuple[Any, ...]) -> Any:
        if isinstance(value, list):
            return [walk(value[0], rest[1:]), *value[1:]]
        if len(rest) > 1:
            return {**value, rest[0]: walk(value[rest[0]], rest[1:])}
        left = {name: inner for name, inner in value.items() if name != rest[0]}
        return {**left, rest[0]: None} if null else left

    made: Json = walk(good, place)
    return made
