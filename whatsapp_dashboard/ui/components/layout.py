"""Pieces pages are laid out with: header, card, figure, table, avatar, time, copy button."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components.toasts import toast_ok


def page_header(title: str | rx.Var[str], subtitle: str | rx.Var[str] = "", *actions: rx.Component) -> rx.Component:
    """The page's heading, a line about what it is for, and its main actions at the right."""
    no_subtitle = isinstance(subtitle, str) and not subtitle
    return rx.flex(
        rx.vstack(
            rx.heading(title, size=theme.PAGE_TITLE, weight="bold", as_="h1", letter_spacing="-0.015em"),
            rx.fragment() if no_subtitle else rx.text(subtitle, size=theme.BODY, color=theme.TEXT_MUTED),
            spacing="1",
        ),
        rx.flex(*actions, gap="8px", align="center", wrap="wrap") if actions else rx.fragment(),
        justify="between",
        align=rx.breakpoints(initial="start", sm="end"),
        gap="12px",
        width="100%",
        direction=rx.breakpoints(initial="column", sm="row"),
        margin_bottom="20px",
    )


def card(*children: rx.Component, title: str = "", actions: Sequence[rx.Component] = (), **props: Any) -> rx.Component:
    """A framed part of a page, with an optional title line."""
    head = (
        rx.flex(
            rx.heading(title, size=theme.SECTION_TITLE, weight="medium", as_="h2"),
            rx.flex(*actions, gap="8px"),
            justify="between",
            align="center",
            padding="14px 16px",
            border_bottom=theme.LINE,
        )
        if title
        else rx.fragment()
    )
    return rx.box(head, rx.box(*children, padding="16px"), **{**theme.CARD, **props})


def stat(label: str, value: rx.Var[Any] | str, icon: str, hint: rx.Var[str] | str = "") -> rx.Component:
    """One figure with its name."""
    return rx.box(
        rx.flex(
            rx.text(label, size=theme.BODY, color=theme.TEXT_MUTED),
            rx.icon(icon, size=16, color="var(--gray-9)"),
            justify="between",
            align="center",
        ),
        rx.text(value, size="6", weight="bold", font_variant_numeric="tabular-nums", margin_top="6px"),
        rx.text(hint, size=theme.CAPTION, color=theme.TEXT_MUTED) if not (isinstance(hint, str) and not hint) else rx.fragment(),
        padding="16px",
        **theme.CARD,
    )


def data_table(
    label: str, columns: Sequence[str | tuple[str, str]], *rows: rx.Component, wide: Sequence[str] = (), **props: Any
) -> rx.Component:
    """A table named ``label`` in a card that scrolls sideways on a phone. A column is a title, or ``(title, "right")`` for numbers; those
    in ``wide`` are left out on a phone, as their cells must be (``theme.WIDE_CELL``)."""
    heads = [(c, "left") if isinstance(c, str) else c for c in columns]
    return rx.box(
        rx.table.root(
            rx.table.header(
                rx.table.row(
                    *[
                        rx.table.column_header_cell(
                            rx.text(title, size=theme.CAPTION, color=theme.TEXT_MUTED, weight="medium"),
                            text_align=align,
                            **(theme.WIDE_CELL if title in wide else {}),
                        )
                        for title, align in heads
                    ]
                )
            ),
            rx.table.body(*rows),
            size="2",
            variant="ghost",
            width="100%",
        ),
        class_name="wa-table",
        overflow_x="auto",
        tab_index=0,
        role="region",
        aria_label=label,
        **{**theme.CARD, **props},
    )


def relative_time(iso: rx.Var[str] | str, **props: Any) -> rx.Component:
    """How long ago, kept up to date; the exact time in the reader's zone on hover. ``iso`` is an ISO 8601 time in UTC."""
    return rx.cond(
        iso != "",
        rx.moment(
            iso,
            from_now=True,
            with_title=True,
            title_format="D MMM YYYY, HH:mm:ss",
            local=True,
            interval=30_000,
            **props,
        ),
        rx.text("never", as_="span", color=theme.TEXT_MUTED),
    )


def avatar(name: rx.Var[str] | str, seed_color: str = "gray", size: str = "2") -> rx.Component:
    """A round picture with the first letter of a name."""
    letter = name[:1].upper() if isinstance(name, str) else name.to(str)[:1].upper()
    return rx.avatar(fallback=letter, size=size, radius="full", color_scheme=seed_color, variant="soft")


def copy_button(text: rx.Var[str] | str, label: str = "Copy") -> rx.Component:
    """Copies ``text``; the button says so."""
    return rx.icon_button(
        rx.icon("copy", size=14),
        size="1",
        variant="ghost",
        color_scheme="gray",
        type="button",
        aria_label=label,
        title=label,
        on_click=[rx.set_clipboard(text), toast_ok("Copied")],
    )
