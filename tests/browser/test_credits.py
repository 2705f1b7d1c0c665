"""The Credits page in a real browser: chart, ledger, dialogs, and what the first page tells of credits (CRED-1, CRED-2, OBS-1)."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from datetime import UTC, datetime, timedelta

import httpx
from playwright.async_api import Page, expect

from tests.support.browser import Window
from tests.support.cast import PASSWORDS
from tests.support.linking import linked_account
from tests.support.llm_server import LlmServer
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone


async def add(api: httpx.AsyncClient, amount: int, words: str) -> None:
    """A line of the ledger."""
    path, body = ("top-up" if amount > 0 else "adjust"), {"amount": amount, "description": words}
    (await api.post(f"/api/credits/{path}", json=body)).raise_for_status()


async def open_page(window: Window, path: str = "/credits", name: str = "ana") -> Page:
    page = await window.log_in(name, PASSWORDS[name])
    await page.goto(path)
    await expect(page.get_by_role("heading", name="Credits", exact=True)).to_be_visible()
    return page


async def test_the_ledger_is_filtered_by_its_address_and_exported_as_shown(window: Window, api: httpx.AsyncClient) -> None:
    """CRED-2: the days are inclusive; what is exported is what is shown; a wrong address says what is wrong with it."""
    await add(api, 100, "=HYPERLINK(1)")
    await add(api, -30, "<script>document.title='owned'</script>")
    page = await open_page(window)
    lines = page.locator("[data-entry]")
    await expect(lines).to_have_count(2)
    await expect(lines.first).to_contain_text("<script>")
    await expect(page.get_by_test_id("chart")).to_have_attribute("aria-label", re.compile(r"^0 credits were spent in 30 days; .* 70\.$"))
    assert "owned" not in await page.title()
    await page.get_by_role("radio", name="Added").click()
    await expect(lines).to_have_count(1)
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    today = await page.evaluate("new Date().toLocaleDateString('sv')")
    await page.get_by_label("From").fill(tomorrow)
    await expect(page.get_by_text("No line matches")).to_be_visible()
    await page.get_by_label("From").fill(today)
    await page.get_by_label("To").fill(today)
    await expect(page).to_have_url(re.compile("until="))
    await expect(lines).to_have_count(1)
    await expect(page).to_have_url(re.compile(f"type=credit&since={today}&until={today}"))
    async with page.expect_download() as download:
        await page.get_by_test_id("export").click()
    with open(await (await download.value).path(), encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(io.StringIO(file.read())))
    assert [(row["amount"], row["description"]) for row in rows] == [("100", "'=HYPERLINK(1)")]

    await page.goto(f"/credits?type=debit&since={today}")
    await expect(page.get_by_label("From")).to_have_value(today)
    await expect(lines).to_have_count(1)
    await page.goto("/credits?since=soon")
    await expect(page.get_by_text("“soon” is not a date")).to_be_visible()
    await page.get_by_role("button", name="Clear filters").click()
    await expect(lines).to_have_count(2)
    await page.goto("/credits?cursor=nonsense")
    await expect(page.get_by_text("This is not a cursor of the ledger")).to_be_visible()
    assert not [entry for entry in window.console if entry.startswith("error")]


async def test_older_lines_are_a_page_away_and_new_ones_come_by_themselves(window: Window, api: httpx.AsyncClient) -> None:
    """CRED-2."""
    for start in range(0, 52, 13):
        await asyncio.gather(*(add(api, 1, f"No. {number}") for number in range(start, start + 13)))
    page = await open_page(window)
    lines = page.locator("[data-entry]")
    await expect(lines).to_have_count(50)
    await add(api, 500, "Invoice 18")
    await expect(lines.first).to_contain_text("Invoice 18")
    await expect(page.get_by_text("552").first).to_be_visible()
    await page.get_by_role("button", name="Older").click()
    await expect(lines).to_have_count(3)
    await expect(page.get_by_role("button", name="Older")).to_be_disabled()
    await page.get_by_role("button", name="Newest").click()
    await expect(lines.first).to_contain_text("Invoice 18")


async def test_the_dialogs_say_what_is_wrong_and_change_things_once(window: Window, api: httpx.AsyncClient) -> None:
    """CRED-1, CRED-2: a dialog stays open with what is wrong; what can be taken away is said."""
    await add(api, 40, "start")
    page = await open_page(window)
    dialog = page.get_by_role("dialog")
    await page.get_by_role("button", name="Turn billing on").click()
    await expect(dialog.get_by_role("button", name="Turn billing off")).to_have_count(0)
    price = dialog.get_by_label("Credits for an answer")
    await price.fill("2000000")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("Enter a price from 0 to 1,000,000 credits.")
    await price.fill("4")
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.get_by_test_id("low")).to_contain_text("enough for 10 answers")
    await page.get_by_role("button", name="Correct").click()
    await expect(dialog).to_contain_text("up to 40 can be taken")
    await dialog.get_by_label("Change").fill("-8")
    await dialog.get_by_label("Reason").fill("tests")
    await dialog.get_by_role("button", name="Correct").click()
    await expect(page.locator("[data-entry]").first).to_contain_text("−8")
    await expect(page.get_by_test_id("low")).to_contain_text("enough for 8 answers")
    await page.get_by_role("button", name="Price").click()
    await dialog.get_by_role("button", name="Turn billing off").click()
    await expect(page.get_by_test_id("billing-off")).to_be_visible()
    assert (await api.get("/api/credits")).json()["price"] == 0


async def test_the_first_page_tells_when_credits_run_low_and_out(window: Window, api: httpx.AsyncClient, phone: SandboxPhone) -> None:
    """OBS-1, CRED-1: only while billing is on; the line of an answer leads to its conversation."""
    account_id = await linked_account(api, phone, "Bakery")
    await api.post("/api/network/allowed", json={"value": "127.0.0.1"})
    await add(api, 5, "start")
    page = await window.log_in("ben", PASSWORDS["ben"])
    await page.goto("/")
    await expect(page.get_by_text("All accounts are connected.")).to_be_visible()
    await api.patch("/api/credits", json={"price": 2})
    await expect(page.get_by_text("What is left is enough for 2 answers.")).to_be_visible()
    async with LlmServer() as llm:
        asked = [{"kind": "openai", "model": "m", "key": "sk-0123456789", "url": llm.url("openai")}]
        config = {"enabled": True, "settings": {"wait_seconds": 0}, "providers": asked}
        (await api.post(f"/api/accounts/{account_id}/ai-config", json=config)).raise_for_status()
        for text, count in (("one", 1), ("two", 2), ("three", 2)):
            await phone.send_text("carla", text)
            async with asyncio.timeout(20):
                while len((await api.get("/api/credits/ledger?type=debit")).json()["items"]) < count:
                    await asyncio.sleep(0.1)
    attention = page.get_by_role("link", name=re.compile("The credits are used up"))
    await expect(attention).to_be_visible()
    await expect(page.get_by_text("Used up: messages are not answered by AI")).to_be_visible()
    await attention.click()
    await expect(page.get_by_role("alert")).to_contain_text("Ask an owner to top up.")
    await expect(page.get_by_test_id("chart")).to_have_attribute("aria-label", re.compile("^4 credits were spent in 30 days"))
    await page.locator("[data-entry]").first.get_by_role("link", name=re.compile("^to ")).click()
    await expect(page).to_have_url(re.compile(r"/inbox/?\?c="))
    await expect(page.get_by_text("three").first).to_be_visible()
    await api.patch("/api/credits", json={"price": 0})
    await page.goto("/")
    await expect(page.get_by_text("All accounts are connected.")).to_be_visible()
