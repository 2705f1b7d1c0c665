"""The list of accounts: columns on a wide window, cards on a phone, from one markup (ACC-7)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.accounts.aside_state import AsideState
from whatsapp_dashboard.ui.accounts.delete_state import DeleteState
from whatsapp_dashboard.ui.accounts.edit_state import EditState
from whatsapp_dashboard.ui.accounts.lines import AccountLine
from whatsapp_dashboard.ui.accounts.link_state import LinkState
from whatsapp_dashboard.ui.accounts.links import open_chatbot, open_inbox, open_log, open_webhooks
from whatsapp_dashboard.ui.accounts.state import AccountsState
from whatsapp_dashboard.ui.accounts.status import status_cell
from whatsapp_dashboard.ui.components import avatar
from whatsapp_dashboard.ui.components.countdown import elapsed
from whatsapp_dashboard.ui.session import CAN_WORK

_COLUMNS = "minmax(200px,1.5fr) minmax(190px,1.4fr) minmax(150px,1.1fr) minmax(120px,.8fr) 56px 76px 140px"
_GRID: dict[str, Any] = {
    "display": "grid",
    "column_gap": "16px",
    "row_gap": "12px",
    "grid_template_columns": rx.breakpoints(initial="1fr 1fr", lg=_COLUMNS),
    "align_items": rx.breakpoints(initial="start", lg="center"),
}
_WHOLE = {"grid_column": rx.breakpoints(initial="1 / -1", lg="auto"), "min_width": "0"}


def account_list() -> rx.Component:
    """Every account that matches the filter."""
    heads = ("Account", "Status", "Number", "Connected", "24 h", "Auto-reply", "")
    return rx.box(
        rx.box(
            *[rx.text(head, size="1", color=theme.TEXT_MUTED, weight="medium",
                      text_align="right" if head == "24 h" else "left") for head in heads],
            **{**_GRID, "display": rx.breakpoints(initial="none", lg="grid")}, padding="10px 16px", border_bottom=theme.LINE,
            aria_hidden="true",
        ),
        rx.el.ul(rx.foreach(AccountsState.lines, _account), style={"listStyle": "none", "margin": "0", "padding": "0"}),
        **theme.CARD,
    )  # fmt: skip


def _account(line: AccountLine) -> rx.Component:
    return rx.el.li(
        rx.box(
            _who(line),
            rx.box(status_cell(line), **_WHOLE),
            _labelled("Number", _number(line)),
            _labelled("Connected", _connected(line)),
            _labelled("Messages in 24 h", rx.text(
                line.messages_24h.to(str), size="2", font_variant_numeric="tabular-nums",
                text_align=rx.breakpoints(initial="left", lg="right"), custom_attrs={"data-testid": "messages-24h"},
            )),
            _labelled("Auto-reply", rx.switch(
                checked=line.auto_reply, on_change=lambda on: AccountsState.set_auto_reply(line.id, on), size="1",
                disabled=~CAN_WORK, aria_label="Auto-reply of " + line.name, display="flex",
            )),
            rx.box(_actions(line), **_WHOLE),
            **_GRID, padding="14px 16px",
        ),
        key=line.id, class_name="wa-account", custom_attrs={"data-account": line.id},
    )  # fmt: skip


def _labelled(label: str, content: rx.Component) -> rx.Component:
    """A cell; on a phone with its column's name above."""
    return rx.box(
        rx.text(label, size="1", color=theme.TEXT_MUTED, display=rx.breakpoints(initial="block", lg="none")),
        content,
        min_width="0",
    )


def _who(line: AccountLine) -> rx.Component:
    return rx.hstack(
        avatar(line.name, theme.ACCENT),
        rx.vstack(
            rx.text(line.name, size="2", weight="medium", title=line.name, max_width="100%", **theme.CLIP),
            rx.text(
                line.engine,
                rx.cond(line.description != "", " · " + line.description, ""),
                size="1",
                color=theme.TEXT_MUTED,
                title=line.description,
                max_width="100%",
                **theme.CLIP,
            ),
            rx.flex(
                rx.link(
                    _small_icon("bot"), rx.cond(line.ai, "AI on", "AI off"), href="/chatbot?account=" + line.id, size="1",
                    color_scheme=rx.cond(line.ai, "jade", "gray"), custom_attrs={"data-testid": "ai"},
                ),
                rx.cond(
                    line.webhooks != "",
                    rx.link(
                        _small_icon("webhook"), "Webhooks ", line.webhooks, href="/webhooks?account=" + line.id, size="1",
                        title="Active and all", custom_attrs={"data-testid": "webhooks"},
                    ),
                ),
                rx.cond(
                    line.aside != "",
                    rx.button(
                        _small_icon("archive"), line.aside, variant="ghost", size="1", color_scheme="orange",
                        on_click=AsideState.show(line.id), custom_attrs={"data-testid": "aside"},
                    ),
                ),
                gap="2px 12px", wrap="wrap",
            ),
            spacing="0",
            min_width="0",
            flex="1",
            align="start",
        ),
        spacing="3",
        align="center",
        **_WHOLE,
    )  # fmt: skip


def _small_icon(name: str) -> rx.Component:
    return rx.icon(name, size=11, style={"display": "inline", "verticalAlign": "-1px", "marginRight": "4px"})


def _number(line: AccountLine) -> rx.Component:
    return rx.cond(
        line.phone != "",
        rx.vstack(
            rx.text(line.phone, size="2", white_space="nowrap", font_variant_numeric="tabular-nums"),
            rx.text(
                line.push_name,
                rx.cond((line.push_name != "") & (line.platform != ""), " · ", ""),
                line.platform,
                size="1",
                color=theme.TEXT_MUTED,
                max_width="100%",
                title=line.push_name,
                **theme.CLIP,
            ),
            spacing="0",
            align="start",
            min_width="0",
        ),
        rx.text("not linked", size="2", color=theme.TEXT_MUTED),
    )


def _connected(line: AccountLine) -> rx.Component:
    life = rx.text(
        "alive ",
        elapsed(line.last_life, AccountsState.now),
        " ago",
        size="1",
        color=theme.TEXT_MUTED,
        title=line.life_title,
        white_space="nowrap",
    )
    return rx.cond(
        line.connected_since != "",
        rx.vstack(
            rx.text("for ", elapsed(line.connected_since, AccountsState.now), size="2", white_space="nowrap"),
            life,
            spacing="0",
            align="start",
        ),
        rx.cond(line.last_life != "", life, rx.text("–", size="2", color=theme.TEXT_MUTED)),
    )


def _actions(line: AccountLine) -> rx.Component:
    return rx.hstack(
        rx.cond(CAN_WORK, rx.match(
            line.step,
            ("link", _step(line, "Link" , "qr-code", LinkState.show(line.id), "solid")),
            ("reconnect", _step(line, "Reconnect", "refresh-cw", AccountsState.reconnect(line.id), "soft")),
            ("inbox", _step(line, "Inbox", "messages-square", open_inbox(line.id), "soft")),
            rx.fragment(),
        ), rx.cond(line.linked, _step(line, "Inbox", "messages-square", open_inbox(line.id), "soft"))),
        rx.cond(CAN_WORK, _menu(line)),
        spacing="2", align="center", justify=rx.breakpoints(initial="between", lg="end"), width="100%",
    )  # fmt: skip


def _step(line: AccountLine, label: str, icon: str, event: Any, variant: str) -> rx.Component:
    return rx.button(
        rx.icon(icon, size=14), label, size="1", variant=variant, on_click=event, loading=AccountsState.busy == line.id,
        aria_label=label + " " + line.name,
    )  # fmt: skip


def _menu(line: AccountLine) -> rx.Component:
    def item(shown: Any, icon: str, label: str, event: Any, **props: Any) -> rx.Component:
        entry = rx.menu.item(rx.icon(icon, size=14), label, on_select=event, **props)
        return entry if shown is True else rx.cond(shown, entry)

    return rx.menu.root(
        rx.menu.trigger(
            rx.icon_button(rx.icon("ellipsis", size=16), variant="ghost", color_scheme="gray", size="2",
                           aria_label="Actions for " + line.name),
        ),
        rx.menu.content(
            item(True, "messages-square", "Open inbox", open_inbox(line.id)),
            item(line.can_link, "qr-code", "Show QR code", LinkState.show(line.id)),
            item(line.can_reconnect, "refresh-cw", "Reconnect", AccountsState.reconnect(line.id)),
            item(line.can_disconnect, "unplug", "Disconnect", AccountsState.disconnect(line.id)),
            rx.menu.separator(),
            item(True, "pencil", "Edit", EditState.start(line.id, "general")),
            item(True, "scroll-text", "Message log", open_log(line.id)),
            item(True, "webhook", "Webhooks", open_webhooks(line.id)),
            item(True, "bot", "Chatbot", open_chatbot(line.id)),
            rx.menu.separator(),
            item(line.can_log_out, "log-out", "Log out", DeleteState.ask_log_out(line.id)),
            item(True, "trash-2", "Delete", DeleteState.ask_delete(line.id), color_scheme="red"),
            width="200px",
        ),
    )  # fmt: skip
