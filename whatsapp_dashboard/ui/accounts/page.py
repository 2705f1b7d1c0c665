"""The Accounts page (ACC-1 to ACC-11)."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui.accounts.aside_dialog import aside_dialog
from whatsapp_dashboard.ui.accounts.create_dialog import create_dialog
from whatsapp_dashboard.ui.accounts.create_state import CreateState
from whatsapp_dashboard.ui.accounts.delete_state import DeleteState
from whatsapp_dashboard.ui.accounts.edit_dialog import edit_dialog
from whatsapp_dashboard.ui.accounts.link_dialog import link_dialog
from whatsapp_dashboard.ui.accounts.rows import account_list
from whatsapp_dashboard.ui.accounts.state import AccountsState
from whatsapp_dashboard.ui.components import (
    confirm_dialog,
    empty_state,
    error_state,
    page_header,
    search_field,
    skeleton_rows,
)
from whatsapp_dashboard.ui.components.badges import ACCOUNT_STATUS
from whatsapp_dashboard.ui.navigation import Page
from whatsapp_dashboard.ui.session import CAN_WORK


def accounts() -> rx.Component:
    """Every linked number and what state it is in."""
    return rx.box(
        page_header("Accounts", "The WhatsApp numbers this dashboard speaks for.", rx.cond(CAN_WORK, _new())),
        rx.cond(
            AccountsState.loaded,
            rx.cond(AccountsState.failed != "", error_state("The accounts could not be read", AccountsState.failed), _loaded()),
            skeleton_rows(),
        ),
        create_dialog(),
        link_dialog(),
        edit_dialog(),
        aside_dialog(),
        _confirm(),
    )


def _loaded() -> rx.Component:
    return rx.cond(
        AccountsState.total == 0,
        empty_state(
            "smartphone",
            "No account yet",
            "An account is one WhatsApp number. Create one, scan a QR code with the phone, and its conversations appear here.",
            rx.cond(CAN_WORK, _new()),
        ),
        rx.fragment(_filters(), rx.cond(AccountsState.matching == 0, _nothing_found(), rx.fragment(account_list(), _more()))),
    )


def _new() -> rx.Component:
    return rx.button(rx.icon("plus", size=16), "New account", on_click=CreateState.start)


def _filters() -> rx.Component:
    return rx.flex(
        search_field("Search accounts", AccountsState.query, AccountsState.search,
                     width=rx.breakpoints(initial="100%", sm="260px"), key=AccountsState.edition.to(str)),
        rx.flex(
            _chip("", "All", AccountsState.total),
            *[_chip(status, label, AccountsState.counts.get(status, 0)) for status, (label, _) in ACCOUNT_STATUS.items()],
            gap="6px", wrap="wrap",
        ),
        gap="10px", wrap="wrap", align="center", margin_bottom="12px",
    )  # fmt: skip


def _chip(status: str, label: str, count: rx.Var[int]) -> rx.Component:
    active = AccountsState.status == status
    chip = rx.button(
        label,
        rx.text(count, as_="span", size="1", opacity="0.7", font_variant_numeric="tabular-nums"),
        size="1",
        radius="full",
        color_scheme="gray",
        variant=rx.cond(active, "solid", "soft"),
        high_contrast=active,
        on_click=AccountsState.only(status),
        aria_pressed=active,
    )
    return chip if not status else rx.cond((count > 0) | active, chip)


def _nothing_found() -> rx.Component:
    return empty_state(
        "search",
        "No account matches",
        "Change the search or the status.",
        rx.button("Show all", variant="soft", on_click=AccountsState.show_all),
    )


def _more() -> rx.Component:
    return rx.cond(
        AccountsState.matching > AccountsState.lines.length(),
        rx.center(
            rx.button(
                "Show more (",
                AccountsState.matching - AccountsState.lines.length(),
                " further)",
                variant="soft",
                color_scheme="gray",
                on_click=AccountsState.show_more,
            ),
            padding="16px",
        ),
    )


def _confirm() -> rx.Component:
    def question(kind: str, button: str) -> rx.Component:
        return confirm_dialog(
            open_=DeleteState.open & (DeleteState.kind == kind),
            on_open_change=DeleteState.set_open,
            title=DeleteState.title,
            text=DeleteState.text,
            confirm=button,
            on_confirm=DeleteState.confirm,
            busy=DeleteState.busy,
        )

    return rx.fragment(question("delete", "Delete account"), question("log_out", "Log out"))


PAGE = Page(
    route="/accounts",
    title="Accounts",
    icon="smartphone",
    content=accounts,
    on_load=[AccountsState.watch],
    section="Messaging",
)
