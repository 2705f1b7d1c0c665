"""Short messages at the edge of the screen that say how an action ended."""

from __future__ import annotations

from typing import Any

import reflex as rx


def toast_ok(title: str, description: str = "") -> Any:
    """It worked."""
    return rx.toast.success(title, description=description, duration=4_000)


def toast_error(title: str, description: str = "") -> Any:
    """It did not work; says what to do."""
    return rx.toast.error(title, description=description, duration=8_000, close_button=True)


def toast_info(title: str, description: str = "") -> Any:
    """Something to know."""
    return rx.toast.info(title, description=description, duration=5_000)
