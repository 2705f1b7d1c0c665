"""Design tokens: the one place for colours, sizes and spacing. Pages name tokens, never raw values.

Colours are Radix variables, so each token has its light and its dark value by itself.
"""

from __future__ import annotations

from typing import Any, Literal

import reflex as rx

Tone = Literal["neutral", "good", "busy", "warn", "bad", "info"]

TONE_COLORS: dict[Tone, str] = {
    "neutral": "gray",
    "good": "jade",
    "busy": "amber",
    "warn": "orange",
    "bad": "red",
    "info": "blue",
}

ACCENT = "jade"
SIDEBAR_WIDTH = "232px"
TOPBAR_HEIGHT = "52px"
CONTENT_WIDTH = "1240px"

SURFACE = "var(--surface)"
SURFACE_SUBTLE = "var(--surface-subtle)"
CANVAS = "var(--canvas)"
LINE = "1px solid var(--gray-a4)"
RADIUS = "10px"
TEXT = "var(--gray-12)"
TEXT_MUTED = "var(--gray-11)"
ACCENT_TEXT = "var(--accent-11)"
ACCENT_SOFT = "var(--accent-a3)"

# Type scale as Radix sizes: caption 1, body 2, lead 3, section title 4, page title 6.
PAGE_TITLE = "6"
SECTION_TITLE = "3"
BODY = "2"
CAPTION = "1"

CARD: dict[str, Any] = {
    "background": SURFACE,
    "border": LINE,
    "border_radius": RADIUS,
    "width": "100%",
}
NUMERIC: dict[str, Any] = {"font_variant_numeric": "tabular-nums", "text_align": "right"}
CLIP: dict[str, Any] = {"overflow": "hidden", "text_overflow": "ellipsis", "white_space": "nowrap", "min_width": "0"}

# Radix breakpoints used everywhere: below `md` (1024 px) the sidebar is a drawer.
ONLY_WIDE: dict[str, Any] = {"display": ["none", "none", "none", "flex"]}
WIDE_CELL: dict[str, Any] = {"display": ["none", "none", "none", "table-cell"]}
ONLY_NARROW: dict[str, Any] = {"display": ["flex", "flex", "flex", "none"]}


def radix_theme() -> rx.Component:
    """The Radix theme all pages sit in."""
    return rx.theme(
        accent_color=ACCENT,
        gray_color="slate",
        radius="large",
        scaling="95%",
        panel_background="solid",
        has_background=False,
    )
