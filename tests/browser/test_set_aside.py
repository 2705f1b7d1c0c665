"""Events that could not be stored, on the Accounts page (DUR-1)."""

from __future__ import annotations

import httpx
import pytest
from playwright.async_api import expect

from tests.support.browser import Window
from tests.support.cast import PASSWORDS
from tests.support.linking import linked_account
from tests.support.refusal import REFUSED, WHY, accept, refuse
from tests.support.server import Server
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.messages import Content, MessageType
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone

pytestmark = pytest.mark.browser


async def test_ben_sees_who_what_and_why_and_tries_it_again(
    window: Window, server: Server, phone: SandboxPhone, api: httpx.AsyncClient
) -> None:
    """DUR-1, ACC-7, OBS-1: live on the page and on the first one; refused once more, then stored, and the other one
    discarded. Viewers only look."""
    await linked_account(api, phone, "Shop")
    db = Database(f"sqlite+aiosqlite:///{server.data_dir / 'dashboard.db'}")
    await refuse(db)
    page = await window.log_in("ben", PASSWORDS["ben"])
    await page.goto("/accounts")
    await expect(page.locator("[data-account]")).to_be_visible()
    await expect(page.get_by_test_id("aside")).to_have_count(0)
    carla = (await phone.add_contact("Carla", "34600111222"))["id"]
    for number in (1, 2):
        await phone.send(carla, Content(MessageType.TEXT, f"{REFUSED}, loaf {number}"))
    await expect(page.get_by_test_id("aside")).to_have_text("2 events set aside")
    home = await page.context.new_page()
    await home.goto("/")
    attention = home.get_by_text("2 events could not be stored")
    await expect(attention).to_be_visible()
    await page.get_by_test_id("aside").click()
    lines = page.get_by_test_id("aside-line")
    await expect(lines).to_have_count(2)
    await expect(lines.first).to_contain_text(f"{REFUSED}, loaf 1")
    await expect(lines.first).to_contain_text(WHY)
    await lines.first.get_by_role("button", name="Retry").click()
    await expect(page.get_by_text("It still cannot be stored.")).to_be_visible()
    await expect(lines.first).to_contain_text("tried 2 times")
    await accept(db)
    await db.close()
    await lines.first.get_by_role("button", name="Retry").click()
    await expect(lines).to_have_count(1)
    await lines.first.get_by_role("button", name="Discard").click()
    await expect(page.get_by_text("Nothing waits here any more.")).to_be_visible()
    await page.get_by_role("button", name="Close", exact=True).click()
    await expect(page.get_by_test_id("aside")).to_have_count(0)
    await expect(attention).to_have_count(0)
    await page.goto("/inbox")
    await expect(page.get_by_text(f"{REFUSED}, loaf 1").first).to_be_visible()
