"""The dialog that changes an account, with its settings in groups (ACC-1, ACC-11)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.accounts.countries import Country
from whatsapp_dashboard.ui.accounts.edit_state import EditState
from whatsapp_dashboard.ui.components import field, form_dialog, switch_field, text_area, text_field
from whatsapp_dashboard.ui.components.countdown import countdown
from whatsapp_dashboard.ui.components.field_error import field_error
from whatsapp_dashboard.ui.components.week import day_line

_TABS = (("general", "General"), ("replies", "Replies"), ("bots", "Bots"), ("sending", "Sending"), ("safety", "Safety"))


def edit_dialog() -> rx.Component:
    """Everything an operator may tune on one account. All groups stay mounted, so saving takes all of them."""
    return form_dialog(
        rx.box(
            rx.segmented_control.root(
                *[rx.segmented_control.item(label, value=value) for value, label in _TABS],
                value=EditState.tab,
                on_change=EditState.choose_tab,
                width="100%",
                size=rx.breakpoints(initial="1", sm="2"),
            ),
            _group("general", _general()),
            _group("replies", _replies()),
            _group("bots", _bots()),
            _group("sending", _sending()),
            _group("safety", _safety()),
            key=EditState.edition.to(str),
            width="100%",
        ),
        open_=EditState.open,
        on_open_change=EditState.set_open,
        title="Edit " + EditState.title,
        text="Everything is kept together when you save.",
        submit="Save",
        on_submit=EditState.submit,
        error=EditState.errors.get("form", ""),
        busy=EditState.busy,
        width="560px",
    )


def _group(tab: str, content: list[rx.Component]) -> rx.Component:
    return rx.box(
        rx.vstack(*content, spacing="4", width="100%"),
        padding_top="20px",
        min_height=rx.breakpoints(initial="auto", sm="440px"),
        display=rx.cond(EditState.tab == tab, "block", "none"),
    )


def _general() -> list[rx.Component]:
    return [
        _with_error("name", text_field("Name", "name", default_value=EditState.name, auto_complete="off")),
        _with_error("description", text_area("Description", "description", default_value=EditState.description, rows="3")),
        _with_error("default_country", _country()),
    ]


def _replies() -> list[rx.Component]:
    return [
        _switch("auto_reply.enabled", "Auto-reply", "Answers messages of people with the text below."),
        _with_error("auto_reply.text", text_area(
            "Text of the reply", "auto_reply.text",
            "At most 4,096 characters. {{contact.name}}, {{contact.phone}} and {{message}} are filled in.",
            default_value=EditState.values["auto_reply.text"], rows="4",
        )),
        _number("auto_reply.every_minutes", "At most once in (minutes)",
                "To the same contact. 720 are 12 hours; 0: in answer to each message."),
        _switch("auto_reply.hours.enabled", "Hours of this text", "Off: it is sent at any time."),
        rx.box(rx.vstack(*_hours(), spacing="4", width="100%"), width="100%",
               display=rx.cond(EditState.switches["auto_reply.hours.enabled"], "block", "none")),
    ]  # fmt: skip


def _hours() -> list[rx.Component]:
    return [
        _switch("auto_reply.outside_hours", "Only outside of these hours", "For a message that says when somebody is there again."),
        rx.box(
            rx.foreach(EditState.days, lambda day: day_line(day, EditState.errors, "Send")),
            rx.text("A day that ends before it begins goes on after midnight.", size="1", color=theme.TEXT_MUTED),
            width="100%",
        ),
        _with_error("auto_reply.hours.timezone", text_field(
            "Time zone", "auto_reply.hours.timezone", "For example Europe/Madrid, Asia/Kolkata or UTC.", max_length=64, auto_complete="off",
            default_value=EditState.values["auto_reply.hours.timezone"],
        )),
    ]  # fmt: skip


def _bots() -> list[rx.Component]:
    return [
        rx.text("For the auto-reply and for AI.", size="2", color=theme.TEXT_MUTED),
        _number("takeover_minutes", "Take-over (minutes)", "How long bots stay silent after a person wrote: 1 to 10,080."),
        _number("answer_recovered_minutes", "Answer missed messages up to (minutes)",
                "Messages that waited while the account was offline are answered only up to this age: 0 to 1,440."),
        _switch("answer_groups", "Answer in groups", "Off: groups are stored and shown, never answered by bots."),
        _switch("answer_own_numbers", "Answer numbers of your own", "Off: accounts of this workspace never answer each other by bot."),
        rx.text("How many answers one conversation gets by bot. The one that would be too many is not given: the bot stops there, and the "
                "conversation is a person's until handed back. 0: no limit.", size="2", color=theme.TEXT_MUTED),
        rx.grid(
            _number("answer_limits.per_minute", "A minute", ""), _number("answer_limits.per_hour", "An hour", ""),
            _number("answer_limits.per_day", "A day", ""), columns="3", gap="12px", width="100%",
        ),
    ]  # fmt: skip


def _sending() -> list[rx.Component]:
    return [
        rx.text("A pause of random length between two sends protects the number. Both 0: no pause.", size="2", color=theme.TEXT_MUTED),
        _number("pacing.min_ms", "Shortest pause (milliseconds)", "0 to 60,000."),
        _number("pacing.max_ms", "Longest pause (milliseconds)", "0 to 60,000."),
        _switch("pacing.typing", "Show “typing…”", "Before an automatic reply, for about as long as the pause."),
        _switch("resend_unconfirmed", "Send again by itself when a send was cut off",
                "After a crash or a lost connection WhatsApp may have it: the contact may then get it twice. Off: it is marked In doubt."),
    ]


def _safety() -> list[rx.Component]:
    return [
        rx.cond(EditState.restricted_until != "", _restriction()),
        _switch("governor.enabled", "Safety governor", "Keeps the account within the limits below, so that WhatsApp does not restrict it."),
        _number("governor.new_contacts_per_day", "First messages to strangers per day",
                "To people who never wrote to this account, in any 24 hours." + EditState.today),
        _number("governor.warm_up_days", "Warm-up (days)", "After linking, the daily limit grows from a tenth to the whole: 0 to 90."),
        _switch("governor.check_number_first", "Check numbers first",
                "Ask whether the number is on WhatsApp before a first message."),
    ]  # fmt: skip


def _restriction() -> rx.Component:
    """WhatsApp refuses sends now: why, and for how long."""
    return rx.callout.root(
        rx.callout.icon(rx.icon("shield-alert", size=16)),
        rx.callout.text(
            EditState.restriction, " Sending is paused ",
            countdown(EditState.restricted_until, EditState.now, before="for another ", done="until this moment"),
            "; what is queued waits and goes out then.",
        ),
        color_scheme="orange", size="1", width="100%", custom_attrs={"data-testid": "restriction"},
    )


def _number(key: str, label: str, hint: str | rx.Var[str]) -> rx.Component:
    control = rx.input(
        name=key,
        default_value=EditState.values[key],
        input_mode="numeric",
        size="2",
        max_length=9,
        width="140px",
        max_width="100%",
        auto_complete="off",
    )
    return _with_error(key, field(label, control, hint))


def _switch(key: str, label: str, hint: str) -> rx.Component:
    return switch_field(label, hint, checked=EditState.switches[key], on_change=lambda on: EditState.flip(key, on), aria_label=label)


def _with_error(key: str, control: rx.Component) -> rx.Component:
    return rx.box(control, field_error(EditState.errors.get(key, "")), width="100%")


def _country() -> rx.Component:
    def choice(country: Country) -> rx.Component:
        return _option(country.name, country.calling, EditState.choose_country(country.code), EditState.country == country.code)

    return rx.vstack(
        rx.text("Default country", size="2", weight="medium", id="country-label"),
        rx.popover.root(
            rx.popover.trigger(
                rx.button(
                    rx.text(rx.cond(EditState.country_name != "", EditState.country_name, "None"), size="2", **theme.CLIP),
                    rx.spacer(),
                    rx.icon("chevrons-up-down", size=14),
                    type="button",
                    variant="surface",
                    color_scheme="gray",
                    width="100%",
                    aria_labelledby="country-label",
                ),
            ),
            rx.popover.content(
                rx.input(
                    rx.input.slot(rx.icon("search", size=14)),
                    placeholder="Search a country or code",
                    aria_label="Search a country or code",
                    on_change=EditState.search_country.debounce(150),
                    auto_focus=True,
                    size="2",
                ),
                rx.scroll_area(
                    rx.vstack(
                        _option("None", "", EditState.choose_country(""), EditState.country == ""),
                        rx.foreach(EditState.countries, choice),
                        spacing="0",
                        width="100%",
                        role="listbox",
                        aria_label="Countries",
                    ),
                    max_height="240px",
                    margin_top="8px",
                    type="auto",
                ),
                width="320px",
                max_width="84vw",
                size="1",
                aria_label="Country",
            ),
            open=EditState.picking,
            on_open_change=EditState.set_picking,
            modal=True,
        ),
        rx.text("Numbers typed without a country code are read as numbers of this country.", size="1", color=theme.TEXT_MUTED),
        spacing="1",
        width="100%",
    )


def _option(label: Any, calling: Any, event: Any, chosen: Any) -> rx.Component:
    return rx.el.button(
        rx.text(label, size="2", as_="span", **theme.CLIP),
        rx.spacer(),
        rx.text(calling, size="1", color=theme.TEXT_MUTED, as_="span"),
        rx.cond(chosen, rx.icon("check", size=14), rx.box(width="14px", flex_shrink="0")),
        type="button",
        on_click=event,
        class_name="wa-option",
        role="option",
        aria_selected=chosen,
    )
