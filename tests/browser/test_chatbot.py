"""The AI pages in a real browser, with a real server of providers and a real account (AI-1 to AI-9, ACC-7)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.support.browser import Window
from tests.support.cast import PASSWORDS
from tests.support.inbox_page import bubble
from tests.support.linking import linked_account
from tests.support.llm_server import Behaviour, LlmServer
from whatsapp_dashboard.domain.ai_settings import DEFAULT_PROMPT
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone

KEY = "sk-planted-secret-key-4711"
BROKEN = Behaviour("error", status=500)


@pytest_asyncio.fixture(loop_scope="session")
async def llm() -> AsyncIterator[LlmServer]:
    """Providers on loopback: a private network, as far as the dashboard knows."""
    async with LlmServer() as found:
        yield found


def spy(page: Page) -> list[str]:
    """Everything the server tells this tab, by socket and by HTTP."""
    heard: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda data: heard.append(data if isinstance(data, str) else str(data))))

    async def read(response: Any) -> None:
        if "text" in response.headers.get("content-type", "") or "json" in response.headers.get("content-type", ""):
            heard.append(await response.text())

    page.on("response", lambda response: asyncio.ensure_future(_quietly(read(response))))
    return heard


async def _quietly(reading: Any) -> None:
    try:
        await reading
    except Exception:
        return  # the page was left before the body was there


async def add(page: Page, llm: LlmServer, kind: str, name: str) -> None:
    """Add a provider by the dialog; its address is allowed already."""
    await page.get_by_role("button", name="Add provider").first.click()
    dialog = page.get_by_role("dialog")
    await dialog.locator(f"[data-kind={kind}]").click()
    if kind != "compatible":
        await dialog.get_by_text("More", exact=True).click()
    await dialog.get_by_label("URL").fill(llm.url(kind))
    await dialog.get_by_label("Key", exact=kind != "compatible").fill(KEY)
    await dialog.get_by_label("Name", exact=True).fill(name)
    await expect(dialog.get_by_test_id("models-note")).to_contain_text("to choose from")
    await dialog.get_by_role("combobox", name="Model").click()
    await dialog.get_by_role("option").first.click()
    await dialog.get_by_role("button", name="Add", exact=True).click()
    await expect(dialog).to_be_hidden()


async def set_up(api: httpx.AsyncClient, account: str, llm: LlmServer, *kinds: str, **settings: Any) -> None:
    """The bot of an account, on, without waiting, by the API."""
    (await api.post("/api/network/allowed", json={"value": "127.0.0.1"})).raise_for_status()
    providers = [{"kind": kind, "model": f"model-of-{kind}", "key": KEY, "url": llm.url(kind)} for kind in kinds]
    body = {"enabled": bool(kinds), "providers": providers, "settings": {"wait_seconds": 0} | settings}
    answer = await api.post(f"/api/accounts/{account}/ai-config", json=body)
    assert answer.status_code == 200, answer.text


async def test_the_second_provider_answers_and_the_trace_says_why(
    window: Window, api: httpx.AsyncClient, phone: SandboxPhone, llm: LlmServer
) -> None:
    """AI-2, AI-3, AI-5, AI-7, AI-9, HOOK-7: two providers by the page, the first broken; a customer asks; the inbox and the try-it chat
    say who answered and why."""
    account = await linked_account(api, phone, "Bakery")
    document = {"title": "Opening hours", "text": "# Sundays\n\nOn Sundays the bakery opens at ten and closes at noon."}
    (await api.post("/api/knowledge/documents", json=document)).raise_for_status()
    page = await window.log_in("ana", PASSWORDS["ana"], width=1440, height=900)
    heard = spy(page)
    await page.goto("/chatbot")
    await expect(page.get_by_role("heading", name="No provider yet")).to_be_visible()
    await page.get_by_test_id("bot-switch").click()
    await expect(page.get_by_text("Add a provider first")).to_be_visible()

    # A private address is allowed with one click; then the models come by themselves.
    await page.get_by_role("button", name="Add provider").click()
    dialog = page.get_by_role("dialog")
    await dialog.locator("[data-kind=compatible]").click()
    await dialog.get_by_label("URL").fill(llm.url("compatible"))
    await dialog.get_by_label("Name", exact=True).fill("Cellar")
    await expect(dialog.get_by_text("127.0.0.1 is on a private network.")).to_be_visible()
    assert llm.requests(route="") == []
    await dialog.get_by_role("button", name="Allow 127.0.0.1 and go on").click()
    await expect(dialog.get_by_test_id("models-note")).to_contain_text("2 to choose from.")
    model = dialog.get_by_role("combobox", name="Model")
    await model.fill("vision")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(model).to_have_value("llama-3.2-vision-test")
    await dialog.get_by_role("button", name="Test", exact=True).click()
    await expect(dialog.get_by_test_id("draft-result")).to_contain_text("It opens at 9.")
    await dialog.get_by_role("button", name="Add", exact=True).click()
    await expect(dialog).to_be_hidden()
    await add(page, llm, "openai", "Cloud")
    cards = page.locator("[data-provider]")
    await expect(cards).to_have_count(2)
    await expect(cards.nth(1).get_by_test_id("key")).to_have_text("••••4711")

    # The first one breaks: its test says the exact error, the second one's what it answered.
    llm.behave("compatible", Behaviour("error", status=500, text="The cellar is flooded"))
    await page.get_by_role("button", name="Test Cellar").click()
    await page.get_by_role("button", name="Test Cloud").click()
    await expect(cards.nth(0).get_by_test_id("test-result")).to_contain_text("The cellar is flooded")
    await expect(cards.nth(1).get_by_test_id("test-result")).to_contain_text(re.compile(r"Answered after \d"))

    await page.get_by_test_id("bot-switch").click()
    await expect(page.locator("[data-situation=answers]")).to_be_visible()
    talk = page.get_by_role("log", name="Chat with the bot")
    llm.behave("openai", Behaviour(text="On Sundays we open at ten.", seconds=1))
    await page.get_by_label("Message to the bot").fill("When do you open on Sundays?")
    await page.keyboard.press("Enter")
    await expect(talk.get_by_text("The bot is thinking…")).to_be_visible()
    await expect(talk.get_by_text("On Sundays we open at ten.")).to_be_visible()
    trace = talk.get_by_test_id("trace")
    await trace.locator("summary").first.click()
    await expect(trace).to_contain_text("The cellar is flooded")
    await expect(trace.locator("[data-step='Answered']")).to_contain_text("tokens 12 in, 7 out")
    await trace.locator("[data-passage='Opening hours'] summary").click()
    await expect(trace).to_contain_text("On Sundays the bakery opens at ten")
    assert await phone.received() == []
    assert llm.requests("openai")[-1].said.turns[-1][1].endswith("When do you open on Sundays?")
    await page.get_by_role("button", name="Clear").click()
    await expect(talk.get_by_text("Write as a customer would.")).to_be_visible()

    # The same by WhatsApp: the answer is marked in the inbox, and its mark opens what it was made of.
    await api.post(f"/api/accounts/{account}/ai-config", json={"settings": {"wait_seconds": 0}})
    await phone.send_text("carla", "Are you open on Sundays?")
    await page.goto("/inbox")
    await page.locator("[data-conversation]").filter(has_text="Carla").first.click()
    answer = bubble(page, "On Sundays we open at ten.")
    await expect(answer).to_be_visible()
    mark = answer.get_by_role("button", name="AI: how this answer was made")
    await mark.focus()
    await page.keyboard.press("Enter")
    drawer = page.get_by_test_id("answer-trace")
    await expect(drawer).to_contain_text("The cellar is flooded")
    await expect(drawer).to_contain_text("Cloud · after 1 other")
    await drawer.locator("[data-passage='Opening hours'] summary").click()
    await expect(drawer).to_contain_text("On Sundays the bakery opens at ten")
    await page.keyboard.press("Escape")
    await expect(drawer).to_be_hidden()
    await expect(mark).to_be_focused()

    # The key went to the provider, and never came back to the browser.
    assert llm.requests("openai")[-1].headers["authorization"] == f"Bearer {KEY}"
    await page.goto("/chatbot")
    await page.get_by_role("button", name="Actions for Cloud").click()
    await page.get_by_role("menuitem", name="Edit").click()
    await expect(dialog.get_by_label("Key", exact=True)).to_have_attribute("placeholder", "••••4711")
    await expect(dialog.get_by_label("Key", exact=True)).to_have_value("")
    assert KEY not in await page.content()
    assert len(heard) > 20
    assert not [text for text in heard if KEY in text]
    assert not [entry for entry in window.console if entry.startswith("error")]


async def test_who_writes_on_the_phone_silences_the_bot(
    window: Window, api: httpx.AsyncClient, phone: SandboxPhone, llm: LlmServer
) -> None:
    """AI-8: the bot stays silent, the inbox says until when, and it answers again when it is handed back."""
    account = await linked_account(api, phone, "Bakery")
    await set_up(api, account, llm, "openai")
    page = await window.log_in("ben", PASSWORDS["ben"])
    await phone.send_text("carla", "Hello?")
    await page.goto("/inbox")
    await page.locator("[data-conversation]").filter(has_text="Carla").first.click()
    await expect(bubble(page, "It opens at 9.")).to_have_count(1)
    await phone.send_text("carla", "This is Ana herself.", by_owner=True)
    await expect(page.get_by_text("Bot paused until")).to_be_visible()
    asked = len(llm.requests("openai"))
    await phone.send_text("carla", "Ana? Nice!")
    await expect(bubble(page, "Ana? Nice!")).to_be_visible()
    await asyncio.sleep(2)
    assert len(llm.requests("openai")) == asked
    await page.get_by_role("button", name="Hand back").click()
    await expect(page.get_by_text("Bot paused until")).to_be_hidden()
    await phone.send_text("carla", "Still there?")
    await expect(bubble(page, "It opens at 9.")).to_have_count(2)


@pytest.mark.full
@pytest.mark.timeout(200)
async def test_the_bot_answers_again_when_the_timer_ends(
    window: Window, api: httpx.AsyncClient, phone: SandboxPhone, llm: LlmServer
) -> None:
    """AI-8: by itself, after the minutes of the settings."""
    account = await linked_account(api, phone, "Bakery", takeover_minutes=1)
    await set_up(api, account, llm, "openai")
    page = await window.log_in("ben", PASSWORDS["ben"])
    await phone.send_text("carla", "This is Ana herself.", by_owner=True)
    await page.goto("/inbox")
    await page.locator("[data-conversation]").first.click()
    await expect(page.get_by_text("Bot paused until")).to_be_visible()
    await phone.send_text("carla", "And now?")
    await expect(page.get_by_text("Bot paused until")).to_be_hidden(timeout=90_000)
    assert llm.requests("openai") == []
    await phone.send_text("carla", "Now?")
    await expect(bubble(page, "It opens at 9.")).to_have_count(1)


async def test_providers_are_put_in_order_by_dragging_and_by_keys(
    window: Window, api: httpx.AsyncClient, phone: SandboxPhone, llm: LlmServer
) -> None:
    """AI-3: the order on the page is the order in which they are asked; another tab follows."""
    account = await linked_account(api, phone, "Bakery")
    await set_up(api, account, llm, "groq", "openai", "mistral")
    page = await window.log_in("ben", PASSWORDS["ben"], width=1440, height=900)
    other = await window.log_in("ana", PASSWORDS["ana"])
    await page.goto("/chatbot")
    await other.goto("/chatbot")
    titles = page.locator("[data-provider] .wa-provider-what")
    await expect(titles.nth(2)).to_contain_text("Mistral")
    down = page.get_by_role("button", name="Ask later: Groq")
    await down.focus()
    await page.keyboard.press("Enter")
    await expect(titles.nth(0)).to_contain_text("OpenAI")
    await expect(down).to_be_focused()
    await expect(page.get_by_text("Groq is now number 2 of 3")).to_be_attached()

    handle = page.locator("[data-drag]").nth(2)
    start, end = await handle.bounding_box(), await page.locator("[data-drag]").nth(0).bounding_box()
    assert start is not None
    assert end is not None
    await page.mouse.move(start["x"] + 8, start["y"] + 8)
    await page.mouse.down()
    await page.mouse.move(start["x"] + 8, start["y"] - 40, steps=4)
    await page.mouse.move(end["x"] + 8, end["y"] - 10, steps=6)
    await page.mouse.up()
    await expect(titles.nth(0)).to_contain_text("Mistral")
    await expect(page.locator(".wa-dragged")).to_have_count(0)
    await expect(other.locator("[data-provider] .wa-provider-what").nth(0)).to_contain_text("Mistral")
    stored = (await api.get(f"/api/accounts/{account}/ai-config")).json()["providers"]
    assert [provider["kind"] for provider in stored] == ["mistral", "openai", "groq"]

    await page.get_by_role("button", name="Actions for Mistral").click()
    await page.get_by_role("menuitem", name="Switch off").click()
    await expect(page.locator("[data-provider]").nth(0)).to_have_attribute("data-state", "off")
    await page.get_by_role("button", name="Actions for Groq").click()
    await page.get_by_role("menuitem", name="Delete").click()
    await expect(page.get_by_role("alertdialog")).to_contain_text("Its key is deleted too")
    await page.get_by_role("button", name="Delete provider").click()
    await expect(page.locator("[data-provider]")).to_have_count(2)


async def test_settings_are_saved_together_and_guarded_until_then(
    window: Window, api: httpx.AsyncClient, phone: SandboxPhone, llm: LlmServer
) -> None:
    """AI-1: variables, hours, limits; errors beside the field; nothing is lost by leaving; what others changed stays."""
    account = await linked_account(api, phone, "Bakery")
    await set_up(api, account, llm, "openai")
    page = await window.log_in("ben", PASSWORDS["ben"], width=1440, height=900)
    await page.goto("/")
    await page.get_by_role("link", name="Chatbot").click()
    await page.get_by_role("tab", name="Prompt").click()
    bar = page.get_by_role("region", name="Changes that are not saved")
    prompt = page.get_by_label("What the bot is told")
    await expect(prompt).to_have_value(DEFAULT_PROMPT)
    await expect(bar).to_be_hidden()
    await prompt.fill("Greet ! Be brief.")
    await prompt.evaluate("field => field.setSelectionRange(6, 6)")
    await page.get_by_role("button", name="{{contact.name}}").click()
    await expect(prompt).to_have_value("Greet {{contact.name}}! Be brief.")
    await expect(page.get_by_text("33 of 20,000")).to_be_visible()
    await expect(bar).to_be_visible()
    await page.get_by_label("Temperature").fill("0.2")

    # Leaving is asked about: a link, and the browser's back.
    await page.get_by_role("link", name="Knowledge", exact=True).click()
    question = page.get_by_role("alertdialog")
    await expect(question).to_contain_text("Leave without saving?")
    await question.get_by_role("button", name="Cancel").click()
    await expect(prompt).to_have_value("Greet {{contact.name}}! Be brief.")

    await page.get_by_role("tab", name="When").click()
    await page.get_by_label("Delay (seconds)").fill("30")
    await page.get_by_role("switch", name="Answering hours").click()
    await page.get_by_label("Monday from").fill("10:15")
    zone = page.get_by_role("combobox", name="Time zone")
    await zone.fill("kolk")
    await page.get_by_role("option", name="Asia/Kolkata").click()
    await page.get_by_role("tab", name="Prompt").click()
    await bar.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("The longest wait must not be shorter than the delay.")).to_be_visible()
    await expect(page.get_by_role("tab", name="When")).to_have_attribute("aria-selected", "true")

    # Meanwhile somebody else changes another setting: it is not undone.
    await api.post(f"/api/accounts/{account}/ai-config", json={"settings": {"max_tokens": 77}})
    await expect(bar.get_by_text("Somebody else changed the settings meanwhile")).to_be_visible()
    await page.get_by_label("Longest wait (seconds)").fill("60")
    await bar.get_by_role("button", name="Save").click()
    await expect(bar).to_be_hidden()
    stored = (await api.get(f"/api/accounts/{account}/ai-config")).json()["settings"]
    assert (stored["prompt"], stored["temperature"], stored["max_tokens"]) == ("Greet {{contact.name}}! Be brief.", 0.2, 77)
    assert (stored["wait_seconds"], stored["longest_wait_seconds"]) == (30, 60)
    assert (stored["hours"]["timezone"], stored["hours"]["days"][0]["begins"]) == ("Asia/Kolkata", "10:15")
    await page.get_by_role("tab", name="Prompt").click()
    await expect(page.get_by_label("Longest answer (tokens)")).to_have_value("77")

    # The name of the person in the "try it" chat is filled in.
    await page.get_by_label("Message to the bot").fill("Hi")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-try=said]")).to_have_count(1)
    assert "Greet Test contact! Be brief." in llm.requests("openai")[-1].said.system

    # While nothing is unsaved, the inputs follow what others save; the default comes back with one click.
    await api.post(f"/api/accounts/{account}/ai-config", json={"settings": {"prompt": "Written elsewhere."}})
    await expect(prompt).to_have_value("Written elsewhere.")
    await page.get_by_role("button", name="Restore the default").click()
    await expect(prompt).to_have_value(DEFAULT_PROMPT)
    await page.evaluate("history.back()")
    await expect(question).to_contain_text("Leave without saving?")
    await expect(page).to_have_url(re.compile("/chatbot"))
    await expect(prompt).to_have_value(DEFAULT_PROMPT)
    await question.get_by_role("button", name="Leave", exact=True).click()
    await expect(page).not_to_have_url(re.compile("/chatbot"))
    assert not [entry for entry in window.console if entry.startswith("error")]


async def test_the_page_says_what_keeps_the_bot_silent(
    window: Window, api: httpx.AsyncClient, phone: SandboxPhone, llm: LlmServer
) -> None:
    """AI-1, AI-3, ACC-7, OBS-1: no provider, closed, limit, all failing; accounts and home say it too, and all follow by themselves."""
    account = await linked_account(api, phone, "Bakery")
    page = await window.log_in("ana", PASSWORDS["ana"])
    home = await window.log_in("ana", PASSWORDS["ana"])
    await page.goto(f"/chatbot?account={account}")
    await home.goto("/accounts")
    await expect(home.get_by_test_id("ai")).to_have_text("AI off")
    state = page.get_by_test_id("situation")
    await expect(state).to_contain_text("Off")
    await set_up(api, account, llm, "openai")
    await expect(state).to_have_attribute("data-situation", "answers")
    await expect(home.get_by_test_id("ai")).to_have_text("AI on")

    days = [{"open": False, "begins": "09:00", "ends": "18:00"}] * 7
    closed = {"hours": {"enabled": True, "timezone": "UTC", "days": days}}
    await api.post(f"/api/accounts/{account}/ai-config", json={"settings": closed})
    await expect(state).to_contain_text("No day is open")
    await api.post(f"/api/accounts/{account}/ai-config", json={"settings": {"hours": {"enabled": False}, "daily_answers": 1}})
    await phone.send_text("carla", "Hello?")
    await expect(state).to_have_attribute("data-situation", "limit")
    await home.goto("/")
    await expect(home.get_by_text("Today's limit is reached")).to_be_visible()

    llm.behave("openai", Behaviour("error", status=401))
    await api.post(f"/api/accounts/{account}/ai-config", json={"settings": {"daily_answers": 0, "failure_text": "Back soon."}})
    await phone.send_text("carla", "Hello again?")
    await expect(state).to_have_attribute("data-situation", "failing")
    await expect(page.get_by_test_id("last-error")).to_contain_text("does not accept the key")
    await expect(page.get_by_test_id("last-error")).to_contain_text("Asked again in")
    await expect(home.get_by_text("AI fails")).to_be_visible()
    # The contact got the friendly text; its mark says why.
    await page.goto("/inbox")
    await page.locator("[data-conversation]").first.click()
    await bubble(page, "Back soon.").get_by_role("button", name="AI: how this answer was made").click()
    await expect(page.get_by_test_id("answer-trace")).to_contain_text("so the account's failure text was sent instead.")
    await page.keyboard.press("Escape")

    await home.get_by_role("link", name="Bakery").first.click()
    await expect(home).to_have_url(re.compile("/chatbot/?\\?account="))
    await home.get_by_role("button", name="Actions for OpenAI").click()
    await home.get_by_role("menuitem", name="Switch off").click()
    await expect(home.get_by_test_id("situation")).to_have_attribute("data-situation", "no_provider")


async def test_the_usage_page_adds_up_and_lists_every_call(
    window: Window, api: httpx.AsyncClient, phone: SandboxPhone, llm: LlmServer
) -> None:
    """AI-6: figures, models, days, the log with its filters in the address, errors in full, the conversation one click away."""
    account = await linked_account(api, phone, "Bakery")
    page = await window.log_in("vic", PASSWORDS["vic"], width=1440, height=900)
    await page.goto("/ai-usage")
    await expect(page.get_by_text("No call yet")).to_be_visible()
    await set_up(api, account, llm, "groq", "openai")
    llm.behave("groq", Behaviour("error", status=500, text="Everything is on fire"))
    await phone.send_text("carla", "Hello?")
    calls = page.locator("[data-call]")
    await expect(calls).to_have_count(2)
    await expect(page.get_by_text("1 did not answer")).to_be_visible()
    chart = page.get_by_role("img", name="Calls per day: 1 answered and 1 not, in 30 days")
    await expect(chart).to_be_visible()
    for part in await chart.locator("> div").last.locator("> div").all():
        box = await part.bounding_box()
        assert box
        assert min(box["width"], box["height"]) > 10, "the bar of today can be seen"
    await expect(page.get_by_role("row").filter(has_text="model-of-openai")).to_contain_text("100 %")
    await page.get_by_role("combobox", name="Outcome").click()
    await page.get_by_role("option", name="Failed").click()
    await expect(page).to_have_url(re.compile("outcome=failed"))
    await expect(calls).to_have_count(1)
    await calls.locator("summary").click()
    await expect(calls.get_by_test_id("error")).to_contain_text("Everything is on fire")
    await page.get_by_role("radio", name="7 days").click()
    await expect(page).to_have_url(re.compile("days=7"))
    await expect(page.get_by_role("img", name="in 7 days")).to_be_visible()
    await page.goto(f"/ai-usage?account={account}&purpose=test")
    await expect(page.get_by_text("No call matches")).to_be_visible()
    await page.get_by_role("button", name="Clear filters").click()
    await calls.first.locator("summary").click()
    await calls.first.get_by_role("link", name="Open the conversation").click()
    await expect(bubble(page, "Hello?")).to_be_visible()
    await page.goto("/ai-usage?account=nonsense")
    await expect(page.get_by_text("The usage cannot be shown")).to_be_visible()


async def test_a_viewer_sees_the_bot_and_can_change_nothing(
    window: Window, api: httpx.AsyncClient, phone: SandboxPhone, llm: LlmServer
) -> None:
    """SEC-6, HOOK-7: an operator cannot allow a private address, and who looks at another's account gets a clear word."""
    account = await linked_account(api, phone, "Bakery")
    await set_up(api, account, llm, "openai")
    page = await window.log_in("vic", PASSWORDS["vic"], width=1440, height=900)
    await page.goto("/chatbot")
    await expect(page.locator("[data-provider]")).to_contain_text("••••4711")
    await expect(page.get_by_test_id("bot-switch")).to_be_disabled()
    for name in ("Add provider", "Test OpenAI", "Actions for OpenAI", "Send to the bot"):
        await expect(page.get_by_role("button", name=name)).to_have_count(0)
    await page.get_by_role("tab", name="Prompt").click()
    await expect(page.get_by_label("What the bot is told")).to_be_disabled()
    await page.get_by_role("tab", name="When").click()
    await expect(page.get_by_role("switch", name="Answering hours")).to_be_disabled()
    await page.goto("/chatbot?account=nonsense")
    await expect(page.get_by_text("There is no such account.")).to_be_visible()

    ben = await window.log_in("ben", PASSWORDS["ben"])
    await ben.goto("/chatbot")
    await ben.get_by_role("button", name="Add provider").click()
    await ben.locator("[data-kind=compatible]").click()
    await ben.get_by_label("URL").fill("http://10.1.2.3/v1")
    await ben.get_by_role("button", name="Load models").click()
    await expect(ben.get_by_text("Ask an owner to allow 10.1.2.3.")).to_be_visible()
    await ben.get_by_role("button", name="Add", exact=True).click()
    await expect(ben.get_by_text("Enter the model, or choose one from the list.")).to_be_visible()

    mallory = await window.log_in("mallory", PASSWORDS["mallory"])
    await mallory.goto(f"/chatbot?account={account}")
    await expect(mallory.get_by_text("There is no such account.")).to_be_visible()
    await mallory.goto("/chatbot")
    await expect(mallory.get_by_text("No account yet")).to_be_visible()


async def test_the_page_works_on_a_phone(window: Window, api: httpx.AsyncClient, phone: SandboxPhone, llm: LlmServer) -> None:
    """AI-1, AI-7: nothing is wider than the window, the chat is a part of its own, providers move by buttons."""
    account = await linked_account(api, phone, "Bakery")
    await set_up(api, account, llm, "groq", "openai")
    page = await window.log_in("ben", PASSWORDS["ben"], width=390, height=844)
    await page.goto(f"/chatbot?account={account}")
    await page.get_by_role("button", name="Ask earlier: OpenAI").click()
    await expect(page.locator("[data-provider]").nth(0)).to_contain_text("OpenAI")
    for tab in ("Providers", "Prompt", "When", "Uses", "Try it"):
        await page.get_by_role("tab", name=tab).click()
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390, tab
    await page.get_by_label("Message to the bot").fill("Hello?")
    await page.get_by_role("button", name="Send to the bot").click()
    await expect(page.get_by_text("It opens at 9.")).to_be_visible()
    await page.goto("/ai-usage")
    await expect(page.locator("[data-call]")).to_have_count(1, timeout=30_000)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
