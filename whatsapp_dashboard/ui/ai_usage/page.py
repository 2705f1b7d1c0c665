"""The AI usage page: what was asked of whom, what it took, and what failed (AI-6)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.ai_usage.filters import DAYS, OUTCOMES, PURPOSES, USUAL_DAYS
from whatsapp_dashboard.ui.ai_usage.rows import call_rows, model_table
from whatsapp_dashboard.ui.ai_usage.state import UsageState
from whatsapp_dashboard.ui.components import card, empty_state, error_state, page_header, skeleton_cards, skeleton_rows, stat
from whatsapp_dashboard.ui.components.bars import bars
from whatsapp_dashboard.ui.navigation import Page

_HALF_ON_PHONE = rx.breakpoints(initial="calc(50% - 4px)", sm="160px")


def usage() -> rx.Component:
    """Figures, models, days, calls."""
    return rx.box(
        page_header(
            "AI usage", "Every call to a provider: outcome, tokens, cost and time.",
            rx.link(rx.button(rx.icon("bot", size=14), "Chatbot", variant="soft"), href="/chatbot"),
        ),
        rx.flex(
            rx.segmented_control.root(
                *[rx.segmented_control.item(label, value=value) for value, label in DAYS.items()],
                value=UsageState.filters.get("days", USUAL_DAYS), on_change=lambda days: UsageState.filter("days", days.to(str)),
                size="1", aria_label="Time",
            ),
            _select("account", "All accounts", UsageState.accounts),
            gap="8px", wrap="wrap", align="center", margin_bottom="12px",
        ),
        rx.cond(
            UsageState.loaded,
            rx.cond(
                UsageState.failed != "",
                error_state("The usage cannot be shown", UsageState.failed,
                            rx.button("Clear filters", variant="soft", on_click=UsageState.clear)),
                _loaded(),
            ),
            rx.vstack(skeleton_cards(5), skeleton_rows(6), spacing="4", width="100%"),
        ),
    )  # fmt: skip


def _loaded() -> rx.Component:
    found = UsageState.figures
    return rx.vstack(
        rx.grid(
            stat("Calls", found.calls, "activity", found.failed),
            stat("Answered", found.rate, "circle-check", "of all calls"),
            stat("Tokens", found.tokens, "hash", found.tokens_detail),
            stat("Cost", found.cost, "circle-dollar-sign", "as far as known"),
            stat("p95", found.p95, "timer", "of calls that answered"),
            columns=rx.breakpoints(initial="2", md="5"), gap="12px", width="100%",
        ),
        rx.cond(UsageState.models.length() > 0, rx.fragment(
            card(
                bars(UsageState.bars, label=found.bars_label, first=found.first_day, last=found.last_day),
                rx.flex(_legend("var(--jade-8)", "answered"), _legend("var(--red-9)", "not answered"),
                        rx.text("Days in UTC", size="1", color=theme.TEXT_MUTED), gap="14px", margin_top="8px", wrap="wrap"),
                title="Calls per day",
            ),
            model_table(),
        )),
        rx.box(
            rx.flex(
                rx.heading("Calls", size=theme.SECTION_TITLE, weight="medium", as_="h2", margin_right="8px"),
                _select("outcome", "All outcomes", OUTCOMES), _select("purpose", "All purposes", PURPOSES),
                _select("provider", "All providers", UsageState.kinds),
                rx.cond(_narrowed(), rx.button(rx.icon("x", size=14), "Clear", variant="ghost", color_scheme="gray",
                                               on_click=UsageState.clear)),
                gap="8px", wrap="wrap", align="center", margin="8px 0 12px",
            ),
            rx.cond(UsageState.lines.length() == 0, _nothing(), rx.fragment(call_rows(), _pager())),
            width="100%",
        ),
        spacing="4", width="100%",
    )  # fmt: skip


def _narrowed() -> Any:
    given = UsageState.filters
    return (given.get("account", "") + given.get("outcome", "") + given.get("purpose", "") + given.get("provider", "")) != ""


def _legend(color: str, label: str) -> rx.Component:
    return rx.flex(rx.box(width="10px", height="10px", border_radius="2px", background=color), rx.text(label, size="1"), gap="6px",
                   align="center", color=theme.TEXT_MUTED)  # fmt: skip


def _select(name: str, everything: str, choices: Any) -> rx.Component:
    if isinstance(choices, dict):
        items = [rx.select.item(label, value=value) for value, label in choices.items()]
    else:
        items = [rx.foreach(choices, lambda choice: rx.select.item(choice.name, value=choice.id))]
    return rx.select.root(
        rx.select.trigger(aria_label=name.capitalize(), width=_HALF_ON_PHONE, max_width="220px"),
        rx.select.content(rx.select.item(everything, value="all"), *items, position="popper", max_width="420px"),
        value=UsageState.filters.get(name, "all"),
        on_change=lambda value: UsageState.filter(name, value),
    )


def _pager() -> rx.Component:
    return rx.flex(
        rx.button(rx.icon("chevrons-left", size=14), "Newest", variant="soft", color_scheme="gray", disabled=UsageState.cursor == "",
                  on_click=UsageState.go("")),
        rx.button("Older", rx.icon("chevron-right", size=14), variant="soft", color_scheme="gray", disabled=UsageState.older == "",
                  on_click=UsageState.go(UsageState.older)),
        gap="8px", align="center", padding_top="14px",
    )  # fmt: skip


def _nothing() -> rx.Component:
    return rx.cond(
        _narrowed() | (UsageState.cursor != ""),
        empty_state("search", "No call matches", "Change the filters.",
                    rx.button("Clear filters", variant="soft", on_click=UsageState.clear)),
        empty_state("activity", "No call yet", "As soon as a bot answers, or is tried, each call to its providers is listed here.",
                    rx.link(rx.button("Go to the chatbot", variant="soft"), href="/chatbot")),
    )  # fmt: skip


PAGE = Page(
    route="/ai-usage",
    title="AI usage",
    icon="activity",
    content=usage,
    on_load=[UsageState.open_page],
    section="Automation",
)
