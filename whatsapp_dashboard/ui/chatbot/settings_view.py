"""Prompt, times and limits, and what the bot may use: one form over three parts of the page (AI-1, AI-4, AI-5)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.domain.ai_settings import DEFAULT_FAILURE, DEFAULT_MEDIA, DEFAULT_PROMPT, PROMPT_VARIABLES
from whatsapp_dashboard.domain.time_zones import time_zones
from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.chatbot.settings_state import SettingsState
from whatsapp_dashboard.ui.chatbot.state import ChatbotState
from whatsapp_dashboard.ui.components import card, confirm_dialog, field, switch_field, text_area
from whatsapp_dashboard.ui.components.combobox import combobox
from whatsapp_dashboard.ui.components.field_error import field_error
from whatsapp_dashboard.ui.components.week import day_line
from whatsapp_dashboard.ui.session import CAN_WORK
from whatsapp_dashboard.ui.times import ASK_ZONE

_ZONES = [
    {"value": zone, "label": "", "note": ""}
    for zone in sorted(time_zones())
    if zone == "UTC" or ("/" in zone and not zone.startswith(("Etc/", "SystemV/", "US/")))
]
_FAVOURITE: Any = rx.Var(f"({{value: {ASK_ZONE}, note: 'the time zone of this browser'}})", _var_type=dict[str, str])


def settings_form() -> rx.Component:
    """All three parts stay mounted, so saving takes all of them."""
    return rx.form(
        rx.el.fieldset(
            rx.el.div(_prompt(), class_name="wa-part wa-part-prompt"),
            rx.el.div(_when(), class_name="wa-part wa-part-when"),
            rx.el.div(_uses(), class_name="wa-part wa-part-uses"),
            disabled=~CAN_WORK, class_name="wa-fields", key=SettingsState.edition.to(str),
        ),
        rx.cond(SettingsState.errors.get("form", "") != "", rx.callout(
            SettingsState.errors.get("form", ""), icon="circle-alert", color_scheme="red", size="1", role="alert", margin_top="12px")),
        _save_bar(),
        on_submit=SettingsState.submit, reset_on_submit=False, id="ai-settings",
        custom_attrs={"data-edition": SettingsState.edition.to(str)},
    )  # fmt: skip


def leave_dialog() -> rx.Component:
    """Asked before changes that are not saved are lost; assets/chatbot.js presses the button."""
    return rx.fragment(
        rx.el.button(type="button", hidden=True, custom_attrs={"data-auto": "leave"},
                     on_click=SettingsState.ask_leave(rx.Var("window.waChatbot.target"))),
        confirm_dialog(
            open_=SettingsState.leaving, on_open_change=SettingsState.set_leaving, title="Leave without saving?",
            text="What you changed on this page is not saved and would be lost.", confirm="Leave", on_confirm=SettingsState.leave,
        ),
    )  # fmt: skip


def _save_bar() -> rx.Component:
    return rx.el.div(
        rx.icon("circle-dot", size=14, color="var(--amber-10)"),
        rx.text("Not saved yet.", size="2", weight="medium"),
        rx.cond(SettingsState.newer, rx.text(
            "Somebody else changed the settings meanwhile; saving keeps what you did not touch as they left it.", size="1",
            color=theme.TEXT_MUTED)),
        rx.spacer(),
        rx.button("Discard", type="button", variant="soft", color_scheme="gray", on_click=SettingsState.discard),
        rx.button("Save", type="submit", loading=SettingsState.busy),
        # Pressed by assets/chatbot.js while nothing is unsaved: the inputs follow what others saved.
        rx.cond(SettingsState.newer, rx.el.button(type="button", hidden=True, custom_attrs={"data-auto": "newest"},
                                                  on_click=SettingsState.discard)),
        class_name="wa-savebar", role="region", aria_label="Changes that are not saved",
    )  # fmt: skip


def _prompt() -> rx.Component:
    def chip(name: str, meaning: str) -> rx.Component:
        return rx.el.button(f"{{{{{name}}}}}", type="button", class_name="wa-variable", title=f"Insert {meaning}",
                            custom_attrs={"data-insert": f"{{{{{name}}}}}"})  # fmt: skip

    return card(
        rx.vstack(
            rx.box(
                rx.flex(
                    rx.el.label(rx.text("What the bot is told", size="2", weight="medium", as_="span"), html_for="ai-prompt"),
                    rx.el.button("Restore the default", type="button", class_name="wa-text-button",
                                 custom_attrs={"data-restore": DEFAULT_PROMPT}),
                    justify="between", align="baseline", margin_bottom="4px",
                ),
                rx.text_area(name="prompt", default_value=SettingsState.values["prompt"], rows="10", size="2", width="100%",
                             max_length=20_000, custom_attrs={"id": "ai-prompt", "dir": "auto"}),
                rx.flex(
                    rx.text("Who it is, what it knows, how it speaks. The knowledge base is added by itself.", size="1",
                            color=theme.TEXT_MUTED),
                    rx.text(rx.el.span(custom_attrs={"data-shows": "prompt", "data-count": "yes"}), " of 20,000", class_name="wa-count",
                            white_space="nowrap"),
                    justify="between", gap="12px", margin_top="4px",
                ),
                field_error(SettingsState.errors.get("prompt", "")),
                width="100%",
            ),
            rx.box(
                rx.text("Variables, filled in for each answer", size="2", weight="medium", margin_bottom="6px"),
                rx.flex(*[chip(name, meaning) for name, meaning in PROMPT_VARIABLES.items()], gap="6px", wrap="wrap"),
            ),
            rx.box(
                rx.flex(
                    rx.el.label(rx.text("Temperature", size="2", weight="medium", as_="span"), html_for="ai-temperature"),
                    rx.el.output(custom_attrs={"data-shows": "temperature"}, class_name="wa-count"),
                    justify="between",
                ),
                rx.el.input(type="range", name="temperature", min="0", max="1", step="0.1", class_name="wa-range",
                            default_value=SettingsState.values["temperature"], custom_attrs={"id": "ai-temperature"}),
                rx.flex(rx.text("exact", size="1", color=theme.TEXT_MUTED), rx.text("inventive", size="1", color=theme.TEXT_MUTED),
                        justify="between"),
                field_error(SettingsState.errors.get("temperature", "")),
                width="100%", max_width="420px",
            ),
            rx.grid(
                _number("max_tokens", "Longest answer (tokens)", "200 are about 150 words."),
                _number("history_limit", "Earlier messages it sees", "0 to 100 of the conversation."),
                columns=rx.breakpoints(initial="1", sm="2"), gap="16px", width="100%",
            ),
            spacing="5", width="100%",
        ),
    )  # fmt: skip


def _when() -> rx.Component:
    return rx.vstack(
        card(
            rx.grid(
                _number("wait_seconds", "Delay (seconds)", "What a contact writes within it is answered together."),
                _number("longest_wait_seconds", "Longest wait (seconds)", "However much more the contact writes."),
                _number("provider_seconds", "Time for a provider (seconds)", "Then the next one is asked."),
                columns=rx.breakpoints(initial="1", sm="3"), gap="16px", width="100%",
            ),
            title="Pace",
        ),
        card(
            rx.box(
                switch_field("Answering hours", "Off: the bot answers at any time.", name="hours",
                             default_checked=SettingsState.switches["hours"], aria_label="Answering hours"),
                rx.box(
                    rx.foreach(SettingsState.days, lambda day: day_line(day, SettingsState.errors)),
                    rx.flex(
                        rx.text("A day that ends before it begins goes on after midnight.", size="1", color=theme.TEXT_MUTED),
                        rx.el.button("Monday's hours for all days", type="button", class_name="wa-text-button",
                                     custom_attrs={"data-copy-hours": "yes"}),
                        justify="between", gap="12px", wrap="wrap", margin_top="8px",
                    ),
                    class_name="wa-hours-days", margin_top="14px",
                ),
                rx.box(
                    field("Time zone", combobox("timezone", _ZONES, initial=SettingsState.zone, label="Time zone", favourite=_FAVOURITE),
                          "Of the answering hours, the daily limits, and the date and time in the prompt."),
                    field_error(SettingsState.errors.get("timezone", "")),
                    margin_top="16px", max_width="420px",
                ),
                class_name="wa-hours",
            ),
            title="Hours",
        ),
        card(
            rx.grid(
                _number("daily_answers", "Answers a day", "0: no limit.", ChatbotState.answers_today.to(str) + " today"),
                _number("daily_cost_usd", "US dollars a day", "As far as costs are known. 0: no limit.",
                        ChatbotState.cost_today + " today"),
                columns=rx.breakpoints(initial="1", sm="2"), gap="16px", width="100%",
            ),
            title="Daily limits",
        ),
        spacing="4", width="100%",
    )  # fmt: skip


def _uses() -> rx.Component:
    return rx.vstack(
        card(
            rx.vstack(
                _switch("use_knowledge", "Knowledge base", "The passages that fit are given to the model and shown beside the answer."),
                _number("passages", "Passages at most", "1 to 10."),
                rx.link("Go to the knowledge base", href="/knowledge", size="2"),
                spacing="4", width="100%",
            ),
            title="Knowledge",
        ),
        card(
            rx.vstack(
                _switch("use_images", "Pictures", "Given to models that can see."),
                _switch("use_audio", "Voice messages", "Given to models that can listen."),
                _text("media_text", "When no provider can take the file", "Sent instead of an answer. Empty: silence.", DEFAULT_MEDIA),
                spacing="4", width="100%",
            ),
            title="Pictures and voice",
        ),
        card(
            _text("failure_text", "When no provider answers", "Sent at most once in half an hour to a contact. Empty: silence.",
                  DEFAULT_FAILURE),
            title="Failure",
        ),
        spacing="4", width="100%",
    )  # fmt: skip


def _number(name: str, label: str, hint: str, now: Any = None) -> rx.Component:
    control = rx.input(name=name, default_value=SettingsState.values[name], input_mode="decimal", size="2", max_length=9, max_width="160px",
                       auto_complete="off")  # fmt: skip
    words = hint if now is None else rx.Var.create(f"{hint} ") + now + "."
    return rx.box(field(label, control, words), field_error(SettingsState.errors.get(name, "")), width="100%")


def _text(name: str, label: str, hint: str, usual: str) -> rx.Component:
    area = text_area(label, name, hint, default_value=SettingsState.values[name], rows="3", placeholder=usual, max_length=4_096)
    return rx.box(area, field_error(SettingsState.errors.get(name, "")), width="100%")


def _switch(name: str, label: str, hint: str) -> rx.Component:
    return switch_field(label, hint, name=name, default_checked=SettingsState.switches[name], aria_label=label)
