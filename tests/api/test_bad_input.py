"""Whatever is sent to whichever route, the answer is a clear problem document, and nothing half-done remains (API-1).

The sweep reads the routes from the OpenAPI document, so that a route added later is covered by itself.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.support.cast import PASSWORDS
from tests.support.server import Server
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.slow

HARMLESS = re.compile(r"/api/auth/(logout|login|token)|/health/")
"""Routes that end or begin the sweep's own session, or take nothing."""
BODIES: list[bytes] = [
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"17",
    b"{",
    b"\xff\xfe",
    b"[" * 50_000,
    b'{"' + b"a" * 1_200_000 + b'": 1}',
]
VALUES: list[Any] = [
    None,
    "",
    " ",
    "x" * 200_000,
    "\x00",
    "\ud83d",
    10**30,
    -1,
    1.5e308,
    True,
    [],
    {},
    ["x"],
    {"x": {"y": []}},
    "' OR 1=1 --",
]
NOT_OURS = {"provider_failed"}
"""Another server was asked and did not answer."""
A_PROVIDER_AT_HOME = {"kind": "compatible", "url": "http://127.0.0.1:9/v1", "model": "m"}
"""Instead of the example's: no test asks a public host."""
NAMES = ["x", "%00", "..%2f..%2fetc%2fpasswd", "9" * 4_000, quote("متجر"), "01a1fb0d-f3c1-7721-b168-23308b5dd0b5"]


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """Ana by token."""
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as made:
        answer = made.post("/api/auth/token", json={"username": "ana", "password": PASSWORDS["ana"]})
        made.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        yield made


def rows(server: Server) -> dict[str, int]:
    """How many rows each table has, except the ones that count what happens (events, sessions)."""
    with closing(sqlite3.connect(server.data_dir / "dashboard.db")) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for name in names
            if name not in ("event", "login_session", "login_attempt")
        }


def is_a_clear_refusal(answer: httpx.Response) -> None:
    """4xx, or what is not our fault, with a problem document that says something."""
    where = f"{answer.request.method} {str(answer.request.url)[:120]} -> {answer.status_code} {answer.text[:200]}"
    assert answer.headers["content-type"].startswith("application/problem+json"), where
    problem = answer.json()
    assert 400 <= answer.status_code < 500 or answer.status_code == 501 or problem["code"] in NOT_OURS, where
    assert problem["detail"], where
    assert problem["code"], where
    assert "Traceback" not in answer.text, where


@pytest.fixture
def document(client: httpx.Client) -> dict[str, Any]:
    """What the API says of itself."""
    found: dict[str, Any] = client.get("/api/openapi.json").json()
    assert found["openapi"].startswith("3.1")
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Every operation: method, path, description."""
    found = [(method.upper(), path, what) for path, methods in document["paths"].items() for method, what in methods.items()]
    return [item for item in found if not HARMLESS.search(item[1])]


def filled(path: str, name: str) -> str:
    """The path with every parameter set to ``name``."""
    return re.sub(r"{[^}]+}", lambda _match: name, path)


def test_a_strange_id_is_never_found_and_never_an_error_of_ours(client: httpx.Client, document: dict[str, Any], server: Server) -> None:
    """API-1: whatever stands where an id should be."""
    before = rows(server)
    for method, path, what in operations(document):
        if "{" not in path:
            continue
        for name in NAMES:
            body = {"json": example(document, what)} if "requestBody" in what else {}
            is_a_clear_refusal(client.request(method, filled(path, name), **body))
    assert rows(server) == before


def test_a_body_that_is_none_is_refused(client: httpx.Client, document: dict[str, Any], server: Server) -> None:
    """API-1: empty, not JSON, not an object, nested to the sky, larger than the limit."""
    account = client.post("/api/accounts", json={"name": "Shop", "engine": "sandbox"}).json()["id"]
    before = rows(server)
    for method, path, what in operations(document):
        if "requestBody" not in what:
            continue
        for body in BODIES:
            headers = {"Content-Type": "application/json"}
            answer = client.request(method, filled(path, account), content=body, headers=headers)
            if body in (b"", b"null") and answer.status_code < 300:
                continue  # an optional body may be absent
            is_a_clear_refusal(answer)
        is_a_clear_refusal(client.request(method, filled(path, account), content=b"<a/>", headers={"Content-Type": "text/xml"}))
    assert rows(server) == before


def test_a_field_of_the_wrong_kind_is_refused_or_does_no_harm(client: httpx.Client, document: dict[str, Any], server: Server) -> None:
    """API-1: each field of each body in turn is made wrong in every way; no answer is an error of ours."""
    account = client.post("/api/accounts", json={"name": "Shop", "engine": "sandbox"}).json()["id"]
    for method, path, what in operations(document):
        if "application/json" not in what.get("requestBody", {}).get("content", {}) or path == "/api/auth/password":
            continue
        good = example(document, what)
        for field in good:
            for value in VALUES:
                bad = {**good, field: value}
                content = json.dumps(bad).encode()
                answer = client.request(method, filled(path, account), content=content, headers={"Content-Type": "application/json"})
                if answer.status_code < 300:
                    continue
                is_a_clear_refusal(answer)
        is_a_clear_refusal(client.request(method, filled(path, account), json={**good, "surprise": 1, "account_id": "x"}))
    assert client.get("/health/ready").json() == {"status": "ready"}


def test_a_strange_query_is_refused_or_finds_nothing(client: httpx.Client, document: dict[str, Any]) -> None:
    """API-1: filters, cursors and limits."""
    for method, path, what in operations(document):
        if method != "GET" or "{" in path:
            continue
        for parameter in what.get("parameters", []):
            if parameter["in"] != "query":
                continue
            for value in ("", "x" * 5_000, "\x00", "-1", "1e9", "%", "' OR 1=1 --", "newer-x", "9999999999999999999999"):
                answer = client.request(method, path, params={parameter["name"]: value})
                if answer.status_code != 200:
                    is_a_clear_refusal(answer)


def example(document: dict[str, Any], what: dict[str, Any]) -> dict[str, Any]:
    """A body as the document describes it: its example, or something of the right kind in each field."""
    schema = resolve(document, what["requestBody"]["content"]["application/json"]["schema"])
    if schema.get("examples"):
        good = dict(schema["examples"][0])
        return good | A_PROVIDER_AT_HOME if {"kind", "model", "key"} <= good.keys() else good
    return {name: of_kind(document, resolve(document, part)) for name, part in schema.get("properties", {}).items()}


def resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Follow references."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def of_kind(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    """A value of the kind ``schema`` describes."""
    if "anyOf" in schema:
        return of_kind(document, resolve(document, schema["anyOf"][0]))
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return {name: of_kind(document, resolve(document, part)) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return ["34600111222"]
    return {"string": "x", "integer": 1, "number": 1.0, "boolean": False}.get(str(kind))
