"""The right pane of the inbox: what is known of the contact (MSG-7)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components import account_status, copy_button, scrolls
from whatsapp_dashboard.ui.inbox.compose_state import ComposeState
from whatsapp_dashboard.ui.inbox.thread_state import ThreadState
from whatsapp_dashboard.ui.session import CAN_WORK


def details() -> rx.Component:
    """Name, number, account and state of the open conversation."""
    head = ThreadState.head
    return rx.cond(
        ThreadState.details & (ThreadState.conversation_id != "") & (ThreadState.failed == ""),
        rx.el.aside(
            rx.flex(
                rx.text("Details", size=theme.SECTION_TITLE, weight="medium"),
                rx.icon_button(rx.icon("x", size=16), variant="ghost", color_scheme="gray", aria_label="Close details",
                               on_click=ThreadState.toggle_details, custom_attrs={"data-key": "details"}),
                justify="between", align="center", class_name="wa-thread-head",
            ),
            rx.el.div(
                rx.flex(
                    rx.avatar(fallback=head.initials, size="6", radius="full", color_scheme=head.color, variant="soft"),
                    rx.text(head.name, size="4", weight="medium", align="center", dir="auto", overflow_wrap="anywhere"),
                    rx.cond(
                        CAN_WORK,
                        rx.button(rx.icon("pencil", size=12), "Rename", size="1", variant="ghost",
                                  on_click=ComposeState.show_dialog("rename")),
                    ),
                    direction="column", align="center", gap="8px", padding="20px 16px",
                ),
                rx.el.dl(
                    _fact("Phone", rx.cond(
                        head.phone != "",
                        rx.flex(head.phone, copy_button(head.phone, "Copy the number"), align="center", gap="8px"),
                        rx.text("Hidden by WhatsApp"),
                    )),
                    _fact("Address", rx.el.span(head.address, class_name="wa-mono")),
                    _fact("Account", rx.flex(rx.el.span(head.account, class_name="wa-clip"), account_status(head.account_status),
                                             align="center", gap="8px", wrap="wrap")),
                    _fact("Answered by", rx.cond(
                        head.human,
                        rx.cond(head.paused_until != "", rx.fragment("A person, until ", head.paused_text), rx.fragment("A person")),
                        rx.cond(head.answers == "bot", rx.fragment("The bot"), rx.fragment("Nobody by itself")),
                    )),
                    _fact("State", rx.cond(head.closed, "Closed", "Open")),
                    _fact("Messages allowed", rx.cond(head.opted_out, "No, the contact opted out", "Yes")),
                    _fact("Disappearing", head.timer),
                    _fact("Since", head.since),
                    class_name="wa-facts",
                ),
                rx.box(
                    rx.link("All messages in the log", size="2", href=rx.Var.create("/messages?conversation=") + head.id),
                    padding="8px 16px 24px",
                ),
                class_name="wa-details-body", **scrolls("Details of the contact"),
            ),
            class_name="wa-inbox-details", aria_label="Contact details",
        ),
    )  # fmt: skip


def _fact(label: str, value: Any) -> rx.Component:
    return rx.el.div(rx.el.dt(label), rx.el.dd(value))
