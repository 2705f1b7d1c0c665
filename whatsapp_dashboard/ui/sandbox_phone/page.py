"""The Sandbox phone page: a simulated phone beside the switches that make its life hard (ENG-5)."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components import empty_state, error_state, page_header, skeleton_rows
from whatsapp_dashboard.ui.navigation import Page
from whatsapp_dashboard.ui.sandbox_phone.panel import link_card, switch_card
from whatsapp_dashboard.ui.sandbox_phone.state import SandboxPhoneState as State
from whatsapp_dashboard.ui.sandbox_phone.thread import chat_list, thread
from whatsapp_dashboard.ui.session import ShellState


def sandbox_phone() -> rx.Component:
    """The phone and its switches, or what is missing."""
    return rx.box(
        page_header("Sandbox phone", "Write as simulated contacts and see what they really receive. Nothing reaches WhatsApp."),
        rx.cond(
            State.loaded,
            rx.cond(
                State.failed != "",
                error_state("The simulated phone is out of reach", State.failed),
                rx.cond(State.accounts > 0, _desk(), _no_accounts()),
            ),
            skeleton_rows(),
        ),
    )


def _desk() -> rx.Component:
    return rx.grid(
        _phone(),
        rx.vstack(link_card(), rx.cond(State.number != "", switch_card()), spacing="4", width="100%", min_width="0"),
        columns=rx.breakpoints(initial="minmax(0, 1fr)", md="minmax(340px, 420px) minmax(0, 1fr)"),
        gap="24px",
        align="start",
        width="100%",
    )


def _phone() -> rx.Component:
    return rx.box(
        rx.cond(
            State.number != "",
            rx.flex(
                _status_bar(),
                rx.cond(State.contact != "", thread(), chat_list()),
                direction="column",
                height="100%",
                min_height="0",
            ),
            rx.center(
                rx.icon("smartphone", size=28, color="var(--gray-9)"),
                rx.text("No phone yet", size="3", weight="medium"),
                rx.text("Scan the QR of a waiting account: that makes a simulated phone.", size="2", color=theme.TEXT_MUTED),
                direction="column",
                gap="8px",
                padding="32px",
                height="100%",
                text_align="center",
            ),
        ),
        class_name="wa-phone",
        aria_label="Simulated phone",
        role="region",
    )


def _status_bar() -> rx.Component:
    return rx.flex(
        rx.select.root(
            rx.select.trigger(variant="ghost", aria_label="Which phone", style={"maxWidth": "100%", "color": "inherit"}),
            rx.select.content(rx.foreach(State.phones, lambda phone: rx.select.item(phone.label, value=phone.value))),
            value=State.number,
            on_change=State.choose,
        ),
        rx.spacer(),
        rx.match(
            State.phone.state,
            ("free", rx.badge("Not linked", color_scheme="gray")),
            ("banned", rx.badge("Banned", color_scheme="red")),
            rx.cond(
                State.phone.connected,
                rx.badge("Online", color_scheme="jade"),
                rx.badge(rx.cond(State.phone.queued > 0, f"Away · {State.phone.queued} waiting", "Away"), color_scheme="amber"),
            ),
        ),
        align="center",
        gap="8px",
        padding="10px 16px",
        border_bottom=theme.LINE,
        flex_shrink="0",
    )


def _no_accounts() -> rx.Component:
    return empty_state(
        "smartphone",
        "No sandbox account",
        "The sandbox phone scans the QR of accounts that use the Sandbox engine. Create one to try everything out.",
        rx.link(rx.button("Go to Accounts"), href="/accounts"),
    )


PAGE = Page(
    route="/sandbox-phone",
    title="Sandbox phone",
    icon="smartphone-nfc",
    content=sandbox_phone,
    on_load=[State.watch],
    visible_when=lambda: ShellState.has_sandbox.to(bool),
)
