"""The first page: what needs attention, the figures of a day, what happened last (OBS-1)."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.accounts.create_dialog import create_dialog
from whatsapp_dashboard.ui.accounts.create_state import CreateState
from whatsapp_dashboard.ui.accounts.link_dialog import link_dialog
from whatsapp_dashboard.ui.components import (
    account_status,
    avatar,
    badge,
    card,
    empty_state,
    page_header,
    relative_time,
    skeleton_cards,
    skeleton_rows,
    stat,
)
from whatsapp_dashboard.ui.home.state import Attention, Happened, HomeState, Waiting
from whatsapp_dashboard.ui.navigation import Page
from whatsapp_dashboard.ui.session import CAN_WORK

_ICONS = {
    "ready": ("plug-zap", "var(--jade-11)"), "initializing": ("loader", "var(--blue-11)"), "qr_ready": ("qr-code", "var(--amber-11)"),
    "disconnected": ("unplug", "var(--gray-11)"), "auth_failed": ("log-out", "var(--red-11)"), "error": ("triangle-alert", "var(--red-11)"),
    "restricted": ("shield-alert", "var(--orange-11)"), "created": ("plus", "var(--gray-11)"), "deleted": ("trash-2", "var(--gray-11)"),
    "call": ("phone-incoming", "var(--blue-11)"), "failing": ("webhook", "var(--red-11)"), "recovered": ("webhook", "var(--jade-11)"),
    "stalled": ("webhook", "var(--orange-11)"),
    "ai_limit": ("bot", "var(--orange-11)"),
    "credits": ("coins", "var(--red-11)"),
}  # fmt: skip

WAITING = "/inbox?show=waiting"


def home() -> rx.Component:
    """Everything in one look."""
    return rx.box(
        page_header("Home", "Your WhatsApp accounts at a glance."),
        rx.cond(
            HomeState.loaded,
            rx.cond(HomeState.accounts == 0, _begin(), _overview()),
            rx.vstack(skeleton_cards(4), skeleton_rows(4), spacing="4", width="100%"),
        ),
        create_dialog(),
        link_dialog(),
    )


def _begin() -> rx.Component:
    return empty_state(
        "smartphone",
        "Link your first account",
        "Create an account and scan its QR code with the phone. Its conversations then appear in the inbox.",
        rx.cond(CAN_WORK, rx.button(rx.icon("plus", size=16), "New account", on_click=CreateState.start)),
    )


def _overview() -> rx.Component:
    return rx.vstack(
        rx.grid(
            stat("Accounts connected", HomeState.ready.to(str) + " of " + HomeState.accounts.to(str), "smartphone",
                 rx.cond(HomeState.not_ready > 0, HomeState.not_ready.to(str) + " not ready", "all ready")),
            stat("Messages in 24 h", HomeState.messages_24h, "messages-square", "in and out, all accounts"),
            rx.link(
                stat("Waiting for a person", HomeState.waiting_total, "hourglass", "nobody has answered"),
                href=WAITING, underline="none", color=theme.TEXT, class_name="wa-stat-link",
            ),
            stat("Failed sends in 24 h", HomeState.failed_24h.to(str), "circle-alert",
                 rx.cond(HomeState.queued > 0, HomeState.queued.to(str) + " still queued", "nothing queued")),
            rx.cond(HomeState.webhooks > 0, stat(
                "Active webhooks", HomeState.webhooks_active.to(str) + " of " + HomeState.webhooks.to(str), "webhook",
                rx.match(
                    HomeState.dead_letters, (0, "no dead letters"), (1, "1 dead letter"), HomeState.dead_letters.to(str) + " dead letters"
                ),
            )),
            columns=rx.breakpoints(initial="2", md=rx.cond(HomeState.webhooks > 0, "5", "4")), gap="12px", width="100%",
        ),
        rx.grid(_attention(), _waiting(), columns=rx.breakpoints(initial="1", md="2"), gap="16px", width="100%", align="start"),
        _recent(),
        spacing="4", width="100%",
    )  # fmt: skip


def _attention() -> rx.Component:
    return card(
        rx.cond(
            HomeState.attention.length() == 0,
            rx.cond(
                HomeState.webhooks > 0,
                _calm("circle-check", "All accounts are connected, no webhook fails."),
                _calm("circle-check", "All accounts are connected."),
            ),
            rx.fragment(_list(rx.foreach(HomeState.attention, _account_in_need)), _further()),
        ),
        title="Needs attention",
        actions=[_see_all("Accounts", "/accounts")],
    )


def _further() -> rx.Component:
    more = HomeState.in_need - HomeState.attention.length()
    return rx.cond(more > 0, rx.link("and " + more.to(str) + " more", href="/accounts", size="2"))


def _waiting() -> rx.Component:
    return card(
        rx.cond(
            HomeState.waiting.length() == 0,
            _calm("inbox", "Nobody is waiting for an answer."),
            _list(rx.foreach(HomeState.waiting, _conversation)),
        ),
        title="Waiting for a person",
        actions=[_see_all("All who wait", WAITING)],
    )


def _recent() -> rx.Component:
    return card(
        rx.cond(
            HomeState.happened.length() == 0,
            _calm("history", "Nothing has happened yet."),
            _list(rx.foreach(HomeState.happened, _event)),
        ),
        title="Recent events",
        actions=[_see_all("Message log", "/messages")],
    )


def _list(items: rx.Component) -> rx.Component:
    return rx.el.ul(items, style={"listStyle": "none", "margin": "0", "padding": "0"})


def _calm(icon: str, text: str) -> rx.Component:
    return rx.hstack(rx.icon(icon, size=16, color="var(--gray-9)"), rx.text(text, size="2", color=theme.TEXT_MUTED), align="center")


def _see_all(label: str, href: str) -> rx.Component:
    return rx.link(rx.hstack(label, rx.icon("arrow-right", size=14), align="center", spacing="1"), href=href, size="2")


def _line(icon: rx.Component, title: rx.Var[str] | str, text: rx.Var[str] | str, end: rx.Component) -> rx.Component:
    return rx.hstack(
        icon,
        rx.vstack(
            rx.text(title, size="2", weight="medium", title=title, max_width="100%", **theme.CLIP),
            rx.text(text, size="1", color=theme.TEXT_MUTED, title=text, max_width="100%", **theme.CLIP),
            spacing="0",
            align="start",
            min_width="0",
            flex="1",
        ),
        end,
        align="center",
        spacing="3",
        width="100%",
        padding="7px 0",
    )


def _account_in_need(item: Attention) -> rx.Component:
    tag = rx.match(
        item.status,
        ("restricted", badge("Restricted", "warn")),
        ("aside", badge("Set aside", "warn")),
        ("in_doubt", badge("In doubt", "warn")),
        ("stalled", badge("Webhook stalled", "bad")),
        ("failing", badge("Webhook failing", "bad")),
        ("ai_no_provider", badge("No AI provider", "bad")),
        ("ai_failing", badge("AI fails", "bad")),
        ("ai_limit", badge("AI limit", "warn")),
        ("handed_over", badge("Bot stopped", "warn")),
        ("credits", badge("No credits", "bad")),
        ("credits_low", badge("Low credits", "warn")),
        ("media_held", badge("Look at once", "bad")),
        account_status(item.status, item.text),
    )
    icon = rx.match(
        item.status,
        ("in_doubt", avatar("?")),
        ("aside", _sign("archive")),
        ("handed_over", _sign("bot")),
        ("credits", _sign("coins")),
        ("credits_low", _sign("coins")),
        avatar(item.title),
    )
    when = rx.cond(item.since != "", _ago(item.since))
    return rx.el.li(
        rx.link(
            _line(icon, item.title, item.text, rx.vstack(tag, when, align="end", spacing="0", flex_shrink="0")),
            href=item.href,
            underline="none",
            color=theme.TEXT,
        ),
    )


def _sign(icon: str) -> rx.Component:
    return rx.center(
        rx.icon(icon, size=16, color="var(--gray-11)"), width="30px", height="30px", border_radius="50%", background="var(--gray-a3)",
        flex_shrink="0",
    )  # fmt: skip


def _conversation(item: Waiting) -> rx.Component:
    unread = rx.cond(item.unread > 0, rx.badge(item.unread, radius="full", variant="solid"))
    end = rx.vstack(unread, _ago(item.since), align="end", spacing="0", flex_shrink="0")
    return rx.el.li(
        rx.link(
            _line(avatar(item.contact, theme.ACCENT), item.contact, item.account + " · " + item.preview, end),
            href=item.href,
            underline="none",
            color=theme.TEXT,
        ),
    )


def _event(item: Happened) -> rx.Component:
    icon = rx.match(
        item.kind,
        *[(kind, rx.icon(name, size=16, color=color, flex_shrink="0")) for kind, (name, color) in _ICONS.items()],
        rx.icon("dot", size=16),
    )
    return rx.el.li(_line(icon, item.title, item.text, rx.box(_ago(item.at), flex_shrink="0")))


def _ago(iso: rx.Var[str] | str) -> rx.Component:
    return rx.box(relative_time(iso), font_size="12px", color=theme.TEXT_MUTED, white_space="nowrap")


PAGE = Page(route="/", title="Home", icon="house", content=home, on_load=[HomeState.watch])
