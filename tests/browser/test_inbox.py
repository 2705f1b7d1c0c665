"""The inbox in a real browser, with contacts who write from sandbox phones (MSG-7, AI-8)."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.support.browser import Window
from tests.support.cast import PASSWORDS
from tests.support.inbox_page import Shop, bubble, line, set_account
from tests.support.samples import picture

pytestmark = pytest.mark.browser


async def open_inbox(window: Window, who: str = "ben", **size: int) -> Page:
    page = await window.log_in(who, PASSWORDS[who], **size)
    await page.goto("/inbox")
    await expect(page.get_by_label("Conversations")).to_be_visible()
    return page


async def write(page: Page, text: str) -> None:
    await page.get_by_label("Message", exact=True).fill(text)
    await page.keyboard.press("Enter")


async def test_a_message_appears_is_read_and_answered_and_its_ticks_climb(window: Window, shop: Shop) -> None:
    """MSG-1, MSG-4, MSG-7, AI-8: all without a reload, for both who look."""
    page, watching = await open_inbox(window), await open_inbox(window, "vic")
    await expect(page.get_by_text("Write the first message")).to_be_visible()
    await shop.phone.send_text(shop.carla, "Is the blue one there?")
    await expect(line(page, "Carla")).to_contain_text("Is the blue one there?")
    await expect(line(page, "Carla").locator(".wa-unread")).to_have_text("1")
    await line(watching, "Carla").click()
    await expect(watching.get_by_text("you can read, but not write")).to_be_visible()

    await line(page, "Carla").click()
    await expect(page).to_have_url(re.compile(r"/inbox\?c="))
    await expect(bubble(page, "Is the blue one there?")).to_be_visible()
    await expect(line(page, "Carla").locator(".wa-unread")).to_have_count(0)

    await write(page, "Yes, two of them.")
    mine = bubble(page, "Yes, two of them.")
    await expect(mine).to_have_attribute("data-status", re.compile("sent|delivered"))
    await expect(page.get_by_label("Message", exact=True)).to_have_value("")
    await expect(mine).to_contain_text("ben")
    await expect(page.locator(".wa-head-chips")).to_contain_text("Person")
    await expect(page.get_by_text("Bot paused until")).to_have_count(0)  # there is none
    await expect(bubble(watching, "Yes, two of them.")).to_be_visible()
    await shop.phone.open_chat(shop.carla)
    await expect(mine).to_have_attribute("data-status", "read")
    assert [message.text for message in await shop.phone.received(shop.carla)] == ["Yes, two of them."]
    await expect(mine).to_have_count(1)


async def test_replies_reactions_edits_and_deletes_reach_the_phone_and_the_thread(window: Window, shop: Shop) -> None:
    """MSG-1, MSG-7"""
    asked = await shop.phone.send_text(shop.carla, "When do you open?")
    page = await open_inbox(window)
    await line(page, "Carla").click()
    question = bubble(page, "When do you open?").first
    await question.hover()
    await page.get_by_role("button", name="Reply", exact=True).nth(0).click()
    await write(page, "At nine.")
    answer = bubble(page, "At nine.")
    await expect(answer.locator(".wa-quote")).to_contain_text("When do you open?")
    await expect(answer).to_have_attribute("data-status", re.compile("sent|delivered|read"))

    await question.hover()
    await page.get_by_role("button", name="React", exact=True).first.click()
    await page.get_by_role("button", name="React with 👍").click()
    await expect(question.get_by_role("button", name="Take our reaction back")).to_be_visible()
    await shop.phone.react((await shop.phone.received(shop.carla))[0].wa_id, "❤️")
    await expect(answer.locator(".wa-reaction")).to_contain_text("❤️")

    await answer.hover()
    await page.get_by_role("button", name="Edit", exact=True).click()
    await expect(page.get_by_label("Message", exact=True)).to_have_value("At nine.")
    await write(page, "At ten.")
    await expect(bubble(page, "At ten.")).to_contain_text("edited")
    await shop.phone.revoke(asked)
    await expect(page.get_by_role("log").get_by_text("This message was deleted")).to_be_visible()
    await bubble(page, "At ten.").hover()
    await page.get_by_role("button", name="Delete for everyone").click()
    await page.get_by_role("button", name="Delete", exact=True).click()
    await expect(page.get_by_role("log").get_by_text("This message was deleted")).to_have_count(2)


async def test_files_go_out_with_their_caption_and_are_shown_in_place(window: Window, shop: Shop, tmp_path: Path) -> None:
    """MSG-1, MSG-7, MSG-9, AI-8: what an operator attaches counts as written by a person."""
    await shop.phone.send_text(shop.carla, "Do you have a picture?")
    page = await open_inbox(window)
    await line(page, "Carla").click()
    photo, paper = tmp_path / "shelf.png", tmp_path / "empty.txt"
    photo.write_bytes(picture(64, 48))
    paper.write_bytes(b"")
    await page.get_by_label("Attach files").set_input_files([photo, paper])
    await expect(page.locator(".wa-attached")).to_have_count(2)
    await write(page, "Here it is")
    sent = bubble(page, "Here it is")
    await expect(sent.locator("img")).to_be_visible()
    await expect(sent).to_contain_text("ben")
    await expect(page.locator(".wa-attached-bad")).to_contain_text("The file is empty.")
    await expect(page.locator(".wa-head-chips")).to_contain_text("Person")
    assert await sent.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 64


async def test_notes_closing_taking_over_and_shortcuts(window: Window, shop: Shop) -> None:
    """MSG-7, AI-8"""
    await shop.phone.send_text(shop.carla, "first")
    await shop.phone.send_text(shop.dev, "second")
    page = await open_inbox(window)
    await expect(line(page, "Carla")).to_be_visible()
    await expect(line(page, "Dev")).to_be_visible()
    await page.keyboard.press("Alt+j")
    await expect(bubble(page, "second")).to_be_visible()
    await page.keyboard.press("Alt+j")
    await expect(bubble(page, "first")).to_be_visible()
    await page.keyboard.press("Alt+k")
    await expect(bubble(page, "second")).to_be_visible()

    await page.get_by_role("button", name="Note", exact=True).click()
    await page.get_by_label("Note", exact=True).fill("He paid in cash")
    await page.keyboard.press("Enter")
    note = page.locator("[data-note]")
    await expect(note).to_contain_text("He paid in cash")
    await expect(note).to_contain_text("ben")
    assert await shop.phone.received(shop.dev) == []
    await note.get_by_role("button", name="Delete note").click()
    await page.get_by_role("button", name="Delete", exact=True).click()
    await expect(note).to_have_count(0)

    await expect(page.get_by_role("button", name="Take over from the bot")).to_have_count(0)  # there is none
    await set_account(page, auto_reply={"enabled": True, "text": "Back soon."})
    await page.get_by_role("button", name="Take over from the bot").click()
    await expect(page.get_by_text("Bot paused until")).to_be_visible()
    await expect(page.locator("[data-wa-busy]")).to_have_count(0)
    await page.wait_for_timeout(200)  # nobody presses at the same spot again sooner and means it
    await page.get_by_role("button", name="Hand back to the bot").click()
    await expect(page.get_by_text("Bot paused until")).to_have_count(0)

    await page.keyboard.press("Alt+e")
    await expect(line(page, "Dev")).to_have_count(0)
    await page.get_by_role("button", name="Closed").click()
    await expect(line(page, "Dev")).to_be_visible()
    await expect(page).to_have_url(re.compile("show=closed"))
    await page.reload()
    await expect(bubble(page, "second")).to_be_visible()
    await shop.phone.send_text(shop.dev, "one more thing")
    await expect(bubble(page, "one more thing")).to_be_visible()
    await expect(line(page, "Dev")).to_have_count(0)

    await page.locator("body").click(position={"x": 700, "y": 20})
    await page.keyboard.press("/")
    await page.keyboard.type("no such text")
    await expect(page).to_have_url(re.compile("no.such.text"))  # else a pause while it is typed counts as its end
    await expect(page.get_by_text("No conversation matches these filters.")).to_be_visible()
    await page.get_by_role("button", name="Show all").click()
    await expect(line(page, "Dev")).to_be_visible()


async def test_on_a_phone_one_pane_is_shown_at_a_time(window: Window, shop: Shop) -> None:
    """MSG-7: at 390 pixels, with a way back."""
    await shop.phone.send_text(shop.carla, "hello")
    page = await open_inbox(window, width=390, height=844)
    await line(page, "Carla").click()
    await expect(bubble(page, "hello")).to_be_visible()
    await expect(line(page, "Carla")).not_to_be_visible()
    await page.get_by_role("button", name="Back to the list").click()
    await expect(line(page, "Carla")).to_be_visible()
    await expect(page.get_by_label("Message", exact=True)).not_to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_new_message_to_a_number_opens_its_conversation(window: Window, shop: Shop) -> None:
    """MSG-2, MSG-7"""
    page = await open_inbox(window)
    await page.get_by_role("button", name="New message").click()
    await page.get_by_label("To").fill("12")
    await page.get_by_role("textbox", name="Message").fill("Hello Dev")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("12")
    await page.get_by_label("To").fill("+91 98765 43210")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(bubble(page, "Hello Dev")).to_be_visible()
    await expect(page).to_have_url(re.compile(r"\?c="))


async def test_places_contacts_and_polls_are_sent_and_a_contact_is_renamed(window: Window, shop: Shop) -> None:
    """MSG-1, MSG-7"""
    await shop.phone.send_text(shop.carla, "Where are you?")
    page = await open_inbox(window)
    await line(page, "Carla").click()

    async def share(kind: str, **fields: str) -> None:
        await page.get_by_role("button", name="Share").click()
        await page.get_by_role("menuitem", name=kind).click()
        for label, value in fields.items():
            await page.get_by_role("dialog").get_by_label(label.replace("_", " ")).fill(value)
        await page.get_by_role("dialog").get_by_role("button", name="Send").click()

    await share("Location", Latitude="north", Longitude="2")
    await expect(page.get_by_role("alert")).to_contain_text("are numbers")
    await page.get_by_label("Latitude").fill("41.38")
    await page.get_by_label("Name").fill("The shop")
    await page.get_by_role("dialog").get_by_role("button", name="Send").click()
    await expect(bubble(page, "The shop")).to_be_visible()
    await share("Contact", Name="Desk", Phone_numbers="+34 931 234 567")
    await expect(bubble(page, "Desk")).to_contain_text("+34 931 23 45 67")
    await share("Poll", Question="When?", Options="Monday\nTuesday")
    await expect(bubble(page, "When?")).to_contain_text("0 voters")
    await expect(bubble(page, "When?")).to_have_attribute("data-status", re.compile("sent|delivered"))
    poll = (await shop.phone.received(shop.carla))[-1]
    await shop.phone.vote(poll.wa_id, ["Tuesday"])
    await expect(bubble(page, "When?")).to_contain_text("1 voter")

    await page.get_by_role("button", name="Contact details").click()
    await page.get_by_role("button", name="Rename").click()
    await page.get_by_role("dialog").get_by_label("Name").fill("Carla (wholesale)")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(line(page, "Carla (wholesale)")).to_be_visible()
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_what_is_written_while_the_account_is_offline_waits_and_then_goes_out(
    window: Window, shop: Shop, api: httpx.AsyncClient
) -> None:
    """MSG-6, MSG-7"""
    await shop.phone.send_text(shop.carla, "Hello?")
    page = await open_inbox(window)
    await line(page, "Carla").click()
    await expect(bubble(page, "Hello?")).to_be_visible()
    (await api.post(f"/api/accounts/{shop.account_id}/disconnect")).raise_for_status()
    await expect(page.get_by_text("goes out when it is back")).to_be_visible()
    await write(page, "Back soon")
    await expect(bubble(page, "Back soon")).to_have_attribute("data-status", "queued")
    (await api.post(f"/api/accounts/{shop.account_id}/reconnect")).raise_for_status()
    await expect(bubble(page, "Back soon")).to_have_attribute("data-status", re.compile("sent|delivered"), timeout=20_000)
    await expect(page.get_by_text("goes out when it is back")).to_have_count(0)


async def test_drafts_wait_in_their_conversation_and_unread_can_be_set_again(window: Window, shop: Shop) -> None:
    """MSG-7"""
    await shop.phone.send_text(shop.carla, "one")
    await shop.phone.send_text(shop.dev, "two")
    page = await open_inbox(window)
    field = page.get_by_label("Message", exact=True)
    await line(page, "Carla").click()
    await field.fill("half a sentence ")
    await page.get_by_role("button", name="Emoji").click()
    await page.locator("[data-emoji='🙂']").click()
    await page.keyboard.press("Escape")
    await expect(field).to_have_value("half a sentence 🙂")
    await line(page, "Dev").click()
    await expect(bubble(page, "two")).to_be_visible()
    await expect(field).to_have_value("")
    await line(page, "Carla").click()
    await expect(field).to_have_value("half a sentence 🙂")

    await page.get_by_role("button", name="Mark as unread").click()
    await expect(page.get_by_text("No conversation open")).to_be_visible()
    await expect(line(page, "Carla").locator(".wa-unread")).to_have_text("1")
    await page.get_by_role("button", name="Unread").click()
    await expect(line(page, "Carla")).to_be_visible()
    await expect(line(page, "Dev")).to_have_count(0)


async def test_a_failed_message_says_why_and_can_be_sent_again(window: Window, shop: Shop) -> None:
    """MSG-4, MSG-7, MSG-11"""
    await shop.phone.send_text(shop.carla, "hello")
    page = await open_inbox(window)
    await line(page, "Carla").click()
    await shop.phone.switch("fail_for_good", True, shop.account_id)
    await shop.phone.switch("fail_sends", 1, shop.account_id)
    await write(page, "Here you are")
    await expect(bubble(page, "Here you are")).to_have_attribute("data-status", "failed")
    await expect(page.get_by_text("WhatsApp refused this message.")).to_be_visible()
    await page.get_by_role("button", name="Send again").click()
    await expect(bubble(page, "Here you are")).to_have_attribute("data-status", re.compile("sent|delivered"))
    assert [message.text for message in await shop.phone.received(shop.carla)] == ["Here you are"]
