"""Long threads, every kind of message, and texts that try to run something, in a real browser (MSG-7, SEC-4)."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.support.browser import Window
from tests.support.cast import PASSWORDS
from tests.support.lively import HOSTILE, Office

pytestmark = pytest.mark.browser


async def opened(window: Window, conversation_id: str, who: str = "ben") -> Page:
    page = await window.log_in(who, PASSWORDS[who], width=1440, height=900)
    await page.goto(f"/inbox?c={conversation_id}")
    await expect(page.get_by_role("log")).to_be_visible()
    return page


async def test_every_kind_of_message_is_shown_in_place(window: Window, office: Office) -> None:
    """MSG-1, MSG-7, MSG-11, ACC-8, ACC-10"""
    page = await opened(window, (await office.everything()).id)
    thread = page.get_by_role("log")
    for text in (
        "See you on Friday!",
        "No proof of delivery",
        "The number is not on WhatsApp.",
        "Birthday on Friday",
        "This message was deleted",
        "edited",
        "Missed while offline",
        "In doubt.",
        "A message of a kind this dashboard cannot show.",
        "This message could not be read.",
        "Talk to a person",
        "Friday morning",
        "1 voter",
        "Delivery desk",
        "+34 931 23 45 67",
        "Plaça de Catalunya",
        "WhatsApp no longer has this file.",
        "Fetching the file",
        "Invoice 2026-10 (final) for Carla Ruiz García.pdf",
        "Auto-reply",
        "Today",
    ):
        await expect(thread.get_by_text(text).first).to_be_visible()
    await expect(thread.locator("audio")).to_have_count(1)
    await expect(thread.get_by_role("button", name="Send again")).to_have_count(3)
    link = thread.get_by_role("link", name="https://maps.example/place?x=1&y=2")
    assert await link.get_attribute("rel") == "noopener noreferrer nofollow"
    await expect(page.get_by_text("goes out when it is back")).to_be_visible()


async def test_a_message_in_doubt_is_sent_again_only_after_a_question(window: Window, office: Office) -> None:
    """MSG-4, MSG-11: in the thread and in the log; a viewer reads why, and cannot."""
    conversation = await office.conversation("Carla Ruiz", "34600555444")
    for number in range(2):
        await office.say(conversation, f"Order {number}", ago=2 - number, mine=True, status="sent", unconfirmed=True)
    page = await opened(window, conversation.id)
    doubt = page.get_by_role("log").get_by_text("In doubt.")
    await expect(doubt).to_have_count(2)
    await page.get_by_role("button", name="Send again").first.click()
    question = page.get_by_role("alertdialog")
    await expect(question).to_contain_text("the contact gets it twice")
    await page.keyboard.press("Escape")
    await expect(doubt).to_have_count(2)
    await page.get_by_role("button", name="Send again").first.click()
    await question.get_by_role("button", name="Send again").click()
    await expect(doubt).to_have_count(1)

    await page.goto("/messages?status=in_doubt")
    rows = page.locator("[data-message]")
    await expect(rows).to_have_count(1)
    await rows.first.click()
    trouble = page.get_by_test_id("message-detail").get_by_test_id("trouble")
    await trouble.get_by_role("button", name="Send again").click()
    await question.get_by_role("button", name="Send again").click()
    await expect(trouble).to_be_hidden()

    await office.say(conversation, "Order 2", mine=True, status="sent", unconfirmed=True)
    await page.goto("/")
    await page.get_by_role("link", name="1 message is in doubt").click()
    await expect(rows).to_have_count(1)

    vic = await opened(window, conversation.id, "vic")
    await expect(vic.get_by_role("log").get_by_text("Order 0")).to_be_visible()
    await expect(vic.get_by_role("button", name="Send again")).to_have_count(0)


async def test_older_messages_are_added_above_without_moving_what_is_read(window: Window, office: Office) -> None:
    """MSG-7"""
    page = await opened(window, (await office.everything()).id)
    anchor = page.locator("[data-message]").nth(6)
    await page.locator("#inbox-thread").evaluate("thread => { thread.scrollTop = 300 + thread.clientHeight - thread.scrollHeight; }")
    name = await anchor.get_attribute("data-message")
    held = page.locator(f'[data-message="{name}"]')
    before = await held.bounding_box()
    await page.get_by_role("button", name="Load older messages").evaluate("button => button.click()")
    await expect(page.get_by_text("Older message number 30", exact=True)).to_be_attached()
    after = await held.bounding_box()
    assert before
    assert after
    assert abs(before["y"] - after["y"]) < 3


async def test_nothing_that_came_from_outside_runs(window: Window, office: Office) -> None:
    """SEC-4: bodies, names of people, groups and files, polls, places and cards are drawn as text."""
    page = await opened(window, (await office.hostile()).id)
    for text in HOSTILE[:5]:
        await expect(page.get_by_role("log").get_by_text(text, exact=True).first).to_be_visible()
    await page.get_by_role("button", name="Contact details").click()
    await expect(page.get_by_label("Contact details").get_by_text('onerror="window.hacked').first).to_be_visible()
    await page.wait_for_timeout(500)
    assert await page.evaluate("window.hacked") is None
    assert await page.locator("#inbox script, #inbox img[src='x'], #inbox svg[onload], #inbox [onmouseover], #inbox [onerror]").count() == 0
    assert await page.locator("#inbox a[href^='javascript:']").count() == 0
    assert not [line for line in window.console if "Content Security Policy" in line]


async def test_an_unknown_conversation_says_so(window: Window, office: Office) -> None:
    """MSG-7"""
    page = await window.log_in("ben", PASSWORDS["ben"])
    await page.goto("/inbox?c=no-such-conversation")
    await expect(page.get_by_text("There is no such conversation.")).to_be_visible()
    await page.get_by_role("button", name="Back to the list").last.click()
    await expect(page.get_by_text("No conversation open")).to_be_visible()


async def test_the_list_loads_more_when_its_end_is_reached(window: Window, office: Office) -> None:
    """MSG-7"""
    await office.many(50)
    page = await window.log_in("vic", PASSWORDS["vic"])
    await page.goto("/inbox")
    lines = page.locator("a[data-conversation]")
    await expect(lines).to_have_count(40)
    await lines.last.scroll_into_view_if_needed()
    await expect(lines).to_have_count(45)
    await page.get_by_role("button", name="Closed").click()
    await expect(lines).to_have_count(5)
