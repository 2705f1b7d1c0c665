"""What browser tests look for on the inbox page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playwright.async_api import Locator, Page

from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone


@dataclass
class Shop:
    """A connected account without a bot, and Carla and Dev as its contacts."""

    phone: SandboxPhone
    account_id: str
    carla: str
    dev: str


def bubble(page: Page, text: str) -> Locator:
    """A message of the open thread."""
    return page.get_by_role("log", name="Messages").locator("[data-message]").filter(has_text=text)


def line(page: Page, text: str) -> Locator:
    """A conversation of the list."""
    return page.locator("[aria-label=Conversations] [data-conversation]").filter(has_text=text)


async def set_account(page: Page, **settings: Any) -> None:
    """Change the settings of the only account through the API, as the page does."""
    await page.evaluate(
        """async settings => {
            const accounts = await (await fetch("/api/accounts")).json();
            await fetch("/api/accounts/" + accounts[0].id, {
                method: "PATCH",
                headers: {"Content-Type": "application/json"},
                body: JSON.stringify({settings}),
            });
        }""",
        settings,
    )
