"""What people and programs see while the database is away, and that all goes on by itself afterwards (OBS-5, ACC-9, DUR-1)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.e2e.test_flood import login
from tests.support.browser import Window
from tests.support.linking import linked_account
from tests.support.relay import Relay, relay_to
from tests.support.server import OWNER, OWNER_PASSWORD, Server
from tests.support.sockets import HYDRATE, open_tab
from tests.support.waiting import PATIENCE, until
from tests.support.world import World
from tests.ui.conftest import BROWSER
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone

pytestmark = pytest.mark.browser


@pytest_asyncio.fixture(loop_scope="session")
async def relay(postgres_url: str) -> AsyncIterator[Relay]:
    """A line to the test's PostgreSQL that can be cut."""
    async with relay_to(postgres_url) as relay:
        yield relay


@pytest_asyncio.fixture(loop_scope="session")
async def server(new_server: Callable[..., Server], relay: Relay, world: World) -> Server:
    """A running dashboard whose PostgreSQL is behind that line."""
    server = new_server(DATABASE_URL=relay.url, SANDBOX_WORLD=world.socket)
    await asyncio.to_thread(server.start)
    return server


async def test_pages_and_programs_are_told_and_everything_goes_on_by_itself(
    window: Window, api: httpx.AsyncClient, phone: SandboxPhone, relay: Relay, server: Server
) -> None:
    """OBS-5, ACC-9, API-1, DUR-1: 503 and not 500, a banner and not an old truth, and nobody presses anything."""
    account_id = await linked_account(api, phone, "Shop")
    page = await window.log_in(OWNER, OWNER_PASSWORD)
    await page.goto("/accounts")
    await expect(page.locator("[data-account] span").get_by_text("Connected")).to_be_visible()
    banner, other = page.get_by_test_id("database-away"), await page.context.new_page()

    await relay.cut()
    await phone.send_text("carla", "Are you there?")
    await expect(banner).to_be_visible()
    ready = await api.get("/health/ready")
    assert (ready.status_code, ready.json()) == (503, {"status": "not_ready", "reason": "database_unreachable"})
    for answer in (await api.get("/api/accounts"), await api.post("/api/accounts", json={"name": "New", "engine": "sandbox"})):
        assert (answer.status_code, answer.headers["retry-after"], answer.json()["code"]) == (503, "5", "database_unreachable")
    await other.goto("/inbox")
    await expect(other.get_by_text("The database does not answer")).to_be_visible()

    await relay.mend()
    await expect(banner).to_be_hidden()
    await expect(page.locator("[data-account] span").get_by_text("Connected")).to_be_visible()
    await expect(other.get_by_text("Are you there?").first).to_be_visible(timeout=PATIENCE * 1_000)

    async def status() -> str:
        return str((await api.get(f"/api/accounts/{account_id}/status")).json()["status"])

    await until(status, "ready".__eq__)
    assert (await api.get("/health/ready")).status_code == 200
    assert "Traceback" not in server.log_path.read_text()


@pytest.mark.asyncio(loop_scope="session")  # where the line lives
async def test_a_page_that_was_being_loaded_is_loaded_again(server: Server, relay: Relay) -> None:
    """OBS-5: it had said nothing yet, and would stand there empty for ever."""
    cookie = await asyncio.to_thread(login, server)
    async with open_tab(server.url, {"Origin": server.url, "Cookie": cookie, "User-Agent": BROWSER}) as tab:
        await relay.cut()
        await until(lambda: tab.call(HYDRATE), lambda answers: "window.location.reload()" in json.dumps(answers))
