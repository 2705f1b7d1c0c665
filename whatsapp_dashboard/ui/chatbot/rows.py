"""The providers as cards in the order in which they are asked (AI-2, AI-3, AI-9)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.chatbot.edit_state import EditState
from whatsapp_dashboard.ui.chatbot.lines import ProviderLine
from whatsapp_dashboard.ui.chatbot.providers_state import ProvidersState
from whatsapp_dashboard.ui.chatbot.state import ChatbotState
from whatsapp_dashboard.ui.components import dot, empty_state, relative_time
from whatsapp_dashboard.ui.components.countdown import countdown
from whatsapp_dashboard.ui.components.private_network import private_network
from whatsapp_dashboard.ui.session import CAN_WORK

STATES: dict[str, tuple[str, theme.Tone]] = {
    "works": ("Works", "good"),
    "new": ("Not asked yet", "neutral"),
    "failing": ("Failed last time", "warn"),
    "resting": ("Left alone", "bad"),
    "off": ("Off", "neutral"),
}
WHY_PRIVATE = "Providers on private networks are asked only when an owner allows it, so that nobody can aim the bot at internal systems."


def providers() -> rx.Component:
    """The list, or how to begin."""
    return rx.box(
        rx.cond(
            ProvidersState.lines.length() == 0,
            empty_state(
                "bot", "No provider yet",
                "A provider makes the answers: a service with a key of yours, or a server of your own. Add two, and the second one answers "
                "when the first one fails.",
                rx.cond(CAN_WORK, rx.button(rx.icon("plus", size=16), "Add provider", on_click=EditState.create)),
            ),
            rx.fragment(
                rx.flex(
                    rx.text("Asked from top to bottom: the next one answers when one fails, is too slow or at its limit.", size="2",
                            color=theme.TEXT_MUTED),
                    rx.cond(CAN_WORK, rx.button(rx.icon("plus", size=14), "Add provider", variant="soft", flex_shrink="0",
                                                on_click=EditState.create)),
                    justify="between", align="center", gap="12px", margin_bottom="10px",
                ),
                rx.el.ol(rx.foreach(ProvidersState.lines, _card), class_name="wa-cards", aria_label="Providers"),
            ),
        ),
        rx.el.span(ProvidersState.said, role="status", class_name="wa-visually-hidden"),
        # Pressed by assets/chatbot.js when a card was dropped.
        rx.el.button(type="button", hidden=True, custom_attrs={"data-auto": "drop"},
                     on_click=ProvidersState.drop(rx.Var("window.waChatbot.moved"), rx.Var("window.waChatbot.to"))),
    )  # fmt: skip


def _card(line: ProviderLine, number: rx.Var[int]) -> rx.Component:
    return rx.el.li(
        rx.cond(
            CAN_WORK & ~(line.first & line.last),
            rx.el.span(rx.icon("grip-vertical", size=16), class_name="wa-handle", title="Drag to another place", aria_hidden="true",
                       custom_attrs={"data-drag": "yes"}),
            rx.el.span(number + 1, class_name="wa-place"),
        ),
        rx.el.div(_what(line, number), class_name="wa-provider-what"),
        rx.el.div(rx.cond(CAN_WORK, _buttons(line)), class_name="wa-provider-end"),
        rx.el.div(_health(line), _test(line), class_name="wa-provider-more"),
        key=line.id, class_name=rx.cond(line.enabled, "wa-provider", "wa-provider wa-off"),
        custom_attrs={"data-provider": line.id, "data-state": line.state},
    )  # fmt: skip


def _what(line: ProviderLine, number: rx.Var[int]) -> rx.Component:
    def one(label: str, tone: theme.Tone) -> rx.Component:
        return rx.badge(dot(tone), label, color_scheme=theme.TONE_COLORS[tone], variant="soft", radius="full", size="1")

    return rx.fragment(
        rx.flex(
            rx.text(line.title, size="2", weight="medium", overflow_wrap="anywhere"),
            rx.match(line.state, *[(key, one(*look)) for key, look in STATES.items()], rx.fragment()),
            gap="8px", align="center", wrap="wrap",
        ),
        rx.text(
            rx.cond(line.kind_title != "", line.kind_title + " · ", ""), line.model,
            size="1", color=theme.TEXT_MUTED, overflow_wrap="anywhere",
        ),
        rx.flex(
            rx.text(rx.icon("key-round", size=11, style={"display": "inline", "verticalAlign": "-1px"}), " ", line.key, size="1",
                    color=theme.TEXT_MUTED, white_space="nowrap", custom_attrs={"data-testid": "key"}),
            rx.cond(line.url != "", rx.text(line.url, size="1", color=theme.TEXT_MUTED, title=line.url, max_width="100%", **theme.CLIP)),
            rx.cond(line.takes != "", rx.text(line.takes, size="1", color=theme.TEXT_MUTED)),
            gap="2px 12px", wrap="wrap", min_width="0",
        ),
    )  # fmt: skip


def _buttons(line: ProviderLine) -> rx.Component:
    def move(icon: str, way: str, by: int, edge: Any, words: str) -> rx.Component:
        return rx.icon_button(
            rx.icon(icon, size=14), size="1", variant="ghost", color_scheme="gray", margin="0 3px", disabled=edge,
            on_click=ProvidersState.move(line.id, by), aria_label=f"{words} " + line.title, title=words, custom_attrs={"data-move": way},
        )  # fmt: skip

    def item(icon: str, label: str, event: Any, **props: Any) -> rx.Component:
        return rx.menu.item(rx.icon(icon, size=14), label, on_select=event, **props)

    return rx.fragment(
        rx.cond(~(line.first & line.last), rx.fragment(
            move("arrow-up", "up", -1, line.first, "Ask earlier:"),
            move("arrow-down", "down", 1, line.last, "Ask later:"),
        )),
        rx.button(rx.icon("zap", size=13), "Test", size="1", variant="soft", loading=line.test.state == "busy",
                  on_click=ProvidersState.test(line.id), aria_label="Test " + line.title),
        rx.menu.root(
            rx.menu.trigger(rx.icon_button(rx.icon("ellipsis", size=16), variant="ghost", color_scheme="gray", size="1",
                                           aria_label="Actions for " + line.title, margin="0 3px")),
            rx.menu.content(
                item("pencil", "Edit", EditState.edit(line.id)),
                rx.cond(line.enabled, item("power-off", "Switch off", ProvidersState.switch(line.id, False)),
                        item("power", "Switch on", ProvidersState.switch(line.id, True))),
                rx.menu.separator(),
                item("trash-2", "Delete", ProvidersState.ask_delete(line.id), color_scheme="red"),
                width="160px",
            ),
        ),
    )  # fmt: skip


def _health(line: ProviderLine) -> rx.Component:
    return rx.fragment(
        rx.cond(line.error != "", rx.flex(
            rx.icon("circle-alert", size=14, color="var(--red-10)", flex_shrink="0", margin_top="2px"),
            rx.text(
                line.error,
                rx.cond(line.resting_until != "", rx.text(
                    "Asked again ", countdown(line.resting_until, ChatbotState.now, before="in ", done="with the next message"), ".",
                    as_="span", display="block", color=theme.TEXT_MUTED,
                )),
                size="1", color="var(--red-11)", overflow_wrap="anywhere",
            ),
            gap="6px", margin_top="4px", custom_attrs={"data-testid": "last-error"},
        )),
        rx.cond((line.state == "works") & (line.last_ok_at != ""), rx.text(
            "Last answer ", rx.el.span(relative_time(line.last_ok_at)), size="1", color=theme.TEXT_MUTED)),
    )  # fmt: skip


def _test(line: ProviderLine) -> rx.Component:
    good = line.test.state == "good"
    return rx.cond(
        (line.test.state == "good") | (line.test.state == "bad"),
        rx.fragment(
            rx.callout.root(
                rx.callout.icon(rx.cond(good, rx.icon("circle-check", size=16), rx.icon("circle-alert", size=16))),
                rx.callout.text(line.test.words, overflow_wrap="anywhere"),
                rx.cond(line.test.answer != "", rx.text(line.test.answer, size="2", overflow_wrap="anywhere", dir="auto")),
                color_scheme=rx.cond(good, "jade", "red"), size="1", width="100%", role="status", margin_top="4px",
                custom_attrs={"data-testid": "test-result", "data-good": rx.cond(good, "yes", "no")},
            ),
            rx.cond(line.test.host != "", private_network(
                line.test.host, WHY_PRIVATE, "and test again", ProvidersState.allow(line.id), line.test.state == "busy")),
        ),
    )  # fmt: skip
