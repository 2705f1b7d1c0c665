"""The dialog that adds or changes a provider (AI-2, AI-9)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.chatbot.edit_state import EditState
from whatsapp_dashboard.ui.chatbot.lines import KindLine
from whatsapp_dashboard.ui.chatbot.rows import WHY_PRIVATE
from whatsapp_dashboard.ui.components import field, text_field
from whatsapp_dashboard.ui.components.combobox import combobox
from whatsapp_dashboard.ui.components.field_error import field_error
from whatsapp_dashboard.ui.components.private_network import private_network

_FORM = "provider-form"
_TYPED: Any = rx.Var(f"Object.fromEntries(new FormData(document.getElementById('{_FORM}')))", _var_type=dict[str, Any])
"""What stands in the form at the moment of an event."""


def edit_dialog() -> rx.Component:
    """First which kind, then its form."""
    kind = EditState.kind
    return rx.dialog.root(
        rx.dialog.content(
            rx.dialog.title(
                rx.cond(EditState.provider_id != "", "Edit ", rx.cond(kind.name == "", "Add provider", "Add ")), kind.title,
                size="4", margin_bottom="4px",
            ),
            rx.dialog.description(
                rx.cond(
                    kind.name == "", "Who shall make the answers?",
                    "The key is stored encrypted and never shown again, only its last four characters.",
                ),
                size="2", color=theme.TEXT_MUTED, margin_bottom="16px",
            ),
            rx.cond(kind.name == "", rx.el.div(rx.foreach(EditState.kinds, _kind), class_name="wa-kinds"), _form()),
            max_width="600px",
        ),
        open=EditState.open,
        on_open_change=EditState.set_open,
    )  # fmt: skip


def _kind(kind: KindLine) -> rx.Component:
    return rx.el.button(
        rx.text(kind.title, size="2", weight="medium"),
        rx.text(kind.note, size="1", color=theme.TEXT_MUTED),
        type="button", class_name="wa-kind", on_click=EditState.choose_kind(kind.name), custom_attrs={"data-kind": kind.name},
    )  # fmt: skip


def _form() -> rx.Component:
    return rx.form(
        rx.vstack(
            rx.cond(EditState.kind.url_needed, _with_error("url", _url())),
            rx.cond(EditState.private_host != "", private_network(
                EditState.private_host, WHY_PRIVATE, "and go on", EditState.allow(_TYPED), EditState.busy != "")),
            _with_error("key", _key()),
            _with_error("model", _model()),
            _with_error("label", text_field("Name", "label", default_value=EditState.values["label"], placeholder=EditState.kind.title,
                                            auto_complete="off", max_length=255)),
            _more(),
            rx.cond(EditState.errors.get("form", "") != "", rx.callout(
                EditState.errors.get("form", ""), icon="circle-alert", color_scheme="red", size="1", width="100%", role="alert")),
            rx.cond((EditState.test.state == "good") | (EditState.test.state == "bad"), _result()),
            spacing="4", width="100%", key=EditState.edition.to(str),
        ),
        rx.flex(
            rx.button(rx.icon("zap", size=14), "Test", type="button", variant="soft", loading=EditState.busy == "test",
                      on_click=EditState.try_draft(_TYPED)),
            rx.flex(
                rx.cond(
                    EditState.provider_id == "",
                    rx.button("Back", type="button", variant="soft", color_scheme="gray", on_click=EditState.choose_kind("")),
                    rx.dialog.close(rx.button("Cancel", type="button", variant="soft", color_scheme="gray")),
                ),
                rx.button(rx.cond(EditState.provider_id == "", "Add", "Save"), type="submit", loading=EditState.busy == "save"),
                gap="8px",
            ),
            justify="between", gap="8px", wrap="wrap", padding_top="20px",
        ),
        on_submit=EditState.submit, reset_on_submit=False, id=_FORM,
    )  # fmt: skip


def _with_error(key: str, control: rx.Component) -> rx.Component:
    return rx.box(control, field_error(EditState.errors.get(key, "")), width="100%")


def _url() -> rx.Component:
    kind = EditState.kind
    return text_field(
        "URL", "url",
        rx.cond(kind.url_needed, "Where the server listens: Ollama http://localhost:11434/v1, LM Studio http://localhost:1234/v1.",
                "Only for a gateway or a regional address of the provider."),
        default_value=EditState.values["url"],
        placeholder=rx.cond(kind.default_url != "", kind.default_url, "http://localhost:11434/v1"),
        auto_complete="off", input_mode="url", on_blur=EditState.typed(_TYPED),
    )  # fmt: skip


def _key() -> rx.Component:
    kind = EditState.kind
    return rx.box(
        text_field(
            rx.cond(kind.needs_key, "Key", "Key, if the server wants one"), "key",
            type="password", auto_complete="new-password",
            placeholder=rx.cond(EditState.moved, "", EditState.stored_key), on_blur=EditState.typed(_TYPED),
        ),
        rx.flex(
            rx.cond(kind.key_help_url != "", rx.link("Where to get a key", href=kind.key_help_url, is_external=True, size="1")),
            rx.cond(EditState.stored_key != "", rx.cond(
                EditState.moved,
                rx.cond(EditState.errors.get("key", "") == "", rx.text(
                    "The stored key was given for another address: enter the key again.", size="1", color="var(--amber-11)",
                    role="status", custom_attrs={"data-testid": "key-again"})),
                rx.text("Leave it empty to keep the stored one.", size="1", color=theme.TEXT_MUTED),
            )),
            rx.cond((EditState.stored_key != "") & ~kind.needs_key, rx.el.label(
                rx.checkbox(name="remove_key", size="1"), rx.text("Remove the stored key", size="1", as_="span"),
                style={"display": "flex", "gap": "6px", "alignItems": "center", "cursor": "pointer"},
            )),
            gap="4px 12px", wrap="wrap", margin_top="4px",
        ),
    )  # fmt: skip


def _model() -> rx.Component:
    kind = EditState.kind
    return rx.box(
        rx.flex(
            rx.text(kind.model_word, size="2", weight="medium", as_="span"),
            rx.cond(kind.lists_models, rx.button(
                rx.icon("refresh-cw", size=12), "Load models", type="button", size="1", variant="ghost", loading=EditState.busy == "models",
                on_click=EditState.load_models(_TYPED),
            )),
            justify="between", align="center", margin_bottom="4px",
        ),
        combobox("model", EditState.models, initial=EditState.values["model"], label=kind.model_word, placeholder=kind.default_model),
        rx.text(
            rx.cond(
                EditState.busy == "models", "Asking the provider for its models…",
                rx.cond(EditState.models_note != "", EditState.models_note,
                        rx.cond(kind.lists_models, "The list comes from the provider; any other name may be typed.", "")),
            ),
            size="1", color=theme.TEXT_MUTED, margin_top="4px", role="status", overflow_wrap="anywhere",
            custom_attrs={"data-testid": "models-note"},
        ),
    )  # fmt: skip


def _more() -> rx.Component:
    def takes(name: str, label: str) -> rx.Component:
        return field(label, rx.select.root(
            rx.select.trigger(aria_label=label, width="100%"),
            rx.select.content(rx.select.item("As the model is known", value="auto"), rx.select.item("Yes", value="yes"),
                              rx.select.item("No", value="no"), position="popper"),
            name=name, default_value=EditState.values[name],
        ))  # fmt: skip

    return rx.el.details(
        rx.el.summary(rx.icon("chevron-right", size=14, class_name="wa-chevron"), rx.text("More", size="2"), class_name="wa-summary"),
        rx.cond(EditState.kind.url_editable & ~EditState.kind.url_needed, rx.box(_with_error("url", _url()), padding_top="8px")),
        rx.grid(
            takes("images", "Takes pictures"), takes("audio", "Takes voice messages"),
            _with_error("concurrency", text_field(
                "Requests at once", "concurrency", "More wait for their turn: 1 to 1,000.", default_value=EditState.values["concurrency"],
                input_mode="numeric", auto_complete="off",
            )),
            columns=rx.breakpoints(initial="1", sm="2"), gap="14px", padding_top="14px",
        ),
        open=(EditState.errors.get("concurrency", "") + EditState.errors.get("url", "") != "") | (EditState.values["url"] != ""),
        style={"width": "100%"},
    )  # fmt: skip


def _result() -> rx.Component:
    good = EditState.test.state == "good"
    return rx.callout.root(
        rx.callout.icon(rx.cond(good, rx.icon("circle-check", size=16), rx.icon("circle-alert", size=16))),
        rx.callout.text(EditState.test.words, overflow_wrap="anywhere"),
        rx.cond(EditState.test.answer != "", rx.text(EditState.test.answer, size="2", overflow_wrap="anywhere", dir="auto")),
        color_scheme=rx.cond(good, "jade", "red"), size="1", width="100%", role="status", custom_attrs={"data-testid": "draft-result"},
    )  # fmt: skip
