"""Webhooks in a real browser, with real receivers (HOOK-1, HOOK-3, HOOK-6, HOOK-7, HOOK-8, ACC-7)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.support.browser import Window
from tests.support.cast import PASSWORDS
from tests.support.linking import linked_account
from tests.support.receivers import Receivers
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone


@pytest_asyncio.fixture(loop_scope="session")
async def receivers() -> AsyncIterator[Receivers]:
    """Receivers on loopback: a private network, as far as the dashboard knows."""
    async with Receivers(2) as found:
        yield found


async def choose(page: Page, name: str, action: str) -> None:
    """Open a webhook's menu and take an entry."""
    await page.get_by_role("button", name=f"Actions for {name}").locator("visible=true").first.click()
    await page.get_by_role("menuitem", name=action).click()


async def test_from_the_first_webhook_to_a_replayed_dead_end(
    window: Window, api: httpx.AsyncClient, phone: SandboxPhone, receivers: Receivers
) -> None:
    """Ana allows her own machine in one click, tries the endpoint, sees deliveries come, fail and be replayed, all without a reload."""
    await linked_account(api, phone, "Bakery")
    page = await window.log_in("ana", PASSWORDS["ana"])
    await page.goto("/webhooks")
    await expect(page.get_by_text("No webhook yet")).to_be_visible()
    await page.get_by_role("button", name="New webhook").first.click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("URL").fill(receivers.url("say", "crm"))
    await dialog.get_by_label("Name", exact=True).fill("CRM")

    # A private address: one click of an owner allows and saves it.
    await dialog.get_by_role("button", name="Create").click()
    await expect(dialog.get_by_text("127.0.0.1 is on a private network.")).to_be_visible()
    assert receivers.connections == 0
    await dialog.get_by_role("button", name="Allow 127.0.0.1 and save").click()

    # The secret is shown once.
    secret = page.get_by_test_id("secret")
    await expect(secret).to_contain_text("whsec_")
    shown = (await secret.text_content() or "").strip()
    await page.get_by_role("button", name="I have copied it").click()
    row = page.locator("[data-webhook]")
    await expect(row).to_contain_text(f"…{shown[-4:]}")
    await expect(page.locator("[data-allowed='127.0.0.1']")).to_be_visible()
    await page.reload()
    await expect(row).to_be_visible()
    assert shown not in await page.content()

    # Tried before it is saved.
    await choose(page, "CRM", "Edit")
    await dialog.get_by_role("button", name="Send test event").click()
    await expect(dialog.get_by_test_id("test-result")).to_contain_text("The test event arrived. Answered 200")
    await expect(dialog.get_by_test_id("test-result")).to_contain_text("<b>thanks</b>")
    receivers.behaviours["crm"] = "500"
    await dialog.get_by_role("button", name="Send test event").click()
    await expect(dialog.get_by_test_id("test-result")).to_contain_text("500 Internal Server Error")
    await dialog.get_by_role("button", name="Cancel").click()

    # A customer writes: the delivery appears, fails, and says why.
    await page.goto("/webhooks/deliveries")
    await phone.send_text("carla", "What is on the menu?")
    line = page.locator("[data-delivery]").filter(has_text="message").first
    await expect(line).to_contain_text("The endpoint answered 500")
    await expect(line).to_contain_text("next try in 0:")
    await line.get_by_role("button").click()
    drawer = page.get_by_test_id("delivery-detail")
    await expect(drawer.get_by_test_id("body")).to_contain_text('"body": "What is on the menu?"')
    await drawer.get_by_role("button", name="Raw").click()
    await expect(drawer.get_by_test_id("body")).to_contain_text('"body":"What is on the menu?"')
    await expect(drawer).to_contain_text("X-Webhook-Signature: sha256=")
    await drawer.locator("summary").first.click()
    await expect(drawer.get_by_test_id("response")).to_have_text("answer 500")

    # The receiver is repaired, and the delivery sent again: the drawer follows by itself.
    receivers.behaviours["crm"] = "say"
    await drawer.get_by_role("button", name="Try now").click()
    await expect(drawer).to_contain_text("Answered 200")
    await expect(drawer.get_by_text("Delivered").first).to_be_visible()
    await drawer.get_by_role("button", name="Send again").click()
    await expect(drawer).to_contain_text("Replay 1")
    await page.keyboard.press("Escape")
    await expect(page.locator("[data-state='succeeded']").first).to_be_visible()
    assert len({arrival.event_id for arrival in receivers.arrivals if arrival.headers["x-webhook-event"] == "message"}) == 1

    # Paused: events queue up; resumed: they go.
    await page.goto("/webhooks")
    await choose(page, "CRM", "Pause")
    await expect(row).to_contain_text("Paused")
    before = len(receivers.arrivals)
    await phone.send_text("carla", "And tomorrow?")
    await expect(row).to_contain_text("1 waiting")
    assert len(receivers.arrivals) == before
    await choose(page, "CRM", "Resume")
    await expect(row).to_contain_text("nothing waits")
    assert receivers.arrivals[-1].json["data"]["body"] == "And tomorrow?"

    # The account tells how many webhooks get its events.
    await page.goto("/accounts")
    await page.get_by_test_id("webhooks").click()
    await expect(page).to_have_url(re.compile("/webhooks/?\\?account="))
    await expect(page.get_by_text("Events of Bakery")).to_be_visible()
    await choose(page, "CRM", "Delete")
    await page.get_by_role("button", name="Delete webhook").click()
    await expect(page.get_by_text("No webhook gets this account's events")).to_be_visible()
    assert not [entry for entry in window.console if entry.startswith("error")]


async def test_many_dead_letters_are_sent_again_with_one_question(
    window: Window, api: httpx.AsyncClient, phone: SandboxPhone, receivers: Receivers
) -> None:
    """HOOK-6: by the filter in the address."""
    (await api.post("/api/network/allowed", json={"value": "127.0.0.0/8"})).raise_for_status()
    hook = (await api.post("/api/webhooks", json={"url": receivers.url("500", "crm"), "name": "CRM"})).json()["id"]
    for _ in range(3):
        await api.post(f"/api/webhooks/{hook}/test")  # a test has one try: a dead letter
    receivers.behaviours["crm"] = "accept"
    page = await window.log_in("ben", PASSWORDS["ben"])
    await page.goto("/webhooks")
    await page.get_by_role("link", name="3 dead letters").click()
    await expect(page.locator("[data-state='dead']")).to_have_count(3)
    await page.get_by_role("button", name="Retry all").click()
    question = page.get_by_role("alertdialog")
    await expect(question).to_contain_text("Send 3 deliveries again?")
    await question.get_by_role("button", name="Send again").click()
    await expect(page.get_by_text("No delivery matches")).to_be_visible()
    await page.locator("[data-tab='succeeded']").click()
    await expect(page.locator("[data-state='succeeded']")).to_have_count(3)
    assert len(receivers.arrivals) == 6


async def test_a_viewer_sees_everything_and_can_do_nothing(window: Window, api: httpx.AsyncClient, receivers: Receivers) -> None:
    """SEC-6: and an operator cannot allow a private network."""
    (await api.post("/api/network/allowed", json={"value": "127.0.0.0/8"})).raise_for_status()
    hook = (await api.post("/api/webhooks", json={"url": receivers.url("accept", "crm"), "name": "CRM"})).json()["id"]
    await api.post(f"/api/webhooks/{hook}/test")
    page = await window.log_in("vic", PASSWORDS["vic"])
    await page.goto("/webhooks")
    await expect(page.locator("[data-webhook]")).to_contain_text("100 %")
    await expect(page.get_by_role("button", name="New webhook")).to_have_count(0)
    await expect(page.get_by_role("button", name="Allow")).to_have_count(0)
    await page.get_by_role("button", name="Actions for CRM").locator("visible=true").first.click()
    await expect(page.get_by_role("menuitem")).to_have_text(["Deliveries"])
    await page.get_by_role("menuitem", name="Deliveries").click()
    await page.locator("[data-delivery] button").first.click()
    await expect(page.get_by_test_id("delivery-detail")).to_contain_text("Answered 204")
    await expect(page.get_by_role("button", name="Send again")).to_have_count(0)

    ben = await window.log_in("ben", PASSWORDS["ben"])
    await ben.goto("/webhooks")
    await ben.get_by_role("button", name="New webhook").first.click()
    await ben.get_by_label("URL").fill("http://10.1.2.3/hook")
    await ben.get_by_role("button", name="Create").click()
    await expect(ben.get_by_text("Ask an owner to allow 10.1.2.3.")).to_be_visible()
    await expect(ben.get_by_role("button", name=re.compile("^Allow"))).to_have_count(0)
