"""The Accounts page in a real browser, with a real session on the sandbox phone (ACC-1 to ACC-11)."""

from __future__ import annotations

import re
import time

import httpx
import pytest
from playwright.async_api import Locator, Page, expect

from tests.support.browser import Window
from tests.support.cast import PASSWORDS
from tests.support.linking import linked_account
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone

pytestmark = pytest.mark.browser

HOSTILE = "Shop <img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


async def open_accounts(window: Window, who: str = "ana", **size: int) -> Page:
    page = await window.log_in(who, PASSWORDS[who], **size)
    await page.goto("/accounts")
    await expect(page.get_by_role("heading", name="Accounts")).to_be_visible()
    return page


def row(page: Page, name: str) -> Locator:
    return page.locator("[data-account]").filter(has_text=name)


async def new_sandbox(page: Page, name: str) -> None:
    """Create a sandbox account; its linking dialog opens by itself."""
    await page.get_by_role("button", name="New account").first.click()
    await page.get_by_label("Name").fill(name)
    await page.get_by_role("radio", name=re.compile("^Sandbox")).click()
    await page.get_by_role("button", name="Create and link").click()


async def choose(page: Page, account: str, action: str) -> None:
    await page.get_by_role("button", name=f"Actions for {account}").click()
    await page.get_by_role("menuitem", name=action).click()


async def scan_what_waits(phone: SandboxPhone) -> str:
    deadline = time.monotonic() + 10
    while not (waiting := await phone.waiting()):
        assert time.monotonic() < deadline, "no account waits for a scan"
    return await phone.scan(waiting[0]["qr"])


async def test_ana_creates_an_account_scans_its_code_and_sees_it_connected(window: Window, phone: SandboxPhone) -> None:
    """ACC-1, ACC-2, ACC-3, ACC-7"""
    page = await open_accounts(window)
    watching = await open_accounts(window, "vic")
    await expect(page.get_by_text("No account yet")).to_be_visible()
    await page.get_by_role("button", name="New account").first.click()
    create = page.get_by_role("button", name="Create and link")
    await create.click()
    await expect(page.get_by_text("Give the account a name.")).to_be_visible()
    await page.get_by_label("Name").fill("x" * 256)
    await create.click()
    await expect(page.get_by_text("The name is too long: 256 of at most 255 characters.")).to_be_visible()
    await page.get_by_label("Name").fill("Sales")
    await page.get_by_role("radio", name=re.compile("^Sandbox")).click()
    await create.click()

    dialog = page.get_by_test_id("link-dialog")
    await expect(dialog.get_by_test_id("qr")).to_have_attribute("src", re.compile("^data:image/png;base64,"))
    await expect(dialog.get_by_role("timer")).to_have_text(re.compile(r"^\d:\d\d$"))
    await expect(row(watching, "Sales")).to_contain_text("Waiting for scan")
    number = await scan_what_waits(phone)
    await expect(dialog.get_by_text("Connected", exact=True)).to_be_visible()
    digits = re.sub(r"\D", "", await dialog.get_by_test_id("linked-phone").inner_text())
    assert digits == number
    await dialog.get_by_role("button", name="Done").click()
    for tab in (page, watching):
        await expect(row(tab, "Sales")).to_contain_text("Connected")
        await expect(row(tab, "Sales")).to_contain_text("alive")
    assert not [line for line in window.console if line.startswith("error")]


async def test_codes_rotate_run_out_and_begin_again_on_demand(window: Window, phone: SandboxPhone) -> None:
    """ACC-3"""
    await phone.configure(qr_first=3, qr_next=3, qr_count=2)
    page = await open_accounts(window)
    await new_sandbox(page, "Sales")
    dialog = page.get_by_test_id("link-dialog")
    first = await dialog.get_by_test_id("qr").get_attribute("src")
    assert first
    await expect(dialog.get_by_test_id("qr")).not_to_have_attribute("src", first)
    await expect(dialog).to_contain_text("Last code of this round")
    await expect(dialog).to_contain_text("No phone scanned in time")
    await expect(row(page, "Sales")).to_contain_text("Disconnected")
    await phone.configure(qr_first=60)
    await dialog.get_by_role("button", name="New QR code").click()
    await expect(dialog.get_by_test_id("qr")).to_be_visible()
    await scan_what_waits(phone)
    await expect(dialog.get_by_text("Connected", exact=True)).to_be_visible()


async def test_an_account_is_linked_by_a_code_typed_on_the_phone(window: Window, phone: SandboxPhone) -> None:
    """ACC-3"""
    page = await open_accounts(window)
    await new_sandbox(page, "Support")
    dialog = page.get_by_test_id("link-dialog")
    await expect(dialog.get_by_test_id("qr")).to_be_visible()
    await dialog.get_by_role("radio", name="Phone number").click()
    await dialog.get_by_label("Phone number of the account").fill("12")
    await dialog.get_by_role("button", name="Get a code").click()
    await expect(dialog.get_by_role("alert")).to_be_visible()
    await dialog.get_by_label("Phone number of the account").fill("+34 600 555 444")
    await dialog.get_by_role("button", name="Get a code").click()
    await expect(dialog.get_by_test_id("pairing-code")).to_have_text(re.compile(r"^[A-Z0-9]{4}-[A-Z0-9]{4}$"))
    await expect(dialog.get_by_role("timer").filter(has_text="Good for")).to_be_visible()
    await expect(dialog.get_by_role("button", name="Copy the code")).to_be_visible()
    await expect(dialog.get_by_text("Open the Sandbox phone.")).to_be_visible()
    await expect(dialog.get_by_text("Link with phone number instead")).to_have_count(0)
    code = (await dialog.get_by_test_id("pairing-code").inner_text()).replace("-", "")
    await phone.enter_pairing_code(code)
    await expect(dialog.get_by_test_id("linked-phone")).to_contain_text("+34 600 55 54 44")


async def test_a_number_that_needs_a_passkey_says_so_in_place_of_an_expiring_code(window: Window, phone: SandboxPhone) -> None:
    """ACC-14: seen from the Sandbox phone's switch to the dialog and the row; a phone that is not asked links after it."""
    page = await open_accounts(window)
    await new_sandbox(page, "Sales")
    dialog = page.get_by_test_id("link-dialog")
    await expect(dialog.get_by_test_id("qr")).to_be_visible()
    hand = await page.context.new_page()
    await hand.goto("/sandbox-phone")
    await hand.get_by_role("switch", name="The phone asks for a passkey").click()
    await expect(hand.get_by_role("switch", name="The phone asks for a passkey")).to_be_checked()
    await hand.get_by_role("button", name="Scan with a new phone").click()
    await expect(dialog).to_contain_text("This number needs a passkey to link")
    await expect(dialog).to_contain_text("try again another day, or link a number that is not asked")
    await expect(dialog.get_by_test_id("qr")).to_have_count(0)
    await expect(row(page, "Sales")).to_contain_text("passkey")
    await dialog.get_by_role("button", name="Try again").click()
    await expect(dialog.get_by_test_id("qr")).to_be_visible()
    await scan_what_waits(phone)
    await expect(dialog.get_by_text("Connected", exact=True)).to_be_visible()


async def test_a_lost_connection_comes_back_by_itself_and_a_logged_out_phone_says_so(
    window: Window, phone: SandboxPhone, api: httpx.AsyncClient
) -> None:
    """ACC-5, ACC-9, ACC-10"""
    await linked_account(api, phone, "Sales")
    page = await open_accounts(window)
    await expect(row(page, "Sales")).to_contain_text("Connected")
    await phone.switch("offline", True)
    await expect(row(page, "Sales").get_by_test_id("next-try")).to_contain_text(re.compile(r"Try \d+"))
    await expect(row(page, "Sales")).to_contain_text("Disconnected")
    await phone.switch("offline", False)
    await expect(row(page, "Sales")).to_contain_text("Connected")
    await phone.log_out()
    await expect(row(page, "Sales")).to_contain_text("Logged out")
    await expect(row(page, "Sales").get_by_role("button", name="Link")).to_be_visible()


async def test_disconnecting_logging_out_and_deleting_do_what_they_say(window: Window, phone: SandboxPhone, api: httpx.AsyncClient) -> None:
    """ACC-1, ACC-7"""
    account_id = await linked_account(api, phone, "Sales")
    for text in ("Hello", "Anybody there?"):
        await phone.send_text("carla", text)
    page = await open_accounts(window)
    await expect(row(page, "Sales").get_by_test_id("messages-24h")).to_have_text("2")
    await choose(page, "Sales", "Disconnect")
    await expect(row(page, "Sales")).to_contain_text("Disconnected by ana")
    await row(page, "Sales").get_by_role("button", name="Reconnect").click()
    await expect(row(page, "Sales")).to_contain_text("Connected")
    await choose(page, "Sales", "Log out")
    question = page.get_by_role("alertdialog")
    await expect(question).to_contain_text("Log out “Sales”?")
    await question.get_by_role("button", name="Log out").click()
    await expect(row(page, "Sales")).to_contain_text("not linked")
    await choose(page, "Sales", "Delete")
    await expect(question).to_contain_text("1 conversation and 2 messages will be lost with it.")
    await page.keyboard.press("Escape")
    await expect(question).to_be_hidden()
    assert (await api.get(f"/api/accounts/{account_id}")).status_code == 200
    await choose(page, "Sales", "Delete")
    await question.get_by_role("button", name="Delete account").click()
    await expect(page.get_by_text("No account yet")).to_be_visible()
    assert (await api.get(f"/api/accounts/{account_id}")).status_code == 404


async def test_settings_are_kept_and_a_wrong_one_is_shown_where_it_is(window: Window, api: httpx.AsyncClient) -> None:
    """ACC-1, ACC-11"""
    answer = await api.post("/api/accounts", json={"name": "Sales", "engine": "sandbox"})
    account_id = answer.json()["id"]
    page = await open_accounts(window)
    await choose(page, "Sales", "Edit")
    dialog = page.get_by_role("dialog", name="Edit Sales")
    await dialog.get_by_label("Default country").click()
    await page.get_by_label("Search a country or code").fill("+351")
    await page.get_by_role("option", name="Portugal").click()
    await dialog.get_by_role("radio", name="Replies").click()
    await dialog.get_by_role("switch", name="Auto-reply").click()
    await dialog.get_by_role("radio", name="Sending").click()
    await dialog.get_by_role("switch", name="Send again by itself").click()
    await dialog.get_by_role("radio", name="Safety").click()
    await dialog.get_by_label("Warm-up (days)").fill("soon")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_text("Write a whole number.")).to_be_visible()
    await dialog.get_by_label("Warm-up (days)").fill("14")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_text("Write the text of the reply before turning it on")).to_be_visible()
    await dialog.get_by_label("Text of the reply").fill("Thanks, we answer soon.")
    await dialog.get_by_label("At most once in (minutes)").fill("60")
    await dialog.get_by_role("switch", name="Hours of this text").click()
    await expect(dialog.get_by_role("switch", name="Hours of this text")).to_be_checked()
    await page.wait_for_timeout(200)  # it may be scrolled to the spot of the last press
    await dialog.get_by_role("switch", name="Only outside of these hours").click()
    await expect(dialog.get_by_role("switch", name="Only outside of these hours")).to_be_checked()
    await dialog.get_by_role("switch", name="Send on Saturday").click()
    await dialog.get_by_label("Saturday to").fill("13:00")
    await dialog.get_by_label("Time zone").fill("Atlantis")
    await dialog.get_by_role("radio", name="Bots").click()
    await dialog.get_by_role("switch", name="Answer numbers of your own").click()
    await dialog.get_by_label("A minute").fill("9")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_text("is not a time zone such as Europe/Madrid")).to_be_visible()
    await dialog.get_by_label("Time zone").fill("Europe/Lisbon")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog).to_be_hidden()
    await expect(row(page, "Sales").get_by_role("switch")).to_be_checked()
    settings = (await api.get(f"/api/accounts/{account_id}")).json()["settings"]
    assert settings["governor"]["warm_up_days"] == 14
    assert settings["resend_unconfirmed"] is True
    assert settings["default_country"] == "PT"
    assert settings["answer_own_numbers"] is True
    assert settings["answer_limits"] == {"per_minute": 9, "per_hour": 30, "per_day": 100}
    rule = settings["auto_reply"]
    assert (rule["text"], rule["every_minutes"], rule["outside_hours"]) == ("Thanks, we answer soon.", 60, True)
    assert (rule["hours"]["enabled"], rule["hours"]["timezone"]) == (True, "Europe/Lisbon")
    assert rule["hours"]["days"][5] == {"open": True, "begins": "09:00", "ends": "13:00"}


async def test_a_restriction_and_the_limit_of_the_warm_up_stand_beside_the_limits(
    window: Window, phone: SandboxPhone, api: httpx.AsyncClient
) -> None:
    """ACC-11"""
    await linked_account(api, phone, "Sales")
    page = await open_accounts(window)
    await phone.switch("restricted_until", int(time.time()) + 3_600)
    await phone.switch("restricted", "463")
    answer = await api.post("/api/messages/send", json=await _greeting(api))
    assert answer.status_code == 202, answer.text
    await expect(row(page, "Sales").get_by_test_id("restriction")).to_contain_text("WhatsApp restricts sending")
    await choose(page, "Sales", "Edit")
    dialog = page.get_by_role("dialog", name="Edit Sales")
    await dialog.get_by_role("radio", name="Safety").click()
    await expect(dialog.get_by_test_id("restriction")).to_contain_text("Sending is paused for another")
    await expect(dialog.get_by_text("Now, in the warm-up: 6.")).to_be_visible()


async def _greeting(api: httpx.AsyncClient) -> dict[str, str]:
    (account,) = (await api.get("/api/accounts")).json()
    return {"account_id": account["id"], "number": "+34600111222", "message": "hello"}


async def test_auto_reply_without_a_text_asks_for_the_text(window: Window, api: httpx.AsyncClient) -> None:
    """ACC-7"""
    await api.post("/api/accounts", json={"name": "Sales", "engine": "sandbox"})
    page = await open_accounts(window)
    await row(page, "Sales").get_by_role("switch").click()
    await expect(page.get_by_label("Text of the reply")).to_be_visible()


async def test_a_viewer_sees_accounts_and_can_change_none(window: Window, api: httpx.AsyncClient) -> None:
    """SEC-6"""
    await api.post("/api/accounts", json={"name": "Sales", "engine": "sandbox"})
    page = await open_accounts(window, "vic")
    await expect(row(page, "Sales")).to_be_visible()
    await expect(page.get_by_role("button", name="New account")).to_have_count(0)
    await expect(page.get_by_role("button", name="Actions for Sales")).to_have_count(0)
    await expect(row(page, "Sales").get_by_role("switch")).to_be_disabled()


async def test_names_with_scripts_run_nothing_and_long_ones_break_no_page(window: Window, api: httpx.AsyncClient) -> None:
    """SEC-4"""
    for name in (HOSTILE, "y" * 255, "متجر الرياض"):
        answer = await api.post("/api/accounts", json={"name": name, "engine": "sandbox", "description": HOSTILE})
        assert answer.status_code == 201
    for width in (1440, 390):
        page = await open_accounts(window, width=width, height=844)
        await expect(page.locator("[data-account]")).to_have_count(3)
        await page.get_by_role("button", name=re.compile("^Actions for Shop")).click()
        await page.get_by_role("menuitem", name="Delete").click()
        await expect(page.get_by_role("alertdialog")).to_contain_text("Shop <img src=x")
        for path in ("/accounts", "/", "/messages"):
            await page.goto(path)
            await expect(page.get_by_role("heading", level=1)).to_be_visible()
            assert "owned" not in await page.title()
            assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (path, width)


async def test_accounts_are_found_by_search_and_status_among_many(window: Window, api: httpx.AsyncClient) -> None:
    """ACC-7"""
    for number in range(60):
        await api.post("/api/accounts", json={"name": f"Shop {number:02d}", "engine": "sandbox"})
    page = await open_accounts(window)
    await expect(page.locator("[data-account]")).to_have_count(50)
    await page.get_by_role("button", name=re.compile("^Show more")).click()
    await expect(page.locator("[data-account]")).to_have_count(60)
    await page.get_by_label("Search accounts").fill("shop 07")
    await expect(page.locator("[data-account]")).to_have_count(1)
    await page.get_by_label("Search accounts").fill("nobody")
    await page.get_by_role("button", name="Show all").click()
    await expect(page.locator("[data-account]")).to_have_count(50)
    await page.get_by_role("button", name=re.compile("^Disconnected")).click()
    await expect(page.get_by_role("button", name=re.compile("^Disconnected"))).to_have_attribute("aria-pressed", "true")
