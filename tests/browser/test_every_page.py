"""Every page of the registry, with a lot on it: for people with a keyboard or a screen reader, in both themes, and on small screens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.support.axe import told, violations
from tests.support.browser import Window
from tests.support.busy import Busy, busy
from tests.support.cast import PASSWORDS
from tests.support.layout import covered_by_toasts, cut_off
from tests.support.server import OWNER
from whatsapp_dashboard.ui.pages import PAGES

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
ROUTES = [page.route for page in PAGES]
OPENED: dict[str, tuple[str, ...]] = {
    "/": ("button:Your account",),
    "/inbox": ("button:New message", "button:Keyboard shortcuts", "button:Emoji"),
    "/accounts": ("button:New account", "button:Actions for Bakery > menuitem:Edit", "button:Actions for Bakery > menuitem:Delete"),
    "/messages": ("css:[data-message] button",),
    "/chatbot": ("button:Add provider",),
    "/knowledge": ("button:Add", "button:Actions for Opening hours"),
    "/webhooks": ("button:New webhook", "button:Actions for CRM > menuitem:Edit"),
    "/webhooks/deliveries": ("css:[data-delivery] button",),
    "/credits": ("button:Top up",),
    "/team": ("button:Add operator", "button:Actions > menuitem:New password"),
    "/profile": ("button:Set up",),
}
"""What is pressed on a page, by role and name or by selector, until something stands over it."""
TOAST = """words => {
    const toast = window.__reflex["$/utils/state"].refs["__toast"];
    toast.success(words[0], {duration: Infinity});
    toast.error(words[0], {description: words[1], duration: Infinity, closeButton: true});
    toast.info(words[0], {duration: Infinity});
}"""
WORDS = ["Saved", "The endpoint answered 500. Look at its log, then replay what failed; nothing is lost and everything is tried again."]


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def house(built_pages: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Busy]:
    """One busy dashboard for all tests of this file."""
    async with busy(tmp_path_factory.mktemp("busy")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def tab(browser: Browser, house: Busy) -> AsyncIterator[Page]:
    """A tab of Ana's."""
    window = Window(browser, house.server)
    page = await window.log_in(OWNER, PASSWORDS[OWNER], width=1440, height=900)
    yield page
    await window.close()


async def show(page: Page, house: Busy, route: str) -> None:
    """Open a page and wait until it has what it shows."""
    await page.goto(f"/inbox?c={house.conversation}" if route == "/inbox" else route)
    await expect(page.get_by_role("heading", level=1).first).to_be_visible()
    await expect(page.locator(".rt-Skeleton")).to_have_count(0)
    if route == "/inbox":
        await expect(page.get_by_role("log")).to_be_visible()
    await page.wait_for_timeout(300)


async def resize(page: Page, width: int, height: int) -> None:
    await page.set_viewport_size({"width": width, "height": height})
    await asyncio.sleep(0.1)


async def set_theme(page: Page, name: str) -> None:
    await page.emulate_media(color_scheme="dark" if name == "dark" else "light")
    await expect(page.locator(f"html.{name}")).to_have_count(1)


async def complaints(page: Page, place: str) -> list[str]:
    """By all rules, and in the other theme by that on contrast."""
    await set_theme(page, "light")
    found = told(place, await violations(page))
    await set_theme(page, "dark")
    return found + told(f"{place}, dark", await violations(page, "color-contrast"))


async def press(page: Page, steps: str) -> None:
    for step in steps.split(" > "):
        role, _, name = step.partition(":")
        target = page.locator(name) if role == "css" else page.get_by_role(role, name=name)  # type: ignore[arg-type]
        await target.locator("visible=true").first.click()
    await expect(page.locator("[role=dialog], [role=alertdialog], [role=menu]").locator("visible=true").first).to_be_visible()
    await asyncio.sleep(0.2)


async def under_toasts(page: Page, place: str) -> list[str]:
    await page.evaluate(TOAST, WORDS)
    await expect(page.locator("[data-sonner-toast]")).to_have_count(3)
    found = []
    for width, height in ((1440, 900), (1024, 700), (700, 800), (390, 844), (320, 600)):
        await resize(page, width, height)
        await asyncio.sleep(0.3)
        found += [f"{place} at {width} px: {one}" for one in await covered_by_toasts(page)]
    return found + told(f"{place} with toasts", await violations(page, "color-contrast"))


@pytest.mark.parametrize("route", ROUTES)
async def test_nobody_is_kept_out_by_how_a_page_is_made(house: Busy, tab: Page, route: str) -> None:
    """OPS-1: no complaint of axe in either theme, on a desk and on a phone; nothing to be found only by scrolling sideways; no toast above
    anything that can be pressed."""
    await show(tab, house, route)
    found = await complaints(tab, route)
    await resize(tab, 390, 844)
    found += await complaints(tab, f"{route} on a phone")
    for width in (390, 320):
        await resize(tab, width, 700)
        found += [f"{route} at {width} px: {one}" for one in await cut_off(tab)]
    found += await under_toasts(tab, route)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("route", OPENED)
async def test_nobody_is_kept_out_by_what_opens_over_a_page(house: Busy, tab: Page, route: str) -> None:
    """OPS-1: dialogs, drawers and menus."""
    await show(tab, house, route)
    found = []
    for steps in OPENED[route]:
        await press(tab, steps)
        found += await complaints(tab, f"{route} with {steps}")
        await resize(tab, 320, 700)
        found += [f"{route} with {steps} at 320 px: {one}" for one in await cut_off(tab)]
        await tab.keyboard.press("Escape")
        await expect(tab.locator("[role=dialog], [role=alertdialog], [role=menu]").locator("visible=true")).to_have_count(0)
        await resize(tab, 1440, 900)
    assert not found, "\n".join(found)
