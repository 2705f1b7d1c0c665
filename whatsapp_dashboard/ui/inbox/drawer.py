"""What an answer of the bot was made of, at the side of the inbox (AI-3, AI-5, AI-6)."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components import relative_time, scrolls
from whatsapp_dashboard.ui.components.trace import trace_passages, trace_steps
from whatsapp_dashboard.ui.inbox.thread_state import ThreadState
from whatsapp_dashboard.ui.inbox.trace_state import TraceState


def trace_drawer() -> rx.Component:
    """Esc closes."""
    return rx.dialog.root(
        rx.dialog.content(
            rx.flex(
                rx.dialog.title("How this answer was made", size="4", margin="0"),
                rx.dialog.close(rx.icon_button(rx.icon("x", size=16), variant="ghost", color_scheme="gray", aria_label="Close")),
                justify="between", align="center", gap="12px", padding="16px 20px", border_bottom=theme.LINE,
            ),
            rx.box(
                rx.cond(
                    TraceState.loaded,
                    rx.cond(TraceState.failed != "", rx.callout(TraceState.failed, icon="circle-alert", size="1", role="alert"), _trace()),
                    rx.vstack(rx.skeleton(width="70%", height="14px"), rx.skeleton(width="90%", height="40px"),
                              rx.skeleton(width="90%", height="40px"), spacing="4", width="100%", aria_hidden="true"),
                ),
                padding="16px 20px 28px", overflow_y="auto", flex="1", min_height="0", **scrolls("Answer"),
            ),
            aria_describedby="", class_name="wa-side-drawer", custom_attrs={"data-testid": "answer-trace"},
        ),
        open=TraceState.open,
        on_open_change=TraceState.set_open,
    )  # fmt: skip


def _trace() -> rx.Component:
    trace = TraceState.trace
    return rx.fragment(
        rx.flex(
            rx.text(trace.summary, size="2", weight="medium"),
            rx.cond(TraceState.at != "", rx.box(relative_time(TraceState.at), font_size="12px", color=theme.TEXT_MUTED)),
            gap="4px 10px", align="baseline", wrap="wrap",
        ),
        rx.cond(trace.note != "", rx.callout(trace.note, icon="info", color_scheme="amber", size="1", margin_top="10px")),
        rx.cond(trace.together != "", rx.text(trace.together, size="2", color=theme.TEXT_MUTED, margin_top="6px")),
        rx.cond(trace.steps.length() > 0, rx.fragment(_heading("Providers, in the order they were asked"), trace_steps(trace.steps))),
        _heading("Passages of the knowledge base"),
        rx.cond(
            trace.passages.length() > 0,
            trace_passages(trace.passages),
            rx.text("The model was given none.", size="2", color=theme.TEXT_MUTED),
        ),
        rx.link("Chatbot settings of this account", href="/chatbot?account=" + ThreadState.head.account_id, size="2", display="block",
                margin_top="20px"),
    )  # fmt: skip


def _heading(text: str) -> rx.Component:
    return rx.heading(text, size="2", weight="medium", as_="h2", margin="20px 0 10px")
