"""The middle pane of the inbox: head of the open conversation and its messages (MSG-7, AI-8)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components import account_status
from whatsapp_dashboard.ui.components.countdown import countdown
from whatsapp_dashboard.ui.inbox.bubble_view import thread_item
from whatsapp_dashboard.ui.inbox.chips import answers_chip, waits_chip
from whatsapp_dashboard.ui.inbox.composer_view import composer
from whatsapp_dashboard.ui.inbox.state import InboxState
from whatsapp_dashboard.ui.inbox.thread_state import MOST_SHOWN, ThreadState
from whatsapp_dashboard.ui.session import CAN_WORK


def thread() -> rx.Component:
    """The open conversation, or what to do when none is open."""
    return rx.el.section(
        rx.cond(
            ThreadState.conversation_id == "",
            _none_open(),
            rx.cond(
                ThreadState.failed != "",
                _problem(),
                rx.fragment(_head(), _notices(), _messages(), _jump(), composer(), _auto_read()),
            ),
        ),
        class_name="wa-inbox-thread", aria_label="Conversation",
    )  # fmt: skip


def _head() -> rx.Component:
    head = ThreadState.head
    return rx.el.header(
        rx.icon_button(rx.icon("arrow-left", size=18), variant="ghost", color_scheme="gray", aria_label="Back to the list",
                       on_click=ThreadState.leave, class_name="wa-only-small", custom_attrs={"data-key": "back"}),
        rx.avatar(fallback=head.initials, size="2", radius="full", color_scheme=head.color, variant="soft"),
        rx.el.button(
            rx.el.span(head.name, class_name="wa-head-name wa-clip", dir="auto", title=head.name),
            rx.el.span(head.account, rx.cond(head.own_name != "", rx.cond(head.phone != "", " · " + head.phone, ""), ""),
                       class_name="wa-head-note wa-clip"),
            type="button", class_name="wa-head-who", on_click=ThreadState.toggle_details, aria_label="Contact details",
        ),
        rx.cond(head.id != "", rx.el.div(answers_chip(head), waits_chip(head), class_name="wa-head-chips")),
        rx.cond(head.account_status != "", rx.box(account_status(head.account_status), class_name="wa-only-very-wide")),
        rx.cond(CAN_WORK & (head.id != ""), _actions()),
        rx.icon_button(rx.icon("panel-right", size=16), variant="ghost", color_scheme="gray", aria_label="Show or hide details",
                       title="Details", on_click=ThreadState.toggle_details, class_name="wa-only-wide"),
        class_name="wa-thread-head",
    )  # fmt: skip


def _actions() -> rx.Component:
    head = ThreadState.head
    return rx.fragment(
        rx.cond(
            head.human & (head.bot | (head.stopped != "")),
            rx.button(rx.icon("bot", size=14), rx.el.span("Hand back", class_name="wa-label"), size="1", variant="soft",
                      title="Let the bot answer again", aria_label="Hand back to the bot", on_click=ThreadState.hand_back),
            rx.cond(
                head.bot & ~head.human,
                rx.button(rx.icon("hand", size=14), rx.el.span("Take over", class_name="wa-label"), size="1", variant="soft",
                          title="Answer yourself; the bot is silent", aria_label="Take over from the bot", on_click=ThreadState.take_over),
            ),
        ),
        rx.button(
            rx.cond(head.closed, rx.icon("rotate-ccw", size=14), rx.icon("check", size=14)),
            rx.el.span(rx.cond(head.closed, "Reopen", "Close"), class_name="wa-label"),
            size="1", variant="soft", color_scheme="gray", title="Alt+E", aria_label=rx.cond(head.closed, "Reopen", "Close"),
            on_click=ThreadState.close_or_reopen, custom_attrs={"data-key": "alt+e"},
        ),
        rx.icon_button(rx.icon("mail", size=14), size="1", variant="soft", color_scheme="gray", title="Mark as unread",
                       aria_label="Mark as unread", on_click=ThreadState.mark_unread),
    )  # fmt: skip


def _notices() -> rx.Component:
    head = ThreadState.head
    return rx.fragment(
        rx.cond(
            (head.account_status != "") & (head.account_status != "ready"),
            _notice("wifi-off", "amber", "This account is not connected. What you write is kept and goes out when it is back."),
        ),
        rx.cond(head.stopped != "", _notice("bot", "orange", head.stopped)),
        rx.cond(
            head.human & head.bot & (head.stopped == ""),
            _notice(
                "user-round", "blue",
                rx.cond(
                    head.paused_until != "",
                    rx.fragment("Bot paused until ", head.paused_text, " · ",
                                countdown(head.paused_until, ThreadState.now, before="", done="it may answer again")),
                    "Bot paused until you hand the conversation back",
                ),
            ),
        ),
        rx.cond(head.opted_out, _notice("hand", "red", "This contact asked to get no more messages.")),
    )  # fmt: skip


def _notice(icon: str, color: str, text: Any) -> rx.Component:
    return rx.el.div(rx.icon(icon, size=14, flex_shrink="0"), rx.el.span(text), class_name="wa-notice", role="status",
                     style={"background": f"var(--{color}-a3)", "color": f"var(--{color}-11)"})  # fmt: skip


def _messages() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.cond(
                ThreadState.loaded,
                rx.fragment(
                    rx.cond(
                        ThreadState.older != "",
                        rx.center(
                            rx.cond(
                                ThreadState.items.length() < MOST_SHOWN,
                                rx.button("Load older messages", size="1", variant="ghost", on_click=ThreadState.load_older,
                                          custom_attrs={"data-more": "thread"}),
                                rx.link("See older ones in the message log", size="1",
                                        href=rx.Var.create("/messages?conversation=") + ThreadState.conversation_id),
                            ),
                            padding="6px", class_name="wa-no-anchor",
                        ),
                    ),
                    rx.foreach(ThreadState.items, thread_item),
                    rx.cond(
                        ThreadState.newer != "",
                        rx.center(
                            rx.button("Load newer messages", size="1", variant="ghost", on_click=ThreadState.load_newer,
                                      custom_attrs={"data-more": "newer"}),
                            padding="6px",
                        ),
                    ),
                    rx.cond(
                        ThreadState.items.length() == 0,
                        rx.el.div("No messages yet. Write the first one.", class_name="wa-thread-empty"),
                    ),
                ),
                _skeleton(),
            ),
            rx.el.div(id="inbox-waiting"),
            class_name="wa-thread-items",
        ),
        id="inbox-thread", class_name="wa-thread-scroll", tab_index=0, role="log", aria_label="Messages",
        key=ThreadState.conversation_id,
        custom_attrs={"data-thread": ThreadState.conversation_id, "data-place": ThreadState.place,
                      "data-newer": rx.cond(ThreadState.newer != "", "yes", "")},
    )  # fmt: skip


def _jump() -> rx.Component:
    """The way to the end for who has scrolled up, and how much has come there; shown and hidden by assets/thread.js."""
    return rx.el.div(
        rx.el.button(
            rx.el.span(class_name="wa-jump-count"), rx.icon("arrow-down", size=16), type="button", class_name="wa-jump",
            aria_label="Go to the newest message", title="Go to the newest message",
            custom_attrs={"data-jump-end": "yes", "data-repeat": "yes"},
        ),
        rx.el.button("Newest messages", type="button", hidden=True, on_click=ThreadState.to_end, custom_attrs={"data-more": "end"}),
        class_name="wa-jump-place", key=rx.Var.create("j-") + ThreadState.conversation_id,
    )  # fmt: skip


def _auto_read() -> rx.Component:
    """Pressed by assets/inbox.js while the thread is really on the screen; a thread in a hidden tab is not read."""
    return rx.cond(
        CAN_WORK & ThreadState.loaded & (ThreadState.head.unread > 0),
        rx.el.button("Mark as read", type="button", hidden=True, on_click=ThreadState.mark_read, custom_attrs={"data-auto": "read"}),
    )


def _none_open() -> rx.Component:
    return rx.center(
        rx.flex(
            rx.icon("message-circle", size=30, color="var(--gray-8)"),
            rx.text("No conversation open", size=theme.SECTION_TITLE, weight="medium"),
            rx.text(
                rx.cond(
                    InboxState.lines.length() > 0,
                    "Choose one from the list. Alt+J opens the next.",
                    "Messages that reach your numbers appear here by themselves.",
                ),
                size=theme.BODY, color=theme.TEXT_MUTED, align="center",
            ),
            direction="column", align="center", gap="6px",
        ),
        flex="1", padding="24px",
    )  # fmt: skip


def _problem() -> rx.Component:
    return rx.center(
        rx.flex(
            rx.icon("triangle-alert", size=28, color="var(--red-9)"),
            rx.text(ThreadState.failed, size=theme.SECTION_TITLE, weight="medium", role="alert"),
            rx.text("It may have been deleted or merged with another one.", size=theme.BODY, color=theme.TEXT_MUTED),
            rx.button("Back to the list", variant="soft", on_click=ThreadState.leave),
            direction="column", align="center", gap="8px",
        ),
        flex="1", padding="24px",
    )  # fmt: skip


def _skeleton() -> rx.Component:
    shapes = ((False, "46%"), (False, "30%"), (True, "52%"), (False, "38%"), (True, "28%"), (True, "44%"))
    return rx.el.div(
        *[
            rx.el.div(rx.skeleton(width=width, height="44px", border_radius="12px"), class_name="wa-line wa-mine" if mine else "wa-line")
            for mine, width in shapes
        ],
        aria_hidden="true",
    )
