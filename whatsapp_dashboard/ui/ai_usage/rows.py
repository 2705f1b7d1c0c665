"""The log of calls: columns on a wide window, two lines on a phone; a row opens to all that is known (AI-6)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.ai_usage.lines import CallLine, ModelLine
from whatsapp_dashboard.ui.ai_usage.state import UsageState
from whatsapp_dashboard.ui.components import data_table, preformatted

_WIDE = "124px minmax(110px,1fr) minmax(150px,1.6fr) 64px 132px 96px 84px 60px"
_AREAS_NARROW = '"provider outcome" "account time" "tokens ms"'
_AREAS_WIDE = '"time account provider purpose outcome tokens cost ms"'
_GRID: dict[str, Any] = {
    "display": "grid",
    "column_gap": "12px",
    "row_gap": "2px",
    "align_items": "center",
    "grid_template_columns": rx.breakpoints(initial="minmax(0,1fr) auto", lg=_WIDE),
    "grid_template_areas": rx.breakpoints(initial=_AREAS_NARROW, lg=_AREAS_WIDE),
}
_RIGHT = rx.breakpoints(initial="left", lg="right")
_ONLY_WIDE = rx.breakpoints(initial="none", lg="block")


def call_rows() -> rx.Component:
    """One page of the log."""
    heads = (
        ("time", "Time"), ("account", "Account"), ("provider", "Provider and model"), ("purpose", "For"), ("outcome", "Outcome"),
        ("tokens", "Tokens in / out"), ("cost", "Cost"), ("ms", "Took"),
    )  # fmt: skip
    return rx.box(
        rx.box(
            *[
                rx.text(label, size="1", color=theme.TEXT_MUTED, weight="medium", grid_area=area,
                        text_align="right" if area in ("tokens", "cost", "ms") else "left")
                for area, label in heads
            ],
            **{**_GRID, "display": rx.breakpoints(initial="none", lg="grid")},
            padding="10px 16px", border_bottom=theme.LINE, aria_hidden="true",
        ),
        rx.el.ul(rx.foreach(UsageState.lines, _call), class_name="wa-plain-list"),
        **theme.CARD,
    )  # fmt: skip


def model_table() -> rx.Component:
    """What each model was asked, and what it took."""

    def row(line: ModelLine) -> rx.Component:
        cells = (line.calls, line.rate, line.tokens_in, line.tokens_out, line.cost, line.p95)
        return rx.table.row(
            rx.table.row_header_cell(
                rx.text(line.model, size="2", weight="medium", overflow_wrap="anywhere"),
                rx.text(line.provider, size="1", color=theme.TEXT_MUTED),
                min_width="150px",
            ),
            *[rx.table.cell(cell, white_space="nowrap", **theme.NUMERIC) for cell in cells],
        )  # fmt: skip

    heads = ["Model", *[(head, "right") for head in ("Calls", "Answered", "Tokens in", "Tokens out", "Cost", "p95")]]
    return data_table("Models", heads, rx.foreach(UsageState.models, row))


def _call(line: CallLine) -> rx.Component:
    def small(text: Any, area: str, **props: Any) -> rx.Component:
        return rx.text(text, size="1", color=theme.TEXT_MUTED, grid_area=area, font_variant_numeric="tabular-nums", white_space="nowrap",
                       **props)  # fmt: skip

    return rx.el.li(
        rx.el.details(
            rx.el.summary(
                rx.box(
                    rx.box(
                        rx.moment(line.at, format="D MMM HH:mm:ss", local=True, with_title=True, title_format="D MMMM YYYY, HH:mm:ss"),
                        grid_area="time", font_size="12px", color=theme.TEXT_MUTED, font_variant_numeric="tabular-nums",
                        white_space="nowrap", text_align=rx.breakpoints(initial="right", lg="left"),
                    ),
                    rx.text(line.account, size="2", grid_area="account", title=line.account, **theme.CLIP),
                    rx.box(
                        rx.text(line.provider, size="2", weight="medium", title=line.provider, **theme.CLIP),
                        rx.text(line.model, size="1", color=theme.TEXT_MUTED, title=line.model, **theme.CLIP),
                        grid_area="provider", min_width="0",
                    ),
                    small(line.purpose, "purpose", display=_ONLY_WIDE),
                    rx.box(rx.badge(line.outcome, color_scheme=line.color, variant="soft", radius="full"), grid_area="outcome",
                           justify_self=rx.breakpoints(initial="end", lg="start")),
                    small(line.tokens, "tokens", text_align=_RIGHT, title="Tokens in / out"),
                    small(line.cost, "cost", text_align=_RIGHT, display=_ONLY_WIDE),
                    small(line.ms, "ms", text_align="right"),
                    **_GRID, padding="9px 16px", width="100%",
                ),
                class_name="wa-log-row wa-log-summary",
            ),
            _detail(line),
        ),
        key=line.id, custom_attrs={"data-call": line.id, "data-outcome": line.outcome},
    )  # fmt: skip


def _detail(line: CallLine) -> rx.Component:
    return rx.box(
        rx.cond(
            line.error != "",
            preformatted(line.error, "Error", custom_attrs={"data-testid": "error"}),
            rx.cond(line.good, rx.text("It answered.", size="2", color=theme.TEXT_MUTED), rx.fragment()),
        ),
        rx.flex(
            rx.text("For: ", line.purpose, size="1", color=theme.TEXT_MUTED),
            rx.text("Cost: ", line.cost, size="1", color=theme.TEXT_MUTED),
            rx.cond(line.conversation != "", rx.link("Open the conversation", href=line.conversation, size="1")),
            gap="4px 16px", wrap="wrap", margin_top="4px",
        ),
        padding="0 16px 12px",
    )  # fmt: skip
