"""The dashboard opened under a name that it does not take for its own (SEC-5, OPS-1)."""

from __future__ import annotations

import asyncio

import httpx
from playwright.async_api import expect

from tests.support.axe import told, violations
from tests.support.browser import Window
from tests.support.cast import PASSWORDS
from tests.support.server import Server


async def test_a_page_says_which_setting_to_change_and_with_it_everything_works(window: Window, server: Server) -> None:
    """SEC-5, OPS-1: also where somebody is logged in, whose pages would only ever show that they load."""
    elsewhere = f"http://dash.localhost:{server.port}"
    page = await window.log_in("ana", PASSWORDS["ana"], width=390, height=844)
    cookies = await page.context.cookies()
    await page.context.add_cookies([{"name": cookie["name"], "value": cookie["value"], "url": elsewhere} for cookie in cookies])
    for path in ("/login", "/inbox"):
        await page.goto(elsewhere + path)
        await expect(page.get_by_role("heading", name="This address is not set up")).to_be_visible()
        await expect(page.get_by_text(f"DASHBOARD_URL={elsewhere}", exact=True)).to_be_visible()
    assert not told("wrong address", await violations(page, "color-contrast", "scrollable-region-focusable"))
    await page.get_by_role("link", name=server.url).click()
    await expect(page.get_by_role("heading", name="Home")).to_be_visible()

    await page.goto("about:blank")  # or it would be sent to the page about the old name, at any moment
    server.set(DASHBOARD_URL=elsewhere)
    await asyncio.to_thread(server.restart)
    await page.goto(elsewhere + "/team")
    await expect(page.get_by_text("ben", exact=True).first).to_be_visible()
    await page.goto(f"{elsewhere}/wrong-address?from={elsewhere}&next=/profile")
    await expect(page.get_by_role("heading", name="Profile")).to_be_visible()


async def test_a_program_is_told_the_same(window: Window, server: Server) -> None:
    """SEC-5, API-1: the problem document names the origin it saw and the setting."""
    async with httpx.AsyncClient(base_url=server.url) as client:
        body = {"username": "ana", "password": PASSWORDS["ana"]}
        refused = await client.post("/api/auth/login", json=body, headers={"Origin": "http://box.example:8000"})
        problem = refused.json()
        assert (refused.status_code, problem["code"], problem["origin"]) == (403, "foreign_origin", "http://box.example:8000")
        assert problem["expected"] == server.url
        assert "set DASHBOARD_URL=http://box.example:8000" in problem["detail"]
        for origin in ("javascript:alert(1)", "http://a.example/<script>", "http://x@a.example", "", f"{server.url}", "http://[::1"):
            answer = await client.get("/wrong-address", params={"from": origin, "next": "//evil.example"})
            assert (answer.status_code, answer.headers["location"]) == (303, "/"), origin
        told_off = await client.get("/wrong-address", params={"from": "http://a.example"})
        assert (told_off.status_code, "script" in told_off.text) == (421, False)
