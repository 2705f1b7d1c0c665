"""Bars over time, drawn with boxes: no script, no library, readable by everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import reflex as rx

BARS_HEIGHT = 120
"""Pixels of the tallest bar."""


@dataclass
class BarLine:
    """One bar: the good part below, the bad part on it, in pixels; ``title`` says the numbers."""

    good: int
    bad: int
    title: str


def bar_lines(counts: Sequence[tuple[int, int, str]]) -> list[BarLine]:
    """Bars for (good, bad, title); the tallest fills the height, and whatever is not zero can be seen."""
    most = max((good + bad for good, bad, _ in counts), default=0)

    def height(count: int) -> int:
        return max(2, round((BARS_HEIGHT - 4) * count / most)) if count else 0

    return [BarLine(height(good), height(bad), title) for good, bad, title in counts]


def bars(lines: Any, *, label: Any, first: Any, last: Any) -> rx.Component:
    """The bars, with what stands under the first and the last one. ``label`` says what they show to those who cannot see them."""

    def bar(line: BarLine) -> rx.Component:
        return rx.box(
            rx.box(height=line.bad.to(str) + "px", background="var(--red-9)"),  # type: ignore[attr-defined]
            rx.box(height=line.good.to(str) + "px", background="var(--jade-8)"),  # type: ignore[attr-defined]
            title=line.title, class_name="wa-bar",
        )  # fmt: skip

    return rx.box(
        rx.box(rx.foreach(lines, bar), class_name="wa-bars", role="img", aria_label=label),
        rx.el.div(rx.el.span(first), rx.el.span(last), class_name="wa-bars-ends", aria_hidden="true"),
    )
