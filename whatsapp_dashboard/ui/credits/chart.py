"""Each day's spending as a bar, the balance as a line above them (CRED-2)."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components import card
from whatsapp_dashboard.ui.credits.lines import HEIGHT, WIDTH, DayBar
from whatsapp_dashboard.ui.credits.state import CreditsState

_TALL = "130px"
_SPENT, _BALANCE = "var(--blue-8)", "var(--jade-11)"


def days_chart() -> rx.Component:
    """The last 30 or 90 days; what a day was like is said when it is pointed at."""
    chart = CreditsState.chart
    balance = rx.el.svg(
        rx.el.svg.polyline(
            points=chart.line, fill="none", stroke=_BALANCE, stroke_width="2", stroke_linejoin="round",
            custom_attrs={"vectorEffect": "non-scaling-stroke"},
        ),
        view_box=f"0 0 {WIDTH} {HEIGHT}",
        custom_attrs={"preserveAspectRatio": "none", "aria-hidden": "true"},
        style={"position": "absolute", "inset": "0", "width": "100%", "height": "100%", "pointerEvents": "none"},
    )  # fmt: skip
    plot = rx.box(
        rx.flex(rx.foreach(chart.bars, _day), height="100%", align="end", gap=rx.cond(CreditsState.span == "30", "3px", "1px")),
        balance,
        position="relative", flex="1", min_width="0", height=_TALL, border_bottom=theme.LINE,
        role="img", aria_label=chart.summary, custom_attrs={"data-testid": "chart"},
    )  # fmt: skip
    days = rx.flex(
        rx.text(chart.first_day, size="1", color=theme.TEXT_MUTED),
        rx.text("today", size="1", color=theme.TEXT_MUTED),
        justify="between", padding_top="4px",
    )  # fmt: skip
    return card(
        rx.flex(
            _scale(chart.most_spent, "var(--blue-11)", "left"),
            rx.box(plot, days, flex="1", min_width="0"),
            _scale(chart.most_balance, _BALANCE, "right"),
            gap="10px", position="relative", padding_top="22px",
        ),
        _legend(),
        title="Each day",
        actions=[_spans()],
        margin_bottom="16px",
    )  # fmt: skip


def _day(bar: DayBar) -> rx.Component:
    return rx.box(
        rx.cond(bar.added, rx.box(class_name="wa-spent-added", background=_BALANCE)),
        rx.box(height=bar.height, background=_SPENT, border_radius="2px 2px 0 0", width="100%"),
        rx.box(rx.text(bar.day, as_="span", weight="medium", margin_right="6px"), bar.words, class_name="wa-spent-words"),
        class_name="wa-spent",
    )


def _scale(most: rx.Var[str], color: str, side: str) -> rx.Component:
    """The highest value and zero, in the colour of what they measure."""
    return rx.flex(
        rx.text(most, size="1"), rx.text("0", size="1"),
        direction="column", justify="between", height=_TALL, color=color, text_align="right" if side == "left" else "left",
        font_variant_numeric="tabular-nums", flex_shrink="0", min_width="24px", aria_hidden="true",
    )  # fmt: skip


def _legend() -> rx.Component:
    def mark(color: str, text: str, **shape: str) -> rx.Component:
        return rx.flex(rx.box(background=color, flex_shrink="0", **shape), text, gap="6px", align="center")

    return rx.flex(
        mark(_SPENT, "spent, left scale", width="10px", height="10px", border_radius="2px"),
        mark(_BALANCE, "balance, right scale", width="14px", height="2px"),
        mark(_BALANCE, "added", width="6px", height="6px", border_radius="50%"),
        gap="4px 14px", wrap="wrap", font_size="12px", color=theme.TEXT_MUTED, margin_top="10px",
    )  # fmt: skip


def _spans() -> rx.Component:
    return rx.segmented_control.root(
        rx.segmented_control.item("30 days", value="30"),
        rx.segmented_control.item("90 days", value="90"),
        value=CreditsState.span,
        on_change=CreditsState.look_back,
        size="1",
        aria_label="How many days",
    )
