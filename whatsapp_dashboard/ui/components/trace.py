"""What an answer of the AI was made of, drawn: the providers in their order, then the passages (AI-3, AI-5)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components.scrolling import preformatted
from whatsapp_dashboard.ui.traces import PassageLine, StepLine


def trace_steps(steps: Any) -> rx.Component:
    """Every provider that was asked or passed over."""
    return rx.el.ol(rx.foreach(steps, _step), class_name="wa-plain-list wa-steps", aria_label="Providers")


def trace_passages(passages: Any) -> rx.Component:
    """What the model was given to read; each opens to its text."""
    return rx.el.ul(rx.foreach(passages, _passage), class_name="wa-plain-list", aria_label="Passages")


def _step(step: StepLine, number: Any) -> rx.Component:
    return rx.el.li(
        rx.el.span(number + 1, class_name="wa-step-number", aria_hidden="true"),
        rx.box(
            rx.flex(
                rx.text(step.label, size="2", weight="medium", as_="span"),
                rx.badge(step.outcome, color_scheme=step.color, variant="soft", radius="full", size="1"),
                gap="8px", align="center", wrap="wrap",
            ),
            rx.text(step.model, " · ", step.facts, size="1", color=theme.TEXT_MUTED, overflow_wrap="anywhere"),
            rx.cond(step.error != "", rx.text(step.error, size="1", color="var(--red-11)", overflow_wrap="anywhere", margin_top="2px")),
            min_width="0",
        ),
        custom_attrs={"data-step": step.outcome},
    )  # fmt: skip


def _passage(passage: PassageLine) -> rx.Component:
    return rx.el.li(
        rx.el.details(
            rx.el.summary(
                rx.icon("book-open", size=14, flex_shrink="0", margin_top="2px", color="var(--gray-11)"),
                rx.box(
                    rx.text(passage.title, size="2", weight="medium", overflow_wrap="anywhere", dir="auto"),
                    rx.cond(passage.heading != "", rx.text(passage.heading, size="1", color=theme.TEXT_MUTED, dir="auto")),
                    min_width="0",
                ),
                class_name="wa-summary",
            ),
            preformatted(passage.text, "Passage", dir="auto"),
        ),
        custom_attrs={"data-passage": passage.title},
    )  # fmt: skip
