"""The routes of AI, knowledge base and credits, by a real client of the real server (API-3, AI-1 to AI-9, CRED-1, CRED-2)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.support.clients import answer_of
from tests.support.linking import linked_account
from tests.support.llm_server import Behaviour, LlmServer
from tests.support.server import Server
from tests.support.waiting import PATIENCE
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone
from whatsapp_dashboard.engines.sandbox.server import socket_path_for

ApiAs = Callable[[str], Awaitable[httpx.AsyncClient]]
KEY = "sk-planted-key-4711"


@pytest.fixture
async def phone(server: Server) -> AsyncIterator[SandboxPhone]:
    """A hand on the sandbox phone inside the dashboard."""
    async with SandboxPhone(socket_path_for(server.data_dir)) as found:
        yield found


@pytest.fixture
async def llm(api: httpx.AsyncClient) -> AsyncIterator[LlmServer]:
    """Providers that the dashboard may reach."""
    (await api.post("/api/network/allowed", json={"value": "127.0.0.1"})).raise_for_status()
    async with LlmServer() as found:
        yield found


def providers(llm: LlmServer, *kinds: str) -> list[dict[str, Any]]:
    """As a request names them."""
    return [{"kind": kind, "model": "gpt-4.1-mini", "key": KEY, "url": llm.url(kind)} for kind in kinds]


async def test_a_program_sets_up_a_bot_and_follows_its_answer(api: httpx.AsyncClient, llm: LlmServer, phone: SandboxPhone) -> None:
    """AI-1, AI-3, AI-5, AI-6, AI-7: from the list of providers to the trace, with a passage of the knowledge base."""
    assert "groq" in [kind["name"] for kind in (await api.get("/api/ai/providers")).json()]
    account_id = await linked_account(api, phone, "Bakery")
    document = (await api.post("/api/knowledge/documents", json={"title": "Hours", "text": "The bakery opens at seven."})).json()
    await answer_of(api, f"/api/knowledge/documents/{document['id']}", lambda found: found["state"] == "ready")
    found = (await api.get("/api/knowledge/search", params={"q": "when does the bakery open"})).json()
    assert [passage["title"] for passage in found] == ["Hours"]
    where = f"/api/knowledge/documents/{document['id']}"
    assert (await api.patch(where, json={"title": "Opening", "text": "The bakery opens at seven, on Sundays at nine."})).status_code == 200
    changed = await answer_of(api, where, lambda found: found["state"] == "ready")
    assert (changed["title"], changed["text"]) == ("Opening", "The bakery opens at seven, on Sundays at nine.")
    path = f"/api/accounts/{account_id}/ai-config"
    llm.behave("groq", Behaviour("error", status=500))
    llm.behave("openai", Behaviour(text="At seven."))
    config = {"enabled": True, "settings": {"wait_seconds": 0}, "providers": providers(llm, "groq", "openai")}
    saved = (await api.post(path, json=config)).json()
    assert saved["enabled"]
    assert [provider["key_hint"] for provider in saved["providers"]] == [KEY[-4:]] * 2
    tried = (await api.post(f"{path}/try", json={"turns": [{"text": "When does the bakery open?"}]})).json()
    assert (tried["text"], tried["trace"]["passages"][0]["title"]) == ("At seven.", "Opening")
    contact = await phone.add_contact("Carla", "34600111222")
    await phone.send_text(contact["id"], "When does the bakery open?")
    messages = f"/api/accounts/{account_id}/messages"
    answered = await answer_of(api, messages, lambda page: any(item["origin"] == "ai" for item in page["items"]))
    answer = next(item for item in answered["items"] if item["origin"] == "ai")
    trace = (await api.get(f"/api/messages/{answer['id']}/ai-trace")).json()
    assert [step["outcome"] for step in trace["steps"]] == ["unavailable", "ok"]
    assert trace["passages"][0]["text"] == "The bakery opens at seven, on Sundays at nine."
    calls = (await api.get("/api/ai/calls", params={"purpose": "reply"})).json()["items"]
    assert [call["outcome"] for call in calls] == ["ok", "unavailable"]
    usage = (await api.get("/api/ai/usage", params={"account_id": account_id, "days": 7})).json()
    assert (usage["total"]["calls"], usage["total"]["ok"], len(usage["by_day"])) == (4, 2, 7)
    assert (await api.delete(path)).status_code == 204
    assert (await api.get(path)).json()["providers"] == []


async def test_models_are_listed_and_a_provider_is_tested_before_it_is_saved(api: httpx.AsyncClient, llm: LlmServer) -> None:
    """AI-2: latency and answer, or the exact error; what is wrong says so."""
    account_id = (await api.post("/api/accounts", json={"name": "Shop", "engine": "sandbox"})).json()["id"]
    path = f"/api/accounts/{account_id}/ai-config"
    (draft,) = providers(llm, "mistral")
    assert (await api.post(f"{path}/models", json=draft)).json()
    good = (await api.post(f"{path}/test", json=draft)).json()
    assert good["ok"]
    assert good["answer"]
    llm.behave("mistral", Behaviour("error", status=401, text="Invalid API key"))
    bad = (await api.post(f"{path}/test", json=draft)).json()
    assert (bad["ok"], bad["outcome"]) == (False, "auth")
    assert "Invalid API key" in bad["error"]
    assert KEY not in str(bad)
    private = draft | {"url": "http://192.168.7.7:11434/v1"}
    refused = await api.post(f"{path}/providers", json=private)
    assert (refused.status_code, refused.json()["code"], refused.json()["host"]) == (422, "private_network", "192.168.7.7")


async def test_a_stored_key_is_never_sent_to_another_address(api: httpx.AsyncClient, llm: LlmServer) -> None:
    """AI-9: whoever may change a provider must not read its key that way."""
    account_id = (await api.post("/api/accounts", json={"name": "Shop", "engine": "sandbox"})).json()["id"]
    path = f"/api/accounts/{account_id}/ai-config"
    provider = (await api.post(f"{path}/providers", json=providers(llm, "openai")[0])).json()
    stolen = {"kind": "compatible", "model": "m", "key": "••••", "url": llm.url("compatible")}
    for attempt in (
        api.put(f"{path}/providers/{provider['id']}", json=stolen),
        api.post(f"{path}/test", params={"provider_id": provider["id"]}, json=stolen),
        api.post(f"{path}/models", params={"provider_id": provider["id"]}, json=stolen),
    ):
        answer = await attempt
        assert (answer.status_code, answer.json()["code"]) == (422, "key_needed")
    assert llm.requests("compatible", "") == []
    kept = stolen | {"kind": "openai", "url": llm.url("openai"), "model": "other"}
    changed = (await api.put(f"{path}/providers/{provider['id']}", json=kept)).json()
    assert (changed["model"], changed["has_key"]) == ("other", True)


async def test_planted_keys_are_nowhere_but_sealed_in_the_database(
    api: httpx.AsyncClient, llm: LlmServer, phone: SandboxPhone, server: Server
) -> None:
    """AI-9, SEC-7, OBS-6: not in logs, events, answers of the API or any file, also when providers repeat them in their errors."""
    account_id = await linked_account(api, phone, "Bakery")
    path = f"/api/accounts/{account_id}/ai-config"
    asked = providers(llm, "openai", "anthropic", "google")
    await api.post(path, json={"enabled": True, "settings": {"wait_seconds": 0}, "providers": asked})
    for kind in ("openai", "anthropic", "google"):
        llm.behave(kind, Behaviour("error", status=401, text=f"key {KEY} is wrong"))
    contact = await phone.add_contact("Carla", "34600111222")
    await phone.send_text(contact["id"], "hello")
    await answer_of(api, "/api/ai/calls", lambda page: len(page["items"]) == 3)
    told = [
        (await api.get(where)).text
        for where in (path, "/api/ai/calls", "/api/ai/usage", f"/api/accounts/{account_id}/messages", "/api/accounts", "/api/openapi.json")
    ]
    told += [(await api.post(f"{path}/test", json=draft)).text for draft in providers(llm, "openai", "google")]
    assert all(KEY not in text for text in told)
    code, _ = server.terminate()
    assert code == 0
    for file in [server.log_path, *(each for each in server.data_dir.rglob("*") if each.is_file())]:
        assert KEY.encode() not in file.read_bytes(), file


async def test_roles_hold_on_every_route(api_as: ApiAs, llm: LlmServer) -> None:
    """SEC-6: Vic reads, Mallory sees nothing of ours."""
    ben, vic, mallory = await api_as("ben"), await api_as("vic"), await api_as("mallory")
    account_id = (await ben.post("/api/accounts", json={"name": "Shop", "engine": "sandbox"})).json()["id"]
    path = f"/api/accounts/{account_id}/ai-config"
    draft = providers(llm, "openai")[0]
    writes = [
        ("POST", path, {"settings": {"temperature": 0.1}}),
        ("DELETE", path, None),
        ("POST", f"{path}/providers", draft),
        ("POST", f"{path}/models", draft),
        ("POST", f"{path}/test", draft),
        ("POST", f"{path}/try", {"turns": [{"text": "hi"}]}),
        ("POST", "/api/knowledge/documents", {"title": "t", "text": "x"}),
        ("POST", "/api/credits/top-up", {"amount": 5}),
        ("PATCH", "/api/credits", {"price": 2}),
    ]
    for method, where, body in writes:
        assert (await vic.request(method, where, json=body)).status_code == 403, where
    for method, where, body in [*writes[:6], ("GET", path, None)]:
        assert (await mallory.request(method, where, json=body)).status_code == 404, where
    for where in (path, "/api/ai/calls", "/api/ai/usage", "/api/knowledge/documents", "/api/credits", "/api/credits/ledger"):
        assert (await vic.get(where)).status_code == 200, where
    assert (await ben.post("/api/credits/top-up", json={"amount": 5})).status_code == 403


async def test_credits_are_topped_up_once_and_exported(api: httpx.AsyncClient) -> None:
    """CRED-2, API-5."""
    assert (await api.patch("/api/credits", json={"price": 2})).json()["answers_left"] == 0
    key = {"Idempotency-Key": "invoice-17"}
    lines = [(await api.post("/api/credits/top-up", json={"amount": 50, "description": "=2+3"}, headers=key)).json() for _ in range(2)]
    assert lines[0]["id"] == lines[1]["id"]
    state = (await api.get("/api/credits")).json()
    assert (state["balance"], state["answers_left"]) == (50, 25)
    assert (await api.post("/api/credits/adjust", json={"amount": -51, "description": "too much"})).status_code == 409
    export = (await api.get("/api/credits/ledger.csv")).text
    assert "'=2+3" in export
    assert (await api.get("/api/credits/daily", params={"days": 3})).json()[-1]["added"] == 50


async def test_files_are_uploaded_and_bad_ones_refused(api: httpx.AsyncClient) -> None:
    """AI-5: as a form; what is no text says so, the same one twice too."""
    sent = await api.post("/api/knowledge/documents/upload", files={"file": ("prices.csv", b"product,price\nrye,4\noat,5\n")})
    assert sent.status_code == 201, sent.text
    await answer_of(api, f"/api/knowledge/documents/{sent.json()['id']}", lambda found: found["state"] == "ready")
    where = f"/api/knowledge/documents/{sent.json()['id']}"
    assert (await api.get(where)).json()["text"] is None
    assert (await api.patch(where, json={"text": "rye: 5"})).json()["code"] == "not_a_text"
    again = await api.post("/api/knowledge/documents/upload", files={"file": ("copy.csv", b"product,price\nrye,4\noat,5\n")})
    assert (again.status_code, again.json()["code"]) == (409, "document_exists")
    picture = await api.post("/api/knowledge/documents/upload", files={"file": ("a.png", b"\x89PNG\r\n\x1a\n")})
    assert (picture.status_code, picture.json()["code"]) == (422, "bad_file")
    nothing = await api.post("/api/knowledge/documents/upload", data={"title": "x"}, files={"other": ("a.txt", b"x")})
    assert (nothing.status_code, nothing.json()["code"]) == (422, "file_missing")


async def test_an_account_with_ai_and_nobody_to_ask_is_told_by_its_check(
    api: httpx.AsyncClient, llm: LlmServer, server: Server
) -> None:
    """OBS-5: it is that account's own check; whether the whole dashboard counts as not ready for it is a setting."""
    account_id = (await api.post("/api/accounts", json={"name": "Shop", "engine": "sandbox"})).json()["id"]
    path = f"/api/accounts/{account_id}/ai-config"
    assert (await api.post(path, json={"enabled": True})).json()["code"] == "no_provider"
    saved = (await api.post(path, json={"enabled": True, "providers": providers(llm, "openai")})).json()
    assert (await api.get("/health/ready")).status_code == 200
    checks = {check["name"]: check for check in (await api.get(f"/api/accounts/{account_id}/checks")).json()}
    assert checks["ai"] == {"name": "ai", "ok": True, "detail": ""}
    assert (checks["session"]["ok"], checks["sending"]["ok"]) == (False, True)
    await api.delete(f"{path}/providers/{saved['providers'][0]['id']}")
    checks = {check["name"]: check for check in (await api.get(f"/api/accounts/{account_id}/checks")).json()}
    assert checks["ai"] == {"name": "ai", "ok": False, "detail": "AI is on, but there is no provider to ask."}
    ready = await api.get("/health/ready")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
    server.set(READY_NEEDS_AI_PROVIDERS="true")
    server.restart()
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as anybody:
        ready = await anybody.get("/health/ready")
    assert (ready.status_code, ready.json()["reason"]) == (503, "ai_no_providers")
