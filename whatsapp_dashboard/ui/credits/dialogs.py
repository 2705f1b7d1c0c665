"""Top-up, correction, price."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui.components import form_dialog, text_field
from whatsapp_dashboard.ui.credits.change_state import ChangeState


def dialogs() -> rx.Component:
    """The three of them."""
    return rx.fragment(_top_up(), _adjust(), _price())


def _top_up() -> rx.Component:
    return form_dialog(
        text_field("Credits", "amount", type="number", min="1", step="1", required=True, key=_key("a")),
        text_field("Description", "description", "Stands in the ledger, an invoice number for example.", max_length=255, key=_key("d")),
        open_=ChangeState.kind == "top-up",
        on_open_change=ChangeState.set_open,
        title="Top up",
        submit="Add credits",
        on_submit=ChangeState.submit,
        error=ChangeState.error,
        busy=ChangeState.busy,
    )


def _adjust() -> rx.Component:
    return form_dialog(
        text_field(
            "Change",
            "amount",
            "Negative takes credits away; up to " + ChangeState.free + " can be taken.",
            type="number",
            step="1",
            required=True,
            key=_key("a"),
        ),
        text_field("Reason", "description", "Stands in the ledger.", max_length=255, required=True, key=_key("d")),
        open_=ChangeState.kind == "adjust",
        on_open_change=ChangeState.set_open,
        title="Correct the balance",
        submit="Correct",
        on_submit=ChangeState.submit,
        error=ChangeState.error,
        busy=ChangeState.busy,
    )


def _price() -> rx.Component:
    return form_dialog(
        text_field(
            "Credits for an answer",
            "amount",
            "Counts for answers from now on; those under way keep their price. Texts that stand in for an answer cost nothing.",
            type="number",
            min="1",
            step="1",
            required=True,
            default_value=ChangeState.price,
            key=_key("a"),
        ),
        rx.cond(
            ChangeState.billed,
            rx.button(
                "Turn billing off", type="button", variant="soft", color_scheme="gray", width="fit-content", on_click=ChangeState.turn_off
            ),
        ),
        open_=ChangeState.kind == "price",
        on_open_change=ChangeState.set_open,
        title=rx.cond(ChangeState.billed, "Price of an answer", "Turn billing on"),
        submit="Save",
        on_submit=ChangeState.submit,
        error=ChangeState.error,
        busy=ChangeState.busy,
    )


def _key(name: str) -> rx.Var[str]:
    return ChangeState.edition.to(str) + name
