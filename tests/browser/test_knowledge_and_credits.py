"""The knowledge base and the credits in a real browser (AI-5, CRED-1, CRED-2)."""

from __future__ import annotations

import asyncio

import httpx
from playwright.async_api import expect

from tests.support.browser import Window
from tests.support.cast import PASSWORDS
from tests.support.linking import linked_account
from tests.support.llm_server import LlmServer
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone


async def test_documents_are_added_found_switched_off_and_deleted_without_a_reload(window: Window, api: httpx.AsyncClient) -> None:
    """AI-5: a text, files with their progress, and a URL that an owner would have to allow."""
    page = await window.log_in("ben", PASSWORDS["ben"])
    await page.goto("/knowledge")
    await expect(page.get_by_text("Nothing known yet")).to_be_visible()
    await page.get_by_role("button", name="Add").first.click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("radio", name="Write a text").click()
    await dialog.get_by_role("button", name="Add").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("Give it a title")
    await dialog.get_by_label("Title").fill("Opening hours")
    await dialog.get_by_label("Text").fill("The bakery opens at seven, on Sundays at nine.")
    await dialog.get_by_role("button", name="Add").click()
    row = page.locator("[data-document]", has_text="Opening hours")
    await expect(row).to_have_attribute("data-state", "ready")

    await page.get_by_role("button", name="Add").first.click()
    await dialog.get_by_role("radio", name="Upload files").click()
    files = [
        {"name": "prices.csv", "mimeType": "text/csv", "buffer": b"product,price\nrye bread,4.20\n"},
        {"name": "photo.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n"},
    ]
    await page.set_input_files("#knowledge-files", files)  # type: ignore[arg-type]
    uploads = dialog.locator("#knowledge-uploads li")
    await expect(uploads.nth(0)).to_contain_text("Added")
    await expect(uploads.nth(1)).to_contain_text("Only text, Markdown, CSV, HTML and PDF files can be read")
    await dialog.get_by_role("radio", name="From a URL").click()
    await dialog.get_by_label("URL").fill("http://192.168.1.9/faq")
    await dialog.get_by_role("button", name="Add").click()
    await expect(dialog.get_by_text("Ask an owner to allow 192.168.1.9.")).to_be_visible()
    await page.keyboard.press("Escape")

    await expect(page.locator("[data-document]", has_text="prices.csv")).to_have_attribute("data-state", "ready")
    await page.get_by_label("Question").fill("what does rye bread cost?")
    await page.get_by_role("button", name="Search").click()
    found = page.locator("[data-found]")
    await expect(found.first).to_contain_text("rye bread")
    assert "rye" in " ".join(await found.first.locator(".wa-hit").all_text_contents())
    await page.get_by_role("switch", name="Search “prices.csv”").click()
    await expect(page.locator("[data-document]", has_text="prices.csv")).to_contain_text("Off")
    await page.get_by_role("button", name="Search").click()
    await expect(page.get_by_text("Nothing fits")).to_be_visible()

    await row.get_by_role("button", name="Opening hours").first.click()
    await expect(dialog).to_contain_text("on Sundays at nine")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Actions for prices.csv").click()
    await page.get_by_role("menuitem", name="Rename").click()
    await expect(dialog.get_by_label("Text")).to_have_count(0)
    await dialog.get_by_label("Title").fill("Prices of today")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog).to_have_count(0)
    await expect(page.locator("[data-document]", has_text="Prices of today")).to_contain_text("prices.csv")
    await page.get_by_role("button", name="Actions for Opening hours").click()
    await page.get_by_role("menuitem", name="Edit").click()
    await expect(dialog.get_by_label("Title")).to_have_value("Opening hours")
    await dialog.get_by_label("Text").fill("")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("Write the text")
    await dialog.get_by_label("Text").fill("The bakery opens at eight.")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog).to_have_count(0)
    await expect(row).to_contain_text("26 B")
    await expect(row).to_have_attribute("data-state", "ready")
    await page.get_by_label("Question").fill("when does the bakery open?")
    await page.get_by_role("button", name="Search").click()
    await expect(found.first).to_contain_text("opens at eight")
    await page.get_by_role("button", name="Actions for Opening hours").click()
    await page.get_by_role("menuitem", name="Delete").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    await expect(row).to_have_count(0)

    # What another program adds appears by itself; a viewer sees it and cannot change it.
    await api.post("/api/knowledge/documents", json={"title": "Parking", "text": "Twelve spaces."})
    await expect(page.locator("[data-document]", has_text="Parking")).to_be_visible()
    viewer = await window.log_in("vic", PASSWORDS["vic"], width=390, height=844)
    await viewer.goto("/knowledge")
    await expect(viewer.locator("[data-document]", has_text="Parking")).to_be_visible()
    await expect(viewer.get_by_role("button", name="Add")).to_have_count(0)
    await expect(viewer.get_by_role("switch").first).to_be_disabled()


async def test_credits_are_turned_on_spent_and_topped_up_before_everybodys_eyes(
    window: Window, api: httpx.AsyncClient, phone: SandboxPhone
) -> None:
    """CRED-1, CRED-2: the line of an answer appears by itself; without credits nobody answers, and the page says so."""
    account_id = await linked_account(api, phone, "Bakery")
    await api.post("/api/network/allowed", json={"value": "127.0.0.1"})
    page = await window.log_in("ana", PASSWORDS["ana"])
    await page.goto("/credits")
    await expect(page.get_by_test_id("billing-off")).to_be_visible()
    await page.get_by_role("button", name="Turn billing on").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_label("Credits for an answer")).to_have_value("2")
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_contain_text("used up")
    await page.get_by_role("button", name="Top up").click()
    await dialog.get_by_label("Credits").fill("3")
    await dialog.get_by_label("Description").fill("Invoice 17")
    await dialog.get_by_role("button", name="Add credits").click()
    await expect(page.locator("[data-entry]")).to_contain_text(["Invoice 17"])
    await expect(page.get_by_text("for 1 answer", exact=True)).to_be_visible()

    async with LlmServer() as llm:
        asked = [{"kind": "openai", "model": "m", "key": "sk-0123456789", "url": llm.url("openai")}]
        config = {"enabled": True, "settings": {"wait_seconds": 0}, "providers": asked}
        (await api.post(f"/api/accounts/{account_id}/ai-config", json=config)).raise_for_status()
        contact = await phone.add_contact("Carla", "34600111222")
        await phone.send_text(contact["id"], "hello")
        await expect(page.locator("[data-entry]").first).to_contain_text("Answer by AI")
        await expect(page.locator("[data-entry]").first).to_contain_text("−2")
        await expect(page.get_by_role("alert")).to_contain_text("used up")
        await phone.send_text(contact["id"], "and now?")
        await asyncio.sleep(1)
        assert len(llm.requests()) == 1

    await page.get_by_role("button", name="Correct").click()
    await dialog.get_by_label("Change").fill("-5")
    await dialog.get_by_label("Reason").fill("too much")
    await dialog.get_by_role("button", name="Correct").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("Only 1 can be taken away")
    await page.keyboard.press("Escape")
    await page.get_by_role("radio", name="Added").click()
    await expect(page.locator("[data-entry]")).to_have_count(1)
    assert page.url.endswith("type=credit")
    viewer = await window.log_in("vic", PASSWORDS["vic"])
    await viewer.goto("/credits")
    await expect(viewer.locator("[data-entry]")).to_have_count(2)
    await expect(viewer.get_by_role("button", name="Top up")).to_have_count(0)
