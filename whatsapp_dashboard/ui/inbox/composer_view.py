"""Where messages and notes are written. Keys, files, drafts and emoji are handled in the browser by assets/inbox.js (MSG-7)."""

from __future__ import annotations

from typing import Any

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
        rx.cond(ComposeState.reply_id != "", _context("reply", ComposeState.reply_name, ComposeState.reply_text)),
        rx.cond(ComposeState.edit_id != "", _context("pencil", "Edit message", "Enter saves, Esc keeps the old text")),
        rx.el.div(id="inbox-tray", class_name="wa-tray", aria_live="polite"),
        rx.form(
            rx.el.input(type="hidden", name="conversation_id", value=ThreadState.conversation_id, read_only=True),
            rx.el.textarea(
                id=INPUT_ID, name="text", rows=1, auto_complete="off", dir="auto", max_length=65_536,
                placeholder=rx.cond(ComposeState.note, "Write a note nobody outside sees", "Write a message"),
                aria_label=rx.cond(ComposeState.note, "Note", "Message"), class_name="wa-input",
            ),
            rx.el.div(
                rx.el.div(
                    _mode("Reply", on=~ComposeState.note, press=ComposeState.write_note(False)),
                    _mode("Note", on=ComposeState.note, press=ComposeState.write_note(True)),
                    role="group", aria_label="What to write", class_name="wa-modes",
                ),
                rx.cond(
                    ComposeState.note,
                    rx.fragment(),
                    rx.fragment(
                        rx.el.label(
                            rx.icon("paperclip", size=16),
                            rx.el.input(type="file", multiple=True, id="inbox-files", class_name="wa-visually-hidden",
                                        aria_label="Attach files"),
                            class_name="wa-tool wa-tool-big", title="Attach files",
                        ),
                        _share(),
                    ),
                ),
                _emoji(),
                rx.el.span(class_name="wa-grow"),
                rx.el.span("Enter sends, Shift+Enter: new line", class_name="wa-hint"),
                rx.icon_button(
                    rx.cond(ComposeState.note, rx.icon("lock", size=16), rx.icon("send-horizontal", size=16)),
                    type="submit", size="2", aria_label=rx.cond(ComposeState.note, "Save note", "Send"),
                    color_scheme=rx.cond(ComposeState.note, "amber", "jade"),
                ),
                class_name="wa-composer-tools",
            ),
            on_submit=ComposeState.submit, reset_on_submit=True, id="inbox-form", class_name="wa-composer-form",
        ),
        id="inbox-composer", key=rx.Var.create("w-") + ThreadState.conversation_id,
        class_name=rx.cond(ComposeState.note, "wa-composer wa-composer-note", "wa-composer"),
        custom_attrs={
            "data-conversation": ThreadState.conversation_id, "data-account": ThreadState.head.account_id,
            "data-reply": ComposeState.reply_id, "data-inside": rx.cond(ComposeState.note, "yes", ""),
            "data-editing": ComposeState.edit_id,
        },
    )  # fmt: skip


def _context(icon: str, title: Any, text: Any) -> rx.Component:
    return rx.el.div(
        rx.icon(icon, size=14, flex_shrink="0"),
        rx.el.div(
            rx.el.div(title, class_name="wa-quote-name", dir="auto"),
            rx.el.div(text, class_name="wa-clip", dir="auto"),
            class_name="wa-context-text",
        ),
        rx.el.button(rx.icon("x", size=14), type="button", class_name="wa-tool", aria_label="Cancel", on_click=ComposeState.cancel,
                     custom_attrs={"data-key": "cancel"}),
        class_name="wa-context",
    )  # fmt: skip


def _mode(label: str, *, on: Any, press: Any) -> rx.Component:
    return rx.el.button(
        label, type="button", class_name=rx.cond(on, "wa-tab wa-tab-on", "wa-tab"), custom_attrs={"aria-pressed": on}, on_click=press,
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
                        class_name="wa-emoji-grid",
                    ),
                )
                for name, signs in GROUPS.items()
            ],
            class_name="wa-emoji", side="top", align="start", size="1",
        ),
    )  # fmt: skip
