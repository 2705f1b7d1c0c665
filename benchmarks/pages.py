"""How much a browser downloads for each page: the first visit with an empty cache, the second with what the first has left.

python -m benchmarks.pages
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, BrowserContext

from benchmarks.setting import stage
from tests.support.browser import launched
from tests.support.server import OWNER, OWNER_PASSWORD, Server
from whatsapp_dashboard.ui.pages import PAGES


@dataclass
class Traffic:
    """What went over the line while one page was loaded, headers included and compressed as it was sent."""

    size: int = 0
    requests: int = 0
    _cached: set[str] = field(default_factory=set)

    def served_from_cache(self, event: dict[str, Any]) -> None:
        """Of memory: nothing was asked."""
        self._cached.add(event["requestId"])

    def responded(self, event: dict[str, Any]) -> None:
        """An answer's header has come."""
        response = event["response"]
        if response["url"].startswith("http") and not response.get("fromDiskCache") and event["requestId"] not in self._cached:
            self.requests += 1

    def finished(self, event: dict[str, Any]) -> None:
        """An answer is here."""
        self.size += int(event["encodedDataLength"])


async def visit(context: BrowserContext, path: str) -> Traffic:
    """Load a page in a tab of its own until it rests."""
    page = await context.new_page()
    line = await context.new_cdp_session(page)
    traffic = Traffic()
    line.on("Network.requestServedFromCache", traffic.served_from_cache)
    line.on("Network.responseReceived", traffic.responded)
    line.on("Network.loadingFinished", traffic.finished)
    await line.send("Network.enable")
    await page.goto(path)
    await page.get_by_role("heading", level=1).first.wait_for()
    await page.wait_for_load_state("networkidle")
    await page.close()
    return traffic


async def measure(browser: Browser, server: Server, path: str) -> tuple[Traffic, Traffic]:
    """The first and the second visit of one page, logged in, in a profile that has seen no other."""
    context = await browser.new_context(base_url=server.url)
    credentials = {"username": OWNER, "password": OWNER_PASSWORD}
    answer = await context.request.post("/api/auth/login", data=credentials, headers={"Origin": server.url})
    assert answer.ok, f"log-in answered {answer.status}"
    try:
        return await visit(context, path), await visit(context, path)
    finally:
        await context.close()


async def main() -> None:
    """Print the table."""
    print(f"{'page':<22}{'first visit':>22}{'second visit':>22}")
    async with stage() as running, launched() as browser:
        for page in PAGES:
            first, second = await measure(browser, running.server, page.route)
            cells = (f"{each.size / 1_000:,.0f} kB, {each.requests} requests" for each in (first, second))
            print(f"{page.route:<22}" + "".join(f"{cell:>22}" for cell in cells))


if __name__ == "__main__":
    asyncio.run(main())
