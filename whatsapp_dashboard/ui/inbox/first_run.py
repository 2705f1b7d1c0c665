"""What the inbox says while nobody has written yet: the one step that brings the first conversation."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.inbox.compose_state import ComposeState
from whatsapp_dashboard.ui.inbox.state import InboxState
from whatsapp_dashboard.ui.session import CAN_WORK


def first_run() -> rx.Component:
    """By what the accounts are, or the one that is filtered by."""
    return rx.match(
        InboxState.first.kind,
        (
            "sandbox",
            _said(
                "smartphone-nfc", "Write the first message",
                "Nobody has written yet. On the Sandbox phone you write as a simulated contact; the conversation then appears here.",
                _to("Open the Sandbox phone", "/sandbox-phone"),
            ),
        ),
        (
            "number",
            _said(
                "messages-square", "No conversation yet",
                rx.Var.create("Write to ") + InboxState.first.number
                + " from another phone, or begin a conversation yourself; it then appears here. Older chats are not taken over.",
                rx.cond(CAN_WORK, rx.button("New message", size="1", on_click=ComposeState.show_dialog("new"))),
            ),
        ),
        (
            "link",
            _said(
                "qr-code", "No phone is linked yet", rx.Var.create("Link a phone to ") + InboxState.first.name
                + "; what is written to its number then appears here.", _to("Go to accounts", "/accounts"),
            ),
        ),
        _said(
            "smartphone", "No account yet", "Connect a WhatsApp number first. Its conversations appear here.",
            _to("Go to accounts", "/accounts"),
        ),
    )  # fmt: skip


def _to(label: str, path: str) -> rx.Component:
    return rx.link(rx.button(label, size="1", tab_index=-1), href=path)


def _said(icon: str, title: str, text: rx.Var[str] | str, action: rx.Component) -> rx.Component:
    return rx.flex(
        rx.icon(icon, size=24, color="var(--gray-9)"),
        rx.text(title, size=theme.BODY, weight="medium"),
        rx.text(text, size=theme.BODY, color=theme.TEXT_MUTED, align="center"),
        action,
        direction="column", align="center", gap="8px", padding="48px 24px", custom_attrs={"data-testid": "first-run"},
    )  # fmt: skip
