"""Beside the phone: linking it to accounts, and what can go wrong on purpose."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components import card, switch_field
from whatsapp_dashboard.ui.sandbox_phone.lines import WaitingLine
from whatsapp_dashboard.ui.sandbox_phone.state import HISTORY, SLOW_MS
from whatsapp_dashboard.ui.sandbox_phone.state import SandboxPhoneState as State
from whatsapp_dashboard.ui.session import CAN_WORK

SWITCHES = (
    ("offline", "Offline", "The connection is closed and refused; messages wait."),
    ("slow_ms", "Slow link", f"All WhatsApp says comes {SLOW_MS // 1000} seconds later."),
    ("hang", "Silent connection", "It stays open and nothing is ever answered."),
    ("duplicates", "Duplicate deliveries", "Every event comes twice."),
    ("disorder", "Receipts out of order", "Ticks come early, late, or read before delivered."),
    ("restricted", "Restricted (463)", "WhatsApp refuses every send."),
    ("fail_sends", "The next send fails", "Once, then it works again."),
)
EVENTS = (
    ("drop", "unplug", "Drop the connection"),
    ("restart", "refresh-cw", "Ask to reconnect"),
    ("replace", "arrow-left-right", "Replace by another client"),
)


def link_card() -> rx.Component:
    """Accounts that wait for a scan, and the pairing code."""
    return card(
        rx.cond(
            State.waiting.length() > 0,
            rx.vstack(rx.foreach(State.waiting, _waiting), spacing="3", width="100%"),
            rx.text(
                "No account waits for a scan now. Press Link on the accounts page to see its QR here.", size="2", color=theme.TEXT_MUTED
            ),
        ),
        rx.cond(CAN_WORK, _pairing()),
        rx.cond(
            CAN_WORK,
            switch_field(
                "The phone asks for a passkey",
                "As WhatsApp does of some numbers: the code is read, and nothing is linked.",
                checked=State.passkey,
                on_change=State.set_passkey,
            ),
        ),
        title="Link an account",
    )


def _waiting(account: WaitingLine) -> rx.Component:
    return rx.flex(
        rx.icon("qr-code", size=18, color=theme.ACCENT_TEXT, flex_shrink="0"),
        rx.vstack(
            rx.text(account.name, size="2", weight="medium", **theme.CLIP),
            rx.text("Shows a QR code now", size="1", color=theme.TEXT_MUTED),
            spacing="0",
            flex="1",
            min_width="0",
        ),
        rx.cond(
            CAN_WORK,
            rx.flex(
                rx.cond(
                    State.phone.state == "free",
                    rx.cond(
                        State.number != "",
                        rx.button("Scan with this phone", variant="soft", size="2", on_click=State.scan(account.id, True)),
                    ),
                ),
                rx.button("Scan with a new phone", size="2", on_click=State.scan(account.id, False)),
                gap="8px",
                wrap="wrap",
            ),
        ),
        align="center",
        gap="12px",
        width="100%",
        wrap="wrap",
    )


def _pairing() -> rx.Component:
    return rx.form(
        rx.flex(
            rx.input(
                name="code",
                key=State.edition.to(str),
                placeholder="Pairing code, e.g. K7PX-2M9Q",
                aria_label="Pairing code",
                max_length=20,
                flex="1",
                min_width="0",
            ),
            rx.button("Enter", type="submit", variant="soft"),
            gap="8px",
        ),
        on_submit=State.enter_code,
        reset_on_submit=False,
        margin_top="16px",
    )


def switch_card() -> rx.Component:
    """The switches of the link of the phone in the hand."""
    return card(
        rx.cond(
            State.phone.state == "free",
            rx.text("These work once an account is linked to this phone.", size="2", color=theme.TEXT_MUTED),
            rx.vstack(
                *[
                    switch_field(
                        label,
                        hint,
                        checked=State.switches[name],
                        on_change=lambda on, name=name: State.switch(name, on),
                        disabled=~CAN_WORK,
                    )
                    for name, label, hint in SWITCHES
                ],
                rx.cond(CAN_WORK, _events()),
                spacing="4",
                width="100%",
            ),
        ),
        title="What goes wrong",
    )


def _events() -> rx.Component:
    return rx.flex(
        *[
            rx.button(rx.icon(icon, size=14), label, variant="soft", color_scheme="gray", on_click=State.happen(what))
            for what, icon, label in EVENTS
        ],
        rx.button(
            rx.icon("history", size=14), f"Replay {HISTORY} old messages", variant="soft", color_scheme="gray", on_click=State.replay
        ),
        _asked("log_out", "log-out", "Log out on the phone", "The account loses its link and needs a new QR code."),
        rx.cond(
            State.phone.state == "banned",
            rx.button(rx.icon("shield-check", size=14), "Lift the ban", variant="soft", on_click=State.happen("unban")),
            _asked("ban", "ban", "Ban the number", "The account stops until you lift the ban here and press Reconnect."),
        ),
        gap="8px",
        wrap="wrap",
        padding_top="4px",
    )


def _asked(what: str, icon: str, label: str, lost: str) -> rx.Component:
    return rx.alert_dialog.root(
        rx.alert_dialog.trigger(rx.button(rx.icon(icon, size=14), label, variant="soft", color_scheme="red")),
        rx.alert_dialog.content(
            rx.alert_dialog.title(f"{label}?", size="4"),
            rx.alert_dialog.description(lost, size="2", color=theme.TEXT_MUTED),
            rx.flex(
                rx.alert_dialog.cancel(rx.button("Cancel", variant="soft", color_scheme="gray")),
                rx.alert_dialog.action(rx.button(label, color_scheme="red", on_click=State.happen(what))),
                gap="8px",
                justify="end",
                margin_top="20px",
            ),
            max_width="440px",
        ),
    )
