"""API-2, SEC-5, SEC-6: every route of the API, attacked. The sweep enumerates the routes of the real app."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support.cast import PASSWORDS
from tests.support.registry import Route
from tests.ui.conftest import House
from tests.ui.test_guard import existing_ids, stored
from whatsapp_dashboard.api.gate import PUBLIC

pytestmark = pytest.mark.slow

WRITES = ("POST", "PUT", "PATCH", "DELETE")
OWN = re.compile(r"/api/auth/(login|logout|token|password|second-factor.*|sessions/.*)")
"""What everybody may do with their own access."""


def closed(house: House) -> list[Route]:
    return [route for route in house.routes if (route.method, route.path) not in PUBLIC]


def address(route: Route, value: str = "x") -> str:
    return re.sub(r"{[^}]+}", value, route.path)


def body() -> dict[str, Any]:
    return {
        "username": "mallory",
        "role": "owner",
        "name": "mallory",
        "disabled": True,
        "engine": "sandbox",
        "number": "+15550100",
        "message": "x",
    }


def test_every_route_stands_below_a_prefix_the_gate_watches(house: House) -> None:
    """API-2"""
    assert len(house.routes) > 8
    for route in house.routes:
        assert route.path.startswith(("/api/", "/health/", "/metrics")), route


@pytest.mark.parametrize("attack", ["nothing", "made-up cookie", "ended session", "made-up token", "basic"])
def test_no_route_answers_without_a_session(house: House, attack: str) -> None:
    """API-2"""
    headers = {
        "nothing": {}, "made-up cookie": {"Cookie": "wa.sid=" + "x" * 43}, "made-up token": {"Authorization": "Bearer x.y.z"},
        "basic": {"Authorization": "Basic YW5hOmFuYQ=="}, "ended session": {},
    }[attack]  # fmt: skip
    if attack == "ended session":
        headers = {"Cookie": house.cookie("ana")}
        with house.client(None, **headers) as client:
            client.post("/api/auth/logout")
    with house.client(None, **headers) as client:
        for route in closed(house):
            answer = client.request(route.method, address(route), json=body() if route.method in WRITES else None)
            assert answer.status_code == 401, route
            assert answer.json()["code"] == "unauthenticated"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", None])
def test_no_write_with_our_cookie_is_accepted_from_a_foreign_page(house: House, origin: str | None) -> None:
    """SEC-5"""
    with house.client("ana") as client:
        before = stored(house)
        if origin is None:
            del client.headers["origin"]
        else:
            client.headers["origin"] = origin
        for route in closed(house):
            if route.method in WRITES:
                answer = client.request(route.method, address(route, existing_ids(house)[0]), json=body())
                assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin"), route
    assert stored(house) == before


def test_a_program_with_a_cookie_says_so_by_a_header(house: House) -> None:
    """SEC-5: what a foreign page cannot send without being allowed by CORS."""
    with house.client("ana") as client:
        del client.headers["origin"]
        assert client.put("/api/auth/password", json={}).status_code == 403
        assert client.put("/api/auth/password", json={}, headers={"X-Requested-With": "curl"}).status_code == 422
        assert (
            client.put("/api/auth/password", json={}, headers={"X-Requested-With": "x", "Sec-Fetch-Site": "cross-site"}).status_code == 403
        )


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_nobody_is_logged_in_or_out_by_a_foreign_page(house: House, origin: str) -> None:
    """SEC-5: log-in CSRF too."""
    with house.client("ana") as client:
        for path, given in (("/api/auth/login", {"username": "ana", "password": PASSWORDS["ana"]}), ("/api/auth/logout", {})):
            assert client.post(path, data=given, headers={"Origin": origin}).status_code == 403
        assert client.get("/api/auth/user").status_code == 200


def test_a_foreign_page_may_not_read_answers(house: House) -> None:
    """SEC-5: CORS."""
    with house.client("ana") as client:
        answer = client.get("/api/auth/user", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in answer.headers
        answer = client.options("/api/auth/user", headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "PUT"})
        assert "access-control-allow-origin" not in answer.headers


def test_a_viewer_changes_nothing_through_any_route(house: House) -> None:
    """SEC-6"""
    with house.client("vic") as client:
        before = stored(house)
        for route in closed(house):
            if route.method in WRITES and not OWN.fullmatch(address(route)):
                answer = client.request(route.method, address(route, existing_ids(house)[0]), json=body())
                assert answer.status_code in (403, 404, 409, 413, 422, 501, 503), (route, answer.text)
    assert stored(house) == before


@pytest.mark.parametrize("sent", [b"", b"{", b"[]", b"null", b'{"username": 1}', b"x" * 200_000, b'{"username": "a", "password": {}}'])
def test_bad_log_ins_get_a_problem_document(house: House, sent: bytes) -> None:
    """API-1"""
    with house.client(None) as client:
        for path in ("/api/auth/login", "/api/auth/token"):
            answer = client.post(path, content=sent, headers={"Content-Type": "application/json"})
            assert answer.status_code == 422, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["code"] == "invalid"


def test_the_lock_out_answers_429_and_says_when_to_come_back(house: House) -> None:
    """SEC-3: as the last test of this module, since it locks this address."""
    with house.client(None) as client:
        codes = [client.post("/api/auth/login", json={"username": "mallory", "password": "guess"}).status_code for _ in range(6)]
        assert codes == [401] * 5 + [429]
        answer = client.post("/api/auth/login", json={"username": "nobody", "password": PASSWORDS["ana"]})
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 900
        page = client.post("/api/auth/login", data={"username": "nobody", "password": "x"}).headers["location"]
        assert "error=locked_out" in page
        assert "Try again in 15 minutes" in client.get(page).text
