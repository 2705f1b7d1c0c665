"""The first page: where to begin."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components import card, page_header
from whatsapp_dashboard.ui.navigation import Page
from whatsapp_dashboard.ui.session import ShellState


def home() -> rx.Component:
    """A greeting and what one can do here."""
    return rx.box(
        page_header("Home", "Your WhatsApp accounts at a glance."),
        card(
            rx.text("Logged in as ", rx.text.strong(ShellState.username), ".", size=theme.BODY),
            title="Welcome",
        ),
    )


PAGE = Page(route="/", title="Home", icon="house", content=home)
