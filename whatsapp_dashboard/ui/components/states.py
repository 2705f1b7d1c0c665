"""The states a page has besides full: loading, empty, failed."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui import theme


def empty_state(icon: str, title: str, text: str, *actions: rx.Component) -> rx.Component:
    """Nothing here yet: what this is, and one button to start."""
    return _centered(icon, "var(--gray-a3)", theme.TEXT_MUTED, title, text, *actions)


def error_state(title: str | rx.Var[str], text: str | rx.Var[str], *actions: rx.Component) -> rx.Component:
    """It failed: what happened and what to do."""
    return _centered("triangle-alert", "var(--red-a3)", "var(--red-11)", title, text, *actions)


def skeleton_rows(count: int = 6) -> rx.Component:
    """Grey rows where a table or list will be."""
    return rx.vstack(
        *[
            rx.hstack(
                rx.skeleton(width="32px", height="32px", border_radius="50%", flex_shrink="0"),
                rx.skeleton(width=f"{38 - 4 * (i % 3)}%", height="14px"),
                rx.spacer(),
                rx.skeleton(width="72px", height="14px"),
                align="center",
                width="100%",
                padding="14px 16px",
                border_bottom=theme.LINE if i < count - 1 else "none",
            )
            for i in range(count)
        ],
        spacing="0",
        aria_hidden="true",
        **theme.CARD,
    )


def skeleton_cards(count: int = 4) -> rx.Component:
    """Grey cards where figures will be."""
    return rx.grid(
        *[
            rx.box(
                rx.skeleton(width="50%", height="12px", margin_bottom="12px"),
                rx.skeleton(width="35%", height="24px"),
                padding="16px",
                **theme.CARD,
            )
            for _ in range(count)
        ],
        columns=rx.breakpoints(initial="2", md=str(count)),
        gap="12px",
        width="100%",
        aria_hidden="true",
    )


def _centered(
    icon: str, circle: str, color: str, title: str | rx.Var[str], text: str | rx.Var[str], *actions: rx.Component
) -> rx.Component:
    return rx.center(
        rx.vstack(
            rx.center(
                rx.icon(icon, size=22, color=color),
                width="48px",
                height="48px",
                border_radius="50%",
                background=circle,
            ),
            rx.heading(title, size="3", weight="medium", text_align="center", as_="h2"),
            rx.text(text, size=theme.BODY, color=theme.TEXT_MUTED, text_align="center", max_width="420px"),
            rx.hstack(*actions, spacing="2", padding_top="8px") if actions else rx.fragment(),
            align="center",
            spacing="2",
        ),
        padding="56px 24px",
        **theme.CARD,
    )
