"""The frame around every page: sidebar (a drawer on a phone), top bar with the user menu, content."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

import reflex as rx
from reflex_components_core.el.elements.inline import A

from whatsapp_dashboard.domain.principal import Role
from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.navigation import Page
from whatsapp_dashboard.ui.outage import outage_banner
from whatsapp_dashboard.ui.session import ShellState
from whatsapp_dashboard.ui.user_menu import user_menu
from whatsapp_dashboard.ui.waiting_view import waiting_signal


def framed(page: Page, pages: list[Page]) -> Callable[[], rx.Component]:
    """The page's component with the frame around it."""

    def render() -> rx.Component:
        content = page.content()
        inner = (
            content
            if page.wide
            else rx.box(
                content,
                max_width=theme.CONTENT_WIDTH,
                width="100%",
                margin="0 auto",
                padding=rx.breakpoints(initial="20px 16px 64px", md="28px 32px 64px"),
            )
        )
        return rx.flex(
            _skip_link(),
            waiting_signal(),
            rx.box(
                _navigation(page, pages),
                class_name="wa-sidebar",
                width=theme.SIDEBAR_WIDTH,
                border_right=theme.LINE,
                background=theme.SURFACE_SUBTLE,
                flex_shrink="0",
                height="100dvh",
                position="sticky",
                top="0",
                **theme.ONLY_WIDE,
            ),
            rx.flex(
                _top_bar(page, pages),
                # Filled by assets/line.js: whether the page reaches the server.
                rx.el.div(id="wa-line", role="status", class_name="wa-line-bar", custom_attrs={"data-operator": ShellState.operator_id}),
                outage_banner(),
                rx.el.main(
                    inner,
                    id="content",
                    tab_index=-1,
                    style={"flex": "1", "minHeight": "0", "minWidth": "0", "display": "flex", "flexDirection": "column"},
                ),
                direction="column",
                flex="1",
                min_width="0",
                height="100dvh" if page.wide else "auto",
                min_height="100dvh",
            ),
            width="100%",
            min_height="100dvh",
            background=theme.CANVAS,
        )

    # Reflex puts the parts of a page into a file named after this module; with ours, each page would bring the parts of all.
    render.__module__ = page.content.__module__
    return render


def _skip_link() -> rx.Component:
    # The element itself: Reflex' own link would lead to the page's address, and load the page anew.
    return A.create("Skip to content", href="#content", class_name="wa-skip")


def _brand() -> rx.Component:
    return rx.link(
        rx.hstack(
            rx.image(src="/logo.svg", width="22px", height="22px", alt=""),
            rx.text("WhatsApp Dashboard", size="2", weight="bold", color=theme.TEXT, white_space="nowrap"),
            align="center",
            spacing="2",
        ),
        href="/",
        underline="none",
    )


def _navigation(current: Page, pages: list[Page]) -> rx.Component:
    shown = [page for page in pages if page.in_sidebar]
    groups = []
    for section, members in groupby(shown, key=lambda page: page.section):
        entries = list(members)
        head = [_section(section, min(page.min_role.rank for page in entries))] if section else []
        groups.append(rx.vstack(*head, *[_entry(page, page is current) for page in entries], spacing="0", width="100%"))
    return rx.el.nav(
        rx.flex(_brand(), align="center", height=theme.TOPBAR_HEIGHT, padding="0 10px"),
        rx.box(*groups, width="100%", overflow_y="auto", flex="1"),
        class_name="wa-navigation",
        aria_label="Main",
    )


def _section(title: str, rank: int) -> rx.Component:
    """The name above a group of entries, for those who see at least one of them."""
    name = rx.text(title, size="1", weight="medium", color=theme.TEXT_MUTED, padding="14px 10px 4px")
    return name if rank <= Role.VIEWER.rank else rx.cond(ShellState.rank >= rank, name)


def _entry(page: Page, active: bool) -> rx.Component:
    entry = rx.link(
        rx.hstack(
            rx.icon(page.icon, size=16, color=theme.ACCENT_TEXT if active else "var(--gray-10)"),
            rx.text(page.title, size="2", weight="medium" if active else "regular"),
            *([page.badge()] if page.badge else []),
            align="center",
            spacing="3",
            width="100%",
        ),
        href=page.route,
        underline="none",
        width="100%",
        class_name="wa-nav wa-nav-active" if active else "wa-nav",
        **({"custom_attrs": {"aria-current": "page"}} if active else {}),
    )
    if page.min_role is not Role.VIEWER:
        entry = rx.cond(ShellState.rank >= page.min_role.rank, entry)
    if page.visible_when is not None:
        entry = rx.cond(page.visible_when(), entry)
    return entry


def _top_bar(page: Page, pages: list[Page]) -> rx.Component:
    return rx.el.header(
        rx.box(_drawer(page, pages), **theme.ONLY_NARROW),
        rx.text(page.title, size="2", weight="medium", color=theme.TEXT_MUTED, as_="span"),
        rx.spacer(),
        user_menu(),
        class_name="wa-topbar",
        style={"height": theme.TOPBAR_HEIGHT},  # and more while toasts need it
    )


def _drawer(page: Page, pages: list[Page]) -> rx.Component:
    return rx.drawer.root(
        rx.drawer.trigger(
            rx.icon_button(rx.icon("menu", size=18), variant="ghost", color_scheme="gray", size="2", aria_label="Open navigation"),
        ),
        rx.drawer.portal(
            rx.drawer.overlay(z_index="20"),
            rx.drawer.content(
                rx.drawer.title("Navigation", class_name="wa-visually-hidden"),
                rx.drawer.description("The pages of the dashboard", class_name="wa-visually-hidden"),
                _navigation(page, pages),
                width="272px",
                height="100%",
                top="0",
                left="0",
                background=theme.SURFACE,
                z_index="21",
            ),
        ),
        direction="left",
        open=ShellState.drawer_open,
        on_open_change=ShellState.show_drawer,
    )
