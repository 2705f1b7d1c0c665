"""The routes of credits, by a real client of the real server (API-3, API-5, CRED-1, CRED-2)."""

from __future__ import annotations

import csv
import io
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

ApiAs = Callable[[str], Awaitable[httpx.AsyncClient]]


async def test_a_program_follows_its_credits_through_all_pages_of_the_ledger(api: httpx.AsyncClient) -> None:
    """CRED-2, API-1: every line once, newest first; filters by type and time; the same as CSV."""
    for number in range(1, 8):
        (await api.post("/api/credits/top-up", json={"amount": number, "description": f"No. {number}"})).raise_for_status()
    (await api.post("/api/credits/adjust", json={"amount": -28, "description": "  counted\n twice "})).raise_for_status()
    seen, cursor = [], ""
    while True:
        page = (await api.get("/api/credits/ledger", params={"limit": 3, "cursor": cursor})).json()
        seen += page["items"]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert [(line["amount"], line["balance_after"]) for line in seen] == [(28, 0)] + [(n, n * (n + 1) // 2) for n in range(7, 0, -1)]
    assert (seen[0]["type"], seen[0]["description"], seen[0]["operator"], seen[0]["contact"]) == ("debit", "counted twice", "ana", "")
    debits = (await api.get("/api/credits/ledger", params={"type": "debit"})).json()["items"]
    assert [line["id"] for line in debits] == [seen[0]["id"]]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    for given, count in (({"since": tomorrow}, 0), ({"until": tomorrow}, 8), ({"type": "credit", "until": tomorrow}, 7)):
        assert len((await api.get("/api/credits/ledger", params=given)).json()["items"]) == count
        file = await api.get("/api/credits/ledger.csv", params=given)
        assert 'filename="credits.csv"' in file.headers["content-disposition"]
        assert len(list(csv.DictReader(io.StringIO(file.text.removeprefix("\ufeff"))))) == count
    (day,) = (await api.get("/api/credits/daily", params={"days": 1, "zone": "Pacific/Honolulu"})).json()
    assert (day["spent"], day["added"], day["taken"], day["balance"]) == (0, 28, 28, 0)


async def test_what_makes_no_sense_gets_a_clear_answer(api: httpx.AsyncClient) -> None:
    """API-1: wrong type, too much, too long, no reason, no time zone."""
    for path, given in (
        ("ledger", {"type": "gift"}), ("ledger", {"cursor": "nonsense"}), ("ledger", {"limit": 0}),
        ("ledger", {"since": "2026-01-31T10:00"}),
        ("ledger.csv", {"since": "soon"}), ("daily", {"days": 0}), ("daily", {"days": 367}), ("daily", {"zone": "Atlantis"}),
        ("daily", {"zone": "../../etc/passwd"}), ("daily", {"zone": ""}),
    ):  # fmt: skip
        answer = await api.get(f"/api/credits/{path}", params=given)
        assert answer.status_code == 422, (path, given)
        assert answer.headers["content-type"].startswith("application/problem+json")
    top_up, adjust = "/api/credits/top-up", "/api/credits/adjust"
    for path, body in (
        (top_up, {}), (top_up, {"amount": 0}), (top_up, {"amount": -5}), (top_up, {"amount": 10**12}), (top_up, {"amount": "many"}),
        (top_up, {"amount": 1.5}), (top_up, {"amount": 5, "description": "x" * 256}), (top_up, {"amount": 5, "price": 1}),
        (adjust, {"amount": 5, "description": " "}), (adjust, {"amount": 0, "description": "why"}), (adjust, {"amount": -5}),
    ):  # fmt: skip
        assert (await api.post(path, json=body)).status_code == 422, (path, body)
    for price in (-1, 10**9, "two", 1.5, None):
        assert (await api.patch("/api/credits", json={"price": price})).status_code == 422, price
    state = (await api.get("/api/credits")).json()
    assert (state["balance"], state["price"], state["low"]) == (0, 0, False)


async def test_a_key_is_good_for_one_change(api: httpx.AsyncClient) -> None:
    """API-5: a correction that is sent twice is made once; the key with another amount is refused."""
    key = {"Idempotency-Key": "correction-1"}
    (await api.post("/api/credits/top-up", json={"amount": 50})).raise_for_status()
    both = [(await api.post("/api/credits/adjust", json={"amount": -20, "description": "test"}, headers=key)).json() for _ in range(2)]
    assert both[0]["id"] == both[1]["id"]
    other = await api.post("/api/credits/adjust", json={"amount": -30, "description": "test"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    assert (await api.get("/api/credits")).json()["balance"] == 30


@pytest.mark.parametrize("name", ["ben", "vic"])
async def test_only_owners_change_credits(api: httpx.AsyncClient, api_as: ApiAs, name: str) -> None:
    """SEC-6: all others look, those of another workspace at their own."""
    (await api.post("/api/credits/top-up", json={"amount": 7})).raise_for_status()
    client = await api_as(name)
    for method, path, body in (
        ("POST", "/api/credits/top-up", {"amount": 5}),
        ("POST", "/api/credits/adjust", {"amount": -5, "description": "mine"}),
        ("PATCH", "/api/credits", {"price": 0}),
    ):
        assert (await client.request(method, path, json=body)).status_code == 403
    assert (await client.get("/api/credits")).json()["balance"] == 7
    mallory = await api_as("mallory")
    assert (await mallory.get("/api/credits")).json()["balance"] == 0
    assert (await mallory.get("/api/credits/ledger")).json()["items"] == []
    assert (await mallory.get("/api/credits/ledger.csv")).text.count("\n") == 1
    assert (await mallory.get("/api/credits/daily", params={"days": 1})).json()[0]["added"] == 0
