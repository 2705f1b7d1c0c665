"""Small coloured labels: statuses and counts."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui import theme

ACCOUNT_STATUS: dict[str, tuple[str, theme.Tone]] = {
    "initializing": ("Starting", "info"),
    "qr_ready": ("Waiting for scan", "busy"),
    "ready": ("Connected", "good"),
    "disconnected": ("Disconnected", "neutral"),
    "auth_failed": ("Logged out", "bad"),
    "error": ("Error", "bad"),
}


def badge(text: str | rx.Var[str], tone: theme.Tone = "neutral", icon: str | None = None, **props: object) -> rx.Component:
    """A soft label in the colour of ``tone``, with a lucide icon when given."""
    children = [rx.icon(icon, size=12)] if icon else []
    return rx.badge(*children, text, color_scheme=theme.TONE_COLORS[tone], variant="soft", radius="full", **props)


def dot(tone: theme.Tone, **props: object) -> rx.Component:
    """A small round mark in the colour of ``tone``."""
    return rx.box(
        width="7px",
        height="7px",
        border_radius="50%",
        flex_shrink="0",
        background=f"var(--{theme.TONE_COLORS[tone]}-9)",
        aria_hidden="true",
        **props,
    )


def account_status(status: rx.Var[str], reason: rx.Var[str] | str = "") -> rx.Component:
    """An account's status as a badge (ACC-2), the reason on hover."""

    def one(label: str, tone: theme.Tone) -> rx.Component:
        return rx.badge(dot(tone), label, color_scheme=theme.TONE_COLORS[tone], variant="soft", radius="full")

    cases = [(key, one(label, tone)) for key, (label, tone) in ACCOUNT_STATUS.items()]
    return rx.box(rx.match(status, *cases, rx.badge(status, variant="soft")), title=reason, class_name="wa-status")
