"""The left pane of the inbox: filters and conversations (MSG-7)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components import error_state, search_field
from whatsapp_dashboard.ui.components.message_marks import message_type_icon
from whatsapp_dashboard.ui.components.ticks import ticks
from whatsapp_dashboard.ui.inbox.chips import answers_chip, waits_chip
from whatsapp_dashboard.ui.inbox.compose_state import ComposeState
from whatsapp_dashboard.ui.inbox.first_run import first_run
from whatsapp_dashboard.ui.inbox.lines import Line
from whatsapp_dashboard.ui.inbox.state import AccountChoice, InboxState
from whatsapp_dashboard.ui.inbox.thread_state import ThreadState
from whatsapp_dashboard.ui.session import CAN_WORK


def conversation_list() -> rx.Component:
    """Filters above, conversations below."""
    return rx.el.section(
        rx.el.div(
            rx.flex(
                search_field("Search", InboxState.text, InboxState.search, id="inbox-search", flex="1", key=InboxState.edition.to(str)),
                rx.cond(
                    CAN_WORK,
                    rx.icon_button(rx.icon("square-pen", size=16), variant="soft", aria_label="New message", title="New message",
                                   on_click=ComposeState.show_dialog("new"), disabled=InboxState.accounts.length() == 0),
                ),
                rx.icon_button(rx.icon("keyboard", size=16), variant="ghost", color_scheme="gray", aria_label="Keyboard shortcuts",
                               title="Keyboard shortcuts (?)", on_click=ComposeState.show_dialog("help"), class_name="wa-only-keyboard",
                               custom_attrs={"data-key": "?"}),
                gap="10px", align="center",
            ),
            rx.flex(
                _tab("all", "All", InboxState.active), _tab("unread", "Unread", InboxState.unread),
                _tab("waiting", "Waiting", InboxState.waiting, "Nobody has answered, and nobody will unless a person does"),
                _tab("human", "Human", InboxState.human, "A person has taken over"), _tab("closed", "Closed", InboxState.closed),
                role="group", aria_label="Show", class_name="wa-tabs",
            ),
            rx.cond(InboxState.accounts.length() > 1, _accounts()),
            class_name="wa-inbox-filters",
        ),
        rx.el.div(
            rx.cond(InboxState.loaded, rx.cond(InboxState.failed != "", _failed(), _lines()), _skeleton()),
            class_name="wa-inbox-lines",
        ),
        class_name="wa-inbox-list", aria_label="Conversations",
    )  # fmt: skip


def _tab(name: str, label: str, count: rx.Var[int], title: str = "") -> rx.Component:
    return rx.el.button(
        label,
        rx.cond(count > 0, rx.el.span(count, class_name="wa-tab-count")),
        title=title,
        type="button", class_name=rx.cond(InboxState.tab == name, "wa-tab wa-tab-on", "wa-tab"),
        custom_attrs={"aria-pressed": InboxState.tab == name}, on_click=InboxState.show_tab(name),
    )  # fmt: skip


def _accounts() -> rx.Component:
    return rx.select.root(
        rx.select.trigger(aria_label="Account", width="100%", variant="soft", color_scheme="gray"),
        rx.select.content(
            rx.select.item("All accounts", value="all"),
            rx.foreach(InboxState.accounts, lambda account: rx.select.item(account.name, value=account.id)),
            position="popper",
        ),
        value=rx.cond(InboxState.account == "", "all", InboxState.account), on_change=InboxState.show_account, size="1",
    )  # fmt: skip


def _lines() -> rx.Component:
    return rx.cond(
        InboxState.lines.length() > 0,
        rx.fragment(
            rx.el.ul(rx.foreach(InboxState.lines, _line), class_name="wa-plain-list"),
            rx.cond(
                InboxState.older != "",
                rx.center(
                    rx.button("Load older", variant="ghost", size="1", on_click=InboxState.load_older, custom_attrs={"data-more": "list"}),
                    padding="14px",
                ),
            ),
        ),
        _empty(),
    )


def _line(line: Line) -> rx.Component:
    return rx.el.li(
        rx.link(
            rx.avatar(fallback=line.initials, size="3", radius="full", color_scheme=line.color, variant="soft"),
            rx.el.span(
                rx.el.span(
                    _kind(line),
                    rx.el.span(_marked(line.name_words, line.name), class_name="wa-line-name wa-clip", dir="auto", title=line.name),
                    rx.el.time(line.when, title=line.exact, class_name="wa-line-time"),
                    class_name="wa-line-row",
                ),
                rx.el.span(
                    rx.cond(
                        line.hit_id != "",
                        rx.el.span(_marked(line.words, ""), class_name="wa-line-preview wa-line-hit", dir="auto"),
                        rx.fragment(
                            ticks(line.ticks, 13),
                            message_type_icon(line.preview_type, 13),
                            rx.el.span(
                                rx.cond(line.preview != "", line.preview, "No message yet"), class_name="wa-line-preview wa-clip",
                                dir="auto",
                            ),
                        ),
                    ),
                    rx.cond(line.unread > 0, rx.el.span(line.badge, class_name="wa-unread", aria_label=line.badge + " unread")),
                    class_name="wa-line-row",
                ),
                rx.el.span(
                    rx.el.span(_status_dot(line), rx.el.span(line.account, class_name="wa-clip"), class_name="wa-chip wa-chip-account",
                               title=line.account),
                    answers_chip(line),
                    waits_chip(line),
                    rx.cond(line.closed, rx.el.span("Closed", class_name="wa-chip")),
                    class_name="wa-line-row wa-line-chips",
                ),
                class_name="wa-line-text",
            ),
            href=rx.Var.create("/inbox?c=") + line.id + _place(line) + InboxState.query, underline="none",
            class_name=rx.cond(ThreadState.conversation_id == line.id, "wa-conversation wa-current", "wa-conversation"),
            custom_attrs={"data-conversation": line.id, "aria-current": rx.cond(ThreadState.conversation_id == line.id, "true", "false"),
                          "data-unread": line.badge},
            on_click=ThreadState.open(line.id, line.hit_id),
        ),
        key=line.id,
    )  # fmt: skip


def _place(line: Line) -> Any:
    """Where in the thread the line leads."""
    return rx.cond(line.hit_id != "", rx.Var.create("&m=") + line.hit_id, "")


def _marked(words: Any, otherwise: Any) -> rx.Component:
    """A text in which what was searched for is marked."""
    return rx.cond(
        words.length() > 0,
        rx.foreach(words, lambda part: rx.cond(part.look != "", rx.el.mark(part.text, class_name="wa-hit"), rx.el.span(part.text))),
        otherwise,
    )


def _kind(line: Line) -> rx.Component:
    return rx.match(
        line.kind,
        ("group", rx.icon("users-round", size=13, aria_label="Group", flex_shrink="0")),
        ("channel", rx.icon("megaphone", size=13, aria_label="Channel", flex_shrink="0")),
        rx.fragment(),
    )


def _status_dot(line: Line) -> rx.Component:
    return rx.el.span(class_name=rx.cond(line.account_status == "ready", "wa-dot wa-dot-on", "wa-dot"))


def _empty() -> rx.Component:
    filtered = (InboxState.text != "") | (InboxState.account != "") | (InboxState.tab != "all")
    return rx.cond(
        InboxState.first.kind != "",
        first_run(),
        rx.cond(
            filtered,
            _nothing("search-x", "Nothing here", "No conversation matches these filters.",
                     rx.button("Show all", variant="soft", size="1", on_click=InboxState.clear)),
            _nothing("messages-square", "No open conversation", "Every conversation is closed. When somebody writes, it opens again."),
        ),
    )  # fmt: skip


def _nothing(icon: str, title: str, text: str, *actions: rx.Component) -> rx.Component:
    return rx.flex(
        rx.icon(icon, size=24, color="var(--gray-9)"),
        rx.text(title, size=theme.BODY, weight="medium"),
        rx.text(text, size=theme.BODY, color=theme.TEXT_MUTED, align="center"),
        *actions,
        direction="column", align="center", gap="8px", padding="48px 24px",
    )  # fmt: skip


def _failed() -> rx.Component:
    return rx.box(error_state("The inbox could not be read", InboxState.failed), padding="12px")


def _skeleton() -> rx.Component:
    return rx.el.div(
        *[
            rx.flex(
                rx.skeleton(width="40px", height="40px", border_radius="50%", flex_shrink="0"),
                rx.flex(
                    rx.skeleton(width=f"{60 - 8 * (number % 3)}%", height="13px"), rx.skeleton(width="85%", height="12px"),
                    direction="column", gap="8px", flex="1",
                ),
                gap="12px", align="center", padding="13px 14px",
            )
            for number in range(9)
        ],
        aria_hidden="true",
    )  # fmt: skip


def account_option(account: AccountChoice) -> rx.Component:
    """One account in a select of accounts."""
    return rx.el.option(account.name, rx.cond(account.ready, "", " (offline)"), value=account.id)
