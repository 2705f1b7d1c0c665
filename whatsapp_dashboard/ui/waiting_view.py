"""What shows on every page how many contacts wait for a person (MSG-14)."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui.session import ShellState
from whatsapp_dashboard.ui.waiting import WaitingState

MOST_SHOWN = 99


def waiting_badge() -> rx.Component:
    """The count beside the entry of the inbox."""
    shown = rx.cond(WaitingState.count > MOST_SHOWN, f"{MOST_SHOWN}+", WaitingState.count.to(str))
    words = rx.cond(WaitingState.count == 1, "1 contact waits for a person", WaitingState.count.to(str) + " contacts wait for a person")
    return rx.cond(
        WaitingState.count > 0,
        rx.el.span(shown, class_name="wa-nav-count", title=words, aria_label=words, role="img"),
    )


def waiting_signal() -> rx.Component:
    """What assets/notify.js reads."""
    return rx.el.div(
        id="wa-waiting", hidden=True,
        custom_attrs={"data-count": WaitingState.count.to(str), "data-calls": WaitingState.calls, "data-operator": ShellState.username},
    )  # fmt: skip
