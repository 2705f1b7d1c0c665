"""Inside the phone: the list of chats, and one chat with its bubbles and composer."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components import avatar, relative_time
from whatsapp_dashboard.ui.sandbox_phone.lines import TIMERS, Bubble, ChatLine, Option
from whatsapp_dashboard.ui.sandbox_phone.state import SandboxPhoneState as State
from whatsapp_dashboard.ui.session import CAN_WORK

EMOJI = ("👍", "❤️", "😂", "😮", "🙏")
ATTACHMENTS = (
    ("image", "image", "Photo"),
    ("voice", "mic", "Voice note"),
    ("audio", "music", "Audio"),
    ("document", "file-text", "Document"),
    ("sticker", "sticker", "Sticker"),
    ("location", "map-pin", "Location"),
    ("contact", "contact", "Contact card"),
    ("poll", "list-checks", "Poll"),
)


def chat_list() -> rx.Component:
    """Every contact of the world, the latest chat first."""
    chats = rx.el.ul(rx.foreach(State.chats, _chat), class_name="wa-plain-list", aria_label="Chats")
    return rx.box(chats, overflow_y="auto", flex="1", min_height="0")


def _chat(chat: ChatLine) -> rx.Component:
    return rx.el.li(_chat_button(chat), key=chat.id)


def _chat_button(chat: ChatLine) -> rx.Component:
    return rx.el.button(
        avatar(chat.name, theme.ACCENT, "3"),
        rx.vstack(
            rx.flex(
                rx.text(chat.name, size="2", weight="medium", **theme.CLIP),
                rx.spacer(),
                rx.cond(chat.at != "", relative_time(chat.at, class_name="wa-bubble-time")),
                width="100%",
                gap="8px",
                align="center",
            ),
            rx.flex(
                rx.text(
                    rx.cond(chat.typing, "typing…", rx.cond(chat.preview != "", chat.preview, chat.number)),
                    size="1",
                    color=rx.cond(chat.typing, theme.ACCENT_TEXT, theme.TEXT_MUTED),
                    **theme.CLIP,
                ),
                rx.spacer(),
                rx.cond(chat.unread > 0, rx.badge(chat.unread.to(str), color_scheme=theme.ACCENT, variant="solid", radius="full")),
                width="100%",
                gap="8px",
                align="center",
            ),
            spacing="0",
            flex="1",
            min_width="0",
        ),
        class_name="wa-phone-row",
        type="button",
        on_click=State.open_chat(chat.id),
    )


def thread() -> rx.Component:
    """The open chat, as its contact sees it."""
    return rx.fragment(
        rx.flex(
            rx.icon_button(
                rx.icon("arrow-left", size=16), variant="ghost", color_scheme="gray", aria_label="Back to the chats", on_click=State.back
            ),
            avatar(State.chat.name, theme.ACCENT, "2"),
            rx.vstack(
                rx.text(State.chat.name, size="2", weight="medium", **theme.CLIP),
                rx.text(
                    rx.cond(State.chat.typing, "account is typing…", State.chat.number),
                    size="1",
                    color=rx.cond(State.chat.typing, theme.ACCENT_TEXT, theme.TEXT_MUTED),
                    **theme.CLIP,
                ),
                rx.cond(State.chat.timer != "", rx.text(State.chat.timer, size="1", color=theme.TEXT_MUTED, **theme.CLIP)),
                spacing="0",
                flex="1",
                min_width="0",
            ),
            rx.cond(CAN_WORK, _chat_menu()),
            align="center",
            gap="10px",
            padding="8px 12px",
            border_bottom=theme.LINE,
            flex_shrink="0",
        ),
        rx.box(
            rx.box(
                rx.cond(
                    State.thread.length() == 0,
                    rx.text("Nothing written yet.", size="1", color=theme.TEXT_MUTED, text_align="center", padding="24px"),
                ),
                rx.foreach(State.thread, _bubble),
                class_name="wa-phone-messages",
                role="log",
                aria_label="Messages",
            ),
            class_name="wa-phone-thread",
            tab_index=0,
            aria_label="Chat",
            role="group",
        ),
        rx.cond(CAN_WORK, _composer()),
    )


def _chat_menu() -> rx.Component:
    return rx.menu.root(
        rx.menu.trigger(
            rx.icon_button(rx.icon("ellipsis-vertical", size=16), variant="ghost", color_scheme="gray", aria_label="Chat menu")
        ),
        rx.menu.content(
            rx.menu.item(rx.icon("phone", size=14), "Call the account", on_select=State.call),
            rx.cond(
                State.chat.online,
                rx.menu.item(rx.icon("power-off", size=14), "Switch this contact's phone off", on_select=State.set_online(False)),
                rx.menu.item(rx.icon("power", size=14), "Switch this contact's phone on", on_select=State.set_online(True)),
            ),
            rx.menu.separator(),
            *[
                rx.menu.item(rx.icon("timer" if seconds else "timer-off", size=14), label, on_select=State.set_timer(seconds))
                for seconds, label in TIMERS.items()
            ],
        ),
    )


def _bubble(message: Bubble) -> rx.Component:
    mine = message.side == "right"
    return rx.flex(
        rx.flex(
            rx.cond(CAN_WORK & ~message.deleted, _bubble_menu(message)),
            rx.box(
                rx.text(message.writer, size="1", weight="medium", color=theme.ACCENT_TEXT, **theme.CLIP),
                rx.cond(message.quoted != "", rx.text(message.quoted, class_name="wa-phone-quote", size="1")),
                rx.cond(
                    message.preview != "",
                    rx.image(src=message.preview, alt=message.detail, max_width="200px", border_radius="6px", display="block"),
                    rx.cond(message.detail != "", _detail(message)),
                ),
                rx.cond(
                    message.deleted,
                    rx.text("This message was deleted", size="2", color=theme.TEXT_MUTED, font_style="italic"),
                    rx.cond(message.text != "", rx.text(message.text, size="2", class_name="wa-phone-text")),
                ),
                rx.foreach(message.options, lambda option: _option(message, option)),
                rx.flex(
                    rx.cond(message.disappears, rx.icon("timer", size=11, aria_label="Disappears after a time")),
                    rx.cond(message.edited, rx.text("edited", class_name="wa-bubble-time", as_="span")),
                    rx.moment(message.time, format="HH:mm", local=True, class_name="wa-bubble-time"),
                    _ticks(message),
                    gap="5px",
                    align="center",
                    justify="end",
                ),
                rx.cond(message.reactions != "", rx.text(message.reactions, class_name="wa-phone-reaction", size="1")),
                class_name=rx.cond(mine, "wa-phone-bubble wa-phone-mine", "wa-phone-bubble"),
            ),
            direction=rx.cond(mine, "row", "row-reverse"),
            align="center",
            gap="4px",
            max_width="88%",
            min_width="0",
        ),
        justify=rx.cond(mine, "end", "start"),
        width="100%",
    )


def _detail(message: Bubble) -> rx.Component:
    icons = [(name, rx.icon(name, size=16)) for name in ("video", "music", "mic", "file-text", "map-pin", "contact")]
    return rx.flex(
        rx.match(message.icon, *icons, rx.icon("paperclip", size=16)),
        rx.text(message.detail, size="2", overflow_wrap="anywhere"),
        gap="8px",
        align="center",
        padding="4px 0",
    )


def _option(message: Bubble, option: Option) -> rx.Component:
    return rx.el.button(
        rx.cond(option.mine, rx.icon("circle-check", size=14), rx.icon("circle", size=14)),
        rx.text(option.text, size="2", as_="span"),
        rx.spacer(),
        rx.text(option.votes.to(str), size="1", as_="span", color=theme.TEXT_MUTED),
        class_name="wa-option",
        type="button",
        disabled=~CAN_WORK,
        on_click=State.vote(message.wa_id, option.text, option.mine),
    )


def _ticks(message: Bubble) -> rx.Component:
    muted = "var(--gray-9)"
    return rx.match(
        message.ticks,
        ("waiting", rx.icon("clock", size=12, color=muted, aria_label="not on the phone yet")),
        ("sent", rx.icon("check", size=14, color=muted, aria_label="sent")),
        ("delivered", rx.icon("check-check", size=14, color=muted, aria_label="delivered")),
        ("read", rx.icon("check-check", size=14, color="var(--blue-9)", aria_label="read")),
        rx.fragment(),
    )


def _bubble_menu(message: Bubble) -> rx.Component:
    return rx.menu.root(
        rx.menu.trigger(
            rx.icon_button(
                rx.icon("chevron-down", size=14), size="1", variant="ghost", color_scheme="gray", aria_label="What to do with this message"
            )
        ),
        rx.menu.content(
            rx.menu.sub(
                rx.menu.sub_trigger(rx.icon("smile-plus", size=14), "React"),
                rx.menu.sub_content(*[rx.menu.item(emoji, on_select=State.react(message.wa_id, emoji)) for emoji in EMOJI]),
            ),
            rx.menu.item(rx.icon("smile", size=14), "Take the reaction back", on_select=State.react(message.wa_id, "")),
            rx.menu.separator(),
            rx.menu.item(rx.icon("reply", size=14), "Reply", on_select=State.reply_to(message.wa_id, message.text)),
            rx.cond(
                message.editable & (message.text != ""),
                rx.menu.item(rx.icon("pencil", size=14), "Edit", on_select=State.begin_edit(message.wa_id, message.text)),
            ),
            rx.cond(
                message.editable,
                rx.menu.item(rx.icon("trash-2", size=14), "Delete for everyone", color_scheme="red", on_select=State.delete(message.wa_id)),
            ),
        ),
    )


def _composer() -> rx.Component:
    return rx.box(
        rx.cond(
            (State.quote_id != "") | (State.edit_id != ""),
            rx.flex(
                rx.cond(State.edit_id != "", rx.icon("pencil", size=14), rx.icon("reply", size=14)),
                rx.text(rx.cond(State.edit_id != "", "Change the message", State.quote_text), size="1", flex="1", **theme.CLIP),
                rx.icon_button(
                    rx.icon("x", size=14), size="1", variant="ghost", color_scheme="gray", aria_label="Cancel", on_click=State.cancel
                ),
                gap="8px",
                align="center",
                padding="0 4px 8px",
            ),
        ),
        rx.form(
            rx.flex(
                _attach_menu(),
                rx.input(
                    name="text",
                    default_value=State.draft,
                    key=State.edition.to(str),
                    placeholder=rx.cond(State.as_owner, "Write as the owner, on the phone", f"Write as {State.chat.name}"),
                    aria_label="Message",
                    auto_complete=False,
                    auto_focus=True,
                    max_length=65_536,
                    size="2",
                    flex="1",
                    min_width="0",
                ),
                rx.icon_button(rx.icon("send-horizontal", size=16), type="submit", size="2", aria_label="Send"),
                gap="8px",
                align="center",
            ),
            on_submit=State.submit,
            reset_on_submit=False,
        ),
        rx.segmented_control.root(
            rx.segmented_control.item("As the contact", value="contact"),
            rx.segmented_control.item("As the owner", value="owner"),
            value=rx.cond(State.as_owner, "owner", "contact"),
            on_change=lambda value: State.write_as(value.to(str) == "owner"),
            size="1",
            margin_top="8px",
            width="100%",
        ),
        padding="10px 12px 12px",
        border_top=theme.LINE,
        flex_shrink="0",
    )


def _attach_menu() -> rx.Component:
    items: list[Any] = [rx.menu.item(rx.icon(icon, size=14), title, on_select=State.attach(kind)) for kind, icon, title in ATTACHMENTS]
    return rx.menu.root(
        rx.menu.trigger(
            rx.icon_button(
                rx.icon("paperclip", size=16), size="2", type="button", variant="ghost", color_scheme="gray", aria_label="Attach a sample"
            )
        ),
        rx.menu.content(*items),
    )
