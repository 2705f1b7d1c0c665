"""The list of webhooks: columns on a wide window, cards on a phone, from one markup (HOOK-6)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components import dot, relative_time
from whatsapp_dashboard.ui.components.countdown import countdown
from whatsapp_dashboard.ui.session import CAN_WORK
from whatsapp_dashboard.ui.webhooks.ask_state import AskState
from whatsapp_dashboard.ui.webhooks.edit_state import EditState
from whatsapp_dashboard.ui.webhooks.lines import BAR_HEIGHT, STATES, Bar, WebhookLine
from whatsapp_dashboard.ui.webhooks.secret_state import SecretState
from whatsapp_dashboard.ui.webhooks.state import WebhooksState
from whatsapp_dashboard.webhooks.views import WebhookState

_COLUMNS = "minmax(220px,2fr) minmax(130px,.9fr) 172px 84px 76px 108px 44px"
_GRID: dict[str, Any] = {
    "display": "grid",
    "column_gap": "16px",
    "row_gap": "12px",
    "grid_template_columns": rx.breakpoints(initial="1fr 1fr", lg=_COLUMNS),
    "align_items": rx.breakpoints(initial="start", lg="center"),
}
_WHOLE = {"grid_column": rx.breakpoints(initial="1 / -1", lg="auto"), "min_width": "0"}


def webhook_list() -> rx.Component:
    """Every webhook."""
    heads = ("Endpoint", "State", "Last 24 hours", "Delivered", "p95", "Queue", "")
    return rx.box(
        rx.box(
            *[rx.text(head, size="1", color=theme.TEXT_MUTED, weight="medium") for head in heads],
            **{**_GRID, "display": rx.breakpoints(initial="none", lg="grid")},
            padding="10px 16px",
            border_bottom=theme.LINE,
            aria_hidden="true",
        ),
        rx.el.ul(rx.foreach(WebhooksState.lines, _webhook), style={"listStyle": "none", "margin": "0", "padding": "0"}),
        **theme.CARD,
    )


def _webhook(line: WebhookLine) -> rx.Component:
    return rx.el.li(
        rx.box(
            rx.flex(_where(line), rx.box(_menu(line), display=rx.breakpoints(initial="block", lg="none")),
                    justify="between", align="start", gap="8px", **_WHOLE),
            rx.box(_state(line), **_WHOLE),
            rx.box(_sparkline(line), **_WHOLE),
            _labelled("Delivered", rx.box(
                rx.text(line.rate, size="2", weight="medium", color=f"var(--{line.rate_tone}-11)",
                        font_variant_numeric="tabular-nums", custom_attrs={"data-testid": "rate"}),
                rx.cond(line.attempts != "", rx.text(line.attempts, size="1", color=theme.TEXT_MUTED)),
                title=line.rate_title,
            )),
            _labelled("p95", rx.text(line.p95, size="2", font_variant_numeric="tabular-nums")),
            rx.box(_queue(line), **_WHOLE),
            rx.box(_menu(line), display=rx.breakpoints(initial="none", lg="block")),
            rx.cond(line.last_error != "", _error(line)),
            **_GRID, padding="14px 16px",
        ),
        key=line.id, class_name="wa-account", custom_attrs={"data-webhook": line.id},
    )  # fmt: skip


def _labelled(label: str, content: rx.Component) -> rx.Component:
    """A cell; on a phone with its column's name above."""
    return rx.box(
        rx.text(label, size="1", color=theme.TEXT_MUTED, display=rx.breakpoints(initial="block", lg="none")),
        content,
        min_width="0",
    )


def _where(line: WebhookLine) -> rx.Component:
    return rx.vstack(
        rx.text(line.title, size="2", weight="medium", title=line.title, max_width="100%", **theme.CLIP),
        rx.cond(line.url != "", rx.text(line.url, size="1", color=theme.TEXT_MUTED, title=line.url, max_width="100%", **theme.CLIP)),
        rx.flex(
            rx.badge(line.account, size="1", color_scheme="gray", variant="outline", max_width="180px", title=line.account),
            rx.foreach(line.events, lambda name: rx.badge(name, size="1", variant="soft", color_scheme="blue")),
            rx.cond(line.more_events != "", rx.badge(line.more_events, size="1", variant="soft", color_scheme="blue")),
            rx.text(
                rx.icon("key-round", size=11, style={"display": "inline", "verticalAlign": "-1px"}), " ", line.secret,
                rx.cond(line.previous_secret_until != "", rx.fragment(
                    ", the old one for ", countdown(line.previous_secret_until, WebhooksState.now),
                )),
                size="1", color=theme.TEXT_MUTED,
            ),
            gap="6px", wrap="wrap", align="center", margin_top="4px",
        ),
        spacing="0", align="start", min_width="0", flex="1",
    )  # fmt: skip


def _state(line: WebhookLine) -> rx.Component:
    def one(state: WebhookState) -> rx.Component:
        label, tone = STATES[state]
        return rx.badge(dot(tone), label, color_scheme=theme.TONE_COLORS[tone], variant="soft", radius="full")  # type: ignore[index,arg-type]

    return rx.vstack(
        rx.match(line.state, *[(state.value, one(state)) for state in WebhookState], rx.fragment()),
        rx.cond(
            line.failing_since != "",
            rx.cond(
                line.next_probe_at != "",
                _note("next probe ", countdown(line.next_probe_at, WebhooksState.now, before="in ")),
                _note("probing now"),
            ),
        ),
        rx.cond(line.stalled_since != "", _note("due deliveries did not go out; set going again")),
        rx.cond(line.quiet_until != "", _note("asked to wait ", countdown(line.quiet_until, WebhooksState.now))),
        spacing="1",
        align="start",
    )


def _note(*children: Any) -> rx.Component:
    return rx.text(*children, size="1", color=theme.TEXT_MUTED)


def _sparkline(line: WebhookLine) -> rx.Component:
    def bar(one: Bar) -> rx.Component:
        return rx.box(
            rx.box(height=one.bad.to(str) + "px", background="var(--red-9)"),
            rx.box(height=one.good.to(str) + "px", background="var(--jade-8)"),
            title=one.title,
            class_name="wa-spark-bar",
        )

    return rx.box(
        rx.foreach(line.bars, bar),
        class_name="wa-spark",
        height=f"{BAR_HEIGHT + 2}px",
        role="img",
        aria_label="Attempts per hour in the last 24 hours",
    )


def _queue(line: WebhookLine) -> rx.Component:
    address = "/webhooks/deliveries?webhook=" + line.id
    return rx.flex(
        rx.cond(
            line.waiting > 0,
            rx.link(
                line.waiting.to(str), " waiting", href=address + "&state=waiting", size="1",
                title="The first one since " + line.oldest_waiting_at, color=theme.TEXT_MUTED,
            ),
            rx.text("nothing waits", size="1", color=theme.TEXT_MUTED),
        ),
        rx.cond(line.dead > 0, rx.link(
            line.dead.to(str), rx.cond(line.dead == 1, " dead letter", " dead letters"), href=address + "&state=dead", size="1",
            color_scheme="red",
        )),
        direction=rx.breakpoints(initial="row", lg="column"), gap=rx.breakpoints(initial="12px", lg="2px"),
    )  # fmt: skip


def _error(line: WebhookLine) -> rx.Component:
    return rx.flex(
        rx.icon("circle-alert", size=14, color="var(--red-10)", flex_shrink="0"),
        rx.text(line.last_error, size="1", color="var(--red-11)", overflow_wrap="anywhere"),
        rx.box(relative_time(line.last_failure_at), font_size="12px", color=theme.TEXT_MUTED, white_space="nowrap"),
        gap="6px", align="center", wrap="wrap", grid_column="1 / -1", min_width="0", custom_attrs={"data-testid": "last-error"},
    )  # fmt: skip


def _menu(line: WebhookLine) -> rx.Component:
    def item(icon: str, label: str, event: Any, **props: Any) -> rx.Component:
        return rx.menu.item(rx.icon(icon, size=14), label, on_select=event, **props)

    log = item("list", "Deliveries", rx.redirect("/webhooks/deliveries?webhook=" + line.id))
    return rx.menu.root(
        rx.menu.trigger(
            rx.icon_button(rx.icon("ellipsis", size=16), variant="ghost", color_scheme="gray", size="2",
                           loading=WebhooksState.busy == line.id, aria_label="Actions for " + line.title),
        ),
        rx.menu.content(
            rx.cond(CAN_WORK, rx.fragment(
                item("pencil", "Edit", EditState.edit(line.id)),
                item("send", "Send test event", WebhooksState.test(line.id)),
                log,
                item("history", "Replay since…", AskState.ask_replay(line.id)),
                rx.menu.separator(),
                rx.cond(
                    line.paused | (line.failing_since != ""),
                    item("play", "Resume", WebhooksState.resume(line.id)),
                    item("pause", "Pause", WebhooksState.pause(line.id)),
                ),
                rx.cond(
                    line.enabled,
                    item("power-off", "Switch off", WebhooksState.switch(line.id, False)),
                    item("power", "Switch on", WebhooksState.switch(line.id, True)),
                ),
                item("key-round", "New secret", SecretState.ask(line.id)),
                rx.menu.separator(),
                item("trash-2", "Delete", AskState.ask_delete(line.id), color_scheme="red"),
            ), log),
            width="200px",
        ),
    )  # fmt: skip
