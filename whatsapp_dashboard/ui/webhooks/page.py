"""The Webhooks page (HOOK-1 to HOOK-8)."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components import card, empty_state, error_state, page_header, relative_time, skeleton_rows
from whatsapp_dashboard.ui.navigation import Page
from whatsapp_dashboard.ui.session import CAN_ADMINISTER, CAN_WORK
from whatsapp_dashboard.ui.webhooks.dialogs import dialogs
from whatsapp_dashboard.ui.webhooks.edit_dialog import edit_dialog
from whatsapp_dashboard.ui.webhooks.edit_state import EditState
from whatsapp_dashboard.ui.webhooks.lines import AllowedLine
from whatsapp_dashboard.ui.webhooks.rows import webhook_list
from whatsapp_dashboard.ui.webhooks.state import WebhooksState


def webhooks() -> rx.Component:
    """Which systems get which events, and whether they take them."""
    return rx.box(
        page_header(
            "Webhooks", "Other systems that are told what happens here.",
            rx.link(rx.button(rx.icon("list", size=14), "Delivery log", variant="soft"), href="/webhooks/deliveries"),
            rx.cond(CAN_WORK, _new()),
        ),
        rx.cond(WebhooksState.account_name != "", _one_account()),
        rx.cond(
            WebhooksState.loaded,
            rx.cond(
                WebhooksState.failed != "",
                error_state("The webhooks could not be read", WebhooksState.failed),
                rx.fragment(rx.cond(WebhooksState.lines.length() == 0, _empty(), webhook_list()), _allowed()),
            ),
            skeleton_rows(),
        ),
        edit_dialog(), dialogs(),
    )  # fmt: skip


def _new() -> rx.Component:
    return rx.button(rx.icon("plus", size=16), "New webhook", on_click=EditState.create)


def _one_account() -> rx.Component:
    return rx.flex(
        rx.badge(
            "Events of ", WebhooksState.account_name,
            rx.el.button(rx.icon("x", size=12), aria_label="Show the webhooks of all accounts", on_click=WebhooksState.show_all,
                         style={"all": "unset", "cursor": "pointer", "display": "inline-flex"}),
            size="2", variant="soft", radius="full",
        ),
        margin_bottom="12px",
    )  # fmt: skip


def _empty() -> rx.Component:
    return rx.cond(
        WebhooksState.account_id != "",
        empty_state("webhook", "No webhook gets this account's events", "Create one for it, or one for all accounts.",
                    rx.cond(CAN_WORK, _new())),
        empty_state(
            "webhook", "No webhook yet",
            "A webhook is a URL of yours that gets a request whenever something happens: a message comes in, a status changes, "
            "a session is lost. What your system misses while it is down is sent again.",
            rx.cond(CAN_WORK, _new()),
        ),
    )  # fmt: skip


def _allowed() -> rx.Component:
    """What owners allowed of private networks (HOOK-7)."""

    def entry(line: AllowedLine) -> rx.Component:
        return rx.flex(
            rx.code(line.value, size="2"),
            rx.text("allowed by ", line.added_by, ", ", relative_time(line.added_at), size="1", color=theme.TEXT_MUTED, flex="1"),
            rx.cond(CAN_ADMINISTER, rx.icon_button(
                rx.icon("trash-2", size=14), size="1", variant="ghost", color_scheme="gray",
                aria_label="No longer allow " + line.value, on_click=WebhooksState.disallow(line.value),
            )),
            gap="12px", align="center", wrap="wrap", padding="6px 0", key=line.value, custom_attrs={"data-allowed": line.value},
        )  # fmt: skip

    words = rx.text(
        "Requests never reach private networks, except the hosts, addresses and networks listed here. "
        "Allow only what may be told of your conversations.",
        size="2", color=theme.TEXT_MUTED,
    )  # fmt: skip
    add = rx.form(
        rx.flex(
            rx.input(name="value", placeholder="n8n.local, 192.168.1.20 or 10.0.0.0/8", aria_label="Host, address or network",
                     auto_complete="off", flex="1", max_width="340px", key=WebhooksState.edition.to(str)),
            rx.button("Allow", type="submit", variant="soft"),
            gap="8px", margin_top="10px",
        ),
        on_submit=WebhooksState.allow, reset_on_submit=False,
    )  # fmt: skip
    return rx.cond(
        CAN_ADMINISTER | (WebhooksState.allowed.length() > 0),
        card(words, rx.box(rx.foreach(WebhooksState.allowed, entry), margin_top="8px"), rx.cond(CAN_ADMINISTER, add),
             title="Private networks", margin_top="20px"),
    )  # fmt: skip


PAGE = Page(
    route="/webhooks",
    title="Webhooks",
    icon="webhook",
    content=webhooks,
    on_load=[WebhooksState.open_page],
    section="Automation",
)
