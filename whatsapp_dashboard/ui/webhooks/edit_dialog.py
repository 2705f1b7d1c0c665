"""The dialog that creates or changes a webhook (HOOK-1, HOOK-7)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components import field, preformatted, text_field
from whatsapp_dashboard.ui.components.field_error import field_error
from whatsapp_dashboard.ui.components.private_network import private_network
from whatsapp_dashboard.ui.webhooks.edit_state import EditState
from whatsapp_dashboard.ui.webhooks.lines import ALL_ACCOUNTS, EventChoice, Pair

_FORM = "webhook-form"
_SEND = rx.call_script(f"document.getElementById('{_FORM}').requestSubmit()")
_SIGNING = (("generate", "Generate"), ("own", "My own"), ("none", "None"))


def edit_dialog() -> rx.Component:
    """Where events go, which ones, and how they are signed; with a test before anything is saved."""
    return rx.dialog.root(
        rx.dialog.content(
            rx.dialog.title(rx.cond(EditState.webhook_id == "", "New webhook", "Edit webhook"), size="4", margin_bottom="4px"),
            rx.dialog.description(
                "Each event is sent as a signed POST request, and tried again until the endpoint takes it.",
                size="2", color=theme.TEXT_MUTED, margin_bottom="16px",
            ),
            rx.form(
                rx.vstack(
                    _with_error("url", text_field("URL", "url", default_value=EditState.url, placeholder="https://example.org/hook",
                                                  auto_complete="off", input_mode="url", on_blur=EditState.type_url)),
                    rx.cond(EditState.moved & (EditState.has_secret | (EditState.headers.length() > 0)), _moved()),
                    rx.cond(EditState.private_host != "", _private()),
                    rx.grid(
                        _with_error("name", text_field("Name", "name", default_value=EditState.name, placeholder="Optional",
                                                       auto_complete="off")),
                        _with_error("account_id", _account()),
                        columns=rx.breakpoints(initial="1", sm="2"), gap="16px", width="100%",
                    ),
                    _with_error("events", _events()),
                    rx.cond((EditState.webhook_id == "") | (EditState.moved & EditState.has_secret), _with_error("secret", _signing())),
                    _with_error("headers", _headers()),
                    rx.cond(EditState.errors.get("form", "") != "", rx.callout(
                        EditState.errors.get("form", ""), icon="circle-alert", color_scheme="red", size="1", width="100%", role="alert")),
                    rx.cond(EditState.tested, _result()),
                    spacing="4", width="100%", key=EditState.edition.to(str),
                ),
                rx.flex(
                    rx.button(rx.icon("send", size=14), "Send test event", type="button", variant="soft",
                              loading=EditState.busy == "test", on_click=[EditState.will("test"), _SEND]),
                    rx.flex(
                        rx.dialog.close(rx.button("Cancel", type="button", variant="soft", color_scheme="gray")),
                        rx.button(rx.cond(EditState.webhook_id == "", "Create", "Save"), type="submit",
                                  loading=EditState.busy == "save", on_click=EditState.will("save")),
                        gap="8px",
                    ),
                    justify="between", gap="8px", wrap="wrap", padding_top="20px",
                ),
                on_submit=EditState.submit, reset_on_submit=False, id=_FORM,
            ),
            max_width="620px",
        ),
        open=EditState.open,
        on_open_change=EditState.set_open,
    )  # fmt: skip


def _with_error(key: str, control: rx.Component) -> rx.Component:
    return rx.box(control, field_error(EditState.errors.get(key, "")), width="100%")


def _private() -> rx.Component:
    return private_network(
        EditState.private_host,
        "Webhooks reach private networks only when an owner allows it, so that nobody can aim them at internal systems.",
        "and save",
        [EditState.will("allow"), _SEND],
        EditState.busy == "save",
    )


def _moved() -> rx.Component:
    return rx.callout(
        "The address leads to another server. What is stored was given for the one before: enter the values of the headers again, or "
        "remove them, and choose the secret anew.",
        icon="key-round", color_scheme="amber", size="1", width="100%", role="status", custom_attrs={"data-testid": "moved"},
    )  # fmt: skip


def _account() -> rx.Component:
    return field(
        "Account",
        rx.select.root(
            rx.select.trigger(aria_label="Account", width="100%"),
            rx.select.content(
                rx.select.item("All accounts", value=ALL_ACCOUNTS),
                rx.foreach(EditState.accounts, lambda account: rx.select.item(account.name, value=account.id)),
                position="popper",
            ),
            value=EditState.account,
            on_change=EditState.choose_account,
        ),
    )


def _events() -> rx.Component:
    def choice(event: EventChoice) -> rx.Component:
        return rx.el.label(
            rx.checkbox(checked=EditState.chosen.contains(event.name), on_change=lambda on: EditState.flip(event.name, on),
                        aria_label=event.title, size="1", margin_top="3px"),
            rx.box(
                rx.flex(rx.text(event.title, size="2", as_="span"), rx.code(event.name, size="1", variant="ghost", color_scheme="gray"),
                        gap="8px", align="baseline", wrap="wrap"),
                rx.text(event.description, size="1", color=theme.TEXT_MUTED, as_="span", class_name="wa-clip-2", title=event.description),
                min_width="0",
            ),
            style={"display": "flex", "gap": "10px", "alignItems": "flex-start", "padding": "6px 10px", "cursor": "pointer"},
        )  # fmt: skip

    return rx.box(
        rx.text("Events", size="2", weight="medium", margin_bottom="4px"),
        rx.box(
            rx.foreach(EditState.choices, choice),
            max_height="190px", overflow_y="auto", position="relative", border=theme.LINE, border_radius="8px",
            role="group", aria_label="Events", padding="4px 0",
        ),
    )  # fmt: skip


def _signing() -> rx.Component:
    return rx.box(
        rx.text("Secret", size="2", weight="medium", margin_bottom="4px"),
        rx.segmented_control.root(
            *[rx.segmented_control.item(label, value=value) for value, label in _SIGNING],
            value=EditState.signing, on_change=EditState.choose_secret, size="1", width="100%",
        ),
        rx.match(
            EditState.signing,
            ("own", rx.input(name="secret", placeholder="8 to 200 characters", type="password", auto_complete="new-password",
                             aria_label="Secret", margin_top="8px", width="100%")),
            ("none", _hint("Receivers cannot tell whether a request comes from this dashboard.")),
            _hint("Made when you save, and shown once."),
        ),
    )  # fmt: skip


def _hint(text: str) -> rx.Component:
    return rx.text(text, size="1", color=theme.TEXT_MUTED, margin_top="6px")


def _headers() -> rx.Component:
    def row(pair: Pair) -> rx.Component:
        return rx.flex(
            rx.input(name="name-" + pair.key, default_value=pair.name, placeholder="Authorization", aria_label="Header name",
                     auto_complete="off",
                     on_change=lambda text: EditState.name_header(pair.key, text).debounce(150), flex="2", min_width="0"),
            rx.input(name="value-" + pair.key, default_value=pair.value, placeholder=rx.cond(EditState.moved, "Enter it again", "Value"),
                     aria_label="Header value", auto_complete="off",
                     on_change=lambda text: EditState.fill_header(pair.key, text).debounce(150), flex="3", min_width="0"),
            rx.icon_button(rx.icon("x", size=14), type="button", variant="ghost", color_scheme="gray", aria_label="Remove header",
                           on_click=EditState.drop_header(pair.key), margin_top="6px"),
            gap="8px", key=pair.key, margin_bottom="6px",
        )  # fmt: skip

    return rx.box(
        rx.flex(
            rx.text("Custom headers", size="2", weight="medium"),
            rx.button(rx.icon("plus", size=14), "Add", type="button", size="1", variant="ghost", on_click=EditState.add_header),
            justify="between", align="center", margin_bottom="6px",
        ),
        rx.foreach(EditState.headers, row),
        rx.cond(EditState.headers.length() > 0, _hint("Values are kept encrypted and are not shown again; •••• keeps what is stored.")),
    )  # fmt: skip


def _result() -> rx.Component:
    color: Any = rx.cond(EditState.test_ok, "jade", "red")
    return rx.callout.root(
        rx.callout.icon(rx.cond(EditState.test_ok, rx.icon("circle-check", size=16), rx.icon("circle-alert", size=16))),
        rx.callout.text(rx.cond(EditState.test_ok, "The test event arrived. ", "The test event failed. "), EditState.test_words),
        rx.cond(EditState.test_answer != "", preformatted(EditState.test_answer, "Answer", style={"maxHeight": "120px"})),
        color_scheme=color, size="1", width="100%", role="status", custom_attrs={"data-testid": "test-result"},
    )  # fmt: skip
