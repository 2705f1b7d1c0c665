"""The hours of a week in a form: a line with a switch and two times for each day (AI-1, ACC-11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import reflex as rx

from whatsapp_dashboard.domain.hours import Hours
from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components.field_error import field_error

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass
class DayLine:
    """One weekday of some hours. ``key`` is how its inputs begin."""

    key: str
    name: str
    open: bool
    begins: str
    ends: str


def days_of(hours: Hours) -> list[DayLine]:
    """Monday first."""
    return [DayLine(f"day{at}", WEEKDAYS[at], day.open, day.begins, day.ends) for at, day in enumerate(hours.days)]


def read_days(form: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The days as they were set in the form, Monday first."""
    return [
        {"open": f"day{at}-open" in form, "begins": str(form.get(f"day{at}-begins", "")), "ends": str(form.get(f"day{at}-ends", ""))}
        for at in range(len(WEEKDAYS))
    ]


def explained_day(name: str, text: str) -> tuple[str, str] | None:
    """For the refusal of a field like ``hours.days.2.begins``: the key of that day's inputs, and what to do; else None."""
    parts = name.split(".")
    if "days" not in parts[:-1]:
        return None
    day, last = parts[parts.index("days") + 1], parts[-1]
    return f"day{day}", f"Enter when it {last}, for example 09:30." if last in ("begins", "ends") else text


def day_line(day: DayLine, errors: Any, verb: str = "Answer") -> rx.Component:
    """The inputs of one day. ``errors`` is a mapping by the day's key; ``verb`` says what is done on it."""

    def moment(part: str, label: str, value: Any) -> rx.Component:
        return rx.el.input(type="time", name=f"{day.key}-{part}", default_value=value, class_name="wa-time",
                           aria_label=f"{day.name} {label}")  # fmt: skip

    return rx.box(
        rx.el.div(
            rx.switch(name=f"{day.key}-open", default_checked=day.open, size="1", aria_label=f"{verb} on {day.name}"),
            rx.text(day.name, size="2"),
            rx.el.div(moment("begins", "from", day.begins), rx.text("to", size="1", color=theme.TEXT_MUTED, as_="span"),
                      moment("ends", "to", day.ends), class_name="wa-day-times"),
            class_name="wa-day-row",
        ),
        field_error(errors.get(day.key, "")),
    )  # fmt: skip
