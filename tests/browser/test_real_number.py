"""Linking a real number in a real browser: the real client library talks to the protocol peer (ENG-2, ACC-3)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.api.test_routes import png
from tests.peer.client import PeerClient
from tests.peer.customers import Customers
from tests.peer.process import PeerProcess
from tests.support.browser import Window
from tests.support.cast import PASSWORDS
from tests.support.inbox_page import bubble, line, set_account
from tests.support.linking import UNPACED
from tests.support.server import Server
from whatsapp_dashboard.domain.messages import Content, MediaFile, MessageType

pytestmark = pytest.mark.browser

NUMBER, CARLA = "34600111222", "34600999888"
REPLY = "Thanks, we answer in an hour."


@pytest.fixture
def server(new_server_with_cast: Callable[..., Server], peer_process: PeerProcess) -> Server:
    """A running dashboard whose real numbers reach the peer."""
    return new_server_with_cast(MULTIDEVICE_PEER=str(peer_process.descriptor))


@pytest_asyncio.fixture(loop_scope="session")
async def customers(peer_process: PeerProcess, peer: PeerClient) -> AsyncIterator[Customers]:
    """Carla and Dev, with real phones."""
    async with Customers(peer_process.info, peer.scan) as phones:
        await phones.add("carla", CARLA, "Carla")
        await phones.add("dev", "919812345678", "Dev")
        yield phones


async def test_a_real_number_is_linked_by_a_code_and_logged_out_on_the_phone(window: Window, peer: PeerClient) -> None:
    """ACC-3, ACC-5, ENG-2: the dialog leads to the phone, not to the sandbox; the first code appears as a QR, the other as eight signs."""
    await peer.phone(NUMBER, "Bakery")
    page = await window.log_in("ana", PASSWORDS["ana"])
    await page.goto("/accounts")
    await page.get_by_role("button", name="New account").first.click()
    choices = page.get_by_role("radio")
    await expect(choices).to_have_count(2)
    await expect(choices.first).to_be_checked()
    await page.get_by_label("Name").fill("Sales")
    await page.get_by_role("button", name="Create and link").click()

    dialog = page.get_by_test_id("link-dialog")
    await expect(dialog.get_by_test_id("qr")).to_be_visible()
    await expect(dialog.get_by_text("Tap Link a device.")).to_be_visible()
    await expect(dialog.get_by_text("Sandbox phone")).to_have_count(0)
    await dialog.get_by_role("radio", name="Phone number").click()
    await expect(dialog.get_by_text("Link with phone number instead")).to_be_visible()
    await dialog.get_by_label("Phone number of the account").fill("+34 600 111 222")
    await dialog.get_by_role("button", name="Get a code").click()
    shown = dialog.get_by_test_id("pairing-code")
    await expect(shown).to_have_text(re.compile(r"^[A-Z0-9]{4}-[A-Z0-9]{4}$"))
    await peer.enter_code((await shown.inner_text()).replace("-", ""), NUMBER)
    await expect(dialog.get_by_test_id("linked-phone")).to_have_text("+34 600 11 12 22")
    await dialog.get_by_role("button", name="Done").click()

    row = page.locator("[data-account]")
    await expect(row).to_contain_text("Bakery")
    await peer.log_out(NUMBER)
    await expect(row).to_contain_text("The phone removed this device.")
    await expect(row.get_by_role("button", name="Link")).to_be_visible()


async def test_from_the_scan_to_the_morning_after_with_real_phones(
    window: Window, server: Server, peer: PeerClient, customers: Customers, tmp_path: Path
) -> None:
    """ACC-3, ACC-4, ACC-10, MSG-1, MSG-4, MSG-7, MSG-9, AI-8, ENG-2, DUR-4: the sandbox's story, with real clients on both sides."""
    carla, dev = customers["carla"], customers["dev"]
    page = await window.log_in("ana", PASSWORDS["ana"])
    await page.goto("/accounts")
    await page.get_by_role("button", name="New account").first.click()
    await page.get_by_label("Name").fill("Bakery")
    await page.get_by_role("button", name="Create and link").click()
    dialog = page.get_by_test_id("link-dialog")
    await expect(dialog.get_by_test_id("qr")).to_be_visible()
    code = await page.evaluate(
        """async () => {
            const accounts = await (await fetch("/api/accounts")).json();
            return (await (await fetch("/api/accounts/" + accounts[0].id + "/qr")).json()).text;
        }"""
    )
    await peer.scan(code, NUMBER, "Bakery")
    await expect(dialog.get_by_text("Connected", exact=True)).to_be_visible()
    await dialog.get_by_role("button", name="Done").click()
    await set_account(page, auto_reply={"enabled": True, "text": REPLY, "every_minutes": 0}, **UNPACED)

    # Two customers write at once; both are answered on their phones, and the ticks climb.
    await page.goto("/inbox")
    await carla.send(NUMBER, "Is there bread?")
    await dev.send(NUMBER, "Do you deliver?")
    await carla.wait_received(REPLY)
    await dev.wait_received(REPLY)
    await expect(line(page, "Dev")).to_be_visible()
    await line(page, "Carla").click()
    await expect(bubble(page, "Is there bread?")).to_be_visible()
    await expect(bubble(page, REPLY).get_by_label("Delivered")).to_be_visible()
    await carla.read()
    await expect(bubble(page, REPLY).get_by_label("Read")).to_be_visible()

    # Ana takes over; pictures go both ways; Carla answers what Ana said, and likes it.
    await page.get_by_role("textbox", name="Message").fill("Plenty of it.")
    await page.keyboard.press("Enter")
    said = await carla.wait_received("Plenty of it.")
    await expect(page.get_by_role("status").filter(has_text="Bot paused until")).to_be_visible()
    picture = tmp_path / "bread.png"
    picture.write_bytes(png(64))
    await page.locator("#inbox-files").set_input_files(picture)
    await expect(page.locator("#inbox-tray")).to_contain_text("bread.png")
    await page.get_by_role("button", name="Send", exact=True).click()
    shown = await carla.wait_received(type=MessageType.IMAGE)
    assert (await carla.download(shown.wa_id)).data == picture.read_bytes()
    await carla.send(NUMBER, Content(MessageType.IMAGE, "Like this one?", media=MediaFile(png(48), "image/png")))
    await expect(bubble(page, "Like this one?").locator("img[src^='/api/media/']")).to_be_visible()
    await carla.send(NUMBER, Content(MessageType.TEXT, "Keep two, please", quoted_id=said.wa_id))
    await expect(bubble(page, "Keep two, please")).to_contain_text("Plenty of it.")
    await carla.react(said.wa_id, "👍")
    await expect(bubble(page, "Plenty of it.").filter(has_text="👍")).not_to_have_count(0)

    # The dashboard is restarted; what was written meanwhile is there, and Carla's bot is still silent.
    await page.goto("about:blank")
    server.terminate()
    await dev.send(NUMBER, "Hello? Anybody?")
    server.start()
    await page.goto("/accounts")
    await expect(page.locator("[data-account]").filter(has_text="Bakery")).to_contain_text("Connected")
    await page.goto("/inbox")
    await line(page, "Dev").click()
    await expect(bubble(page, "Hello? Anybody?")).to_be_visible()
    await expect(page.get_by_text("Missed while offline")).to_be_visible()
    await line(page, "Carla").click()
    await carla.send(NUMBER, "Bye")
    await expect(bubble(page, "Bye")).to_be_visible()
    answers = [message for message in await carla.received() if message.text == REPLY]
    assert len(answers) == 1, "a person has taken over"
