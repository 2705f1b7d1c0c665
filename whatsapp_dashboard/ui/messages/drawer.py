"""Everything known of one message, in a drawer at the side (MSG-8)."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components import copy_button, scrolls, send_again_dialog
from whatsapp_dashboard.ui.messages.detail_state import DetailState
from whatsapp_dashboard.ui.messages.lines import Fact
from whatsapp_dashboard.ui.session import CAN_WORK


def detail_drawer() -> rx.Component:
    """Text, times of each step, and all facts; Esc closes."""
    return rx.dialog.root(
        rx.dialog.content(
            rx.flex(
                rx.dialog.title(DetailState.title, size="4", margin="0", max_width="100%", **theme.CLIP),
                rx.dialog.close(
                    rx.icon_button(rx.icon("x", size=16), variant="ghost", color_scheme="gray", aria_label="Close"),
                ),
                justify="between",
                align="center",
                gap="12px",
                padding="16px 20px",
                border_bottom=theme.LINE,
            ),
            rx.box(
                rx.cond(DetailState.text != "", _text()),
                rx.cond(DetailState.trouble != "", _trouble()),
                _heading("What happened"),
                rx.el.ol(rx.foreach(DetailState.steps, _step), style={"listStyle": "none", "margin": "0", "padding": "0"}),
                _heading("Details"),
                rx.el.dl(rx.foreach(DetailState.facts, _fact), style={"margin": "0"}),
                rx.button(
                    rx.icon("messages-square", size=14),
                    "Open conversation",
                    variant="soft",
                    margin_top="16px",
                    on_click=[DetailState.set_open(False), rx.redirect("/inbox?c=" + DetailState.conversation_id)],
                ),
                padding="16px 20px 28px",
                overflow_y="auto",
                flex="1",
                min_height="0",
                **scrolls("Message"),
            ),
            aria_describedby="",
            class_name="wa-side-drawer",
            custom_attrs={"data-testid": "message-detail"},
        ),
        open=DetailState.open,
        on_open_change=DetailState.set_open,
    )


def again_question() -> rx.Component:
    """Asked before a message in doubt is sent again."""
    return send_again_dialog(DetailState.asking, DetailState.ask_again, DetailState.send_again)


def _text() -> rx.Component:
    return rx.box(
        rx.text(DetailState.text, size="2", white_space="pre-wrap", overflow_wrap="anywhere"),
        padding="12px 14px",
        border_radius=theme.RADIUS,
        margin_bottom="4px",
        background=rx.cond(DetailState.incoming, "var(--gray-a3)", "var(--accent-a3)"),
    )


def _trouble() -> rx.Component:
    """What is wrong, and the way to send it again."""
    color = rx.cond(DetailState.failed, "red", "amber")
    return rx.callout.root(
        rx.callout.icon(rx.icon("circle-alert", size=16)),
        rx.callout.text(DetailState.trouble),
        rx.cond(
            CAN_WORK,
            rx.button(
                "Send again", size="1", variant="soft", color_scheme=color, width="fit-content",
                on_click=rx.cond(DetailState.doubt, DetailState.ask_again(True), DetailState.send_again()),
            ),
        ),
        color_scheme=color, size="1", margin_top="12px", custom_attrs={"data-testid": "trouble"},
    )


def _heading(text: str) -> rx.Component:
    return rx.heading(text, size="2", weight="medium", as_="h2", margin="18px 0 8px")


def _step(step: Fact) -> rx.Component:
    return rx.el.li(
        rx.flex(
            rx.box(width="7px", height="7px", border_radius="50%", background="var(--accent-9)", flex_shrink="0", margin_top="7px"),
            rx.text(step.label, size="2", flex="1"),
            rx.box(
                rx.moment(step.time, format="D MMM YYYY HH:mm:ss.SSS", local=True),
                font_size="13px",
                color=theme.TEXT_MUTED,
                font_variant_numeric="tabular-nums",
                white_space="nowrap",
            ),
            gap="10px",
            padding="3px 0",
        ),
    )


def _fact(fact: Fact) -> rx.Component:
    return rx.flex(
        rx.el.dt(rx.text(fact.label, size="2", color=theme.TEXT_MUTED), style={"width": "128px", "flexShrink": "0"}),
        rx.el.dd(
            rx.cond(
                fact.mono,
                rx.hstack(
                    rx.text(fact.text, size="1", font_family="var(--code-font-family)", overflow_wrap="anywhere"),
                    copy_button(fact.text, "Copy " + fact.label),
                    align="start",
                    justify="between",
                    spacing="2",
                ),
                rx.text(fact.text, size="2", overflow_wrap="anywhere"),
            ),
            style={"margin": "0", "flex": "1", "minWidth": "0"},
        ),
        gap="12px",
        padding="5px 0",
        border_bottom="1px solid var(--gray-a3)",
    )
