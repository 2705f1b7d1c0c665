"""The rows of the message log: columns on a wide window, three lines on a phone (MSG-8)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components.message_marks import message_status, message_type_icon
from whatsapp_dashboard.ui.messages.detail_state import DetailState
from whatsapp_dashboard.ui.messages.lines import LogLine
from whatsapp_dashboard.ui.messages.state import MessagesState

_WIDE = "134px minmax(110px,.9fr) 18px minmax(130px,1.1fr) minmax(180px,2.4fr) 96px"
_AREAS_NARROW = '"way contact time" "way text status" "way account account"'
_AREAS_WIDE = '"time account way contact text status"'
_GRID: dict[str, Any] = {
    "display": "grid",
    "column_gap": "12px",
    "row_gap": "2px",
    "align_items": "center",
    "grid_template_columns": rx.breakpoints(initial="18px minmax(0,1fr) auto", md=_WIDE),
    "grid_template_areas": rx.breakpoints(initial=_AREAS_NARROW, md=_AREAS_WIDE),
}


def log_rows() -> rx.Component:
    """One page of messages."""
    heads = (("time", "Time"), ("account", "Account"), ("contact", "Contact"), ("text", "Message"), ("status", "Status"))
    return rx.box(
        rx.box(
            *[rx.text(label, size="1", color=theme.TEXT_MUTED, weight="medium", grid_area=area) for area, label in heads],
            **{**_GRID, "display": rx.breakpoints(initial="none", md="grid")},
            padding="10px 16px",
            border_bottom=theme.LINE,
            aria_hidden="true",
        ),
        rx.el.ul(rx.foreach(MessagesState.lines, _message), style={"listStyle": "none", "margin": "0", "padding": "0"}),
        **theme.CARD,
    )


def _message(line: LogLine) -> rx.Component:
    way = rx.cond(
        line.incoming,
        rx.icon("arrow-down-left", size=15, color="var(--blue-10)", aria_label="Incoming"),
        rx.icon("arrow-up-right", size=15, color="var(--jade-10)", aria_label="Outgoing"),
    )
    return rx.el.li(
        rx.el.button(
            rx.box(
                rx.box(
                    rx.moment(line.at, format="D MMM HH:mm:ss", local=True, with_title=True, title_format="D MMMM YYYY, HH:mm:ss"),
                    grid_area="time", font_size="12px", color=theme.TEXT_MUTED, font_variant_numeric="tabular-nums",
                    white_space="nowrap",
                ),
                rx.text(line.account, size=rx.breakpoints(initial="1", md="2"), grid_area="account", title=line.account,
                        color=[theme.TEXT_MUTED, theme.TEXT_MUTED, theme.TEXT_MUTED, theme.TEXT], **theme.CLIP),
                rx.box(way, grid_area="way"),
                rx.box(
                    rx.text(line.contact, size="2", weight="medium", title=line.contact, **theme.CLIP),
                    rx.cond(line.number != "", rx.text(
                        line.number, size="1", color=theme.TEXT_MUTED,
                        **{**theme.CLIP, "display": rx.breakpoints(initial="none", md="block")})),
                    grid_area="contact", min_width="0",
                ),
                rx.hstack(
                    message_type_icon(line.type), rx.text(line.text, size="2", **theme.CLIP),
                    rx.cond(line.marks != "", rx.badge(line.marks, size="1", color_scheme="gray", flex_shrink="0")),
                    spacing="2", align="center", grid_area="text", min_width="0",
                ),
                rx.box(message_status(line.status, line.reason), grid_area="status"),
                **_GRID, padding="9px 16px", width="100%",
            ),
            type="button", on_click=DetailState.show(line.id), class_name="wa-log-row",
        ),
        key=line.id, custom_attrs={"data-message": line.id},
    )  # fmt: skip
