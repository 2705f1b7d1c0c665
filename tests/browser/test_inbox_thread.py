"""Finding one's way in a thread: hits, unread messages, the end, long and formatted texts, pictures (MSG-7, SEC-4)."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.support.browser import Window
from tests.support.cast import PASSWORDS
from tests.support.inbox_page import bubble, line
from tests.support.lively import Office
from tests.support.samples import picture
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.models import Conversation, Message

pytestmark = pytest.mark.browser


async def chat(office: Office, count: int, *, name: str = "Rosa") -> Conversation:
    """A conversation with numbered messages, five minutes apart."""
    made = await office.conversation(name, "34600555445" if name == "Rosa" else "34600555446")
    for number in range(count):
        await office.say(made, f"message {number:03}", ago=(count - number) * 5)
    return made


async def opened(window: Window, address: str) -> Page:
    page = await window.log_in("ben", PASSWORDS["ben"], width=1440, height=900)
    await page.goto(address)
    return page


async def test_a_search_shows_the_hit_and_leads_to_its_place(window: Window, office: Office) -> None:
    """MSG-7: highlighted in the row; the thread opens there, goes on in both directions, and back to its end; the counts follow."""
    rosa = await chat(office, 160)
    await chat(office, 2, name="Marta")
    page = await opened(window, "/inbox?q=MESSAGE+040")
    await expect(page.locator("a[data-conversation]")).to_have_count(1)
    await expect(line(page, "Rosa").locator("mark")).to_have_text("message 040")
    shown = page.get_by_role("group", name="Show")
    await expect(shown.get_by_role("button", name="All")).to_contain_text("1")
    await expect(shown.get_by_role("button", name="Waiting")).to_contain_text("1")
    await line(page, "Rosa").click()
    await expect(bubble(page, "message 040")).to_be_in_viewport()
    await expect(bubble(page, "message 159")).to_have_count(0)
    assert f"c={rosa.id}&m=" in page.url
    await page.reload()
    await expect(bubble(page, "message 040")).to_be_in_viewport()
    await page.locator("#inbox-thread").evaluate("thread => { thread.scrollTop = 0; }")
    await expect(bubble(page, "message 075")).to_have_count(1)
    await page.get_by_role("button", name="Go to the newest message").click()
    await expect(bubble(page, "message 159")).to_be_in_viewport()
    assert "&m=" not in page.url
    await expect(page.get_by_role("button", name="Go to the newest message")).to_be_hidden()


async def test_who_writes_from_an_older_place_is_led_to_the_end_and_the_thread_stays_live(window: Window, office: Office) -> None:
    """MSG-7, MSG-13: what was written is seen; what others write, and bots, moves nobody who reads above."""
    rosa = await chat(office, 160)
    page = await opened(window, "/inbox?q=MESSAGE+040")
    await line(page, "Rosa").click()
    await expect(bubble(page, "message 040")).to_be_in_viewport()
    queued = await office.say(rosa, "from a colleague", mine=True)
    await tell(office, queued, "message.queued")
    await tell(office, await office.say(rosa, "and the customer"))
    await expect(line(page, "Rosa")).to_be_visible()
    await expect(bubble(page, "message 040")).to_be_in_viewport()
    await page.get_by_label("Message", exact=True).fill("I have found it")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-message]").filter(has_text="I have found it")).to_be_in_viewport()
    assert "&m=" not in page.url
    await expect(bubble(page, "message 040")).to_have_count(0)
    await tell(office, await office.say(rosa, "read along"))
    await expect(bubble(page, "read along")).to_be_in_viewport()


async def test_unread_messages_begin_under_a_line_and_new_ones_are_told_to_who_reads_above(window: Window, office: Office) -> None:
    """MSG-7: the line stays while the conversation is open; the pill says how many have come, and leads to them."""
    rosa = await chat(office, 60)
    async with office.db.write() as session:
        (await session.get_one(Conversation, rosa.id)).unread = 30
    page = await opened(window, f"/inbox?c={rosa.id}")
    separator = page.get_by_role("separator").filter(has_text="30 unread messages")
    await expect(separator).to_be_in_viewport()
    assert "message 030" in await page.locator("[id^='m-']:has(.wa-fresh)").inner_text()
    await expect(line(page, "Rosa").locator(".wa-unread")).to_have_count(0)
    await expect(separator).to_be_visible()
    pill = page.locator(".wa-jump")
    await expect(pill).to_be_visible()
    for number in range(2):
        await tell(office, await office.say(rosa, f"news {number}"))
    await expect(pill).to_have_text("2 new messages")
    await expect(separator).to_be_in_viewport()
    await pill.click()
    await expect(bubble(page, "news 1")).to_be_in_viewport()
    await expect(pill).to_be_hidden()
    await tell(office, await office.say(rosa, "read along"))
    await expect(bubble(page, "read along")).to_be_in_viewport()
    await expect(pill).to_be_hidden()


async def tell(office: Office, message: Message, kind: str = "message") -> None:
    """Record what the program records of a message that came or went."""
    async with office.db.write() as session:
        workspace = office.shop.workspace_id
        record(session, kind, workspace_id=workspace, account_id=message.account_id, conversation_id=message.conversation_id,
               message_id=message.id)  # fmt: skip


async def test_texts_are_drawn_with_whatsapps_marks_and_long_ones_are_folded(window: Window, office: Office) -> None:
    """MSG-7, SEC-4: looks by elements of ours; nothing in a text becomes an element."""
    rosa = await chat(office, 1)
    await office.say(rosa, "*Hello* _you_ ~not~ `x < 1`\n- milk\n2. *bread*\n> <b>said</b>\n```\n<i>a</i> *b*\n```", ago=2)
    await office.say(rosa, "\n".join(f"line {number}" for number in range(80)), ago=1)
    page = await opened(window, f"/inbox?c={rosa.id}")
    text = bubble(page, "Hello").locator(".wa-text")
    await expect(text).to_be_visible()
    assert await text.locator(".wa-bold").all_inner_texts() == ["Hello", "bread"]
    assert await text.locator(".wa-italic, .wa-struck, .wa-code").all_inner_texts() == ["you", "not", "x < 1"]
    assert await text.locator(".wa-entry").all_inner_texts() == ["•\nmilk", "2.\nbread"]
    assert await text.locator("blockquote").inner_text() == "<b>said</b>"
    assert await text.locator("pre").inner_text() == "<i>a</i> *b*"
    assert await text.locator("b, i, strong, em").count() == 0
    folded = bubble(page, "line 79")
    height = (await folded.bounding_box() or {})["height"]
    assert height < 400
    await folded.get_by_role("button", name="Read more").click()
    assert (await folded.bounding_box() or {})["height"] > 2 * height
    await folded.get_by_role("button", name="Read less").click()
    assert (await folded.bounding_box() or {})["height"] < 400


async def test_pictures_are_looked_at_one_after_the_other(window: Window, office: Office) -> None:
    """MSG-7: by keys and by buttons; Esc closes only the picture, the focus goes back, and it can be kept."""
    rosa = await chat(office, 1)
    for number in range(3):
        media = await office.file(picture(200 + number, 100), "image/png", f"{number}.png")
        await office.say(rosa, f"caption {number}", ago=3 - number, type="image", media_id=media)
    page = await opened(window, f"/inbox?c={rosa.id}")
    await page.get_by_role("link", name="Open the picture").nth(1).click()
    viewer = page.get_by_role("dialog", name="Picture")
    await expect(viewer).to_contain_text("caption 1")
    await expect(viewer).to_contain_text("2 of 3")
    await page.keyboard.press("ArrowRight")
    await expect(viewer).to_contain_text("caption 2")
    await expect(viewer.get_by_role("button", name="Next picture")).to_be_hidden()
    await viewer.get_by_role("button", name="Previous picture").click()
    await page.keyboard.press("ArrowLeft")
    await expect(viewer).to_contain_text("caption 0")
    await viewer.locator("img").evaluate("image => image.decode()")
    assert await viewer.locator("img").evaluate("image => image.naturalWidth") == 200
    async with page.expect_download() as kept:
        await viewer.get_by_role("link", name="Download").click()
    assert (await kept.value).suggested_filename.endswith(".png")
    await page.keyboard.press("Escape")
    await expect(viewer).to_be_hidden()
    await expect(bubble(page, "caption 1")).to_be_visible()
    await expect(page.get_by_role("link", name="Open the picture").nth(1)).to_be_focused()
