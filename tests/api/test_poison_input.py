"""Text that no database stores, values of every wrong size and kind, in every place a request has: no error of ours (API-1)."""

from __future__ import annotations

import asyncio
import copy
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from tests.api.test_bad_input import NOT_OURS, example
from tests.support.server import OWNER, OWNER_PASSWORD, Server
from tests.support.waiting import PATIENCE
from whatsapp_dashboard.api.app import ROUTERS
from whatsapp_dashboard.api.route import CleanRoute

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

UNSTORABLE = ["a\x00b", "\x00", "\ud800", "x\udc00\x00"]
ODD = [*UNSTORABLE, "", " ", "é" * 50_000, "\ufffe", "2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"]
NUMBERS = [2**31, 2**63, 10**30, -(2**63) - 1, 1e308, -1]
KINDS = [None, True, [], ["a\x00\ud800"], {"a\x00\ud800": "\x00"}, [[]]]
QUERY = [*UNSTORABLE[:2], "", "9" * 40, "-1", "9" * 5_000, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "%", "\u202e"]
OURS = re.compile(r"/api/auth/(logout|password|sessions)|/api/docs")
"""Routes that would end the sweep's own session."""
AT_ONCE = 6


@pytest.fixture
def server(new_server: Callable[..., Server], database_url: str) -> Server:
    """A running dashboard, on SQLite and on PostgreSQL."""
    made = new_server(DATABASE_URL=database_url)
    made.start()
    return made


@pytest.fixture
async def api(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """Ana by token."""
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as client:
        answer = await client.post("/api/auth/token", json={"username": OWNER, "password": OWNER_PASSWORD})
        client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        yield client


def test_every_route_reads_clean_text() -> None:
    """API-1: a route that is made with FastAPI's own router would see what nobody can store."""
    assert all(isinstance(route, CleanRoute) for router in ROUTERS for route in router.routes if isinstance(route, APIRoute))


async def test_no_field_of_a_body_is_an_error_of_ours(api: httpx.AsyncClient, server: Server) -> None:
    """API-1: each field of each body, also the inner ones, with what no database stores, with nothing, and with a number too large."""
    await _spoil(api, server, ("a\x00\ud800", "", 10**30))


@pytest.mark.full
@pytest.mark.timeout(900)
async def test_no_field_of_a_body_is_an_error_of_ours_in_any_way(api: httpx.AsyncClient, server: Server) -> None:
    """API-1: the same with each of many wrong values."""
    await _spoil(api, server, (*ODD, *NUMBERS, *KINDS))


async def _spoil(api: httpx.AsyncClient, server: Server, values: tuple[Any, ...]) -> None:
    account = await _account(api)
    requests: list[tuple[str, str, dict[str, Any], Any]] = []
    for method, path, what, good in _with_json(await _document(api)):
        for bad in _spoiled(good, values):
            how = {"content": json.dumps(bad), "headers": {"Content-Type": "application/json"}}
            requests.append((method, _filled(path, account), how, what))
    await _send_all(api, requests)
    assert len(requests) > 40 * len(values)
    assert "request failed" not in server.log


async def test_no_parameter_is_an_error_of_ours(api: httpx.AsyncClient, server: Server) -> None:
    """API-1: queries, paths, headers and cookies. What cannot be stored is refused with the name of the parameter."""
    account = await _account(api)
    requests: list[tuple[str, str, dict[str, Any], Any]] = []
    for method, path, what in _operations(await _document(api)):
        body = {"json": {}} if "requestBody" in what else {}
        for parameter in what.get("parameters", []):
            if parameter["in"] == "query":
                requests += [(method, _filled(path, account), {"params": {parameter["name"]: value}, **body}, what) for value in QUERY]
        if "{" in path:
            for value in ("%00", "a%00b", "%ED%A0%80", "%FF", "x" * 5_000, "%20"):
                requests.append((method, _filled(path, value), body, what))
        for header in ("Idempotency-Key", "User-Agent", "Cookie", "X-Requested-With"):
            requests.append((method, _filled(path, account), {"headers": {header: b"wa.sid=\"\\000\xff\xfe\""}, **body}, what))
    await _send_all(api, requests)
    assert "request failed" not in server.log
    refused = await api.get("/api/messages", params={"q": "a\x00b"})
    assert (refused.status_code, refused.json()["field"]) == (422, "q")
    gone = await api.get(f"/api/accounts/{account}%00")
    assert gone.status_code == 404


async def test_a_log_in_without_a_session(server: Server) -> None:
    """API-1, SEC-1: whatever stands in the form or the JSON, the answer is a refusal; the right password works, from whatever browser."""
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as nobody:
        headers = {"User-Agent": b"odd \xff\xfe", "X-Requested-With": "x"}
        answer = await nobody.post("/api/auth/login", json={"username": OWNER, "password": OWNER_PASSWORD}, headers=headers)
        assert answer.status_code == 200, answer.text
        assert (await nobody.get("/api/auth/user", headers=headers)).json()["username"] == OWNER
        for path in ("/api/auth/login", "/api/auth/token"):
            for value in (*ODD, *NUMBERS, *KINDS):
                for field in ("username", "password", "code"):
                    given = {"username": f"u{hash(repr(value)) % 1_000}", "password": "p", "code": ""} | {field: value}
                    answer = await nobody.post(path, content=json.dumps(given), headers={"Content-Type": "application/json"})
                    assert 400 <= answer.status_code < 500, (path, field, value, answer.text)
        for field in ("username", "password", "code", "next", "a%00"):
            for value in ("a%00b", "%ED%A0%80", "%FF", ""):
                content, kind = f"username=x&password=y&{field}={value}", "application/x-www-form-urlencoded"
                answer = await nobody.post("/api/auth/login", content=content, headers={"Content-Type": kind})
                assert answer.status_code == 303, answer.text
                assert (await nobody.get(answer.headers["location"])).status_code == 200
    assert "request failed" not in server.log


async def test_what_can_be_left_out_is_left_out(api: httpx.AsyncClient) -> None:
    """API-1: a text with a NUL or half an emoji is taken without it, in the names of files too."""
    account = await _account(api)
    body = json.dumps({"account_id": account, "number": "+34600111222", "message": "cut off \ud83d\x00"})
    sent = await api.post("/api/messages/send", content=body, headers={"Content-Type": "application/json"})
    assert sent.status_code < 300, sent.text
    listed = (await api.get("/api/messages")).text
    assert "cut off \ufffd" in listed
    upload = {"file": ("me\x00nu\ud83d.txt".encode("utf-8", "surrogatepass").decode("latin-1"), b"We open at nine.", "text/plain")}
    added = await api.post("/api/knowledge/documents/upload", files=upload, data={"title": "Ho\x00urs"})
    assert added.status_code < 300, added.text
    assert added.json()["title"] == "Hours"


async def _account(api: httpx.AsyncClient) -> str:
    return str((await api.post("/api/accounts", json={"name": "Shop", "engine": "sandbox"})).json()["id"])


async def _document(api: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await api.get("/api/openapi.json")).json()
    return found


def _operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    found = [(method.upper(), path, what) for path, methods in document["paths"].items() for method, what in methods.items()]
    # What deletes comes last, so that the account is there for the others.
    return sorted((item for item in found if not OURS.search(item[1])), key=lambda item: item[0] == "DELETE")


def _with_json(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Every operation that takes JSON, with a good body."""
    return [
        (method, path, what, example(document, what))
        for method, path, what in _operations(document)
        if "application/json" in what.get("requestBody", {}).get("content", {}) and not re.search(r"/auth/|/test|/try", path)
    ]


def _spoiled(good: dict[str, Any], values: tuple[Any, ...]) -> Iterator[Any]:
    """``good`` with each part of it replaced by each of ``values``."""
    places: list[tuple[Any, ...]] = []

    def walk(value: Any, where: tuple[Any, ...]) -> None:
        if where:
            places.append(where)
        for name, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
            walk(part, (*where, name))

    walk(good, ())
    for where in places:
        for value in values:
            bad = copy.deepcopy(good)
            holder = bad
            for name in where[:-1]:
                holder = holder[name]
            holder[where[-1]] = value
            yield bad
    yield {**good, "a\x00\ud800": 1}


def _filled(path: str, name: str) -> str:
    return re.sub(r"{[^}]+}", lambda _match: name, path)


async def _send_all(api: httpx.AsyncClient, requests: list[tuple[str, str, dict[str, Any], Any]]) -> None:
    turns, failed = asyncio.Semaphore(AT_ONCE), []

    async def send(method: str, path: str, how: dict[str, Any]) -> None:
        async with turns:
            try:
                answer = await api.request(method, path, **how)
            except httpx.ReadError:  # a kept connection that was closed just now
                answer = await api.request(method, path, **how)
        ours = answer.status_code >= 500 and answer.status_code not in (501, 503, 504) and answer.json().get("code") not in NOT_OURS
        if ours:
            failed.append(f"{method} {path[:80]} {str(how)[:200]} -> {answer.status_code}")

    await asyncio.gather(*(send(method, path, how) for method, path, how, _ in requests))
    assert not failed, f"{len(failed)} of {len(requests)}:\n" + "\n".join(failed[:40])
