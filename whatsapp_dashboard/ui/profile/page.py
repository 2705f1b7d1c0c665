"""Profile and security: change the password, see and end sessions, second factor."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components import (
    badge,
    card,
    copy_button,
    form_dialog,
    inline_error,
    page_header,
    relative_time,
    skeleton_rows,
    text_field,
)
from whatsapp_dashboard.ui.navigation import Page
from whatsapp_dashboard.ui.profile.notifications_card import notifications_card
from whatsapp_dashboard.ui.profile.state import ProfileState, SessionRow


def profile() -> rx.Component:
    """The page."""
    return rx.box(
        page_header("Profile and security", "How you log in, where you are logged in, and how you are told that somebody waits."),
        rx.vstack(_password(), _second_factor(), notifications_card(), _sessions(), spacing="4", width="100%", max_width="720px"),
        _ask_dialog(),
        _enrol_dialog(),
        _disable_dialog(),
    )


def _password() -> rx.Component:
    return card(
        rx.form(
            rx.vstack(
                text_field(
                    "Current password", "current_password", type="password", auto_complete="current-password", required=True, max_length=256
                ),
                text_field(
                    "New password",
                    "new_password",
                    "At least 12 characters.",
                    type="password",
                    auto_complete="new-password",
                    required=True,
                    max_length=256,
                ),
                text_field("New password again", "repeated", type="password", auto_complete="new-password", required=True, max_length=256),
                inline_error(ProfileState.password_error),
                rx.flex(rx.button("Change password", type="submit"), justify="end", width="100%"),
                spacing="4",
                width="100%",
            ),
            on_submit=ProfileState.change_password,
            reset_on_submit=False,
            key=rx.Var.create(ProfileState.password_form).to(str),
        ),
        title="Password",
    )


def _second_factor() -> rx.Component:
    return card(
        rx.flex(
            rx.text(
                "A code from an authenticator app on your phone, asked for after the password.",
                size=theme.BODY,
                color=theme.TEXT_MUTED,
            ),
            rx.cond(
                ProfileState.totp_on,
                rx.hstack(
                    badge("On", "good", "shield-check"),
                    rx.button(
                        "Turn off",
                        variant="soft",
                        color_scheme="gray",
                        on_click=ProfileState.show_disable(True),
                    ),
                    align="center",
                ),
                rx.button("Set up", variant="soft", on_click=ProfileState.show_ask(True), disabled=~ProfileState.loaded),
            ),
            justify="between",
            align="center",
            gap="16px",
            wrap="wrap",
        ),
        title="Two-step log-in",
    )


def _sessions() -> rx.Component:
    others = rx.button(
        "Log out all others",
        size="1",
        variant="soft",
        color_scheme="gray",
        on_click=ProfileState.revoke_others,
        disabled=ProfileState.others == 0,
    )
    return rx.cond(
        ProfileState.loaded,
        card(rx.vstack(rx.foreach(ProfileState.sessions, _session), spacing="4", width="100%"), title="Sessions", actions=[others]),
        skeleton_rows(3),
    )


def _session(row: SessionRow) -> rx.Component:
    return rx.flex(
        rx.match(
            row.icon,
            ("smartphone", rx.icon("smartphone", size=18, color="var(--gray-10)")),
            ("terminal", rx.icon("terminal", size=18, color="var(--gray-10)")),
            rx.icon("monitor", size=18, color="var(--gray-10)"),
        ),
        rx.vstack(
            rx.hstack(
                rx.text(row.device, size=theme.BODY, weight="medium"),
                rx.cond(row.current, badge("This session", "good")),
                align="center",
                spacing="2",
            ),
            rx.hstack(
                rx.text(row.ip, size=theme.CAPTION, color=theme.TEXT_MUTED),
                rx.text("·", size=theme.CAPTION, color=theme.TEXT_MUTED),
                rx.text("used ", relative_time(row.last_seen), size=theme.CAPTION, color=theme.TEXT_MUTED),
                spacing="1",
            ),
            spacing="0",
        ),
        rx.spacer(),
        rx.cond(
            row.current,
            rx.fragment(),
            rx.button("Log out", size="1", variant="soft", color_scheme="gray", on_click=ProfileState.revoke(row.id)),
        ),
        align="center",
        gap="12px",
        width="100%",
    )


def _ask_dialog() -> rx.Component:
    return form_dialog(
        text_field("Your password", "password", type="password", auto_complete="current-password", required=True, max_length=256),
        open_=ProfileState.ask_open,
        on_open_change=ProfileState.show_ask,
        title="Set up two-step log-in",
        text="Enter your password first, so that nobody can do this who only finds your browser open.",
        submit="Continue",
        on_submit=ProfileState.begin_totp,
        error=ProfileState.ask_error,
        width="420px",
    )


def _enrol_dialog() -> rx.Component:
    return form_dialog(
        rx.center(
            rx.image(
                src=ProfileState.enrol_qr, width="180px", height="180px", border_radius="8px", alt="QR code for the authenticator app"
            ),
            width="100%",
        ),
        rx.hstack(
            rx.code(ProfileState.enrol_secret, size="1", style={"wordBreak": "break-all"}),
            copy_button(ProfileState.enrol_secret, "Copy the secret"),
            align="center",
            justify="center",
            width="100%",
        ),
        text_field(
            "Code from the app",
            "code",
            auto_complete="one-time-code",
            required=True,
            max_length=7,
            custom_attrs={"inputMode": "numeric"},
        ),
        open_=ProfileState.enrol_open,
        on_open_change=ProfileState.show_enrol,
        title="Set up two-step log-in",
        text="Scan the code with your authenticator app, or type the secret in. Then enter the code the app shows.",
        submit="Turn on",
        on_submit=ProfileState.confirm_totp,
        error=ProfileState.enrol_error,
        width="420px",
    )


def _disable_dialog() -> rx.Component:
    return form_dialog(
        text_field("Your password", "password", type="password", auto_complete="current-password", required=True, max_length=256),
        open_=ProfileState.disable_open,
        on_open_change=ProfileState.show_disable,
        title="Turn two-step log-in off?",
        text="Your password alone will then be enough to log in.",
        submit="Turn off",
        on_submit=ProfileState.disable_totp,
        error=ProfileState.disable_error,
        width="420px",
    )


PAGE = Page(route="/profile", title="Profile and security", icon="user", content=profile, on_load=[ProfileState.load], in_sidebar=False)
