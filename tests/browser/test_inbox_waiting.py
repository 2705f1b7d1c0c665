"""Who waits for a person, in a real browser: lists, counts, notifications, chips (MSG-14)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.support.browser import Window
from tests.support.cast import PASSWORDS
from tests.support.inbox_page import Shop, bubble, line, set_account
from tests.support.waiting import until

pytestmark = pytest.mark.browser

RECORDER = """
const told = () => JSON.parse(localStorage.getItem("test-told") || "[]");
window.Notification = class {
  static get permission() { return localStorage.getItem("test-permission") || "default"; }
  static async requestPermission() { localStorage.setItem("test-permission", "granted"); return "granted"; }
  constructor(title, options) {
    window.last = this;
    localStorage.setItem("test-told", JSON.stringify([...told(), title + ": " + options.body]));
  }
  close() {}
};
"""
"""In place of the notifications that a browser without a window cannot show: what would be shown, in all tabs together."""


def tab(page: Page, name: str) -> Any:
    return page.get_by_role("group", name="Show").get_by_role("button", name=name)


async def told(page: Page) -> list[str]:
    return json.loads(await page.evaluate("localStorage.getItem('test-told') || '[]'"))


async def test_who_waits_is_counted_listed_and_gone_when_somebody_answers(window: Window, shop: Shop) -> None:
    """MSG-14: the number on the first page, the one in the sidebar, the title and the list are one; looking changes none of them."""
    page = await window.log_in("ben", PASSWORDS["ben"], width=1440)
    await page.goto("/")
    await shop.phone.send_text(shop.carla, "Is the blue one there?")
    await shop.phone.send_text(shop.dev, "Are you open?")
    number = page.get_by_role("link", name="Waiting for a person")
    await expect(number).to_contain_text("2")
    await expect(page.get_by_role("img", name="2 contacts wait for a person")).to_be_visible()
    await expect(page).to_have_title("(2) Home · WhatsApp Dashboard")

    await number.click()
    await expect(page).to_have_url("/inbox?show=waiting")
    await expect(page).to_have_title("(2) Inbox · WhatsApp Dashboard")
    await expect(page.locator("a[data-conversation]")).to_have_count(2)
    await expect(tab(page, "Waiting")).to_contain_text("2")
    await expect(line(page, "Carla").locator(".wa-line-chips")).to_contain_text("Nobody")
    await line(page, "Carla").click()
    await expect(bubble(page, "Is the blue one there?")).to_be_visible()
    await expect(tab(page, "Unread")).to_contain_text("1")
    await expect(tab(page, "Waiting")).to_contain_text("2")

    await page.get_by_label("Message", exact=True).fill("Yes!")
    await page.keyboard.press("Enter")
    await expect(tab(page, "Waiting")).to_contain_text("1")
    await expect(page).to_have_title("(1) Inbox · WhatsApp Dashboard")
    await expect(line(page, "Carla")).to_be_visible()  # it is open, and stays until the list is left
    await expect(line(page, "Carla").locator(".wa-line-chips")).to_contain_text("Person")
    await tab(page, "All").click()
    await tab(page, "Waiting").click()
    await expect(page.locator("a[data-conversation]")).to_have_count(1)
    await line(page, "Dev").click()
    await page.keyboard.press("Alt+e")
    await expect(page).to_have_title("Inbox · WhatsApp Dashboard")
    await expect(page.get_by_role("img", name="wait for a person")).to_have_count(0)


async def test_a_conversation_that_was_opened_stays_among_the_unread_until_the_list_is_left(window: Window, shop: Shop) -> None:
    """MSG-7"""
    await shop.phone.send_text(shop.carla, "One")
    await shop.phone.send_text(shop.dev, "Two")
    page = await window.log_in("ben", PASSWORDS["ben"])
    await page.goto("/inbox?show=unread")
    await line(page, "Carla").click()
    await expect(line(page, "Carla").locator(".wa-unread")).to_have_count(0)
    await expect(tab(page, "Unread")).to_contain_text("1")
    await line(page, "Dev").click()
    await expect(line(page, "Dev").locator(".wa-unread")).to_have_count(0)
    await expect(page.locator("a[data-conversation]")).to_have_count(2)
    await shop.phone.send_text(shop.carla, "Three")
    await expect(line(page, "Carla")).to_contain_text("Three")
    await line(page, "Carla").click()
    await tab(page, "All").click()
    await tab(page, "Unread").click()
    await expect(page.get_by_text("No conversation matches these filters.")).to_be_visible()


async def test_chip_and_bar_say_who_answers(window: Window, shop: Shop) -> None:
    """MSG-14, AI-8: nobody, a bot, a person; without a bot nothing is said of one, and none can be taken over from."""
    await shop.phone.send_text(shop.carla, "Hello?")
    page = await window.log_in("ben", PASSWORDS["ben"], width=1440)
    await page.goto("/inbox")
    await line(page, "Carla").click()
    chips = page.locator(".wa-head-chips")
    await expect(chips).to_contain_text("Nobody")
    await expect(chips).to_contain_text("Wait")
    await expect(page.get_by_role("button", name="Take over from the bot")).to_have_count(0)
    await set_account(page, auto_reply={"enabled": True, "text": "We are closed.", "every_minutes": 0})
    await expect(chips).to_contain_text("Bot")
    await expect(line(page, "Carla").locator(".wa-line-chips")).to_contain_text("Bot")
    await shop.phone.send_text(shop.carla, "Anybody?")
    await expect(bubble(page, "We are closed.")).to_be_visible()
    await expect(chips).not_to_contain_text("Wait")
    await page.get_by_role("button", name="Take over from the bot").click()
    await expect(chips).to_contain_text("Person")
    await expect(page.get_by_text("Bot paused until")).to_be_visible()
    await set_account(page, auto_reply={"enabled": False, "text": ""})
    await expect(page.get_by_text("Bot paused until")).to_have_count(0)
    await shop.phone.send_text(shop.carla, "Still there?")
    await expect(chips).to_contain_text("Wait")


async def test_one_tab_tells_of_who_waits_and_none_of_what_is_in_front_of_the_reader(window: Window, shop: Shop) -> None:
    """MSG-14: permission is asked for by a click alone; several tabs tell once; a click on it leads to the conversation."""
    page = await window.log_in("ben", PASSWORDS["ben"])
    await page.context.add_init_script(RECORDER)
    await page.goto("/profile")
    await expect(page.locator("#wa-waiting")).to_have_attribute("data-operator", "ben")
    assert await page.evaluate("Notification.permission") == "default"
    switch = page.get_by_role("switch", name="Notifications of the browser")
    await expect(switch).to_have_attribute("aria-checked", "false")
    await switch.click()
    await expect(switch).to_have_attribute("aria-checked", "true")
    await page.get_by_role("switch", name="Sound").click()
    await page.get_by_role("button", name="Try it").click()
    assert await told(page) == ["Somebody is waiting: This is how it looks."]
    assert not [said for said in window.console if "React error" in said]  # nothing was changed before React had taken over

    others = [await page.context.new_page() for _ in range(2)]
    for other in others:
        await other.goto("/accounts")
        await expect(other.locator("#wa-waiting")).to_have_attribute("data-operator", "ben")
    await shop.phone.send_text(shop.carla, "Is the blue one there?")
    await expect(page.locator("#wa-waiting")).to_have_attribute("data-count", "1")
    await until(lambda: told(page), lambda seen: len(seen) == 2)
    await page.wait_for_timeout(1_500)
    assert (await told(page))[1:] == ["Carla is waiting: Is the blue one there?"]
    for tabs in (page, *others):
        if await tabs.evaluate("!!window.last"):
            await tabs.evaluate("window.last.onclick?.()")
    shown = await until(lambda: [tabs for tabs in (page, *others) if "/inbox?c=" in tabs.url])
    await expect(bubble(shown[0], "Is the blue one there?")).to_be_visible()
    assert len(shown) == 1

    await shown[0].bring_to_front()
    await shop.phone.send_text(shop.carla, "Hello?")
    await expect(bubble(shown[0], "Hello?")).to_be_visible()
    await shown[0].wait_for_timeout(2_000)
    assert len(await told(page)) == 2
