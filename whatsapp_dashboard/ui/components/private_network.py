"""The one click that lets an owner reach a private address (HOOK-7)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.ui.session import CAN_ADMINISTER


def private_network(host: rx.Var[str], why: str, what_then: str, on_allow: Any, busy: Any) -> rx.Component:
    """That ``host`` is private and ``why`` it is not reached; owners get a button that allows it and does ``what_then``
    ("and save"). Place it where ``host`` is not empty."""
    return rx.callout.root(
        rx.callout.icon(rx.icon("shield-alert", size=16)),
        rx.callout.text(why),
        rx.cond(
            CAN_ADMINISTER,
            rx.button(
                "Allow ", host, f" {what_then}", type="button", size="1", width="fit-content", max_width="100%", loading=busy,
                on_click=on_allow,
            ),
            rx.text("Ask an owner to allow ", host, ".", size="1"),
        ),
        color_scheme="amber", size="1", width="100%", role="alert", custom_attrs={"data-testid": "private"},
    )  # fmt: skip
