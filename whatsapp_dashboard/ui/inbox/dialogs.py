"""Dialogs of the inbox: new message, location, contact, poll, rename, shortcuts, and the questions before
deleting and before sending again."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components import confirm_dialog, field, form_dialog, send_again_dialog, switch_field, text_area, text_field
from whatsapp_dashboard.ui.inbox.compose_state import ComposeState
from whatsapp_dashboard.ui.inbox.number_state import CARD_ID, RECIPIENT_ID, NumberState
from whatsapp_dashboard.ui.inbox.state import InboxState
from whatsapp_dashboard.ui.inbox.thread_state import ThreadState

SHORTCUTS = (
    ("Alt + J", "Next conversation"), ("Alt + K", "Previous conversation"), ("Alt + E", "Close or reopen"), ("/", "Search"),
    ("R", "Write a reply"), ("Enter", "Send"), ("Shift + Enter", "New line"), ("Esc", "Cancel, or leave the field"), ("?", "This list"),
)  # fmt: skip


def inbox_dialogs() -> rx.Component:
    """All of them; at most one is open."""
    return rx.fragment(
        _form("location", "Send a location", "A place on the map, in degrees.", ComposeState.send_location,
              rx.flex(text_field("Latitude", "latitude", placeholder="41.3874", required=True),
                      text_field("Longitude", "longitude", placeholder="2.1686", required=True), gap="12px"),
              text_field("Name", "name", max_length=255), text_field("Street address", "address", max_length=1_000)),
        _form("contact", "Send a contact", "The card can be saved on the phone that gets it.", ComposeState.send_contact,
              text_field("Name", "name", required=True, max_length=255),
              text_field("Phone numbers", "phones", "Several are separated by commas.", required=True, placeholder="+34 600 11 12 22",
                         id=CARD_ID, on_blur=NumberState.look_at_card(_form_of(CARD_ID))),
              _understood("On the card:")),
        _form("poll", "Send a poll", "The answers are counted in the thread.", ComposeState.send_poll,
              text_field("Question", "question", required=True, max_length=255),
              text_area("Options", "options", "One per line, 2 to 12.", required=True, rows="4"),
              switch_field("Several answers", name="several")),
        _form("new", "New message", "To a number that need not have written before.", ComposeState.start,
              field("Account", rx.select.root(
                  rx.select.trigger(width="100%", placeholder="Choose"),
                  rx.select.content(rx.foreach(InboxState.accounts, lambda account: rx.select.item(
                      account.name, rx.cond(account.ready, "", " (offline)"), value=account.id))),
                  name="account", default_value=InboxState.accounts[0].id,
                  on_change=lambda account: NumberState.look_for(account, _form_of(RECIPIENT_ID)))),
              text_field("To", "number", required=True, placeholder="+34 600 11 12 22", max_length=64,
                         id=RECIPIENT_ID, on_blur=NumberState.look(_form_of(RECIPIENT_ID))),
              _understood("Goes to"),
              text_area("Message", "text", required=True, rows="4")),
        form_dialog(
            text_field("Name", "name", "Empty takes it back to the name WhatsApp tells.", max_length=255,
                       default_value=ThreadState.head.own_name),
            open_=ComposeState.dialog == "rename", on_open_change=ComposeState.close_dialog, title="Name of the contact", submit="Save",
            on_submit=[ThreadState.rename, ComposeState.show_dialog("")], width="400px",
        ),
        _help(),
        confirm_dialog(
            open_=ComposeState.delete_id != "", on_open_change=ComposeState.stop_asking,
            title=rx.cond(ComposeState.delete_note, "Delete this note?", "Delete this message for everyone?"),
            text=rx.cond(
                ComposeState.delete_note, "The note is gone for all operators.",
                "The contact sees that a message was deleted. Its text and file disappear on their phone and from this thread.",
            ),
            confirm="Delete", on_confirm=ComposeState.delete,
        ),
        send_again_dialog(ComposeState.again_id != "", ComposeState.stop_asking, ComposeState.send_again),
    )  # fmt: skip


def _understood(lead: str) -> rx.Component:
    """Which number was understood, and the other one where the same digits could be two."""
    return rx.cond(
        NumberState.read.length() > 0,
        rx.vstack(
            rx.foreach(NumberState.read, lambda one, position: rx.flex(
                rx.text(lead, " ", rx.text.strong(one.text), size=theme.CAPTION, color=theme.TEXT_MUTED, as_="span"),
                rx.cond(one.other != "", rx.button("Use ", one.other, " instead", type="button", variant="ghost", size="1",
                                                   on_click=NumberState.take_other(position))),
                gap="4px 16px", wrap="wrap", align="center",
            )),
            spacing="1", role="status", custom_attrs={"data-testid": "understood"},
        ),
    )  # fmt: skip


def _form_of(field_id: str) -> Any:
    """What stands in the form around the field, at the moment of an event."""
    return rx.Var(f"Object.fromEntries(new FormData(document.getElementById('{field_id}').form))", _var_type=dict[str, Any])


def _form(name: str, title: str, text: str, on_submit: object, *fields: rx.Component) -> rx.Component:
    return form_dialog(
        *fields, open_=ComposeState.dialog == name, on_open_change=ComposeState.close_dialog, title=title, text=text,
        submit="Send", on_submit=on_submit, error=ComposeState.dialog_error, width="440px",
    )  # fmt: skip


def _help() -> rx.Component:
    return rx.dialog.root(
        rx.dialog.content(
            rx.dialog.title("Keyboard shortcuts", size="4"),
            rx.el.dl(
                *[rx.el.div(rx.el.dt(rx.code(keys, variant="soft", color_scheme="gray")), rx.el.dd(what)) for keys, what in SHORTCUTS],
                class_name="wa-shortcuts",
            ),
            rx.flex(rx.dialog.close(rx.button("Close", variant="soft", color_scheme="gray")), justify="end", color=theme.TEXT_MUTED),
            max_width="380px", aria_describedby="",
        ),
        open=ComposeState.dialog == "help", on_open_change=ComposeState.close_dialog,
    )  # fmt: skip
