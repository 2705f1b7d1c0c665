"""The menu behind the operator's picture: profile, appearance, log out."""

from __future__ import annotations

from typing import Literal

import reflex as rx
from reflex.style import set_color_mode

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components import avatar
from whatsapp_dashboard.ui.session import ShellState

# A request of its own rather than an event, so that logging out works even when the socket is gone; it takes what was written along.
_LOG_OUT = "window.waOutbox.logOut()"


def user_menu() -> rx.Component:
    """Picture and name; opens the menu."""
    return rx.box(
        rx.menu.root(
            rx.menu.trigger(
                rx.button(
                    rx.skeleton(avatar(ShellState.username, theme.ACCENT, "1"), loading=~ShellState.known),
                    rx.text(ShellState.username, size="2", class_name="wa-username"),
                    rx.icon("chevron-down", size=14),
                    variant="ghost",
                    color_scheme="gray",
                    aria_label="Your account",
                ),
            ),
            rx.menu.content(
                rx.box(
                    rx.text(ShellState.username, size="2", weight="medium"),
                    rx.text(ShellState.role, size="1", color=theme.TEXT_MUTED, text_transform="capitalize"),
                    padding="6px 12px",
                ),
                rx.menu.separator(),
                rx.menu.item(rx.icon("user", size=14), "Profile and security", on_select=rx.redirect("/profile")),
                rx.menu.item(rx.icon("bell", size=14), "Notifications", on_select=rx.redirect("/profile#notifications")),
                rx.menu.sub(
                    rx.menu.sub_trigger(rx.icon("sun-moon", size=14), "Appearance"),
                    rx.menu.sub_content(
                        _mode("sun", "Light", "light"),
                        _mode("moon", "Dark", "dark"),
                        _mode("monitor", "System", "system"),
                    ),
                ),
                rx.menu.separator(),
                rx.menu.item(rx.icon("log-out", size=14), "Log out", color_scheme="red", on_click=rx.call_script(_LOG_OUT)),
                width="224px",
            ),
        ),
    )


def _mode(icon: str, label: str, mode: Literal["light", "dark", "system"]) -> rx.Component:
    return rx.menu.item(rx.icon(icon, size=14), label, on_select=set_color_mode(mode))
