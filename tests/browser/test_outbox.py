"""What is written in the inbox while the line or the server is away waits in the browser and goes out once, in order (MSG-13)."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.support import evidence
from tests.support.browser import Window
from tests.support.cast import PASSWORDS
from tests.support.inbox_page import bubble, line
from tests.support.linking import linked_account
from tests.support.relay import Relay, relay_to
from tests.support.server import Server
from tests.support.waiting import until
from tests.support.world import World
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone

pytestmark = pytest.mark.browser

THREE = ["One: is it there?", "Two: we have it.", "Three: come by."]
STORED = "Object.entries(localStorage).filter(([name]) => name.startsWith('wa.'))"


@pytest_asyncio.fixture(loop_scope="session")
async def cable() -> AsyncIterator[Relay]:
    """The line between the browser and the dashboard."""
    async with relay_to("http://127.0.0.1:1") as relay:
        yield relay


@pytest.fixture
def server(new_server_with_cast: Callable[..., Server], world: World, cable: Relay) -> Server:
    """A running dashboard that browsers reach by that line."""
    server = new_server_with_cast(SANDBOX_WORLD=world.socket, DASHBOARD_URL=cable.url)
    cable.leads_to(server.url)
    return server


@pytest_asyncio.fixture(loop_scope="session")
async def window(browser: Browser, server: Server, cable: Relay, request: pytest.FixtureRequest) -> AsyncIterator[Window]:
    """Opens tabs at the other end of the line."""
    opened = Window(browser, server, cable.url)
    yield opened
    if evidence.failed(request.node):
        await opened.keep_pictures(request.node)
        print("The browser's console:", *opened.console[-40:], sep="\n")
    await opened.close()


@pytest_asyncio.fixture(loop_scope="session")
async def carla(phone: SandboxPhone, api: httpx.AsyncClient) -> str:
    """A contact who has written to the shop."""
    await linked_account(api, phone, "Shop")
    contact = str((await phone.add_contact("Carla", "34600111333"))["id"])
    await phone.send_text(contact, "Is the blue one there?")
    return contact


async def opened(window: Window, who: str = "ben", **size: int) -> Page:
    """The inbox with Carla's conversation open."""
    page = await window.log_in(who, PASSWORDS[who], **size)
    await page.goto("/inbox")
    await line(page, "Carla").click()
    await expect(bubble(page, "Is the blue one there?")).to_be_visible()
    return page


async def write(page: Page, text: str) -> None:
    await page.locator("#composer-text").fill(text)
    await page.keyboard.press("Enter")


async def got(phone: SandboxPhone, contact: str) -> list[str]:
    return [message.text for message in await phone.received(contact)]


async def stored(page: Page) -> str:
    """Everything the page keeps in the browser's storage."""
    return json.dumps(await page.evaluate(STORED))


async def write_three(page: Page) -> None:
    for text in THREE:
        await write(page, text)
        await expect(page.locator("[data-waiting]").filter(has_text=text)).to_be_visible()


async def test_what_is_written_while_the_line_is_cut_waits_in_sight_and_goes_out_by_itself(
    window: Window, cable: Relay, phone: SandboxPhone, carla: str
) -> None:
    """MSG-13, MSG-7: a plain bar, no word of Reflex, nothing green; and then all of it once, in order."""
    page = await opened(window)
    await cable.cut()
    await write_three(page)
    await expect(page.locator("#composer-text")).to_have_value("")
    await expect(page.locator("#wa-line")).to_have_text("Reconnecting … 3 messages wait and go out by themselves.")
    await expect(page.locator("[data-waiting]").first).to_contain_text("Waits for the connection")
    assert "grayscale" in await page.locator(".wa-status").first.evaluate("badge => getComputedStyle(badge).filter")
    await expect(page.locator("[data-sonner-toast], [title^='Connection Error']")).to_have_count(0)
    await cable.mend()
    await until(lambda: got(phone, carla), THREE.__eq__)
    for text in THREE:
        await expect(bubble(page, text)).to_have_count(1)
    await expect(page.locator("[data-waiting]")).to_have_count(0)
    await expect(page.locator("#wa-line")).to_be_empty()
    assert await stored(page) == "[]"


@pytest.mark.parametrize(
    "seconds", [0, pytest.param(10, marks=pytest.mark.full), pytest.param(300, marks=[pytest.mark.full, pytest.mark.timeout(420)])]
)
async def test_the_page_may_be_left_while_the_line_is_cut(
    window: Window, cable: Relay, phone: SandboxPhone, carla: str, seconds: int
) -> None:
    """MSG-13: any page of the dashboard sends what waits."""
    page = await opened(window)
    await cable.cut()
    await write_three(page)
    await asyncio.sleep(seconds)
    later = await page.context.new_page()
    await page.close()
    assert await got(phone, carla) == []
    await cable.mend()
    await later.goto("/accounts")
    await until(lambda: got(phone, carla), THREE.__eq__)
    await later.goto("/inbox")
    await line(later, "Carla").click()
    for text in THREE:
        await expect(bubble(later, text)).to_have_count(1)
    assert await got(phone, carla) == THREE


@pytest.mark.alone
async def test_the_server_is_killed_while_three_messages_are_written_and_the_page_left(
    window: Window, server: Server, phone: SandboxPhone, carla: str
) -> None:
    """MSG-13, DUR-4"""
    page = await opened(window)
    await write(page, "Zero: just before.")
    await until(lambda: got(phone, carla), ["Zero: just before."].__eq__)
    await asyncio.to_thread(server.kill)
    await write_three(page)
    later = await page.context.new_page()
    await page.close()
    await asyncio.to_thread(server.start)
    await later.goto("/")
    await until(lambda: got(phone, carla), ["Zero: just before.", *THREE].__eq__)


async def test_a_message_whose_answer_was_lost_is_not_sent_again(window: Window, cable: Relay, phone: SandboxPhone, carla: str) -> None:
    """MSG-13, API-5: the server has it, the browser does not know, and asks again under the same key."""
    page = await opened(window)
    cable.lose_answer_to(b"POST /api/messages/send")
    await write_three(page)
    await until(lambda: got(phone, carla), THREE.__eq__)
    await expect(page.locator("[data-waiting]")).to_have_count(0)
    for text in THREE:
        await expect(bubble(page, text)).to_have_count(1)
    await page.get_by_role("button", name="Note", exact=True).click()
    cable.lose_answer_to(b"/notes")
    await write(page, "Asked twice.")
    await expect(page.locator("[data-note]").filter(has_text="Asked twice.")).to_have_count(1)
    await expect(page.locator("[data-waiting]")).to_have_count(0)
    assert await got(phone, carla) == THREE


async def test_the_bubble_is_there_at_once_and_there_is_never_none_and_never_two(
    window: Window, phone: SandboxPhone, carla: str
) -> None:
    """MSG-13: looked at in every frame."""
    page = await opened(window)
    await page.evaluate(
        """() => {
            window.seen = [];
            const look = () => {
                const all = [...document.querySelectorAll("[data-message], [data-waiting]")];
                window.seen.push(all.filter(each => each.textContent.includes("Only one")).length);
                requestAnimationFrame(look);
            };
            window.addEventListener("submit", () => requestAnimationFrame(look), {capture: true, once: true});
        }"""
    )
    await write(page, "Only one of these.")
    await expect(bubble(page, "Only one of these.")).to_have_attribute("data-status", re.compile("sent|delivered"))
    seen = await page.evaluate("window.seen")
    assert set(seen) == {1}, seen
    assert await got(phone, carla) == ["Only one of these."]


async def test_two_tabs_send_what_waits_once(window: Window, cable: Relay, phone: SandboxPhone, carla: str) -> None:
    """MSG-13"""
    page = await opened(window)
    other = await page.context.new_page()
    await other.goto(page.url)
    await expect(bubble(other, "Is the blue one there?")).to_be_visible()
    await cable.cut()
    await write_three(page)
    for text in THREE:
        await expect(other.locator("[data-waiting]").filter(has_text=text)).to_be_visible()
    await cable.mend()
    await until(lambda: got(phone, carla), THREE.__eq__)
    for tab in (page, other):
        await expect(tab.locator("[data-waiting]")).to_have_count(0)
        await expect(tab.locator("[data-message]").filter(has_text=re.compile("One:|Two:|Three:"))).to_have_count(3)
    assert await got(phone, carla) == THREE


async def test_a_draft_with_what_it_is_survives_a_reload_and_is_gone_after_logging_out(
    window: Window, phone: SandboxPhone, carla: str
) -> None:
    """MSG-13, SEC-2: per conversation; a note stays a note, and nobody else on this browser sees it."""
    await phone.send_text((await phone.add_contact("Dev", "919876543210"))["id"], "Hello from Dev")
    page = await opened(window)
    await bubble(page, "Is the blue one there?").hover()
    await page.get_by_role("button", name="Reply", exact=True).nth(0).click()
    await page.locator("#composer-text").fill("The answer begins")
    await line(page, "Dev").click()
    await page.get_by_role("button", name="Note", exact=True).click()
    await page.locator("#composer-text").fill("Only for us")
    await page.goto("/accounts")
    await page.goto("/inbox")
    await line(page, "Carla").click()
    await expect(page.locator("#composer-text")).to_have_value("The answer begins")
    await expect(page.locator("#inbox-context")).to_contain_text("Is the blue one there?")
    await page.reload()
    await expect(page.locator("#composer-text")).to_have_value("The answer begins")
    await line(page, "Dev").click()
    await expect(page.get_by_label("Note", exact=True)).to_have_value("Only for us")
    assert "Only for us" in await stored(page)

    await page.get_by_role("button", name="Your account").click()
    await page.get_by_role("menuitem", name="Log out").click()
    await expect(page.get_by_text("You are logged out.")).to_be_visible()
    assert await stored(page) == "[]"
    assert await got(phone, carla) == []


async def log_in(page: Page, who: str) -> None:
    """By the login page."""
    await page.locator("#username").fill(who)
    await page.locator("#password").fill(PASSWORDS[who])
    await page.locator("#submit").click()
    await expect(page.get_by_role("button", name="Your account")).to_contain_text(who)


async def test_what_waits_outlives_the_session_and_goes_out_only_as_its_writer(
    window: Window, cable: Relay, server: Server, phone: SandboxPhone, carla: str
) -> None:
    """MSG-13, SEC-2, SEC-6: the session ended elsewhere: drafts are gone, what waits goes out when the same operator is back."""
    page = await opened(window)
    cookies = {each["name"]: each["value"] for each in await page.context.cookies() if "name" in each and "value" in each}
    agent = await page.evaluate("navigator.userAgent")
    await cable.cut()
    await write_three(page)
    await page.locator("#composer-text").fill("A draft")
    async with httpx.AsyncClient(base_url=server.url, cookies=cookies, headers={"User-Agent": agent, "X-Requested-With": "test"}) as mine:
        (await mine.post("/api/auth/logout")).raise_for_status()
    await cable.mend()
    await expect(page.locator("#password")).to_be_visible()
    assert "A draft" not in await stored(page)
    assert await got(phone, carla) == []

    await log_in(page, "ana")
    await page.goto("/inbox")
    await line(page, "Carla").click()
    await expect(bubble(page, "Is the blue one there?")).to_be_visible()
    await expect(page.locator("[data-waiting]")).to_have_count(0)
    await write(page, "Ana's own words.")
    await until(lambda: got(phone, carla), ["Ana's own words."].__eq__)
    await page.get_by_role("button", name="Your account").click()
    await page.get_by_role("menuitem", name="Log out").click()
    await log_in(page, "ben")
    await until(lambda: got(phone, carla), ["Ana's own words.", *THREE].__eq__)
    await until(lambda: stored(page), "[]".__eq__)


async def test_what_the_server_refuses_stays_with_its_reason_and_can_be_discarded(window: Window, phone: SandboxPhone, carla: str) -> None:
    """MSG-13: and what was written after it goes out all the same."""
    page = await opened(window)
    await page.get_by_role("button", name="Note", exact=True).click()
    await write(page, "too long " * 600)
    refused = page.locator("[data-waiting]")
    await expect(refused).to_contain_text("The note is too long")
    await page.get_by_role("button", name="Reply", exact=True).last.click()
    await write(page, "This one is fine.")
    await until(lambda: got(phone, carla), ["This one is fine."].__eq__)
    await refused.get_by_role("button", name="Try again").click()
    await expect(refused).to_contain_text("The note is too long")
    await page.goto("/accounts")
    await page.get_by_role("link", name="Look at it").click()
    await refused.get_by_role("button", name="Discard").click()
    await expect(refused).to_have_count(0)
    assert await stored(page) == "[]"


async def test_markup_in_what_waits_is_text(window: Window, cable: Relay, carla: str) -> None:
    """SEC-4: nothing that was typed is ever drawn as HTML."""
    page = await opened(window)
    await cable.cut()
    evil = "<img src=x onerror=\"window.evil = 1\"> & <b>bold</b>"
    await write(page, evil)
    await expect(page.locator("[data-waiting] .wa-text")).to_have_text(evil)
    assert await page.locator("[data-waiting] img, [data-waiting] b").count() == 0
    assert await page.evaluate("window.evil") is None


async def test_a_dialog_and_what_was_typed_into_it_outlive_a_broken_line(
    window: Window, cable: Relay, phone: SandboxPhone, carla: str
) -> None:
    """MSG-13: what needs the server is not done meanwhile, and says so; afterwards it is done, once."""
    page = await opened(window)
    await page.get_by_role("button", name="Share").click()
    await page.get_by_role("menuitem", name="Poll").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Question").fill("When?")
    await dialog.get_by_label("Options").fill("Today\nTomorrow")
    await cable.cut()
    await expect(page.locator("#wa-line")).to_contain_text("Reconnecting")
    await dialog.get_by_role("button", name="Send").click()
    await expect(page.locator("#wa-line")).to_contain_text("nothing was done")
    await cable.mend()
    await expect(page.locator("#wa-line")).to_be_empty()
    await expect(dialog.get_by_label("Question")).to_have_value("When?")
    await dialog.get_by_role("button", name="Send").click()
    await expect(dialog).to_have_count(0)
    await until(lambda: got(phone, carla), ["When?"].__eq__)
