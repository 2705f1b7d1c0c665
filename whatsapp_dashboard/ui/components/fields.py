"""Labelled inputs."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.ui import theme


def field(label: str | rx.Var[str], control: rx.Component, hint: str | rx.Var[str] = "") -> rx.Component:
    """A control with its label above and a hint below. The label element wraps the control, so both belong together."""
    return rx.el.label(
        rx.vstack(
            rx.text(label, size=theme.BODY, weight="medium", as_="span"),
            control,
            rx.text(hint, size=theme.CAPTION, color=theme.TEXT_MUTED, as_="span") if not _empty(hint) else rx.fragment(),
            spacing="1",
            width="100%",
            align="stretch",
        ),
        style={"width": "100%", "display": "block"},
    )


def text_field(label: str | rx.Var[str], name: str, hint: str | rx.Var[str] = "", **props: Any) -> rx.Component:
    """A labelled line of text; ``props`` go to the input (default_value, max_length, required, type ...)."""
    return field(label, rx.input(name=name, size="2", width="100%", **props), hint)


def text_area(label: str | rx.Var[str], name: str, hint: str | rx.Var[str] = "", **props: Any) -> rx.Component:
    """A labelled text of several lines."""
    return field(label, rx.text_area(name=name, size="2", width="100%", **props), hint)


def switch_field(label: str, hint: str | rx.Var[str] = "", **props: Any) -> rx.Component:
    """A switch with its label and hint beside it; ``props`` go to the switch (name, checked, on_change ...)."""
    return rx.el.label(
        rx.hstack(
            rx.vstack(
                rx.text(label, size=theme.BODY, weight="medium", as_="span"),
                rx.text(hint, size=theme.CAPTION, color=theme.TEXT_MUTED, as_="span") if not _empty(hint) else rx.fragment(),
                spacing="0",
            ),
            rx.spacer(),
            rx.switch(size="2", **props),
            align="center",
            width="100%",
        ),
        style={"width": "100%", "display": "block"},
    )


def search_field(placeholder: str, value: rx.Var[str], on_change: Any, **props: Any) -> rx.Component:
    """A search box that asks 300 ms after the last key."""
    return rx.input(
        rx.input.slot(rx.icon("search", size=14)),
        placeholder=placeholder,
        aria_label=placeholder,
        default_value=value,
        on_change=on_change.debounce(300) if hasattr(on_change, "debounce") else on_change,
        type="search",
        **props,
    )


def day_field(label: str, value: rx.Var[str], on_change: Any) -> rx.Component:
    """A day to filter by, its label before it."""
    return rx.el.label(
        rx.text(label, size="1", color=theme.TEXT_MUTED, as_="span"),
        # Each input waits by itself: Reflex's own debounce counts by the handler, which two days of one page share.
        rx.input(
            type="date", value=value, on_change=on_change, debounce_timeout=400, aria_label=label, width="100%", min_width="132px"
        ),
        style={"display": "flex", "alignItems": "center", "gap": "6px", "flex": "1"},
    )


def _empty(text: str | rx.Var[str]) -> bool:
    return isinstance(text, str) and not text
