"""The rows of the delivery log: columns on a wide window, two lines on a phone (HOOK-6)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components import dot
from whatsapp_dashboard.ui.components.countdown import countdown
from whatsapp_dashboard.ui.deliveries.drawer_state import DrawerState
from whatsapp_dashboard.ui.deliveries.lines import DeliveryLine
from whatsapp_dashboard.ui.deliveries.state import DeliveriesState

STATES: dict[str, tuple[str, theme.Tone]] = {
    "waiting": ("Waiting", "busy"),
    "delivering": ("Sending", "info"),
    "succeeded": ("Delivered", "good"),
    "dead": ("Dead letter", "bad"),
}
_WIDE = "134px minmax(130px,.9fr) minmax(150px,1.4fr) 108px minmax(180px,2fr) 64px"
_AREAS_NARROW = '"event state" "endpoint time" "result result"'
_AREAS_WIDE = '"time event endpoint state result ms"'
_GRID: dict[str, Any] = {
    "display": "grid",
    "column_gap": "12px",
    "row_gap": "2px",
    "align_items": "center",
    "grid_template_columns": rx.breakpoints(initial="minmax(0,1fr) auto", md=_WIDE),
    "grid_template_areas": rx.breakpoints(initial=_AREAS_NARROW, md=_AREAS_WIDE),
}


def delivery_rows() -> rx.Component:
    """One page of deliveries."""
    heads = (("time", "Time"), ("event", "Event"), ("endpoint", "Endpoint"), ("state", "State"), ("result", "Last attempt"), ("ms", "Took"))
    return rx.box(
        rx.box(
            *[rx.text(label, size="1", color=theme.TEXT_MUTED, weight="medium", grid_area=area) for area, label in heads],
            **{**_GRID, "display": rx.breakpoints(initial="none", md="grid")},
            padding="10px 16px",
            border_bottom=theme.LINE,
            aria_hidden="true",
        ),
        rx.el.ul(rx.foreach(DeliveriesState.lines, _delivery), style={"listStyle": "none", "margin": "0", "padding": "0"}),
        **theme.CARD,
    )


def state_badge(state: rx.Var[str]) -> rx.Component:
    """Where a delivery is."""

    def one(label: str, tone: theme.Tone) -> rx.Component:
        return rx.badge(dot(tone), label, color_scheme=theme.TONE_COLORS[tone], variant="soft", radius="full")

    return rx.match(state, *[(key, one(label, tone)) for key, (label, tone) in STATES.items()], rx.fragment())


def next_step(line: DeliveryLine, now: rx.Var[str]) -> rx.Component:
    """What happens next with one that waits, or why nothing does."""
    return rx.cond(
        line.held != "",
        line.held,
        rx.cond(line.next_try_at != "", rx.fragment("next try ", countdown(line.next_try_at, now, before="in ")), ""),
    )


def _delivery(line: DeliveryLine) -> rx.Component:
    result = rx.box(
        rx.text(line.result, size="2", title=line.result, color=rx.cond(line.state == "succeeded", theme.TEXT, "var(--red-11)"),
                **theme.CLIP),
        rx.text(
            line.attempts,
            rx.cond(line.replays != "", " · " + line.replays, ""),
            rx.cond((line.held != "") | (line.next_try_at != ""), rx.fragment(" · ", next_step(line, DeliveriesState.now)), ""),
            size="1", color=theme.TEXT_MUTED, **theme.CLIP,
        ),
        grid_area="result", min_width="0",
    )  # fmt: skip
    return rx.el.li(
        rx.el.button(
            rx.box(
                rx.box(
                    rx.moment(line.at, format="D MMM HH:mm:ss", local=True, with_title=True, title_format="D MMMM YYYY, HH:mm:ss"),
                    grid_area="time", font_size="12px", color=theme.TEXT_MUTED, font_variant_numeric="tabular-nums",
                    white_space="nowrap",
                ),
                rx.box(
                    rx.text(line.event, size="2", weight="medium", **theme.CLIP),
                    rx.text(line.account, size="1", color=theme.TEXT_MUTED, **theme.CLIP),
                    grid_area="event", min_width="0",
                ),
                rx.text(line.endpoint, size="2", title=line.endpoint, grid_area="endpoint", **theme.CLIP),
                rx.box(state_badge(line.state), grid_area="state"),
                result,
                rx.text(line.ms, size="1", color=theme.TEXT_MUTED, grid_area="ms", font_variant_numeric="tabular-nums",
                        display=rx.breakpoints(initial="none", md="block")),
                **_GRID, padding="9px 16px", width="100%",
            ),
            type="button", on_click=DrawerState.show(line.id), class_name="wa-log-row",
        ),
        key=line.id, custom_attrs={"data-delivery": line.id, "data-state": line.state},
    )  # fmt: skip
