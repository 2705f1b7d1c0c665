"""The same request under the same key has its effect once, by a real client of the real server (API-5)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.support.server import Server

ApiAs = Callable[[str], Awaitable[httpx.AsyncClient]]

ACCOUNT = {"name": "Shop", "engine": "sandbox"}
WEBHOOK = {"url": "http://93.184.215.14/hook", "events": ["message"], "secret": "generate"}
DOCUMENT = {"title": "Opening hours", "text": "From nine to six."}
MAKES = [("/api/accounts", ACCOUNT), ("/api/webhooks", WEBHOOK), ("/api/knowledge/documents", DOCUMENT)]


def under(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


async def made(api: httpx.AsyncClient, path: str) -> int:
    """How many there are."""
    answer = (await api.get(path)).json()
    return len(answer if isinstance(answer, list) else answer.get("items", answer))


@pytest.mark.parametrize(("path", "given"), MAKES, ids=lambda each: each if isinstance(each, str) else "")
async def test_what_is_created_twice_under_one_key_is_created_once(api: httpx.AsyncClient, path: str, given: dict[str, Any]) -> None:
    """API-5: one after the other, and eight at the same moment."""
    first = await api.post(path, json=given, headers=under("one"))
    again = await api.post(path, json=given, headers=under("one"))
    assert (first.status_code, again.status_code) == (201, 201), first.text + again.text
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    told = first.json()
    assert again.json() == ({**told, "secret": None} if "secret" in told else told)
    other = {**given, "text": "Closed on Sundays."} if "text" in given else given
    together = await asyncio.gather(*(api.post(path, json=other, headers=under("many")) for _ in range(8)))
    assert {(answer.status_code, answer.json()["id"]) for answer in together} == {(201, together[0].json()["id"])}
    assert await made(api, path) == 2


async def test_a_key_is_for_one_request_of_one_operator_and_survives_a_restart(api_as: ApiAs, server: Server) -> None:
    """API-5, SEC-6: something else under the key is a mistake; somebody else's key is another."""
    ana, ben = await api_as("ana"), await api_as("ben")
    first = await ana.post("/api/accounts", json=ACCOUNT, headers=under("key"))
    assert first.status_code == 201, first.text
    for path, given in (("/api/accounts", {**ACCOUNT, "name": "Other"}), ("/api/webhooks", WEBHOOK)):
        answer = await ana.post(path, json=given, headers=under("key"))
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")
    theirs = await ben.post("/api/accounts", json=ACCOUNT, headers=under("key"))
    assert (theirs.status_code, await made(ana, "/api/accounts")) == (201, 2)
    await asyncio.to_thread(server.restart)
    again = await ana.post("/api/accounts", json=ACCOUNT, headers=under("key"))
    assert (again.status_code, again.json()["id"], await made(ana, "/api/accounts")) == (201, first.json()["id"], 2)
    assert (await ana.post("/api/accounts", json=ACCOUNT, headers=under("x" * 256))).status_code == 422


async def test_a_refused_request_leaves_its_key_free_and_what_is_told_once_is_not_told_again(api: httpx.AsyncClient) -> None:
    """API-5, SEC-7"""
    refused = await api.post("/api/webhooks", json={**WEBHOOK, "url": "nonsense"}, headers=under("hook"))
    assert refused.status_code == 422
    first = await api.post("/api/webhooks", json=WEBHOOK, headers=under("hook"))
    assert str(first.json()["secret"]).startswith("whsec_")
    rotated = [
        (await api.post(f"/api/webhooks/{first.json()['id']}/rotate-secret", headers=under("turn"))).json() for _ in range(2)
    ]
    assert rotated[0]["secret"] != first.json()["secret"]
    assert rotated[1]["secret"] is None


async def test_somebody_else_never_sends_what_an_operator_wrote(api_as: ApiAs) -> None:
    """MSG-13, SEC-6: a request that says whom it is from is refused when another one is logged in."""
    ana, ben = await api_as("ana"), await api_as("ben")
    mine = (await ana.get("/api/auth/user")).json()["id"]
    assert (await ana.post("/api/accounts", json=ACCOUNT, headers={"X-For-Operator": mine})).status_code == 201
    answer = await ben.post("/api/accounts", json=ACCOUNT, headers={"X-For-Operator": mine})
    assert (answer.status_code, answer.json()["code"], await made(ana, "/api/accounts")) == (403, "other_operator", 1)


async def test_every_post_says_that_it_takes_a_key(api: httpx.AsyncClient) -> None:
    """API-5: but those that log in and out."""
    document = (await api.get("/api/openapi.json")).json()
    without = {
        path
        for path, methods in document["paths"].items()
        if "post" in methods and not any(each["name"] == "Idempotency-Key" for each in methods["post"].get("parameters", []))
    }
    assert without == {"/api/auth/login", "/api/auth/logout", "/api/auth/token"}
