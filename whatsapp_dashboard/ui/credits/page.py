"""The Credits page (CRED-1, CRED-2)."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui.components import error_state, page_header, skeleton_cards, skeleton_rows, stat
from whatsapp_dashboard.ui.credits.change_state import ChangeState
from whatsapp_dashboard.ui.credits.chart import days_chart
from whatsapp_dashboard.ui.credits.dialogs import dialogs
from whatsapp_dashboard.ui.credits.rows import ledger
from whatsapp_dashboard.ui.credits.state import CreditsState
from whatsapp_dashboard.ui.navigation import Page
from whatsapp_dashboard.ui.session import CAN_ADMINISTER


def credits_page() -> rx.Component:
    """What answers cost, what is left, and where it went."""
    return rx.box(
        page_header(
            "Credits", "What the answers of AI may cost this workspace.", rx.cond(CAN_ADMINISTER & CreditsState.loaded, _actions())
        ),
        rx.cond(
            CreditsState.loaded,
            rx.cond(
                CreditsState.failed != "",
                error_state("The credits could not be read", CreditsState.failed),
                rx.fragment(
                    rx.cond(
                        CreditsState.price == 0,
                        _off(),
                        rx.cond(CreditsState.exhausted, _exhausted(), rx.cond(CreditsState.low, _low())),
                    ),
                    _figures(),
                    days_chart(),
                    ledger(),
                ),
            ),
            rx.vstack(skeleton_cards(4), skeleton_rows(), spacing="4", width="100%"),
        ),
        dialogs(),
    )


def _actions() -> rx.Component:
    return rx.fragment(
        rx.button("Price", variant="soft", color_scheme="gray", on_click=ChangeState.ask("price")),
        rx.button("Correct", variant="soft", color_scheme="gray", on_click=ChangeState.ask("adjust")),
        rx.button(rx.icon("plus", size=16), "Top up", on_click=ChangeState.ask("top-up")),
    )


def _off() -> rx.Component:
    return rx.callout.root(
        rx.callout.icon(rx.icon("info", size=16)),
        rx.callout.text(
            "Billing is off: answers cost nothing, and nothing stops when the balance is empty. With a price, each answer takes credits "
            "when it was sent, and without credits nobody is asked."
        ),
        rx.cond(
            CAN_ADMINISTER,
            rx.button("Turn billing on", size="1", variant="soft", width="fit-content", on_click=ChangeState.ask("price")),
        ),
        color_scheme="gray",
        size="1",
        margin_bottom="16px",
        custom_attrs={"data-testid": "billing-off"},
    )


def _exhausted() -> rx.Component:
    return rx.callout(
        rx.cond(
            CAN_ADMINISTER,
            "The credits are used up: messages are stored and forwarded, and not answered by AI. Top up to have them answered again.",
            "The credits are used up: messages are stored and forwarded, and not answered by AI. Ask an owner to top up.",
        ),
        icon="circle-alert",
        color_scheme="red",
        size="1",
        margin_bottom="16px",
        role="alert",
    )


def _low() -> rx.Component:
    return rx.callout(
        "The credits are low: what is left is enough " + CreditsState.left + ".",
        icon="triangle-alert",
        color_scheme="amber",
        size="1",
        margin_bottom="16px",
        role="status",
        custom_attrs={"data-testid": "low"},
    )


def _figures() -> rx.Component:
    return rx.grid(
        stat("Balance", CreditsState.balance, "coins", rx.cond(CreditsState.left == "", "credits", CreditsState.left)),
        stat("Set aside", CreditsState.held, "hourglass", "for answers under way"),
        stat(
            "An answer costs",
            rx.cond(CreditsState.price == 0, "free", CreditsState.price.to(str)),
            "tag",
            rx.cond(CreditsState.price == 0, "billing is off", "credits, when sent"),
        ),
        stat("Spent", CreditsState.chart.spent, "chart-column", "in the last " + CreditsState.span + " days"),
        columns=rx.breakpoints(initial="2", md="4"),
        gap="12px",
        width="100%",
        margin_bottom="16px",
    )


PAGE = Page(
    route="/credits",
    title="Credits",
    icon="coins",
    content=credits_page,
    on_load=[CreditsState.open_page],
    section="Automation",
)
