"""The Chatbot page: the AI of one account (AI-1 to AI-9)."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.chatbot.edit_dialog import edit_dialog
from whatsapp_dashboard.ui.chatbot.providers_state import ProvidersState
from whatsapp_dashboard.ui.chatbot.rows import providers
from whatsapp_dashboard.ui.chatbot.settings_view import leave_dialog, settings_form
from whatsapp_dashboard.ui.chatbot.state import ChatbotState
from whatsapp_dashboard.ui.chatbot.tab_state import TABS, TabState
from whatsapp_dashboard.ui.chatbot.trying_view import trying
from whatsapp_dashboard.ui.components import confirm_dialog, dot, empty_state, error_state, page_header, skeleton_rows
from whatsapp_dashboard.ui.components.countdown import countdown
from whatsapp_dashboard.ui.navigation import Page
from whatsapp_dashboard.ui.session import CAN_WORK

_TONES: dict[str, theme.Tone] = {
    "off": "neutral",
    "no_provider": "bad",
    "limit": "warn",
    "closed": "busy",
    "failing": "bad",
    "answers": "good",
}


def chatbot() -> rx.Component:
    """Whether and how the AI of an account answers."""
    return rx.box(
        page_header(
            "Chatbot", "Answers customers by AI, until a person takes over.",
            rx.link(rx.button(rx.icon("activity", size=14), "AI usage", variant="soft"), href="/ai-usage"),
        ),
        rx.cond(
            ChatbotState.loaded,
            rx.cond(
                ChatbotState.failed != "",
                error_state("The chatbot could not be read", ChatbotState.failed,
                            rx.link(rx.button("Go to accounts", variant="soft"), href="/accounts")),
                rx.cond(ChatbotState.account_name == "", _no_account(), _loaded()),
            ),
            rx.vstack(skeleton_rows(1), skeleton_rows(4), spacing="4", width="100%"),
        ),
        edit_dialog(), leave_dialog(), _delete(),
        rx.script(src="/chatbot.js"),
        id="chatbot",
    )  # fmt: skip


def _no_account() -> rx.Component:
    return empty_state(
        "smartphone", "No account yet", "A chatbot answers for an account. Link one first.",
        rx.link(rx.button("Go to accounts"), href="/accounts"),
    )  # fmt: skip


def _loaded() -> rx.Component:
    return rx.fragment(
        _switch(),
        rx.el.div(
            rx.el.div(
                rx.el.div(*[_tab(name, *labels) for name, labels in TABS.items()], class_name="wa-tabs", role="tablist",
                          aria_label="Parts of the chatbot"),
                rx.el.div(providers(), class_name="wa-part wa-part-providers"),
                settings_form(),
                style={"minWidth": "0"},
            ),
            rx.el.div(trying(), class_name="wa-part wa-part-try"),
            class_name="wa-chatbot", custom_attrs={"data-tab": TabState.tab},
        ),
    )  # fmt: skip


def _switch() -> rx.Component:
    """The account, the switch, and what the bot does now."""
    here = ChatbotState.situation
    picker = rx.select.root(
        rx.select.trigger(aria_label="Account", max_width="260px"),
        rx.select.content(rx.foreach(ChatbotState.accounts, lambda account: rx.select.item(account.name, value=account.id)),
                          position="popper", max_width="420px"),
        value=ChatbotState.account_id,
        on_change=lambda account: ChatbotState.choose_account(account, rx.Var("(window.waChatbot?.dirty() ?? false)", _var_type=bool)),
    )  # fmt: skip
    name = rx.text(ChatbotState.account_name, size="3", weight="medium", max_width="260px", title=ChatbotState.account_name, **theme.CLIP)
    return rx.flex(
        rx.flex(
            rx.switch(checked=ChatbotState.enabled, on_change=ChatbotState.switch, size="3", disabled=~CAN_WORK | ChatbotState.switching,
                      aria_label="The bot answers", custom_attrs={"data-testid": "bot-switch"}),
            rx.box(
                rx.flex(
                    rx.match(here.key, *[(key, _state(here.label, tone)) for key, tone in _TONES.items()], rx.fragment()),
                    rx.cond(here.until != "", rx.text(
                        countdown(here.until, ChatbotState.now, before="in ", done="now"), size="1", color=theme.TEXT_MUTED)),
                    gap="8px", align="center", wrap="wrap",
                ),
                rx.text(here.text, size="2", color=theme.TEXT_MUTED, margin_top="2px"),
                rx.cond(ChatbotState.offline, rx.text("The account is not connected: nothing reaches the bot.", size="2",
                                                      color="var(--amber-11)")),
                min_width="0", role="status", custom_attrs={"data-testid": "situation", "data-situation": here.key},
            ),
            gap="14px", align="center", min_width="0", flex="1 1 320px",
        ),
        rx.flex(
            rx.cond(ChatbotState.accounts.length() > 1, picker, name),
            rx.text("Today: ", ChatbotState.today, size="1", color=theme.TEXT_MUTED, white_space="nowrap"),
            direction="column", gap="4px", align=rx.breakpoints(initial="start", sm="end"), min_width="0",
        ),
        justify="between", align="center", gap="14px", wrap="wrap", padding="14px 16px", margin_bottom="16px", **theme.CARD,
    )  # fmt: skip


def _state(label: rx.Var[str], tone: theme.Tone) -> rx.Component:
    return rx.badge(dot(tone), label, color_scheme=theme.TONE_COLORS[tone], variant="soft", radius="full", size="2")


def _tab(name: str, label: str, short: str) -> rx.Component:
    active = TabState.tab == name
    words = label if label == short else rx.fragment(
        rx.el.span(label, class_name="wa-only-wide"), rx.el.span(short, class_name="wa-only-small"))
    return rx.el.button(
        words, type="button", role="tab", aria_selected=active, on_click=TabState.choose(name),
        class_name=rx.cond(active, f"wa-tab wa-tab-on wa-tab-{name}", f"wa-tab wa-tab-{name}"),
    )  # fmt: skip


def _delete() -> rx.Component:
    return confirm_dialog(
        open_=ProvidersState.asking, on_open_change=ProvidersState.set_asking, title=ProvidersState.title, text=ProvidersState.text,
        confirm="Delete provider", on_confirm=ProvidersState.delete, busy=ProvidersState.busy,
    )  # fmt: skip


PAGE = Page(
    route="/chatbot",
    title="Chatbot",
    icon="bot",
    content=chatbot,
    on_load=[ChatbotState.open_page],
    section="Automation",
)
