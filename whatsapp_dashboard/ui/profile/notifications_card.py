"""Notifications of this browser: chosen and kept there by assets/notify.js, asked for only when somebody turns them on (MSG-14)."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components import card


def notifications_card() -> rx.Component:
    """Two switches, what keeps them from working, and a way to try them."""
    return card(
        rx.vstack(
            rx.text(
                "When a contact begins to wait for a person while its conversation is not in front of you. It is kept for you in this "
                "browser, and works while the dashboard is open in a tab.",
                size="2", color=theme.TEXT_MUTED,
            ),
            _switch("browser", "Notifications of the browser", "With the name and what was written; a click opens the conversation."),
            _switch("sound", "Sound", "A short tone."),
            rx.text(id="wa-notify-note", size="2", color=theme.TEXT_MUTED, role="status"),
            rx.el.button("Try it", type="button", class_name="wa-plain-button", custom_attrs={"data-notify-try": "yes"}),
            spacing="4", width="100%", align="start",
        ),
        title="Notifications", id="notifications", scroll_margin_top="72px",
    )  # fmt: skip


def _switch(name: str, title: str, text: str) -> rx.Component:
    return rx.hstack(
        rx.vstack(
            rx.text(title, size="2", weight="medium", id=f"wa-notify-{name}-title"),
            rx.text(text, size="1", color=theme.TEXT_MUTED),
            spacing="0", flex="1", min_width="0",
        ),
        rx.el.button(
            rx.el.span(), type="button", role="switch", class_name="wa-switch", aria_labelledby=f"wa-notify-{name}-title",
            custom_attrs={"data-notify": name, "aria-checked": "false"},
        ),
        width="100%", align="center", spacing="3",
    )  # fmt: skip
