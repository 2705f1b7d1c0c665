"""One delivery at the side: the exact request, and each attempt with its answer (HOOK-6)."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components import copy_button, preformatted, scrolls
from whatsapp_dashboard.ui.deliveries.drawer_state import DrawerState
from whatsapp_dashboard.ui.deliveries.lines import AttemptLine
from whatsapp_dashboard.ui.deliveries.rows import next_step, state_badge
from whatsapp_dashboard.ui.session import CAN_WORK


def delivery_drawer() -> rx.Component:
    """Esc closes."""
    line = DrawerState.line
    return rx.dialog.root(
        rx.dialog.content(
            rx.flex(
                rx.dialog.title(line.event, size="4", margin="0", max_width="100%", **theme.CLIP),
                rx.dialog.close(rx.icon_button(rx.icon("x", size=16), variant="ghost", color_scheme="gray", aria_label="Close")),
                justify="between", align="center", gap="12px", padding="16px 20px", border_bottom=theme.LINE,
            ),
            rx.box(
                rx.flex(
                    state_badge(line.state),
                    rx.text(line.attempts, rx.cond(line.replays != "", ", " + line.replays, ""), size="2", color=theme.TEXT_MUTED),
                    rx.text(next_step(line, DrawerState.now), size="2", color=theme.TEXT_MUTED),
                    gap="10px", align="center", wrap="wrap",
                ),
                rx.cond(CAN_WORK & (line.state != "delivering"), rx.button(
                    rx.icon("rotate-cw", size=14), rx.cond(line.state == "waiting", "Try now", "Send again"), size="1", variant="soft",
                    margin_top="12px", on_click=DrawerState.replay,
                )),
                _heading("Request"),
                _mono("POST " + DrawerState.url, "Copy URL", DrawerState.url),
                rx.text("Event id ", rx.code(DrawerState.event_id, size="1", variant="ghost"), size="1", color=theme.TEXT_MUTED,
                        margin="6px 0"),
                rx.cond(DrawerState.headers != "", _pre(DrawerState.headers, "Headers")),
                rx.flex(
                    rx.el.button(rx.cond(DrawerState.raw, "Pretty", "Raw"), type="button", class_name="wa-text-button",
                                 on_click=DrawerState.set_raw(~DrawerState.raw)),
                    copy_button(DrawerState.raw_body, "Copy body"),
                    justify="end", align="center", gap="12px", margin_top="8px",
                ),
                _pre(rx.cond(DrawerState.raw, DrawerState.raw_body, DrawerState.body), "Body", testid="body"),
                _heading("Attempts"),
                rx.cond(DrawerState.attempts.length() == 0, rx.text("Not tried yet.", size="2", color=theme.TEXT_MUTED)),
                rx.el.ol(rx.foreach(DrawerState.attempts, _attempt), style={"listStyle": "none", "margin": "0", "padding": "0"}),
                padding="16px 20px 28px", overflow_y="auto", flex="1", min_height="0", **scrolls("Delivery"),
            ),
            aria_describedby="", class_name="wa-side-drawer wa-side-drawer-wide", custom_attrs={"data-testid": "delivery-detail"},
        ),
        open=DrawerState.open,
        on_open_change=DrawerState.set_open,
    )  # fmt: skip


def _attempt(attempt: AttemptLine) -> rx.Component:
    icon = rx.cond(
        attempt.good,
        rx.icon("circle-check", size=15, color="var(--jade-10)", aria_label="Delivered"),
        rx.icon("circle-x", size=15, color="var(--red-10)", aria_label="Failed"),
    )
    return rx.el.li(
        rx.cond(attempt.round != "", rx.text(attempt.round, size="1", weight="medium", color=theme.TEXT_MUTED, margin="10px 0 4px")),
        rx.el.details(
            rx.el.summary(
                rx.box(icon, flex_shrink="0", margin_top="2px"),
                rx.box(
                    rx.flex(
                        rx.text(attempt.title, size="2", weight="medium"),
                        rx.box(rx.moment(attempt.at, format="D MMM HH:mm:ss.SSS", local=True), font_size="12px", color=theme.TEXT_MUTED,
                               font_variant_numeric="tabular-nums"),
                        gap="8px", align="baseline", wrap="wrap",
                    ),
                    rx.text(attempt.result, " · ", attempt.ms, rx.cond(attempt.address != "", " · " + attempt.address, ""), size="1",
                            color=theme.TEXT_MUTED, overflow_wrap="anywhere"),
                    min_width="0",
                ),
                class_name="wa-summary",
            ),
            rx.box(
                rx.cond(attempt.response_headers != "", _pre(attempt.response_headers, "Headers of the answer")),
                rx.cond(attempt.response_body != "", _pre(attempt.response_body, "Answer", testid="response"),
                        rx.text("No body.", size="1", color=theme.TEXT_MUTED)),
                rx.cond(attempt.truncated, rx.text("Only the first 4 KB are kept.", size="1", color=theme.TEXT_MUTED)),
                padding="4px 0 8px 25px",
            ),
        ),
        key=attempt.id, custom_attrs={"data-attempt": attempt.id},
    )  # fmt: skip


def _heading(text: str) -> rx.Component:
    return rx.heading(text, size="2", weight="medium", as_="h2", margin="18px 0 8px")


def _mono(text: rx.Var[str], label: str, copied: rx.Var[str]) -> rx.Component:
    return rx.flex(
        rx.text(text, size="1", font_family="var(--code-font-family)", overflow_wrap="anywhere"),
        copy_button(copied, label),
        justify="between", align="start", gap="8px",
    )  # fmt: skip


def _pre(text: rx.Var[str], name: str, testid: str = "") -> rx.Component:
    return preformatted(text, name, custom_attrs={"data-testid": testid} if testid else {})
