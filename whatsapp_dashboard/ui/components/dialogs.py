"""Dialogs: asking before something is destroyed, and forms."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.ui import theme

CLOSES = {"data-closes": "yes"}
"""For buttons that only close: they may be pressed while the server cannot be reached, and are obeyed when it can (assets/once.js)."""


def confirm_dialog(
    *,
    open_: rx.Var[bool] | bool,
    on_open_change: Any,
    title: str | rx.Var[str],
    text: str | rx.Var[str],
    confirm: str,
    on_confirm: Any,
    busy: rx.Var[bool] | bool = False,
    destructive: bool = True,
) -> rx.Component:
    """Ask before an action. ``title`` names the thing, ``text`` says what will be lost; Esc and Cancel change nothing."""
    return rx.alert_dialog.root(
        rx.alert_dialog.content(
            rx.alert_dialog.title(title, size="4"),
            rx.alert_dialog.description(text, size="2", color=theme.TEXT_MUTED),
            rx.flex(
                rx.alert_dialog.cancel(rx.button("Cancel", variant="soft", color_scheme="gray", custom_attrs=CLOSES)),
                rx.button(confirm, color_scheme="red" if destructive else theme.ACCENT, loading=busy, on_click=on_confirm),
                gap="8px",
                justify="end",
                margin_top="20px",
            ),
            max_width="440px",
        ),
        open=open_,
        on_open_change=on_open_change,
    )


def send_again_dialog(open_: rx.Var[bool] | bool, on_open_change: Any, on_confirm: Any) -> rx.Component:
    """Ask before a message in doubt goes out a second time (MSG-11)."""
    return confirm_dialog(
        open_=open_,
        on_open_change=on_open_change,
        title="Send this message again?",
        text="Sending was cut off, and WhatsApp has not said whether it has the message. If it has, the contact gets it twice. "
        "Look at the phone first if that would matter.",
        confirm="Send again",
        on_confirm=on_confirm,
        destructive=False,
    )


def form_dialog(
    *fields: rx.Component,
    open_: rx.Var[bool] | bool,
    on_open_change: Any,
    title: str | rx.Var[str],
    submit: str | rx.Var[str],
    on_submit: Any,
    text: str = "",
    error: rx.Var[str] | str = "",
    busy: rx.Var[bool] | bool = False,
    width: str = "480px",
) -> rx.Component:
    """A form in a dialog: Enter submits, Esc closes, an error is shown above the buttons."""
    return rx.dialog.root(
        rx.dialog.content(
            rx.dialog.title(title, size="4", margin_bottom="4px"),
            rx.dialog.description(text, size="2", color=theme.TEXT_MUTED, margin_bottom="16px") if text else rx.fragment(),
            rx.form(
                rx.vstack(
                    *fields,
                    inline_error(error),
                    rx.flex(
                        rx.dialog.close(rx.button("Cancel", type="button", variant="soft", color_scheme="gray", custom_attrs=CLOSES)),
                        rx.button(submit, type="submit", loading=busy),
                        gap="8px",
                        justify="end",
                        width="100%",
                        padding_top="8px",
                    ),
                    spacing="4",
                    width="100%",
                ),
                on_submit=on_submit,
                reset_on_submit=False,
            ),
            max_width=width,
            **({} if text else {"aria_describedby": ""}),
        ),
        open=open_,
        on_open_change=on_open_change,
    )


def inline_error(text: rx.Var[str] | str) -> rx.Component:
    """A sentence about what went wrong, announced to screen readers; nothing when empty."""
    if isinstance(text, str) and not text:
        return rx.fragment()
    return rx.cond(
        text != "",
        rx.callout(text, icon="circle-alert", color_scheme="red", size="1", width="100%", role="alert"),
    )
