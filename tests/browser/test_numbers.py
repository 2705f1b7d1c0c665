"""The pages say which number they understood before anything is sent (MSG-2)."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.async_api import expect

from tests.browser.test_accounts import new_sandbox, open_accounts
from tests.support.browser import Window
from tests.support.cast import PASSWORDS
from tests.support.inbox_page import bubble, set_account
from tests.support.linking import linked_account
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone

pytestmark = pytest.mark.browser


async def test_a_new_message_and_a_card_show_the_number_that_was_understood_and_the_other_one(
    window: Window, phone: SandboxPhone, api: httpx.AsyncClient
) -> None:
    """MSG-2: digits that are a number in Denmark and in Brazil; one press takes the other one."""
    await linked_account(api, phone, "Shop", default_country="BR")
    page = await window.log_in("ana", PASSWORDS["ana"])
    await page.goto("/inbox")
    await page.get_by_role("button", name="New message").click()
    to = page.get_by_label("To")
    understood = page.get_by_test_id("understood")
    await to.fill("12")
    await to.press("Tab")
    await expect(understood).to_have_count(0)
    await to.fill("\u202a4534412345\u202c")
    await to.press("Tab")
    await expect(understood).to_contain_text("Goes to +45 34 41 23 45, Denmark")
    await understood.get_by_role("button", name="Use +55 45 3441-2345, Brazil instead").click()
    await expect(to).to_have_value("+554534412345")
    await expect(understood).to_have_text("Goes to +55 45 3441-2345, Brazil")
    await to.fill("4534412345")
    await page.get_by_role("textbox", name="Message").fill("Hej")
    await expect(understood).to_contain_text("Denmark")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(bubble(page, "Hej")).to_be_visible()
    await expect(page.get_by_role("button", name="Contact details")).to_contain_text("+45 34 41 23 45")

    await page.get_by_role("button", name="Share").click()
    await page.get_by_role("menuitem", name="Contact").click()
    dialog = page.get_by_role("dialog")
    await expect(understood).to_have_count(0)
    await dialog.get_by_label("Name").fill("Ana")
    numbers = dialog.get_by_label("Phone numbers")
    await numbers.fill("+34 685 87 65 83, 4534412345")
    await numbers.press("Tab")
    await expect(understood).to_contain_text("On the card: +34 685 87 65 83, Spain")
    await understood.get_by_role("button", name="Use +55").click()
    await expect(numbers).to_have_value("+34 685 87 65 83, +554534412345")
    await dialog.get_by_role("button", name="Send").click()
    await expect(bubble(page, "+34 685 87 65 83, +55 45 3441-2345")).to_be_visible()
    assert not [line for line in window.console if line.startswith("error")]


async def test_a_code_to_link_says_for_which_phone_it_is(window: Window, phone: SandboxPhone) -> None:
    """MSG-2, ACC-3."""
    page = await open_accounts(window)
    await new_sandbox(page, "Support")
    dialog = page.get_by_test_id("link-dialog")
    await expect(dialog.get_by_test_id("qr")).to_be_visible()
    await set_account(page, default_country="BR")
    await dialog.get_by_role("radio", name="Phone number").click()
    number = dialog.get_by_label("Phone number of the account")
    for typed, said, other in (("4534412345", "For +45 34 41 23 45 (DK)", 1), ("45 99123-4567", "For +55 45 99123-4567 (BR)", 0)):
        await number.fill(typed)
        await dialog.get_by_role("button", name="Get a code").click()
        await expect(dialog.get_by_test_id("pairing-for")).to_have_text(said)
        await expect(dialog.get_by_text("If you meant +55 45 3441-2345 (BR)")).to_have_count(other)
    code = re.sub(r"\W", "", await dialog.get_by_test_id("pairing-code").inner_text())
    assert await phone.enter_pairing_code(code) == "5545991234567"
    await expect(dialog.get_by_test_id("linked-phone")).to_have_text("+55 45 99123-4567")
