"""Where messages and notes are written. What is written lives in the browser and goes out by its outbox (MSG-7, MSG-13): drafts,
replies, notes and what waits are in assets/composer.js and assets/outbox.js, keys, files and emoji in assets/inbox.js."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui.inbox.compose_state import INPUT_ID, ComposeState
from whatsapp_dashboard.ui.inbox.emoji import GROUPS
from whatsapp_dashboard.ui.inbox.thread_state import ThreadState
from whatsapp_dashboard.ui.session import CAN_WORK, ShellState


def composer() -> rx.Component:
    """The field, or the reason why there is none."""
    return rx.cond(
        CAN_WORK,
        _form(),
        rx.cond(
            ShellState.known,
            rx.el.div(rx.icon("eye", size=14), "You are logged in as a viewer: you can read, but not write.", class_name="wa-composer-off"),
        ),
    )


def _form() -> rx.Component:
    return rx.el.div(
        rx.el.div(id="inbox-context", aria_live="polite"),
        rx.el.div(id="inbox-tray", class_name="wa-tray", aria_live="polite"),
        rx.el.form(
            rx.el.textarea(
                id=INPUT_ID, name="text", rows=1, auto_complete="off", dir="auto", max_length=65_536,
                placeholder="Write a message", aria_label="Message", class_name="wa-input",
            ),
            rx.el.div(
                rx.el.div(
                    _mode("Reply", "reply"),
                    _mode("Note", "note"),
                    role="group", aria_label="What to write", class_name="wa-modes",
                ),
                rx.el.label(
                    rx.icon("paperclip", size=16),
                    rx.el.input(type="file", multiple=True, id="inbox-files", class_name="wa-visually-hidden", aria_label="Attach files"),
                    class_name="wa-tool wa-tool-big wa-not-note", title="Attach files",
                ),
                rx.el.span(_share(), class_name="wa-not-note"),
                _emoji(),
                rx.el.span(class_name="wa-grow"),
                rx.el.span("Enter sends, Shift+Enter: new line", class_name="wa-hint"),
                rx.icon_button(
                    rx.el.span(rx.icon("lock", size=16), class_name="wa-only-note"),
                    rx.el.span(rx.icon("send-horizontal", size=16), class_name="wa-not-note"),
                    type="submit", size="2", aria_label="Send", color_scheme="jade",
                ),
                class_name="wa-composer-tools",
            ),
            id="inbox-form", class_name="wa-composer-form",
        ),
        id="inbox-composer", key=rx.Var.create("w-") + ThreadState.conversation_id,
        class_name="wa-composer",
        custom_attrs={"data-conversation": ThreadState.conversation_id, "data-account": ThreadState.head.account_id},
    )  # fmt: skip


def _mode(label: str, mode: str) -> rx.Component:
    return rx.el.button(
        label, type="button", class_name="wa-tab", custom_attrs={"aria-pressed": "false", "data-mode": mode, "data-repeat": "yes"},
    )  # fmt: skip


def _share() -> rx.Component:
    return rx.menu.root(
        rx.menu.trigger(
            rx.el.button(rx.icon("plus", size=16), type="button", class_name="wa-tool wa-tool-big", aria_label="Share", title="Share")
        ),
        rx.menu.content(
            rx.menu.item(rx.icon("map-pin", size=14), "Location", on_select=ComposeState.show_dialog("location")),
            rx.menu.item(rx.icon("user-round", size=14), "Contact", on_select=ComposeState.show_dialog("contact")),
            rx.menu.item(rx.icon("chart-bar", size=14), "Poll", on_select=ComposeState.show_dialog("poll")),
        ),
    )


def _emoji() -> rx.Component:
    return rx.popover.root(
        rx.popover.trigger(
            rx.el.button(rx.icon("smile", size=16), type="button", class_name="wa-tool wa-tool-big", aria_label="Emoji", title="Emoji")
        ),
        rx.popover.content(
            *[
                rx.el.div(
                    rx.el.div(name, class_name="wa-emoji-title"),
                    rx.el.div(
                        *[rx.el.button(sign, type="button", custom_attrs={"data-emoji": sign}, aria_label=sign) for sign in signs.split()],
                        class_name="wa-emoji-grid", custom_attrs={"data-repeat": "yes"},
                    ),
                )
                for name, signs in GROUPS.items()
            ],
            class_name="wa-emoji", side="top", align="start", size="1", aria_label="Emoji",
        ),
    )  # fmt: skip
