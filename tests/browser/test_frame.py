"""Logging in and the frame around the pages, in a real browser (SEC-1 to SEC-6)."""

from __future__ import annotations

import re

import pyotp
import pytest
from playwright.async_api import Page, expect

from tests.support.browser import Window
from tests.support.cast import PASSWORDS

pytestmark = pytest.mark.browser


async def log_in(page: Page, username: str, password: str, code: str = "") -> None:
    await page.fill("#username", username)
    await page.fill("#password", password)
    if code:
        await page.fill("#code", code)
    await page.click("#submit")


async def test_ana_logs_in_after_a_mistake_and_lands_where_she_was_going(window: Window) -> None:
    """SEC-1, OPS-1"""
    page = await (await window.context()).new_page()
    await page.goto("/team")
    await log_in(page, "ana", "not my password")
    await expect(page.get_by_role("alert")).to_have_text("The user name or the password is not right.")
    await log_in(page, "ana", PASSWORDS["ana"])
    await expect(page.get_by_role("heading", name="Team")).to_be_visible()
    assert page.url.endswith("/team")
    await expect(page.get_by_role("row", name=re.compile("ben"))).to_be_visible()
    assert not [line for line in window.console if "Content Security Policy" in line]


async def test_logging_out_in_one_tab_sends_the_other_to_the_login_page(window: Window) -> None:
    """SEC-2, SEC-4"""
    page = await window.log_in("ana", PASSWORDS["ana"])
    other = await page.context.new_page()
    await other.goto("/team")
    await expect(other.get_by_role("heading", name="Team")).to_be_visible()
    await page.goto("/")
    await page.get_by_role("button", name="Your account").click()
    await page.get_by_role("menuitem", name="Log out").click()
    await expect(page.get_by_text("You are logged out.")).to_be_visible()
    await expect(other.locator("#password")).to_be_visible()
    await page.goto("/team")
    await expect(page.locator("#password")).to_be_visible()


async def test_a_viewer_sees_no_administration(window: Window) -> None:
    """SEC-6"""
    page = await window.log_in("vic", PASSWORDS["vic"])
    await page.goto("/")
    await expect(page.get_by_role("button", name="Your account")).to_contain_text("vic")
    await expect(page.get_by_role("link", name="Team")).to_have_count(0)
    await expect(page.get_by_text("Administration")).to_have_count(0)
    await page.goto("/team")
    await expect(page.get_by_text("Only owners see this page")).to_be_visible()


async def test_ana_adds_an_operator_and_disables_him(window: Window) -> None:
    """SEC-6"""
    page = await window.log_in("ana", PASSWORDS["ana"])
    await page.goto("/team")
    await page.get_by_role("button", name="Add operator").click()
    await page.get_by_label("User name").fill("dora")
    await page.get_by_label("Your own password").fill("not my password")
    await page.get_by_role("button", name="Add", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("The current password is not right.")
    await page.get_by_label("Your own password").fill(PASSWORDS["ana"])
    await page.get_by_role("button", name="Add", exact=True).click()
    password = await page.locator("#new-password").inner_text()
    await page.get_by_role("button", name="Done").click()
    theirs = await window.log_in("dora", password)
    await theirs.goto("/")
    await expect(theirs.get_by_role("button", name="Your account")).to_contain_text("dora")
    await page.get_by_role("row", name=re.compile("dora")).get_by_role("button", name="Actions").click()
    await page.get_by_role("menuitem", name="Disable").click()
    await page.get_by_role("button", name="Disable").click()
    await expect(page.get_by_role("row", name=re.compile("dora"))).to_contain_text("Disabled")
    await expect(theirs.locator("#password")).to_be_visible()
    await page.get_by_role("row", name=re.compile("dora")).get_by_role("button", name="Actions").click()
    await page.get_by_role("menuitem", name="Enable").click()
    await page.get_by_label("Your own password").fill(PASSWORDS["ana"])
    await page.get_by_role("button", name="Enable").click()
    await expect(page.get_by_text("dora can log in again")).to_be_visible()


async def test_a_higher_role_asks_for_the_password_and_a_lower_one_does_not(window: Window) -> None:
    """SEC-6"""
    page = await window.log_in("ana", PASSWORDS["ana"])
    await page.goto("/team")
    role = page.get_by_role("row", name=re.compile("vic")).get_by_role("combobox")
    await role.click()
    await page.get_by_role("option", name="operator").click()
    await expect(page.get_by_role("heading", name="Make vic operator?")).to_be_visible()
    await page.get_by_role("button", name="Cancel").click()
    await expect(role).to_have_text("viewer")
    await role.click()
    await page.get_by_role("option", name="operator").click()
    await page.get_by_label("Your own password").fill(PASSWORDS["ana"])
    await page.get_by_role("button", name="Change role").click()
    await expect(role).to_have_text("operator")
    await role.click()
    await page.get_by_role("option", name="viewer").click()
    await expect(role).to_have_text("viewer")


async def test_ana_changes_her_password_and_turns_two_step_log_in_on(window: Window) -> None:
    """SEC-1, SEC-3"""
    page = await window.log_in("ana", PASSWORDS["ana"])
    elsewhere = await window.log_in("ana", PASSWORDS["ana"])
    await elsewhere.goto("/profile")
    await expect(elsewhere.get_by_text("This session")).to_be_visible()
    await page.goto("/profile")
    await page.get_by_label("Current password").fill(PASSWORDS["ana"])
    await page.get_by_label("New password", exact=False).nth(0).fill("a-new-long-password")
    await page.get_by_label("New password again").fill("a-new-long-password")
    await page.get_by_role("button", name="Change password").click()
    await expect(page.get_by_text("Password changed")).to_be_visible()
    await expect(elsewhere.locator("#password")).to_be_visible()
    await page.get_by_role("button", name="Set up").click()
    await page.get_by_label("Your password").fill("a-new-long-password")
    await page.get_by_role("button", name="Continue").click()
    secret = await page.locator("code").inner_text()
    await page.get_by_label("Code from the app").fill(pyotp.TOTP(secret).now())
    await page.get_by_role("button", name="Turn on").click()
    await expect(page.get_by_text("Two-step log-in is on")).to_be_visible()
    await log_in(elsewhere, "ana", "a-new-long-password")
    await expect(elsewhere.get_by_label("Code from your authenticator app")).to_be_visible()


@pytest.mark.parametrize("dark", [False, True])
async def test_on_a_phone_the_sidebar_is_a_drawer_and_nothing_is_wider_than_the_screen(window: Window, dark: bool) -> None:
    """Phone width and dark mode."""
    page = await window.log_in("ana", PASSWORDS["ana"], width=390, height=844, dark=dark)
    for path in ("/", "/profile", "/team"):
        await page.goto(path)
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    await expect(page.get_by_text("ben", exact=True).first).to_be_visible()  # all is there: nothing is drawn anew under the open drawer
    await page.get_by_role("button", name="Open navigation").click()
    await page.get_by_role("link", name="Home", exact=True).click()
    await expect(page.get_by_role("heading", name="Home")).to_be_visible()
    assert await page.evaluate("document.documentElement.classList.contains('dark')") is dark
