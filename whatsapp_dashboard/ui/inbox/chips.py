"""Small marks of a conversation, in the list and above the thread: who answers next, and since when somebody waits (MSG-14)."""

from __future__ import annotations

from typing import Any

import reflex as rx

_WHO = (
    ("bot", "bot", "Bot", "wa-chip", "A bot answers the next message"),
    ("person", "user-round", "Person", "wa-chip wa-chip-human", "A person has taken over; bots are silent"),
)
_NOBODY = ("Nobody", "No bot answers here now: a person has to look")


def answers_chip(line: Any) -> rx.Component:
    """Who would answer the next message of this conversation (a Line)."""
    cases = [(name, rx.el.span(rx.icon(icon, size=11), label, class_name=look, title=title)) for name, icon, label, look, title in _WHO]
    return rx.match(line.answers, *cases, rx.el.span(_NOBODY[0], class_name="wa-chip wa-chip-nobody", title=_NOBODY[1]))


def waits_chip(line: Any) -> rx.Component:
    """Since when the contact waits for a person, if it does."""
    return rx.cond(
        line.waits != "",
        rx.el.span(
            rx.icon("hourglass", size=11),
            rx.cond(line.waits_text == "now", "Waiting", rx.Var.create("Waits ") + line.waits_text),
            class_name="wa-chip wa-chip-waits", title="The last word is the contact's, and nobody has answered",
        ),
    )  # fmt: skip
