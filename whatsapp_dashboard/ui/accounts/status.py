"""The status of an account in a row: badge, reason, the next try, restriction and offline gap (ACC-2, ACC-5, ACC-10, ACC-11)."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.accounts.lines import AccountLine
from whatsapp_dashboard.ui.accounts.state import AccountsState
from whatsapp_dashboard.ui.components import account_status
from whatsapp_dashboard.ui.components.countdown import countdown


def status_cell(line: AccountLine) -> rx.Component:
    """What state the account is in and why, and what happens next by itself."""
    return rx.vstack(
        account_status(line.status, line.reason),
        rx.cond(
            (line.reason != "") & (line.status != "ready") & (line.status != "qr_ready"),
            rx.text(line.reason, size="1", color=theme.TEXT_MUTED, class_name="wa-clip-2", title=line.reason),
        ),
        rx.cond(line.next_attempt_at != "", _next_try(line)),
        rx.cond(line.restricted_until != "", _restriction(line)),
        rx.cond(line.gap != "", _notice("history", line.gap, "var(--gray-11)")),
        spacing="1",
        align="start",
        min_width="0",
        width="100%",
    )


def _next_try(line: AccountLine) -> rx.Component:
    return rx.hstack(
        rx.icon("refresh-cw", size=12, color="var(--blue-11)", flex_shrink="0"),
        rx.text(
            "Try ",
            line.attempt,
            " ",
            countdown(line.next_attempt_at, AccountsState.now, before="in ", done="now …"),
            size="1",
            color="var(--blue-11)",
        ),
        spacing="1",
        align="center",
        custom_attrs={"data-testid": "next-try"},
    )


def _restriction(line: AccountLine) -> rx.Component:
    return rx.hstack(
        rx.icon("shield-alert", size=12, color="var(--orange-11)", flex_shrink="0", margin_top="3px"),
        rx.text(
            "WhatsApp restricts sending ",
            countdown(line.restricted_until, AccountsState.now, before="for another ", done="until this moment"),
            size="1",
            color="var(--orange-11)",
            title=line.restriction,
        ),
        spacing="1",
        align="start",
        custom_attrs={"data-testid": "restriction"},
    )


def _notice(icon: str, text: rx.Var[str], color: str) -> rx.Component:
    return rx.hstack(
        rx.icon(icon, size=12, color=color, flex_shrink="0", margin_top="3px"),
        rx.text(text, size="1", color=color),
        spacing="1",
        align="start",
    )
