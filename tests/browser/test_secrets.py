"""Stored secrets and changed addresses, in a real browser (SEC-7, AI-9, HOOK-1)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.support.browser import Window
from tests.support.cast import PASSWORDS
from tests.support.linking import linked_account
from tests.support.llm_server import LlmServer
from tests.support.receivers import Receivers
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone

VALUE = "Zk7pQ2wE9rT4yU6iO8a"
SIZES = [(1440, 900, False), (390, 844, True)]


@pytest_asyncio.fixture(loop_scope="session")
async def receivers(api: httpx.AsyncClient) -> AsyncIterator[Receivers]:
    """Receivers that the dashboard may reach, on two ports: two servers."""
    (await api.post("/api/network/allowed", json={"value": "127.0.0.1"})).raise_for_status()
    async with Receivers(2) as found:
        yield found


@pytest.mark.parametrize(("width", "height", "dark"), SIZES)
async def test_the_dialog_asks_for_secrets_again_when_the_url_leads_elsewhere(
    window: Window, api: httpx.AsyncClient, receivers: Receivers, width: int, height: int, dark: bool
) -> None:
    """SEC-7, HOOK-3: it says why, which headers, and makes a new secret; a test before that sends nothing of the stored ones."""
    url = receivers.url("say", "mine") + f"?token={VALUE}"
    hook = {"url": url, "name": "CRM", "headers": {"Authorization": f"Bearer {VALUE}"}, "secret": "generate"}
    (await api.post("/api/webhooks", json=hook)).raise_for_status()
    page = await window.log_in("ben", PASSWORDS["ben"], width=width, height=height, dark=dark)
    await page.goto("/webhooks")
    await page.get_by_role("button", name="Actions for CRM").locator("visible=true").first.click()
    await page.get_by_role("menuitem", name="Edit").click()
    dialog = page.get_by_role("dialog")
    field, value = dialog.get_by_label("URL"), dialog.get_by_label("Header value")
    await expect(field).to_have_value(receivers.url("say", "mine") + "?token=••••")
    await expect(value).to_have_value("••••")
    await field.fill(receivers.url("say", "theirs", port=1))
    await field.blur()
    await expect(dialog.get_by_test_id("moved")).to_contain_text("The address leads to another server.")
    await expect(value).to_have_value("")
    await expect(dialog.get_by_role("radio", name="Generate")).to_be_visible()
    await dialog.get_by_role("button", name="Send test event").click()
    await expect(dialog.get_by_text("enter the value of the header Authorization again, or remove it.")).to_be_visible()
    assert receivers.arrivals == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    # The stored address again: nothing is asked for.
    await field.fill(receivers.url("say", "other"))
    await field.blur()
    await expect(value).to_have_value("••••")
    await expect(dialog.get_by_test_id("moved")).to_have_count(0)
    await field.fill(receivers.url("say", "theirs", port=1))
    await field.blur()
    await expect(value).to_have_value("")
    await value.fill("Bearer a new one")
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.get_by_test_id("secret")).to_contain_text("whsec_")
    saved = (await api.get("/api/webhooks")).json()[0]
    assert (await api.post(f"/api/webhooks/{saved['id']}/test")).json()["succeeded"]
    assert [arrival.headers["authorization"] for arrival in receivers.of("theirs")] == ["Bearer a new one"]


@pytest.mark.parametrize(("width", "height", "dark"), SIZES)
async def test_the_dialog_of_a_provider_asks_for_the_key_again_when_its_address_changes(
    window: Window, api: httpx.AsyncClient, phone: SandboxPhone, receivers: Receivers, width: int, height: int, dark: bool
) -> None:
    """AI-9, SEC-7: at once, and neither the list of models nor a test takes the stored key along."""
    account = await linked_account(api, phone, "Bakery")
    async with LlmServer() as llm:
        provider = {"kind": "compatible", "model": "m", "key": "sk-planted-key-4711", "url": llm.url("compatible"), "label": "Cellar"}
        (await api.post(f"/api/accounts/{account}/ai-config", json={"providers": [provider]})).raise_for_status()
        page = await window.log_in("ben", PASSWORDS["ben"], width=width, height=height, dark=dark)
        await page.goto(f"/chatbot?account={account}")
        await page.get_by_role("button", name="Actions for Cellar").first.click()
        await page.get_by_role("menuitem", name="Edit").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog.get_by_test_id("models-note")).to_contain_text("to choose from")
        await dialog.get_by_label("URL").fill(receivers.url("say", "theirs"))
        await dialog.get_by_label("URL").blur()
        await expect(dialog.get_by_text(re.compile("enter the key again", re.IGNORECASE))).to_be_visible()
        await dialog.get_by_role("button", name="Test", exact=True).click()
        await expect(dialog.get_by_text("Enter the key again: it was given for another address.")).to_be_visible()
        assert receivers.arrivals == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
