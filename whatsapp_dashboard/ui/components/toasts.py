"""Short messages in the top bar that say how an action ended.

They stand in the frame and nowhere else: between the title and the user menu, where nothing is to be pressed, and the bar grows when they
need more (session.js measures them, app.css makes the room). So they never cover a composer or a button.
"""

from __future__ import annotations

from typing import Any

import reflex as rx


def toaster() -> rx.Component:
    """Where they appear, all at once and the newest first. For the app."""
    return rx.toast.provider(position="top-center", expand=True, visible_toasts=3, gap=6, rich_colors=True, class_name="wa-toasts")


def toast_ok(title: str, description: str = "") -> Any:
    """It worked."""
    return rx.toast.success(title, description=description, duration=4_000)


def toast_error(title: str, description: str = "") -> Any:
    """It did not work; says what to do."""
    return rx.toast.error(title, description=description, duration=8_000, close_button=True)


def toast_info(title: str, description: str = "") -> Any:
    """Something to know."""
    return rx.toast.info(title, description=description, duration=5_000)
