"""A real browser: Debian's Chromium, the one named by CHROMIUM, or Playwright's own."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.support.server import Server

ARTIFACTS = Path(__file__).resolve().parents[1] / "artifacts"
DEBIAN = Path("/usr/bin/chromium")
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
WAIT_MS = 15_000
"""How long a page may take to show what a test waits for."""

expect.set_options(timeout=WAIT_MS)


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """A running Chromium without a window."""
    path = os.environ.get("CHROMIUM") or (str(DEBIAN) if DEBIAN.exists() else None)
    flags = [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=flags)
        try:
            yield browser
        finally:
            await browser.close()


class Window:
    """Opens tabs at one dashboard, remembers them, and keeps pictures of them when the test fails."""

    def __init__(self, browser: Browser, server: Server) -> None:
        self.browser = browser
        self.server = server
        self.contexts: list[BrowserContext] = []
        self.console: list[str] = []

    async def context(self, *, width: int = 1280, height: int = 800, dark: bool = False) -> BrowserContext:
        """A browser profile of its own, without cookies."""
        context = await self.browser.new_context(
            base_url=self.server.url,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
        )
        context.set_default_timeout(WAIT_MS)
        context.on("console", lambda message: self.console.append(f"{message.type}: {message.text}"))
        context.on("weberror", lambda error: self.console.append(f"error: {error.error}"))
        self.contexts.append(context)
        return context

    async def log_in(self, username: str, password: str, *, width: int = 1280, height: int = 800, dark: bool = False) -> Page:
        """A tab in a fresh profile, logged in (without going through the login page)."""
        context = await self.context(width=width, height=height, dark=dark)
        page = await context.new_page()
        # The session is tied to the browser's name, so the browser itself must ask for it.
        await page.goto("/login")
        status = await page.evaluate(
            """async ([username, password]) => (await fetch("/api/auth/login", {
                method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({username, password}),
            })).status""",
            [username, password],
        )
        assert status == 200, f"log-in answered {status}"
        return page

    async def keep_pictures(self, name: str) -> None:
        """Save what every tab shows, what the consoles said and the server's log in tests/artifacts."""
        ARTIFACTS.mkdir(exist_ok=True)
        pages = [page for context in self.contexts for page in context.pages]
        for number, page in enumerate(pages):
            await page.screenshot(path=ARTIFACTS / f"{name}-{number}.png", timeout=5_000)
        (ARTIFACTS / f"{name}-console.txt").write_text("\n".join(self.console))
        (ARTIFACTS / f"{name}-server.txt").write_text(self.server.log)
