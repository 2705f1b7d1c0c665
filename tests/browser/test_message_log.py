"""The message log page and the first page in a real browser (MSG-8, OBS-1)."""

from __future__ import annotations

import csv
import io
import re

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.support.browser import Window
from tests.support.cast import PASSWORDS
from tests.support.linking import linked_account
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


async def open_log(window: Window, path: str = "/messages") -> Page:
    page = await window.log_in("ana", PASSWORDS["ana"])
    await page.goto(path)
    await expect(page.get_by_role("heading", name="Message log")).to_be_visible()
    return page


async def test_messages_are_found_opened_and_exported(window: Window, phone: SandboxPhone, api: httpx.AsyncClient) -> None:
    """MSG-8"""
    await linked_account(api, phone, "Sales")
    await phone.send_text("carla", "Where is my order?")
    await phone.send_text("dev", HOSTILE)
    await phone.send_text("dev", "=1+1")
    page = await open_log(window)
    messages = page.locator("[data-message]")
    await expect(messages).to_have_count(3)
    await expect(messages.first).to_contain_text("=1+1")
    assert "owned" not in await page.title()

    await page.get_by_label("Text").fill("order")
    await expect(messages).to_have_count(1)
    await expect(page).to_have_url(re.compile(r"text=order"))
    await page.get_by_role("combobox", name="Direction").click()
    await page.get_by_role("option", name="Outgoing").click()
    await expect(page.get_by_text("No message matches")).to_be_visible()
    await page.go_back()
    await page.goto("/messages?text=order&direction=incoming")
    await expect(messages).to_have_count(1)
    await expect(page.get_by_label("Text")).to_have_value("order")
    await messages.first.click()
    drawer = page.get_by_test_id("message-detail")
    await expect(drawer).to_contain_text("Where is my order?")
    await expect(drawer).to_contain_text("WhatsApp id")
    await page.keyboard.press("Escape")
    await expect(drawer).to_be_hidden()
    await page.get_by_role("button", name="Clear").click()
    await expect(messages).to_have_count(3)

    async with page.expect_download() as download:
        await page.get_by_test_id("export").click()
    with open(await (await download.value).path(), encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(io.StringIO(file.read())))
    assert [row["text"] for row in rows] == ["'=1+1", HOSTILE, "Where is my order?"]


async def test_new_messages_wait_behind_a_button_so_that_no_row_jumps(window: Window, phone: SandboxPhone, api: httpx.AsyncClient) -> None:
    """MSG-8"""
    await linked_account(api, phone, "Sales")
    await phone.send_text("carla", "first")
    page = await open_log(window)
    messages = page.locator("[data-message]")
    await expect(messages).to_have_count(1)
    await phone.burst([("carla", "second"), ("dev", "third")])
    await expect(page.get_by_test_id("fresh")).to_contain_text("2 new messages")
    await expect(messages).to_have_count(1)
    await page.get_by_test_id("fresh").click()
    await expect(messages).to_have_count(3)
    await expect(page.get_by_test_id("fresh")).to_have_count(0)


async def test_an_address_with_a_wrong_filter_says_what_is_wrong(window: Window) -> None:
    """MSG-8"""
    page = await open_log(window, "/messages?direction=sideways")
    await expect(page.get_by_text("There is no message direction “sideways”")).to_be_visible()
    await page.get_by_role("button", name="Clear filters").click()
    await expect(page.get_by_text("No message yet")).to_be_visible()


async def test_the_first_page_tells_what_needs_a_person_and_changes_by_itself(
    window: Window, phone: SandboxPhone, api: httpx.AsyncClient
) -> None:
    """OBS-1"""
    page = await window.log_in("ana", PASSWORDS["ana"])
    await page.goto("/")
    await expect(page.get_by_text("Link your first account")).to_be_visible()
    await linked_account(api, phone, "Sales")
    await expect(page.get_by_text("1 of 1")).to_be_visible()
    await expect(page.get_by_text("All accounts are connected.")).to_be_visible()
    await phone.send_text("carla", "Is anybody there?")
    await expect(page.get_by_text("Sales · Is anybody there?")).to_be_visible()
    await phone.log_out()
    await expect(page.get_by_text("0 of 1")).to_be_visible()
    await expect(page.get_by_text("1 not ready")).to_be_visible()
