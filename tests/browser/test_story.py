"""The whole of it, as a new operator lives it: from the first log-in to the morning after a restart."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.api.test_routes import png
from tests.support.browser import Window
from tests.support.cast import PASSWORDS
from tests.support.inbox_page import bubble, line, set_account
from tests.support.linking import UNPACED
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone

pytestmark = pytest.mark.browser

REPLY = "Thanks, we answer in an hour."
THREE = {"carla": "Carla asks for the menu", "dev": "Dev wants to order", "emma": "Emma is lost"}


async def test_from_the_first_log_in_to_the_morning_after(window: Window, phone: SandboxPhone, tmp_path: Path) -> None:
    """ACC-1, ACC-3, ACC-4, MSG-1, MSG-4, MSG-7, MSG-9, AI-8, DUR-4: link, receive, answer, take over, restart, go on."""
    page = await window.log_in("ana", PASSWORDS["ana"])

    # Ana creates an account; its QR is shown.
    await page.goto("/accounts")
    await page.get_by_role("button", name="New account").first.click()
    await page.get_by_label("Name").fill("Bakery")
    await page.get_by_role("radio", name=re.compile("^Sandbox")).click()
    await page.get_by_role("button", name="Create and link").click()
    dialog = page.get_by_test_id("link-dialog")
    await expect(dialog.get_by_test_id("qr")).to_be_visible()

    # In a second tab the sandbox phone scans it.
    second = await page.context.new_page()
    await second.goto("/sandbox-phone")
    await second.get_by_role("button", name="Scan with a new phone").click()
    await expect(dialog.get_by_text("Connected", exact=True)).to_be_visible()
    await dialog.get_by_role("button", name="Done").click()

    # The automatic reply is turned on, without pauses, for the test's sake.
    await set_account(page, auto_reply={"enabled": True, "text": REPLY, "every_minutes": 0}, **UNPACED)

    # Three contacts write at once; all are answered; the ticks turn.
    names = {item["id"]: item["name"] for item in await phone.contacts()}
    await page.goto("/inbox")
    await asyncio.gather(*(phone.send_text(contact, text) for contact, text in THREE.items()))
    for contact in THREE:
        await expect(line(page, names[contact])).to_be_visible()
    await until_received(phone, {contact: [REPLY] for contact in THREE})
    await line(page, names["carla"]).click()
    await expect(bubble(page, THREE["carla"])).to_be_visible()
    await expect(bubble(page, REPLY)).to_be_visible()
    await expect(bubble(page, REPLY).get_by_label("Delivered")).to_be_visible()
    await phone.open_chat("carla")
    await expect(bubble(page, REPLY).get_by_label("Read")).to_be_visible()

    # Ana takes over by writing, and sends a picture.
    await page.get_by_role("textbox", name="Message").fill("Here it comes.")
    await page.keyboard.press("Enter")
    await expect(bubble(page, "Here it comes.")).to_be_visible()
    await expect(page.get_by_role("status").filter(has_text="Bot paused until")).to_be_visible()
    picture = tmp_path / "menu.png"
    picture.write_bytes(png(64))
    await page.locator("#inbox-files").set_input_files(picture)
    await expect(page.locator("#inbox-tray")).to_contain_text("menu.png")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.get_by_role("log", name="Messages").locator("img[src^='/api/media/']")).to_be_visible()
    await phone.send_text("carla", "Looks good!")
    await expect(bubble(page, "Looks good!")).to_be_visible()
    received = await until_count(phone, "carla", 3)
    assert [(item.type, item.text) for item in received] == [("text", REPLY), ("text", "Here it comes."), ("image", "")]

    # The server is restarted: the account comes back by itself, the history is there, and the bot stays silent for Carla only.
    await asyncio.to_thread(window.server.restart)
    await page.goto("/accounts")
    await expect(page.locator("[data-account]").filter(has_text="Bakery")).to_contain_text("Connected")
    await page.goto("/inbox")
    await line(page, names["carla"]).click()
    for text in (THREE["carla"], REPLY, "Here it comes.", "Looks good!"):
        await expect(bubble(page, text)).to_be_visible()
    await phone.send_text("dev", "Still there?")
    await phone.send_text("carla", "Bye")
    await expect(bubble(page, "Bye")).to_be_visible()
    await until_received(phone, {"dev": [REPLY, REPLY]})
    assert len(await phone.received("carla")) == 3
    while_away = ("socket", "err_connection_refused")  # what a browser says while the server restarts
    assert not [entry for entry in window.console if entry.startswith("error") and not any(sign in entry.lower() for sign in while_away)]


async def until_received(phone: SandboxPhone, wanted: dict[str, list[str]]) -> None:
    """Wait until the contacts' phones hold exactly these texts."""
    async with asyncio.timeout(20):
        for contact, texts in wanted.items():
            while [item.text for item in await phone.received(contact)] != texts:
                await asyncio.sleep(0.1)


async def until_count(phone: SandboxPhone, contact: str, count: int) -> list[object]:
    """Wait until the contact's phone holds ``count`` messages, and return them."""
    async with asyncio.timeout(20):
        while len(found := await phone.received(contact)) < count:
            await asyncio.sleep(0.1)
    return list(found)
