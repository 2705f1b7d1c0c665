"""The "try it" chat beside the settings (AI-7)."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.chatbot.providers_state import ProvidersState
from whatsapp_dashboard.ui.chatbot.trying_state import TryingState, TryLine
from whatsapp_dashboard.ui.components.trace import trace_passages, trace_steps
from whatsapp_dashboard.ui.session import CAN_WORK


def trying() -> rx.Component:
    """A chat with the bot as it is saved."""
    return rx.box(
        rx.flex(
            rx.box(
                rx.heading("Try it", size=theme.SECTION_TITLE, weight="medium", as_="h2"),
                rx.text("Nothing goes to WhatsApp.", size="1", color=theme.TEXT_MUTED),
            ),
            rx.button("Clear", size="1", variant="ghost", color_scheme="gray", disabled=TryingState.lines.length() == 0,
                      on_click=TryingState.clear),
            justify="between", align="center", padding="12px 16px", border_bottom=theme.LINE,
        ),
        rx.el.div(rx.icon("circle-dot", size=12), "The saved settings are used: save your changes to try them.",
                  class_name="wa-notice wa-only-dirty", style={"background": "var(--amber-a3)", "color": "var(--amber-11)"}),
        rx.el.div(
            rx.cond(TryingState.lines.length() == 0, _empty()),
            rx.foreach(TryingState.lines, _line),
            id="try-lines", class_name="wa-try-lines", role="log", aria_label="Chat with the bot", tab_index=0,
            custom_attrs={"data-length": TryingState.lines.length().to(str) + TryingState.busy.to(str)},
        ),
        rx.cond(CAN_WORK, _composer(), rx.text("Operators can try the bot here.", size="2", color=theme.TEXT_MUTED, padding="14px 16px")),
        class_name="wa-try", **theme.CARD,
    )  # fmt: skip


def _empty() -> rx.Component:
    return rx.center(
        rx.text(
            rx.cond(
                ProvidersState.lines.length() == 0, "Add a provider, then talk to the bot here.",
                "Write as a customer would. Each answer shows who made it, what it took, and what it was made of.",
            ),
            size="2", color=theme.TEXT_MUTED, text_align="center", max_width="260px",
        ),
        flex="1",
    )  # fmt: skip


def _line(line: TryLine) -> rx.Component:
    text = rx.match(
        line.state,
        ("busy", rx.flex(rx.spinner(size="1"), rx.text("The bot is thinking…", size="2", color=theme.TEXT_MUTED), gap="8px", align="center",
                         role="status")),
        rx.cond(line.text != "", rx.el.span(line.text, dir="auto"), rx.text("The bot would say nothing.", size="2", font_style="italic")),
    )  # fmt: skip
    bad = (line.state == "failure") | (line.state == "error")
    return rx.el.div(
        rx.el.div(text, class_name="wa-try-text", role=rx.cond(line.state == "error", "alert", "none")),
        rx.cond(line.trace.steps.length() > 0, rx.el.details(
            rx.el.summary(line.trace.summary),
            rx.box(
                trace_steps(line.trace.steps),
                rx.cond(line.trace.passages.length() > 0, rx.box(trace_passages(line.trace.passages), margin_top="10px")),
                padding="8px 10px", border=theme.LINE, border_radius="8px", background=theme.SURFACE,
            ),
            class_name="wa-try-trace", custom_attrs={"data-testid": "trace"},
        )),
        key=line.key,
        class_name=rx.cond(line.mine, "wa-try-line wa-try-mine", rx.cond(bad, "wa-try-line wa-try-bad", "wa-try-line")),
        custom_attrs={"data-try": rx.cond(line.mine, "mine", line.state)},
    )  # fmt: skip


def _composer() -> rx.Component:
    return rx.form(
        rx.flex(
            rx.input(name="text", placeholder="Write as a customer", aria_label="Message to the bot", auto_complete="off", flex="1",
                     min_width="0", max_length=4_000, key=TryingState.edition.to(str), auto_focus=TryingState.edition > 0),
            rx.icon_button(rx.icon("send-horizontal", size=16), type="submit", aria_label="Send to the bot", disabled=TryingState.busy),
            gap="8px", padding="10px 12px", border_top=theme.LINE,
        ),
        on_submit=TryingState.send, reset_on_submit=False,
    )  # fmt: skip
