"""The dialog with the events of an account that could not be stored (DUR-1)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.accounts.aside_state import AsideLine, AsideState
from whatsapp_dashboard.ui.components.layout import relative_time
from whatsapp_dashboard.ui.session import CAN_WORK


def aside_dialog() -> rx.Component:
    """Who wrote, what, and why it is not in the inbox; each can be tried again or discarded."""
    return rx.dialog.root(
        rx.dialog.content(
            rx.dialog.title("Events set aside: ", AsideState.name, size="4", margin_bottom="4px", padding_right="32px",
                            class_name="wa-clip-2"),
            rx.dialog.close(
                rx.icon_button(rx.icon("x", size=16), variant="ghost", color_scheme="gray", aria_label="Close",
                               position="absolute", top="20px", right="20px"),
            ),
            rx.dialog.description(
                "WhatsApp told of these, and they could not be stored. Everything else went on. When the reason is gone, try them again.",
                size="2", color=theme.TEXT_MUTED, margin_bottom="12px",
            ),
            rx.cond(AsideState.lines.length() > 0, _lines(), rx.text("Nothing waits here any more.", size="2")),
            max_width="680px", custom_attrs={"data-testid": "aside-dialog"},
        ),
        open=AsideState.open, on_open_change=AsideState.set_open,
    )  # fmt: skip


def _lines() -> rx.Component:
    return rx.vstack(
        rx.cond(CAN_WORK, rx.button(
            rx.icon("refresh-cw", size=14), "Try all again", size="1", variant="soft", on_click=AsideState.retry_all,
            loading=AsideState.busy == "all",
        )),
        rx.el.ul(
            rx.foreach(AsideState.lines, _line), style={"listStyle": "none", "margin": "0", "padding": "0", "width": "100%"},
        ),
        rx.cond(AsideState.further > 0, rx.text("and ", AsideState.further, " more", size="1", color=theme.TEXT_MUTED)),
        spacing="2", align="start", width="100%",
    )  # fmt: skip


def _line(line: AsideLine) -> rx.Component:
    return rx.el.li(
        rx.flex(
            rx.box(
                rx.text(line.who, ": ", line.what, size="2", overflow_wrap="anywhere"),
                rx.text(line.reason, size="1", color=theme.TEXT_MUTED, overflow_wrap="anywhere"),
                rx.flex(
                    rx.text(relative_time(line.at), size="1", color=theme.TEXT_MUTED),
                    rx.text(line.tries, size="1", color=theme.TEXT_MUTED), gap="8px",
                ),
                min_width="0", flex="1 1 260px",
            ),
            rx.cond(CAN_WORK, rx.flex(
                _button("Retry", line, AsideState.retry(line.id), "soft"),
                _button("Discard", line, AsideState.discard(line.id), "ghost", color_scheme="red"),
                gap="12px", align="center",
            )),
            gap="8px 12px", wrap="wrap", justify="between", align="start", padding="10px 0", border_top=theme.LINE,
        ),
        key=line.id, custom_attrs={"data-testid": "aside-line"},
    )  # fmt: skip


def _button(label: str, line: AsideLine, event: Any, variant: str, **props: Any) -> rx.Component:
    return rx.button(
        label, size="1", variant=variant, on_click=event, loading=AsideState.busy == line.id, aria_label=label + " " + line.what, **props
    )
