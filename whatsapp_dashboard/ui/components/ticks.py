"""The ticks of an outgoing message (MSG-4)."""

from __future__ import annotations

from typing import Any

import reflex as rx

_LOOKS = {
    "queued": ("clock", "Waiting to be sent", "var(--gray-11)"),
    "sent": ("check", "Sent", "var(--gray-11)"),
    "in_doubt": ("circle-help", "In doubt", "var(--amber-11)"),
    "delivered": ("check-check", "Delivered", "var(--gray-11)"),
    "read": ("check-check", "Read", "var(--blue-11)"),
    "failed": ("circle-alert", "Failed", "var(--red-11)"),
}


def ticks(status: Any, size: int = 14) -> rx.Component:
    """A clock, one tick, two ticks, two blue ticks, a question mark or a warning; nothing for an incoming message."""
    cases = [
        (key, rx.icon(icon, size=size, color=color, aria_label=label, flex_shrink="0", custom_attrs={"role": "img"}))
        for key, (icon, label, color) in _LOOKS.items()
    ]
    return rx.match(status, *cases, rx.fragment())
