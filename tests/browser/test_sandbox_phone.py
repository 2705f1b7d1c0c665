"""The Sandbox phone page in a real browser: a hand on the phone without any other tool (ENG-5)."""

from __future__ import annotations

import httpx
import pytest
from playwright.async_api import Locator, Page, expect

from tests.support.browser import Window
from tests.support.cast import PASSWORDS
from tests.support.linking import linked_account
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone

pytestmark = pytest.mark.browser


def bubble(page: Page, text: str) -> Locator:
    return page.get_by_role("log", name="Messages").locator(".wa-phone-bubble").filter(has_text=text)


async def choose(page: Page, text: str, *path: str) -> None:
    """Open the menu of the message with ``text`` and walk down ``path``."""
    row = page.get_by_role("log", name="Messages").locator("> div").filter(has_text=text)
    await row.get_by_role("button", name="What to do with this message").click()
    for name in path:
        await page.get_by_role("menuitem", name=name, exact=True).click()


async def test_a_contact_writes_changes_its_mind_and_sees_the_answer(window: Window, phone: SandboxPhone, api: httpx.AsyncClient) -> None:
    """ENG-5, MSG-1: text, picture, edit, reaction, delete, ticks, all from the page."""
    await linked_account(api, phone, "Shop", auto_reply={"enabled": True, "text": "We answer soon.", "every_minutes": 0})
    page = await window.log_in("ben", PASSWORDS["ben"])
    await page.goto("/sandbox-phone")
    await page.get_by_role("button", name="Carla").click()
    field = page.get_by_role("textbox", name="Message")
    await field.fill("Are you opn?")
    await field.press("Enter")
    await expect(bubble(page, "We answer soon.")).to_be_visible()
    await expect(bubble(page, "Are you opn?").get_by_label("delivered")).to_be_visible()

    await choose(page, "Are you opn?", "Edit")
    await field.fill("Are you open?")
    await field.press("Enter")
    await expect(bubble(page, "Are you open?")).to_contain_text("edited")
    await choose(page, "We answer soon.", "React", "👍")
    await expect(bubble(page, "We answer soon.")).to_contain_text("👍")

    thread = (await api.get("/api/conversations")).json()["items"][0]["id"]

    async def stored() -> list[dict[str, object]]:
        return list((await api.get(f"/api/conversations/{thread}/messages")).json()["items"])

    assert [(item["text"], item["edited"]) for item in await stored()] == [("Are you open?", True), ("We answer soon.", False)]
    await choose(page, "Are you open?", "Delete for everyone")
    await expect(bubble(page, "This message was deleted")).to_be_visible()
    await page.get_by_role("button", name="Attach a sample").click()
    await page.get_by_role("menuitem").first.click()
    await expect(page.get_by_role("log", name="Messages").locator(".wa-phone-bubble img")).to_be_visible()


async def test_a_switch_takes_the_account_down_and_brings_it_back(window: Window, phone: SandboxPhone, api: httpx.AsyncClient) -> None:
    """ENG-5, ACC-5, MSG-6: what is written meanwhile waits and arrives."""
    account = await linked_account(api, phone, "Shop")
    page = await window.log_in("ben", PASSWORDS["ben"])
    await page.goto("/sandbox-phone")
    switch = page.get_by_role("switch", name="Offline")
    await switch.click()
    await expect(page.get_by_role("region", name="Simulated phone")).to_contain_text("Away")
    number = next("+" + item["phone"] for item in await phone.contacts() if item["id"] == "carla")
    sent = await api.post("/api/messages/send", json={"account_id": account, "number": number, "message": "Back soon"})
    assert sent.status_code == 202
    assert await phone.received("carla") == []
    await switch.click()
    await expect(page.get_by_role("region", name="Simulated phone")).to_contain_text("Online")
    await page.get_by_role("button", name="Carla").click()
    await expect(bubble(page, "Back soon")).to_be_visible()


async def test_a_viewer_looks_and_touches_nothing(window: Window, phone: SandboxPhone, api: httpx.AsyncClient) -> None:
    """SEC-6"""
    await linked_account(api, phone, "Shop")
    page = await window.log_in("vic", PASSWORDS["vic"])
    await page.goto("/sandbox-phone")
    await page.get_by_role("button", name="Carla").click()
    await expect(page.get_by_role("log", name="Messages")).to_be_visible()
    await expect(page.get_by_role("textbox", name="Message")).to_have_count(0)
    for switch in await page.get_by_role("switch").all():
        await expect(switch).to_be_disabled()
    for name in ("Drop the connection", "Ban the number", "Enter"):
        await expect(page.get_by_role("button", name=name)).to_have_count(0)
