"""The status of a message as a small picture with its word (MSG-4)."""

from __future__ import annotations

from typing import Any

import reflex as rx

_STATUS: dict[str, tuple[str, str, str]] = {
    "received": ("arrow-down-left", "Received", "var(--gray-11)"),
    "queued": ("clock", "Queued", "var(--amber-11)"),
    "sent": ("check", "Sent", "var(--gray-11)"),
    "in_doubt": ("circle-help", "In doubt", "var(--amber-11)"),
    "delivered": ("check-check", "Delivered", "var(--gray-11)"),
    "read": ("check-check", "Read", "var(--blue-11)"),
    "failed": ("circle-alert", "Failed", "var(--red-11)"),
}

MESSAGE_TYPES: dict[str, tuple[str, str]] = {
    "text": ("type", "Text"),
    "image": ("image", "Image"),
    "video": ("video", "Video"),
    "audio": ("music", "Audio"),
    "voice": ("mic", "Voice message"),
    "document": ("file-text", "Document"),
    "sticker": ("sticker", "Sticker"),
    "location": ("map-pin", "Location"),
    "contact": ("contact", "Contact card"),
    "poll": ("chart-bar", "Poll"),
    "buttons": ("list", "Buttons"),
    "unsupported": ("circle-help", "Not supported"),
}
"""Icon and name of each message type (MSG-1)."""

MESSAGE_STATUSES: dict[str, str] = {status: label for status, (_, label, _) in _STATUS.items()}
"""Name of each status (MSG-4); ``in_doubt`` is ``sent`` when it is open whether WhatsApp has the message."""


def message_status(status: Any, reason: Any = "") -> rx.Component:
    """Ticks and word; the reason of a failure on hover."""

    def one(icon: str, label: str, color: str) -> rx.Component:
        return rx.hstack(rx.icon(icon, size=14, color=color, flex_shrink="0"), rx.text(label, size="1", color=color), align="center",
                         spacing="1", white_space="nowrap")  # fmt: skip

    return rx.box(rx.match(status, *[(key, one(*look)) for key, look in _STATUS.items()], rx.text(status, size="1")), title=reason)


def message_type_icon(kind: Any, size: int = 14) -> rx.Component:
    """The picture of a message type; nothing for plain text."""
    return rx.match(
        kind,
        ("text", rx.fragment()),
        *[
            (key, rx.icon(icon, size=size, color="var(--gray-11)", flex_shrink="0", aria_label=label))
            for key, (icon, label) in MESSAGE_TYPES.items()
            if key != "text"
        ],
        rx.fragment(),
    )
