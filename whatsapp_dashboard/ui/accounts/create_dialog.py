"""The dialog that creates an account (ACC-1)."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.accounts.create_state import CreateState, EngineChoice
from whatsapp_dashboard.ui.components import form_dialog, text_area, text_field
from whatsapp_dashboard.ui.components.field_error import field_error


def create_dialog() -> rx.Component:
    """Name, description and engine; then straight on to the QR code."""
    return form_dialog(
        rx.box(
            text_field("Name", "name", "How you call it, for example Sales.", auto_focus=True, auto_complete="off",
                       aria_invalid=CreateState.name_error != ""),
            field_error(CreateState.name_error), width="100%",
        ),
        rx.box(
            text_area("Description", "description", "For your colleagues; customers never see it.", rows="2"),
            field_error(CreateState.description_error), width="100%",
        ),
        _engines(),
        open_=CreateState.open, on_open_change=CreateState.set_open, title="New account",
        text="One account is one WhatsApp number. The next step links the phone.", submit="Create and link",
        on_submit=CreateState.submit, error=CreateState.error, busy=CreateState.busy,
    )  # fmt: skip


def _engines() -> rx.Component:
    return rx.vstack(
        rx.text("How it is connected", size="2", weight="medium", id="engine-label"),
        rx.radio_cards.root(
            rx.foreach(CreateState.engines, _engine),
            value=CreateState.engine,
            on_value_change=CreateState.choose_engine,
            columns="1",
            width="100%",
            gap="2",
            aria_labelledby="engine-label",
        ),
        spacing="1",
        width="100%",
    )


def _engine(choice: EngineChoice) -> rx.Component:
    return rx.radio_cards.item(
        rx.hstack(
            rx.center(
                rx.cond(choice.simulated, rx.icon("flask-conical", size=18), rx.icon("smartphone", size=18)),
                width="36px",
                height="36px",
                flex_shrink="0",
                border_radius="50%",
                background=theme.ACCENT_SOFT,
                color=theme.ACCENT_TEXT,
                aria_hidden="true",
            ),
            rx.vstack(
                rx.text(choice.title, size="2", weight="medium"),
                rx.text(choice.summary, size="1", color=theme.TEXT_MUTED, white_space="normal"),
                spacing="0",
                align="start",
                min_width="0",
            ),
            spacing="3",
            width="100%",
            align="center",
        ),
        value=choice.name,
    )
