"""The delivery log page (HOOK-6, HOOK-8)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.ui.components import confirm_dialog, day_field, empty_state, error_state, page_header, skeleton_rows
from whatsapp_dashboard.ui.deliveries.drawer import delivery_drawer
from whatsapp_dashboard.ui.deliveries.rows import delivery_rows
from whatsapp_dashboard.ui.deliveries.state import DeliveriesState
from whatsapp_dashboard.ui.navigation import Page
from whatsapp_dashboard.ui.session import CAN_WORK

_HALF_ON_PHONE = rx.breakpoints(initial="calc(50% - 4px)", sm="170px")
_TABS = (("", "All"), ("waiting", "Waiting"), ("succeeded", "Delivered"), ("dead", "Dead letters"))


def deliveries() -> rx.Component:
    """Every event on its way to every endpoint."""
    return rx.box(
        page_header(
            "Delivery log", "Each event on its way to each endpoint, with what came back.",
            rx.link(rx.button(rx.icon("webhook", size=14), "Webhooks", variant="soft"), href="/webhooks"),
            rx.cond(CAN_WORK & (DeliveriesState.filters.length() > 0) & (DeliveriesState.filters.get("state", "") != "waiting"), rx.button(
                rx.icon("rotate-cw", size=14), rx.cond(DeliveriesState.filters.get("state", "") == "dead", "Retry all", "Send all again"),
                on_click=DeliveriesState.ask(True), disabled=DeliveriesState.lines.length() == 0,
            )),
        ),
        rx.flex(*[_tab(key, label) for key, label in _TABS], gap="6px", wrap="wrap", margin_bottom="12px", role="group",
                aria_label="Show"),
        _filters(),
        rx.cond(
            DeliveriesState.loaded,
            rx.cond(
                DeliveriesState.failed != "",
                error_state("This filter cannot be used", DeliveriesState.failed,
                            rx.button("Clear filters", on_click=DeliveriesState.clear)),
                rx.cond(DeliveriesState.lines.length() == 0, _nothing(), rx.fragment(delivery_rows(), _pager())),
            ),
            skeleton_rows(10),
        ),
        delivery_drawer(),
        confirm_dialog(
            open_=DeliveriesState.asking,
            on_open_change=DeliveriesState.ask,
            title=DeliveriesState.question,
            text="Every finished delivery that matches the filters is sent again, also on the pages that follow. Event ids stay the same.",
            confirm="Send again",
            on_confirm=DeliveriesState.replay_all,
            busy=DeliveriesState.busy,
            destructive=False,
        ),
    )  # fmt: skip


def _tab(state: str, label: str) -> rx.Component:
    active = DeliveriesState.filters.get("state", "") == state
    return rx.button(
        label,
        rx.text(DeliveriesState.numbers.get(state, ""), as_="span", size="1", opacity="0.7", font_variant_numeric="tabular-nums"),
        size="1",
        radius="full",
        color_scheme="gray",
        variant=rx.cond(active, "solid", "soft"),
        high_contrast=active,
        on_click=DeliveriesState.filter("state", state),
        aria_pressed=active,
        custom_attrs={"data-tab": state or "all"},
    )


def _filters() -> rx.Component:
    return rx.flex(
        _select("event", "All events", DeliveriesState.events, lambda name: rx.select.item(name, value=name)),
        _select("webhook", "All endpoints", DeliveriesState.webhooks, lambda hook: rx.select.item(hook.name, value=hook.id)),
        _select("account", "All accounts", DeliveriesState.accounts, lambda account: rx.select.item(account.name, value=account.id)),
        rx.flex(_day("since", "From"), _day("until", "To"), gap="8px", wrap="wrap", width=rx.breakpoints(initial="100%", sm="auto")),
        rx.cond(
            DeliveriesState.filters.length() > 0,
            rx.button(rx.icon("x", size=14), "Clear", variant="ghost", color_scheme="gray", on_click=DeliveriesState.clear),
        ),
        key=DeliveriesState.edition.to(str),
        gap="8px",
        wrap="wrap",
        align="center",
        margin_bottom="14px",
    )


def _select(name: str, everything: str, choices: Any, item: Any) -> rx.Component:
    return rx.select.root(
        rx.select.trigger(aria_label=name.capitalize(), width=_HALF_ON_PHONE, max_width="200px"),
        rx.select.content(rx.select.item(everything, value="all"), rx.foreach(choices, item), position="popper", max_width="420px"),
        value=DeliveriesState.filters.get(name, "all"),
        on_change=lambda value: DeliveriesState.filter(name, value),
    )


def _day(name: str, label: str) -> rx.Component:
    return day_field(label, DeliveriesState.filters.get(name, ""), DeliveriesState.filter(name))


def _pager() -> rx.Component:
    return rx.flex(
        rx.button(rx.icon("chevrons-left", size=14), "Newest", variant="soft", color_scheme="gray", disabled=DeliveriesState.cursor == "",
                  on_click=DeliveriesState.go("")),
        rx.button("Older", rx.icon("chevron-right", size=14), variant="soft", color_scheme="gray", disabled=DeliveriesState.older == "",
                  on_click=DeliveriesState.go(DeliveriesState.older)),
        gap="8px", align="center", padding_top="14px",
    )  # fmt: skip


def _nothing() -> rx.Component:
    return rx.cond(
        (DeliveriesState.filters.length() > 0) | (DeliveriesState.cursor != ""),
        empty_state("search", "No delivery matches", "Change the filters.",
                    rx.button("Clear filters", variant="soft", on_click=DeliveriesState.clear)),
        empty_state("list", "Nothing delivered yet", "As soon as a webhook gets an event, each attempt is listed here.",
                    rx.link(rx.button("Go to webhooks", variant="soft"), href="/webhooks")),
    )  # fmt: skip


PAGE = Page(
    route="/webhooks/deliveries",
    title="Delivery log",
    icon="list",
    content=deliveries,
    on_load=[DeliveriesState.open_page],
    section="Automation",
)
