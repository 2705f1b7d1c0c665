"""One message or note of the thread, drawn (MSG-7). Whatever came from outside is drawn as text, never as markup (SEC-4)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.ui.components.chat_media import chat_media
from whatsapp_dashboard.ui.components.message_marks import message_type_icon
from whatsapp_dashboard.ui.components.ticks import ticks
from whatsapp_dashboard.ui.inbox.bubbles import Bubble, Card, Choice, Reaction
from whatsapp_dashboard.ui.inbox.compose_state import ComposeState
from whatsapp_dashboard.ui.inbox.text_view import text_block
from whatsapp_dashboard.ui.inbox.thread_state import ThreadState
from whatsapp_dashboard.ui.inbox.trace_state import TraceState
from whatsapp_dashboard.ui.session import CAN_WORK

QUICK = ("👍", "❤️", "😂", "😮", "😢", "🙏")


def thread_item(item: Bubble) -> rx.Component:
    """The headings of a new day and of what was missed, where there are any, and the bubble or note."""
    return rx.el.div(
        rx.cond(item.day != "", rx.el.div(rx.el.span(item.day), class_name="wa-day", role="separator")),
        rx.cond(item.missed != "", rx.el.div(
            rx.icon("history", size=13), rx.el.span(item.missed), class_name="wa-missed", role="separator",
            title="They came while the account was offline and were fetched afterwards",
        )),
        rx.cond(item.fresh != "", rx.el.div(rx.el.span(item.fresh), class_name="wa-fresh", role="separator")),
        rx.cond(item.kind == "note", _note(item), _message(item)),
        key=item.id, id=rx.Var.create("m-") + item.id,
    )  # fmt: skip


def _note(item: Bubble) -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.div(rx.icon("lock", size=12), rx.el.span("Note by ", item.author), class_name="wa-note-head"),
            _text(item),
            rx.el.div(
                rx.el.time(item.time, title=item.exact),
                rx.cond(CAN_WORK, _tool("trash-2", "Delete note", ComposeState.ask_delete(item.id, True))),
                class_name="wa-foot",
            ),
            class_name="wa-bubble wa-note", custom_attrs={"data-note": item.id, "data-sent-as": item.key},
        ),
        class_name="wa-line wa-mine",
    )  # fmt: skip


def _message(item: Bubble) -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.cond(item.shows_sender, rx.el.div(item.sender, class_name="wa-sender", dir="auto",
                                                 style={"color": rx.Var.create("var(--") + item.sender_color + "-11)"})),
            rx.cond(item.deleted, _deleted(), rx.fragment(_quote(item), _content(item))),
            _foot(item),
            rx.cond(item.reactions.length() > 0, rx.el.div(rx.foreach(item.reactions, lambda one: _reaction(item, one)),
                                                           class_name="wa-reactions")),
            rx.cond(ComposeState.react_id == item.id, _reaction_choice(item)),
            rx.cond(item.reactions.length() > 0, rx.el.span(class_name="wa-reactions-room")),
            tab_index=0, class_name=rx.cond(item.type == "sticker", "wa-bubble wa-bare", "wa-bubble"),
            custom_attrs={"data-message": item.id, "data-status": item.status, "data-sent-as": item.key},
        ),
        rx.cond(CAN_WORK & ~item.deleted, _tools(item)),
        _trouble(item),
        class_name=rx.cond(item.mine, "wa-line wa-mine", "wa-line"),
    )  # fmt: skip


def _deleted() -> rx.Component:
    return rx.el.div(rx.icon("ban", size=14), "This message was deleted", class_name="wa-deleted")


def _text(item: Bubble) -> rx.Component:
    return rx.fragment(
        rx.el.div(
            rx.foreach(item.blocks, text_block),
            class_name=rx.cond(item.long, "wa-text wa-folded", "wa-text"), dir="auto",
        ),
        rx.cond(item.long, rx.el.button(rx.el.span("Read more"), rx.el.span("Read less"), type="button", class_name="wa-unfold",
                                        custom_attrs={"data-unfold": "yes", "data-repeat": "yes"})),
    )  # fmt: skip


def _content(item: Bubble) -> rx.Component:
    return rx.fragment(
        rx.cond(item.media_state != "", chat_media(item)),
        rx.cond(item.map_href != "", _place(item)),
        rx.foreach(item.cards, _card),
        rx.cond(
            item.type == "unsupported",
            rx.el.div(
                rx.icon("circle-help", size=14, flex_shrink="0"),
                rx.el.span(rx.cond(item.text != "", item.text, "A message of a kind this dashboard cannot show. Look at the phone."),
                           dir="auto"),
                class_name="wa-deleted",
            ),
            rx.cond(item.text != "", _text(item)),
        ),
        rx.foreach(item.choices, _choice),
        rx.cond(item.poll_note != "", rx.el.div(item.poll_note, class_name="wa-file-info")),
        rx.foreach(item.buttons, lambda text: rx.el.div(text, class_name="wa-button", dir="auto")),
    )  # fmt: skip


def _quote(item: Bubble) -> rx.Component:
    return rx.cond(
        item.quoted_type != "",
        rx.el.button(
            rx.el.span(item.quoted_name, class_name="wa-quote-name", dir="auto"),
            rx.el.span(
                message_type_icon(item.quoted_type, 12),
                rx.el.span(rx.cond(item.quoted_text != "", item.quoted_text, item.quoted_type), dir="auto", class_name="wa-clip"),
                class_name="wa-quote-text",
            ),
            type="button", class_name="wa-quote", custom_attrs={"data-jump": item.quoted_id},
        ),
    )  # fmt: skip


def _place(item: Bubble) -> rx.Component:
    return rx.el.a(
        rx.el.span(rx.icon("map-pin", size=20), class_name="wa-file-icon"),
        rx.el.span(
            rx.el.span(item.place, class_name="wa-file-name", dir="auto"),
            rx.el.span(item.place_note, class_name="wa-file-info", dir="auto"),
            class_name="wa-file-text",
        ),
        rx.icon("external-link", size=14, flex_shrink="0"),
        href=item.map_href, target="_blank", rel="noopener noreferrer", class_name="wa-file", title="Open the map",
    )  # fmt: skip


def _card(card: Card) -> rx.Component:
    return rx.el.div(
        rx.el.span(rx.icon("user-round", size=20), class_name="wa-file-icon"),
        rx.el.span(
            rx.el.span(card.name, class_name="wa-file-name", dir="auto"),
            rx.el.span(card.phones, class_name="wa-file-info"),
            class_name="wa-file-text",
        ),
        class_name="wa-file",
    )


def _choice(choice: Choice) -> rx.Component:
    return rx.el.div(
        rx.el.div(rx.el.span(choice.text, dir="auto"), rx.el.span(choice.votes), class_name="wa-choice-head"),
        rx.el.div(rx.el.div(class_name="wa-choice-bar", style={"width": choice.width}), class_name="wa-choice-track"),
        class_name="wa-choice",
    )


def _foot(item: Bubble) -> rx.Component:
    return rx.el.div(
        rx.cond(item.edited != "", rx.el.span(item.edited)),
        rx.cond(
            item.ai,
            rx.el.button(
                rx.icon("sparkles", size=10), item.author, type="button", class_name="wa-ai-mark", title="How this answer was made",
                aria_label="AI: how this answer was made", on_click=TraceState.show(item.id),
            ),
            rx.cond(item.author != "", rx.el.span(item.author, class_name="wa-author")),
        ),
        rx.el.time(item.time, title=item.exact),
        rx.cond(item.mine, ticks(rx.cond(item.doubt, "in_doubt", item.status))),
        class_name="wa-foot",
    )


def _reaction(item: Bubble, one: Reaction) -> rx.Component:
    return rx.el.button(
        one.emoji, rx.cond(one.count > 1, rx.el.span(one.count)),
        type="button", class_name=rx.cond(one.mine, "wa-reaction wa-reacted", "wa-reaction"),
        aria_label=rx.cond(one.mine, "Take our reaction back", "React the same"), on_click=ComposeState.react(item.id, one.emoji),
        disabled=~CAN_WORK,
    )  # fmt: skip


def _reaction_choice(item: Bubble) -> rx.Component:
    return rx.el.div(
        *[
            rx.el.button(emoji, type="button", on_click=ComposeState.react(item.id, emoji), aria_label=f"React with {emoji}")
            for emoji in QUICK
        ],
        rx.el.button(rx.icon("x", size=14), type="button", class_name="wa-tool", aria_label="No reaction",
                     on_click=ComposeState.choose_reaction(""), custom_attrs={"data-key": "cancel"}),
        class_name="wa-quick", role="group", aria_label="Reactions",
    )  # fmt: skip


def _tools(item: Bubble) -> rx.Component:
    return rx.el.div(
        rx.cond(
            item.on_whatsapp,
            rx.fragment(
                _tool("smile-plus", "React", ComposeState.choose_reaction(item.id)),
                _tool("reply", "Reply", **{
                    "data-reply-to": item.id,
                    "data-name": rx.cond(item.mine, "You", rx.cond(item.sender != "", item.sender, ThreadState.head.name)),
                    "data-text": rx.cond(item.text != "", item.text, rx.cond(item.file != "", item.file, item.type)),
                }),
            ),
        ),
        rx.cond(item.text != "", _tool("copy", "Copy text", rx.set_clipboard(item.text))),
        rx.cond(item.editable, _tool("pencil", "Edit", **{"data-edits": item.id, "data-text": item.text})),
        rx.cond(item.mine & item.on_whatsapp, _tool("trash-2", "Delete for everyone", ComposeState.ask_delete(item.id, False))),
        class_name="wa-tools",
    )


def _tool(icon: str, label: str, on_click: Any = None, **data: Any) -> rx.Component:
    """A small button at a message; with ``data`` and no event it is for the browser alone (assets/composer.js)."""
    act: dict[str, Any] = {"custom_attrs": data} if on_click is None else {"on_click": on_click}
    return rx.el.button(rx.icon(icon, size=14), type="button", class_name="wa-tool", aria_label=label, title=label, **act)


def _trouble(item: Bubble) -> rx.Component:
    """Why it failed, is in doubt or not proven, and the way to send again (MSG-4, MSG-11)."""

    def again(event: Any) -> rx.Component:
        return rx.cond(CAN_WORK, rx.el.button("Send again", type="button", class_name="wa-link", on_click=event))

    return rx.cond(
        item.mine & (item.status == "failed"),
        rx.el.div(rx.cond(item.reason != "", item.reason, "Sending failed."), again(ComposeState.retry(item.id)),
                  class_name="wa-trouble", role="note"),
        rx.cond(
            item.doubt,
            rx.el.div(rx.el.strong("In doubt."), " Sending was cut off; WhatsApp may or may not have it.",
                      again(ComposeState.ask_again(item.id)), class_name="wa-trouble wa-doubt", role="note"),
            _unproven(item, again(ComposeState.retry(item.id))),
        ),
    )  # fmt: skip


def _unproven(item: Bubble, again: rx.Component) -> rx.Component:
    return rx.cond(
        item.flagged,
        rx.el.div("No proof of delivery", again, class_name="wa-trouble wa-doubt", role="note",
                  title="WhatsApp took the message but has not confirmed that it reached the phone"),
    )  # fmt: skip
