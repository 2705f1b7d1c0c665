"""The ledger: filters, lines, pages (CRED-2)."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components import data_table, day_field, empty_state, error_state
from whatsapp_dashboard.ui.credits.lines import EntryLine
from whatsapp_dashboard.ui.credits.state import CreditsState


def ledger() -> rx.Component:
    """Every change of the balance, newest first."""
    return rx.box(
        rx.flex(
            rx.heading("Ledger", size="3", weight="medium", as_="h2"), rx.spacer(), _filters(), _export(),
            gap="8px", align="center", wrap="wrap", margin_bottom="10px",
        ),
        rx.cond(
            CreditsState.refused != "",
            error_state("This filter cannot be used", CreditsState.refused, rx.button("Clear filters", on_click=CreditsState.clear)),
            rx.cond(CreditsState.lines.length() == 0, _nothing(), rx.fragment(
                data_table(
                    "Ledger", ["When", "What", ("Credits", "right"), ("Balance", "right"), "By"], rx.foreach(CreditsState.lines, _line)
                ),
                _pager(),
            )),
        ),
    )  # fmt: skip


def _filters() -> rx.Component:
    value = CreditsState.filters.get
    return rx.flex(
        rx.segmented_control.root(
            rx.segmented_control.item("All", value="all"),
            rx.segmented_control.item("Spent", value="debit"),
            rx.segmented_control.item("Added", value="credit"),
            value=value("type", "all"),
            on_change=lambda kind: CreditsState.filter("type", kind),
            size="1",
            aria_label="Which lines",
        ),
        day_field("From", value("since", ""), CreditsState.filter("since")),
        day_field("To", value("until", ""), CreditsState.filter("until")),
        rx.cond(
            CreditsState.filters.length() > 0,
            rx.button(rx.icon("x", size=14), "Clear", size="1", variant="ghost", color_scheme="gray", on_click=CreditsState.clear),
        ),
        key=CreditsState.edition.to(str), gap="8px", align="center", wrap="wrap",
    )  # fmt: skip


def _export() -> rx.Component:
    # reloadDocument: the router must not take it for a page.
    link = rx.el.a(
        rx.icon("download", size=14), "Export CSV", href=CreditsState.export, download=True,
        custom_attrs={"data-testid": "export", "reloadDocument": True},
    )  # fmt: skip
    return rx.cond(CreditsState.export != "", rx.button(link, as_child=True, size="1", variant="soft", color_scheme="gray"))


def _line(line: EntryLine) -> rx.Component:
    words = rx.box(
        rx.text(line.what, size="2", overflow_wrap="anywhere"),
        rx.cond(line.contact != "", rx.cond(
            line.href != "",
            rx.link("to ", line.contact, href=line.href, size="1", overflow_wrap="anywhere"),
            rx.text("to ", line.contact, size="1", color=theme.TEXT_MUTED),
        )),
        min_width="96px",
    )  # fmt: skip
    return rx.table.row(
        rx.table.cell(
            rx.moment(line.at, format="D MMM HH:mm:ss", local=True, with_title=True, title_format="D MMMM YYYY, HH:mm:ss"),
            width=rx.breakpoints(initial="60px", sm="150px"), white_space=rx.breakpoints(initial="normal", sm="nowrap"),
            font_size="12px", color=theme.TEXT_MUTED, font_variant_numeric="tabular-nums",
        ),
        rx.table.cell(words),
        rx.table.cell(
            rx.text(line.amount, size="2", weight="medium", color=rx.cond(line.debit, "var(--gray-12)", "var(--jade-11)")), **theme.NUMERIC
        ),
        rx.table.cell(line.after, **theme.NUMERIC),
        rx.table.cell(line.who, white_space="nowrap"),
        key=line.id, custom_attrs={"data-entry": line.id},
    )  # fmt: skip


def _pager() -> rx.Component:
    return rx.cond(
        (CreditsState.older != "") | (CreditsState.cursor != ""),
        rx.flex(
            rx.button(rx.icon("chevrons-left", size=14), "Newest", variant="soft", color_scheme="gray", disabled=CreditsState.cursor == "",
                      on_click=CreditsState.go("")),
            rx.button("Older", rx.icon("chevron-right", size=14), variant="soft", color_scheme="gray", disabled=CreditsState.older == "",
                      on_click=CreditsState.go(CreditsState.older)),
            gap="8px", align="center", padding_top="14px",
        ),
    )  # fmt: skip


def _nothing() -> rx.Component:
    return rx.cond(
        (CreditsState.filters.length() > 0) | (CreditsState.cursor != ""),
        empty_state("search", "No line matches", "Change the filters.",
                    rx.button("Clear filters", variant="soft", on_click=CreditsState.clear)),
        empty_state("receipt", "No line yet", "Every credit that is added or spent is a line here, with the balance before and after."),
    )  # fmt: skip
