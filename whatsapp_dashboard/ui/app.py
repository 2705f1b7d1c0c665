"""Registers all pages with Reflex."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui.pages import PAGES
from whatsapp_dashboard.ui.session import ShellState
from whatsapp_dashboard.ui.shell import framed

PRODUCT = "WhatsApp Dashboard"


def build_pages(app: rx.App) -> None:
    """Add every page of `PAGES`, framed; the shell learns who is there before the page loads its own data."""
    for page in PAGES:
        app.add_page(
            framed(page, PAGES),
            route=page.route,
            title=f"{page.title} · {PRODUCT}",
            on_load=[ShellState.load, *page.on_load],
        )
