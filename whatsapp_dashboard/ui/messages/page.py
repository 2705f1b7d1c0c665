"""The message log page (MSG-8)."""

from __future__ import annotations

from collections.abc import Mapping

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components import day_field, empty_state, error_state, page_header, relative_time, search_field, skeleton_rows
from whatsapp_dashboard.ui.components.message_marks import MESSAGE_STATUSES, MESSAGE_TYPES
from whatsapp_dashboard.ui.messages.drawer import again_question, detail_drawer
from whatsapp_dashboard.ui.messages.rows import log_rows
from whatsapp_dashboard.ui.messages.state import MOST_COUNTED, MessagesState
from whatsapp_dashboard.ui.navigation import Page

_WHOLE_ON_PHONE = rx.breakpoints(initial="100%", sm="170px")
_HALF_ON_PHONE = rx.breakpoints(initial="calc(50% - 4px)", sm="136px")


def messages() -> rx.Component:
    """Every message of every account, searchable."""
    return rx.box(
        page_header("Message log", "Every message of every account, newest first.", _export()),
        _filters(),
        rx.cond(
            MessagesState.loaded,
            rx.cond(
                MessagesState.failed != "",
                error_state("This filter cannot be used", MessagesState.failed, rx.button("Clear filters", on_click=MessagesState.clear)),
                rx.cond(MessagesState.lines.length() == 0, _nothing(), rx.fragment(_fresh(), log_rows(), _pager())),
            ),
            skeleton_rows(10),
        ),
        detail_drawer(), again_question(),
    )


def _export() -> rx.Component:
    # reloadDocument: the router must not take it for a page.
    link = rx.el.a(
        rx.icon("download", size=14),
        "Export CSV",
        href=MessagesState.export,
        download=True,
        custom_attrs={"data-testid": "export", "reloadDocument": True},
    )
    return rx.cond(MessagesState.export != "", rx.button(link, as_child=True, variant="soft"))  # fmt: skip


def _filters() -> rx.Component:
    value = MessagesState.filters.get
    return rx.flex(
        search_field("Text", value("text", ""), MessagesState.filter("text"), width=_WHOLE_ON_PHONE),
        search_field("Contact or number", value("contact", ""), MessagesState.filter("contact"), width=_WHOLE_ON_PHONE),
        _account(),
        _select("direction", "All directions", {"incoming": "Incoming", "outgoing": "Outgoing"}),
        _select("type", "All types", {key: label for key, (_, label) in MESSAGE_TYPES.items()}),
        _select("status", "All statuses", MESSAGE_STATUSES),
        rx.flex(_day("since", "From"), _day("until", "To"), gap="8px", wrap="wrap", width=rx.breakpoints(initial="100%", sm="auto")),
        rx.cond(
            MessagesState.filters.length() > 0,
            rx.button(rx.icon("x", size=14), "Clear", variant="ghost", color_scheme="gray", on_click=MessagesState.clear),
        ),
        key=MessagesState.edition.to(str),
        gap="8px",
        wrap="wrap",
        align="center",
        margin_bottom="14px",
    )


def _account() -> rx.Component:
    return rx.select.root(
        rx.select.trigger(aria_label="Account", width=_HALF_ON_PHONE, max_width="200px"),
        rx.select.content(
            rx.select.item("All accounts", value="all"),
            rx.foreach(MessagesState.accounts, lambda account: rx.select.item(account.name, value=account.id)),
            position="popper",
        ),
        value=MessagesState.filters.get("account", "all"),
        on_change=lambda value: MessagesState.filter("account", value),
    )


def _select(name: str, everything: str, choices: Mapping[str, str]) -> rx.Component:
    return rx.select.root(
        rx.select.trigger(aria_label=name.capitalize(), width=_HALF_ON_PHONE),
        rx.select.content(
            rx.select.item(everything, value="all"),
            *[rx.select.item(label, value=key) for key, label in choices.items()],
            position="popper",
        ),
        value=MessagesState.filters.get(name, "all"),
        on_change=lambda value: MessagesState.filter(name, value),
    )


def _day(name: str, label: str) -> rx.Component:
    return day_field(label, MessagesState.filters.get(name, ""), MessagesState.filter(name))


def _fresh() -> rx.Component:
    """New messages wait behind a button, so that nothing jumps under the reader's eyes."""
    return rx.cond(
        MessagesState.fresh > 0,
        rx.center(
            rx.button(
                rx.icon("arrow-up", size=14),
                rx.cond(MessagesState.fresh >= MOST_COUNTED, f"{MOST_COUNTED - 1}+", MessagesState.fresh.to(str)),
                rx.cond(MessagesState.fresh == 1, " new message", " new messages"),
                radius="full",
                size="2",
                on_click=MessagesState.go(""),
                custom_attrs={"data-testid": "fresh"},
            ),
            padding_bottom="12px",
            role="status",
        ),
    )


def _pager() -> rx.Component:
    return rx.flex(
        rx.button(rx.icon("chevrons-left", size=14), "Newest", variant="soft", color_scheme="gray", disabled=MessagesState.newer == "",
                  on_click=MessagesState.go("")),
        rx.button(rx.icon("chevron-left", size=14), "Newer", variant="soft", color_scheme="gray", disabled=MessagesState.newer == "",
                  on_click=MessagesState.go(MessagesState.newer)),
        rx.button("Older", rx.icon("chevron-right", size=14), variant="soft", color_scheme="gray", disabled=MessagesState.older == "",
                  on_click=MessagesState.go(MessagesState.older)),
        rx.cond(MessagesState.searched_to != "", _searched()),
        gap="8px", align="center", padding_top="14px", wrap="wrap",
    )  # fmt: skip


def _searched() -> rx.Component:
    return rx.text("Searched so far back: ", relative_time(MessagesState.searched_to), size="1", color=theme.TEXT_MUTED)


def _nothing() -> rx.Component:
    return rx.cond(
        MessagesState.searched_to != "",
        empty_state(
            "search", "Nothing found so far", "The search looked through many messages without a match. It can go on from there.",
            rx.button("Search further back", on_click=MessagesState.go(MessagesState.older)),
        ),
        rx.cond(
            (MessagesState.filters.length() > 0) | (MessagesState.cursor != ""),
            empty_state("search", "No message matches", "Change the filters.", rx.button(
                "Clear filters", variant="soft", on_click=MessagesState.clear,
            )),
            empty_state(
                "scroll-text", "No message yet", "Every message that comes in or goes out is listed here.",
                rx.button("Go to accounts", variant="soft", on_click=rx.redirect("/accounts")),
            ),
        ),
    )  # fmt: skip


PAGE = Page(
    route="/messages",
    title="Message log",
    icon="scroll-text",
    content=messages,
    on_load=[MessagesState.open_page],
    section="Messaging",
)
