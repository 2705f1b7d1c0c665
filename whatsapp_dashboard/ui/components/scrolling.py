"""Boxes that scroll by themselves: a keyboard must be able to reach them, and a screen reader to name them."""

from __future__ import annotations

from typing import Any

import reflex as rx


def scrolls(name: str) -> dict[str, Any]:
    """What a scrolling box needs: ``rx.box(..., overflow_y="auto", **scrolls("Details"))``."""
    return {"tab_index": 0, "role": "group", "aria_label": name}


def preformatted(text: rx.Var[str] | str, name: str, **props: Any) -> rx.Component:
    """A text as it is, of which more than fits is scrolled to. ``name`` says what it is."""
    return rx.el.pre(text, class_name="wa-pre", **{**scrolls(name), **props})
