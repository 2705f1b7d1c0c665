"""A bot that stopped by itself says so where people look (AI-8, OBS-1)."""

from __future__ import annotations

import httpx
from playwright.async_api import expect

from tests.support.browser import Window
from tests.support.cast import PASSWORDS
from tests.support.linking import linked_account
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone


async def test_home_leads_to_the_conversation_and_its_bar_says_why(window: Window, phone: SandboxPhone, api: httpx.AsyncClient) -> None:
    """AI-8, OBS-1: until somebody hands back."""
    rule = {"enabled": True, "text": "Thank you.", "every_minutes": 0}
    account = await linked_account(api, phone, "Shop", auto_reply=rule, answer_limits={"per_minute": 2})
    carla = (await phone.add_contact("Carla", "34600111222"))["id"]
    for number in range(3):
        await phone.send_text(carla, f"{number}", account=account)
    page = await window.log_in("ana", PASSWORDS["ana"])
    await page.goto("/")
    await page.get_by_role("link", name="Carla · Shop").click()
    bar = page.get_by_role("status").filter(has_text="The bot stopped: 2 answers within a minute.")
    await expect(bar).to_be_visible()
    await page.get_by_role("button", name="Hand back to the bot").click()
    await expect(bar).to_have_count(0)
    await page.goto("/")
    await expect(page.get_by_text("All accounts are connected.")).to_be_visible()
