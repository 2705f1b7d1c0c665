"""The smaller dialogs of the page: a secret shown once, its rotation, replay and delete (HOOK-3, HOOK-8)."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components import confirm_dialog, copy_button, form_dialog, text_field
from whatsapp_dashboard.ui.webhooks.ask_state import SPANS, AskState
from whatsapp_dashboard.ui.webhooks.secret_state import SecretState


def dialogs() -> rx.Component:
    """All of them."""
    return rx.fragment(_secret(), _rotation(), _replay(), _delete())


def _secret() -> rx.Component:
    return rx.dialog.root(
        rx.dialog.content(
            rx.dialog.title("The secret", size="4", margin_bottom="4px"),
            rx.dialog.description(
                "Copy it to the receiver now: it is not shown again.", size="2", color=theme.TEXT_MUTED, margin_bottom="16px"
            ),
            rx.flex(
                rx.code(SecretState.secret, size="2", overflow_wrap="anywhere", custom_attrs={"data-testid": "secret"}),
                copy_button(SecretState.secret, "Copy secret"),
                justify="between", align="center", gap="12px", padding="12px", border=theme.LINE, border_radius="8px",
            ),
            rx.flex(rx.dialog.close(rx.button("I have copied it")), justify="end", padding_top="20px"),
            max_width="480px",
        ),
        open=SecretState.shown,
        on_open_change=SecretState.set_shown,
    )  # fmt: skip


def _rotation() -> rx.Component:
    return form_dialog(
        rx.vstack(
            rx.cond(
                SecretState.had_one,
                text_field(
                    "Overlap (hours)", "overlap",
                    "So long the old secret signs as well, so that the receiver can change over without a gap. 0: it ends at once.",
                    default_value="24", input_mode="decimal",
                ),
            ),
            text_field("Your own secret", "secret", "Leave empty and one is made and shown once.", type="password",
                       auto_complete="new-password"),
            spacing="4", width="100%", key=SecretState.edition.to(str),
        ),
        open_=SecretState.rotating,
        on_open_change=SecretState.set_rotating,
        title="New secret for " + SecretState.title,
        submit="Set new secret",
        on_submit=SecretState.rotate,
        error=SecretState.error,
        busy=SecretState.busy,
    )  # fmt: skip


def _replay() -> rx.Component:
    return rx.dialog.root(
        rx.dialog.content(
            rx.dialog.title(AskState.title, size="4", margin_bottom="4px"),
            rx.dialog.description(
                "Everything queued for this endpoint in that time is sent again, delivered or not. Event ids stay the same, so a receiver "
                "that remembers them is not disturbed.",
                size="2", color=theme.TEXT_MUTED, margin_bottom="16px",
            ),
            rx.select.root(
                rx.select.trigger(aria_label="Since when", width="100%"),
                rx.select.content(*[rx.select.item(words.capitalize(), value=hours) for hours, words in SPANS.items()], position="popper"),
                value=AskState.span, on_change=AskState.choose_span,
            ),
            rx.flex(
                rx.dialog.close(rx.button("Cancel", variant="soft", color_scheme="gray")),
                rx.button("Send again", loading=AskState.busy, on_click=AskState.confirm),
                gap="8px", justify="end", padding_top="20px",
            ),
            max_width="440px",
        ),
        open=AskState.open & (AskState.kind == "replay"),
        on_open_change=AskState.set_open,
    )  # fmt: skip


def _delete() -> rx.Component:
    return confirm_dialog(
        open_=AskState.open & (AskState.kind == "delete"),
        on_open_change=AskState.set_open,
        title=AskState.title,
        text=AskState.text,
        confirm="Delete webhook",
        on_confirm=AskState.confirm,
        busy=AskState.busy,
    )
