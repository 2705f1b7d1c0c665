"""Every form and button of every page, pressed twice within 120 ms, has one effect (MSG-13)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.support.browser import Window
from tests.support.cast import PASSWORDS
from tests.support.inbox_page import bubble
from tests.support.linking import linked_account
from tests.support.lively import fill
from tests.support.llm_server import LlmServer
from tests.support.presses import Presser, offered
from tests.support.receivers import Receivers
from tests.support.server import OWNER_PASSWORD, Server
from tests.support.waiting import until
from tests.support.world import World
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PAGES = {
    "/": "home", "/inbox": "inbox", "/accounts": "accounts", "/messages": "messages", "/chatbot": "chatbot", "/knowledge": "knowledge",
    "/ai-usage": "ai_usage", "/webhooks": "webhooks", "/webhooks/deliveries": "deliveries", "/credits": "credits",
    "/sandbox-phone": "sandbox_phone", "/team": "team", "/profile": "profile",
}  # fmt: skip
"""Address and folder of each page."""


@pytest.fixture
def server(new_server: Callable[..., Server], world: World) -> Server:
    """A running dashboard with conversations of every kind in it."""
    server = new_server(SANDBOX_WORLD=world.socket)
    asyncio.run(fill(server.data_dir))
    server.start()
    return server


@pytest_asyncio.fixture(loop_scope="session")
async def furnished(api: httpx.AsyncClient, phone: SandboxPhone) -> AsyncIterator[dict[str, str]]:
    """Something of everything to press at; gives what to write into fields, by name or type."""
    async with Receivers(2) as receivers, LlmServer() as llm:
        (await api.post("/api/network/allowed", json={"value": "127.0.0.1"})).raise_for_status()
        account = await linked_account(api, phone, "Live")
        for index, path in enumerate(("say", "fail")):
            hook = {"url": receivers.url("say", path), "name": f"Hook {path}", "events": ["message", "message.sent"], "secret": "generate"}
            (await api.post("/api/webhooks", json=hook)).raise_for_status()
            (await api.post("/api/knowledge/documents", json={"title": f"Doc {index}", "text": f"Text {index}"})).raise_for_status()
        provider = {"kind": "openai", "model": "gpt-4.1-mini", "key": "sk-planted-key-4711", "url": llm.url("openai")}
        for _ in range(2):
            (await api.post(f"/api/accounts/{account}/ai-config/providers", json=provider)).raise_for_status()
        (await api.post("/api/credits/top-up", json={"amount": 50})).raise_for_status()
        await phone.send_text((await phone.add_contact("Carla", "34600111333"))["id"], "Is it there?")
        yield {
            "password": OWNER_PASSWORD, "url": receivers.url("say", "new"), "number": "+34600111999", "phones": "+34600111999",
            "latitude": "41.3", "longitude": "2.1", "options": "A\nB", "username": "dora", "name": "Name", "text": "Text",
        }  # fmt: skip


async def opening(api: httpx.AsyncClient, address: str) -> str:
    """The address of the page; of the inbox with the conversation in which there is one of everything."""
    if address != "/inbox":
        return address
    found = (await api.get("/api/conversations", params={"text": "Carla Ruiz"})).json()["items"]
    return f"/inbox?c={found[0]['id']}"


@pytest.mark.parametrize("address", list(PAGES))
async def test_everything_on_a_page_pressed_twice_acts_once(
    window: Window, api: httpx.AsyncClient, furnished: dict[str, str], address: str
) -> None:
    """MSG-13: what is pressed is what the page shows; each press is a real double click."""
    page = await window.log_in("ana", PASSWORDS["ana"], width=1440, height=900)
    presser = Presser(page, furnished)
    await presser.everything(await opening(api, address))
    faults = {one.mark: (one.faults, one.events) for one in presser.pressed if one.faults}
    print(len(presser.pressed), "pressed,", max(one.gap for one in presser.pressed), "ms at most;",
          "not reached:", sorted(offered(PAGES[address]) - presser.events))  # fmt: skip
    assert not faults
    assert presser.events or address == "/", "nothing was pressed that the server heard of"  # the first page has links only


MAKERS = [
    ("/accounts", ["New account"], {"Name": "Second"}, "Create and link", "/api/accounts", 4),
    ("/webhooks", ["New webhook"], {"URL": "url"}, "Create", "/api/webhooks", 3),
    ("/team", ["Add operator"], {"User name": "dora", "Your own password": "password"}, "Add", "/api/operators", 4),
]
"""Where something is made: page, what opens the form, its fields, its button, where to count, and how many there are then."""


@pytest.mark.parametrize("by", ["mouse", "keys"])
@pytest.mark.parametrize("form", MAKERS, ids=lambda form: form[0])
async def test_a_form_that_is_sent_twice_makes_one(
    window: Window, api: httpx.AsyncClient, furnished: dict[str, str], by: str, form: tuple[str, list[str], dict[str, str], str, str, int]
) -> None:
    """MSG-13, API-5: by a double click, and by Enter twice."""
    address, ways, fields, button, path, count = form
    page = await window.log_in("ana", PASSWORDS["ana"])
    await page.goto(address)
    for way in ways:
        await page.get_by_role("button", name=way).first.click()
    dialog = page.get_by_role("dialog")
    for label, value in fields.items():
        await dialog.get_by_label(label, exact=False).first.fill(furnished.get(value, value))
    if by == "mouse":
        await dialog.get_by_role("button", name=button, exact=True).dblclick()
    else:
        await dialog.get_by_label(next(iter(fields)), exact=False).first.focus()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Enter")
    await expect(dialog.get_by_role("button", name=button, exact=True)).to_have_count(0)
    await expect(page.locator("[data-wa-busy]")).to_have_count(0)
    found = (await api.get(path)).json()
    assert len(found if isinstance(found, list) else found["items"]) == count


@pytest.mark.parametrize("by", ["mouse", "keys"])
async def test_a_new_message_and_a_poll_go_out_once(
    window: Window, api: httpx.AsyncClient, phone: SandboxPhone, furnished: dict[str, str], by: str
) -> None:
    """MSG-13: as the contact's phone sees it."""
    page = await window.log_in("ana", PASSWORDS["ana"])
    await page.goto("/inbox")
    await page.get_by_role("button", name="New message").first.click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("combobox").click()
    await page.get_by_role("option", name="Live").click()
    await dialog.get_by_label("To").fill("+34600111333")
    await dialog.get_by_label("Message").fill("Only once, please.")
    await send(page, by, "To")
    await expect(bubble(page, "Only once, please.")).to_have_count(1)
    await page.get_by_role("button", name="Share").click()
    await page.get_by_role("menuitem", name="Poll").click()
    await dialog.get_by_label("Question").fill("When?")
    await dialog.get_by_label("Options").fill("Today\nTomorrow")
    await send(page, by, "Question")
    await expect(bubble(page, "When?")).to_have_count(1)
    await until(lambda: phone.received("34600111333"), lambda found: len(found) >= 2)
    assert [message.text for message in await phone.received("34600111333")] == ["Only once, please.", "When?"]


async def send(page: Page, by: str, field: str) -> None:
    """Send the open form twice."""
    dialog = page.get_by_role("dialog")
    if by == "mouse":
        await dialog.get_by_role("button", name="Send").dblclick()
    else:
        await dialog.get_by_label(field).focus()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Enter")
    await expect(dialog).to_have_count(0)
