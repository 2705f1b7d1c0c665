"""A real browser: the Chromium named by CHROMIUM, Debian's (the one without a window, as Playwright's own), or Playwright's own."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.support import evidence
from tests.support.server import Server

DEBIAN = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
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
    path = os.environ.get("CHROMIUM") or next((str(path) for path in DEBIAN if path.exists()), None)
    flags = [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=flags)
        try:
            yield browser
        finally:
            await browser.close()


class Window:
    """Opens tabs at one dashboard, remembers them, and keeps pictures of them when the test fails."""

    def __init__(self, browser: Browser, server: Server, url: str = "") -> None:
        self.browser = browser
        self.server = server
        self.url = url or server.url
        """Where browsers find it; another one than its own when there is a line in between."""
        self.contexts: list[BrowserContext] = []
        self.console: list[str] = []

    async def context(self, *, width: int = 1280, height: int = 800, dark: bool = False) -> BrowserContext:
        """A browser profile of its own, without cookies."""
        context = await self.browser.new_context(
            base_url=self.url,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",  # nothing to wait for, and less to paint
        )
        context.set_default_timeout(WAIT_MS)
        context.on("console", lambda message: self.console.append(f"{message.type}: {message.text}"))
        context.on("weberror", lambda error: self.console.append(f"error: {error.error}"))
        self.contexts.append(context)
        return context

    async def log_in(self, username: str, password: str, *, width: int = 1280, height: int = 800, dark: bool = False) -> Page:
        """A tab in a fresh profile, logged in (without going through the login page)."""
        context = await self.context(width=width, height=height, dark=dark)
        # Asked by the context: the session is tied to the browser's name, and its cookie belongs into the profile.
        answer = await context.request.post(
            "/api/auth/login", data={"username": username, "password": password}, headers={"Origin": self.url}
        )
        assert answer.ok, f"log-in answered {answer.status}"
        return await context.new_page()

    async def close(self) -> None:
        """Close every tab, and forget every profile."""
        for context in self.contexts:
            await context.close()

    async def keep_pictures(self, test: pytest.Item) -> None:
        """Save what every tab shows and what the consoles said."""
        pages = [page for context in self.contexts for page in context.pages]
        for number, page in enumerate(pages):
            await page.screenshot(path=evidence.path_for(test, f"{number}.png"), timeout=5_000)
        evidence.keep(test, "console.txt", "\n".join(self.console))
