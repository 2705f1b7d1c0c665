"""The routes of webhooks, their deliveries and the allowed networks, by a real client of the real server (API-3, HOOK-1 to HOOK-8)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.support.clients import answer_of
from tests.support.linking import linked_account
from tests.support.receivers import Receivers
from tests.support.server import Server
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone
from whatsapp_dashboard.engines.sandbox.server import socket_path_for

ApiAs = Callable[[str], Awaitable[httpx.AsyncClient]]
TOKEN = "Bearer a-token-of-the-receiver"


@pytest.fixture
async def receivers(api: httpx.AsyncClient) -> AsyncIterator[Receivers]:
    """Receivers that the dashboard may reach."""
    async with Receivers(2) as found:
        (await api.post("/api/network/allowed", json={"value": "127.0.0.0/8"})).raise_for_status()
        yield found


@pytest.fixture
async def phone(server: Server) -> AsyncIterator[SandboxPhone]:
    """A hand on the sandbox phone inside the dashboard."""
    async with SandboxPhone(socket_path_for(server.data_dir)) as found:
        yield found


async def test_a_program_creates_a_webhook_and_follows_its_deliveries(
    api: httpx.AsyncClient, receivers: Receivers, phone: SandboxPhone
) -> None:
    """API-3: from the list of events to the replay."""
    events = (await api.get("/api/webhooks/events")).json()
    assert events[0]["name"] == "message"
    assert events[0]["example"]["body"]
    account_id = await linked_account(api, phone, "Bakery")
    made = (
        await api.post(
            "/api/webhooks",
            json={
                "url": receivers.url("500", "crm"), "name": "CRM", "account_id": account_id, "events": ["message", "message.sent"],
                "secret": "generate", "headers": {"Authorization": TOKEN},
            },
        )
    ).json()  # fmt: skip
    assert (made["account_name"], made["header_names"], made["state"]) == ("Bakery", ["Authorization"], "active")
    assert made["secret"].startswith("whsec_")
    assert made["secret"].endswith(made["secret_hint"])
    hook = f"/api/webhooks/{made['id']}"
    await phone.send_text("carla", "What is on the menu?")
    log = await answer_of(api, f"{hook}/deliveries", lambda found: found["items"] and found["items"][0]["attempts"] == 1)
    (item,) = log["items"]
    assert (item["event_type"], item["state"], item["last_status"], item["account_name"]) == ("message", "pending", 500, "Bakery")
    detail = (await api.get(f"/api/webhooks/deliveries/{item['id']}")).json()
    assert '"body":"What is on the menu?"' in detail["body"]
    assert (detail["tries"][0]["status"], detail["tries"][0]["response_body"]) == (500, "answer 500")
    assert detail["tries"][0]["request_headers"]["Authorization"] == "••••"
    health = (await api.get(hook)).json()["health"]
    assert [health[key] for key in ("success_rate", "delivered", "given_up", "succeeded", "failed")] == [None, 0, 0, 0, 1]
    receivers.behaviours["crm"] = "accept"
    assert (await api.post(f"/api/webhooks/deliveries/{item['id']}/replay")).status_code == 200
    await answer_of(api, f"/api/webhooks/deliveries?state=succeeded&event_id={item['event_id']}", lambda found: len(found["items"]) == 1)
    health = (await api.get(hook)).json()["health"]
    assert [health[key] for key in ("success_rate", "delivered", "given_up", "succeeded", "failed")] == [1.0, 1, 0, 1, 1]
    assert (await api.post("/api/webhooks/deliveries/replay", json={"state": "succeeded", "webhook_id": made["id"]})).json() == {
        "replayed": 1
    }
    await receivers.until(3)
    assert (await api.post(f"{hook}/replay", json={"since": "2020-01-01T00:00:00Z"})).status_code == 200
    assert (await api.post(f"{hook}/test")).json()["status"] == 204
    paths = (hook, "/api/webhooks", f"{hook}/deliveries", f"/api/accounts/{account_id}/webhooks")
    everything = "".join([(await api.get(path)).text for path in paths])
    assert made["secret"] not in everything
    assert TOKEN not in everything
    assert (await api.delete(hook)).status_code == 204
    assert (await api.get(hook)).status_code == 404


async def test_each_change_has_its_route(api: httpx.AsyncClient, receivers: Receivers) -> None:
    """API-3."""
    made = (await api.post("/api/webhooks", json={"url": receivers.url("accept")})).json()
    hook = f"/api/webhooks/{made['id']}"
    assert (await api.patch(hook, json={"name": "New", "events": ["session.status"]})).json()["events"] == ["session.status"]
    assert (await api.patch(hook, json={})).json()["name"] == "New"
    assert (await api.patch(f"{hook}/toggle")).json()["state"] == "off"
    assert (await api.patch(f"{hook}/toggle", json={"enabled": True})).json()["state"] == "active"
    assert (await api.post(f"{hook}/pause")).json()["state"] == "paused"
    assert (await api.post(f"{hook}/resume")).json()["state"] == "active"
    assert (await api.post(f"{hook}/rotate-secret", json={"secret": "a secret of mine"})).json()["secret"] == "a secret of mine"
    second = (await api.post(f"{hook}/rotate-secret")).json()
    assert second["secret"].startswith("whsec_")
    assert second["previous_secret_until"]
    assert (await api.delete(f"{hook}/secret")).json()["has_secret"] is False
    tried = await api.post("/api/webhooks/test", json={"url": receivers.url("say"), "secret": "a secret of mine"})
    assert (tried.json()["response_body"], tried.json()["succeeded"]) == ("<b>thanks</b>", True)


async def test_a_private_url_is_a_problem_that_names_the_host(api: httpx.AsyncClient, api_as: ApiAs) -> None:
    """HOOK-7: a client can ask an owner for exactly that, and only an owner can."""
    refused = await api.post("/api/webhooks", json={"url": "http://10.1.2.3:5678/webhook"})
    assert refused.status_code == 422
    problem = refused.json()
    assert (problem["code"], problem["host"], problem["field"]) == ("private_network", "10.1.2.3", "url")
    ben = await api_as("ben")
    assert (await ben.post("/api/network/allowed", json={"value": "10.1.2.3"})).status_code == 403
    assert (await api.post("/api/network/allowed", json={"value": "10.1.2.3"})).status_code == 201
    assert [entry["value"] for entry in (await ben.get("/api/network/allowed")).json()] == ["10.1.2.3"]
    assert (await ben.post("/api/webhooks", json={"url": "http://10.1.2.3:5678/webhook", "enabled": False})).status_code == 201
    never = await api.post("/api/webhooks", json={"url": "http://169.254.169.254/"})
    assert never.json()["code"] == "forbidden_address"
    assert (await api.post("/api/network/allowed", json={"value": "169.254.169.254"})).status_code == 422
    assert (await api.delete("/api/network/allowed", params={"value": "10.1.2.3"})).status_code == 204
    assert (await api.delete("/api/network/allowed", params={"value": "10.1.2.3"})).status_code == 404


async def test_a_viewer_reads_and_a_stranger_finds_nothing(api: httpx.AsyncClient, api_as: ApiAs, receivers: Receivers) -> None:
    """SEC-6."""
    made = (await api.post("/api/webhooks", json={"url": receivers.url("accept")})).json()
    hook = f"/api/webhooks/{made['id']}"
    vic, mallory = await api_as("vic"), await api_as("mallory")
    assert (await vic.get(hook)).status_code == 200
    calls = [
        ("POST", "/api/webhooks", {"url": receivers.url("accept")}), ("POST", "/api/webhooks/test", {"url": receivers.url("accept")}),
        ("PATCH", hook, {"name": "x"}), ("PATCH", f"{hook}/toggle", None), ("POST", f"{hook}/pause", None), ("POST", f"{hook}/test", None),
        ("POST", f"{hook}/rotate-secret", None), ("POST", f"{hook}/replay", {"since": "2020-01-01T00:00:00Z"}),
        ("POST", "/api/webhooks/deliveries/replay", {"state": "dead"}), ("DELETE", f"{hook}/secret", None), ("DELETE", hook, None),
    ]  # fmt: skip
    for method, path, body in calls:
        assert (await vic.request(method, path, json=body)).status_code == 403, path
    assert (await mallory.get("/api/webhooks")).json() == []
    for method, path, body in calls[2:8] + calls[9:]:
        assert (await mallory.request(method, path, json=body)).status_code == 404, path
    assert receivers.arrivals == []


async def test_bad_bodies_and_filters_are_problems_and_change_nothing(api: httpx.AsyncClient) -> None:
    """API-1."""
    good = {"url": "https://example.org/"}
    bodies: list[Any] = [
        {}, {"url": ""}, {"url": 5}, {"url": "x" * 20_000}, good | {"events": []}, good | {"events": ["nonsense"]}, good | {"surprise": 1},
        good | {"headers": {"Host": "x"}}, good | {"headers": ["x"]}, good | {"secret": "short"}, [], "text",
    ]  # fmt: skip
    for body in bodies:
        answer = await api.post("/api/webhooks", json=body)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), body
    for query in ("state=lost", "cursor=nonsense", "limit=0", "limit=1000", "since=yesterday", "since=2026-01-31T10:00:00"):
        assert (await api.get(f"/api/webhooks/deliveries?{query}")).status_code == 422, query
    assert (await api.get("/api/webhooks")).json() == []
