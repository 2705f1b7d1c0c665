"""The Reflex app: all pages registered, the event gate in place, no default overlays."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.ui.components.toasts import toaster
from whatsapp_dashboard.ui.guard import EventGate
from whatsapp_dashboard.ui.pages import PAGES
from whatsapp_dashboard.ui.session import ShellState
from whatsapp_dashboard.ui.shell import framed
from whatsapp_dashboard.ui.state import explain
from whatsapp_dashboard.ui.waiting import WaitingState

PRODUCT = "WhatsApp Dashboard"
EVERYWHERE = ("line", "session", "once", "outbox", "notify")
"""Scripts of every page, in this order: the connection, the session, presses that act once, what waits to be sent, who waits."""


def create_app() -> rx.App:
    """Every page of `PAGES` in its frame; the shell learns who is there before the page loads its own data."""
    app = rx.App(
        stylesheets=["/app.css", "/inbox.css", "/chatbot.css"],
        html_lang="en",
        head_components=[
            rx.el.link(rel="icon", href="/logo.svg", type="image/svg+xml"),
            *[rx.el.script(src=f"/{name}.js") for name in EVERYWHERE],
        ],
        backend_exception_handler=explain,
        toaster=toaster(),
    )
    # What is said about the connection is said by assets/line.js, not by Reflex's toast and sign.
    app.app_wraps.pop((5, "Overlay"), None)
    for page in PAGES:
        on_load: list[Any] = [ShellState.load, WaitingState.follow, *page.on_load]
        app.add_page(framed(page, PAGES), route=page.route, title=f"{page.title} · {PRODUCT}", on_load=on_load)
    app.add_middleware(EventGate())
    return app
