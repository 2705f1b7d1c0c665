"""The sentence below an input that was refused."""

from __future__ import annotations

import reflex as rx


def field_error(text: rx.Var[str]) -> rx.Component:
    """What is wrong with the field above; nothing when empty. Announced to screen readers."""
    return rx.cond(text != "", rx.text(text, size="1", color="var(--red-11)", role="alert", margin_top="4px"))
