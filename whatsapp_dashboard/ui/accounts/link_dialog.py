"""The linking dialog: QR with its countdown, pairing code, and the moment of connection (ACC-3)."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.accounts.link_state import LinkState
from whatsapp_dashboard.ui.accounts.links import open_inbox
from whatsapp_dashboard.ui.components import copy_button, inline_error, text_field
from whatsapp_dashboard.ui.components.countdown import countdown, countdown_ring

_QR_SIZE = "264px"


def link_dialog() -> rx.Component:
    """Follows one account from the first code to connected."""
    return rx.dialog.root(
        rx.dialog.content(
            rx.dialog.title("Link ", LinkState.name, size="4", margin_bottom="12px", padding_right="32px", class_name="wa-clip-2"),
            rx.dialog.close(
                rx.icon_button(rx.icon("x", size=16), variant="ghost", color_scheme="gray", aria_label="Close",
                               position="absolute", top="20px", right="20px"),
            ),
            rx.match(
                LinkState.phase,
                ("connected", _connected()),
                ("ended", _ended("clock", "No phone scanned in time", LinkState.reason, "New QR code")),
                ("passkey", _ended("key-round", "This number needs a passkey to link", LinkState.reason, "Try again")),
                ("failed", _ended("triangle-alert", "The session could not be started", LinkState.reason, "Try again")),
                _linking(),
            ),
            max_width="660px", aria_describedby="", custom_attrs={"data-testid": "link-dialog"},
        ),
        open=LinkState.open, on_open_change=LinkState.set_open,
    )  # fmt: skip


def _linking() -> rx.Component:
    tabs = rx.cond(
        LinkState.can_pair,
        rx.segmented_control.root(
            rx.segmented_control.item("QR code", value="qr"),
            rx.segmented_control.item("Phone number", value="code"),
            value=LinkState.tab,
            on_change=LinkState.choose_tab,
            margin_bottom="16px",
            width="100%",
        ),
    )
    return rx.box(tabs, rx.cond(LinkState.tab == "code", _by_number(), _by_scan()))


def _by_scan() -> rx.Component:
    return rx.flex(
        rx.vstack(_qr(), rx.box(_time_left(), min_height="44px"), align="center", spacing="3", flex_shrink="0"),
        _real_or_simulated(
            _steps(
                "Open WhatsApp on the phone.",
                "Tap Settings (on Android: the menu ⋮), then Linked devices.",
                "Tap Link a device.",
                "Point the phone at this code.",
            ),
            _steps(
                "No real phone is needed: open the Sandbox phone.",
                "Choose Scan with a new phone beside the name of this account.",
                "Write as one of its contacts. Nothing reaches WhatsApp.",
            ),
        ),
        gap="28px",
        direction=rx.breakpoints(initial="column", sm="row"),
        align=rx.breakpoints(initial="center", sm="start"),
    )


def _qr() -> rx.Component:
    frame = {"width": _QR_SIZE, "height": _QR_SIZE, "border_radius": theme.RADIUS, "overflow": "hidden"}
    return rx.cond(
        LinkState.image != "",
        # White around the code in both colour modes: scanners need the contrast.
        rx.box(
            rx.image(src=LinkState.image, alt="QR code to link the account", width="100%", height="100%",
                     image_rendering="pixelated", custom_attrs={"data-testid": "qr"}),
            background="#fff", border=theme.LINE, **frame,
        ),
        rx.center(
            rx.vstack(
                rx.spinner(size="3"),
                rx.text("Getting a code …", size="2", color=theme.TEXT_MUTED),
                rx.cond(LinkState.trouble != "", rx.text(
                    LinkState.trouble, " It is tried again.", size="1", color="var(--red-11)", align="center", padding="0 16px",
                    role="alert", custom_attrs={"data-testid": "trouble"},
                )),
                align="center",
            ),
            background="var(--gray-a2)", border=theme.LINE, role="status", **frame,
        ),
    )  # fmt: skip


def _time_left() -> rx.Component:
    return rx.cond(
        LinkState.image != "",
        rx.hstack(
            countdown_ring(LinkState.issued_at, LinkState.expires_at, LinkState.now),
            rx.text(
                rx.cond(LinkState.last, "Last code of this round", "A new code follows by itself"),
                size="1",
                color=theme.TEXT_MUTED,
            ),
            align="center",
            spacing="3",
        ),
    )


def _by_number() -> rx.Component:
    return rx.flex(
        rx.box(
            rx.form(
                rx.vstack(
                    text_field("Phone number of the account", "phone", "With its country code.", type="tel", placeholder="+34 600 111 222",
                               auto_focus=True, auto_complete="off", max_length=64),
                    inline_error(LinkState.pair_error),
                    rx.button("Get a code", type="submit", disabled=LinkState.image == ""),
                    spacing="3", width="100%",
                ),
                on_submit=LinkState.pair, reset_on_submit=False,
            ),
            rx.cond(LinkState.code != "", _code(), rx.fragment()),
            width=rx.breakpoints(initial="100%", sm="300px"), flex_shrink="0",
        ),
        _real_or_simulated(
            _steps(
                "Type the number of the phone and get a code.",
                "On the phone: WhatsApp, Settings (on Android: the menu ⋮), Linked devices, Link a device.",
                "Tap “Link with phone number instead”.",
                "Type the code.",
            ),
            _steps(
                "Type any number and get a code.",
                "Open the Sandbox phone.",
                "Type the code there, under Link an account.",
            ),
        ),
        gap="28px", direction=rx.breakpoints(initial="column", sm="row"),
    )  # fmt: skip


def _code() -> rx.Component:
    return rx.vstack(
        rx.hstack(
            rx.text(
                LinkState.code,
                size="8",
                weight="bold",
                font_family="var(--code-font-family)",
                letter_spacing="0.08em",
                white_space="nowrap",
                custom_attrs={"data-testid": "pairing-code"},
            ),
            copy_button(LinkState.code, "Copy the code"),
            align="center",
            spacing="3",
        ),
        rx.text("For ", rx.text.strong(LinkState.code_for), size="2", custom_attrs={"data-testid": "pairing-for"}),
        rx.cond(
            LinkState.code_not_for != "",
            rx.text("If you meant ", LinkState.code_not_for, ", write it with + and its country code.", size="1", color=theme.TEXT_MUTED),
        ),
        rx.text(
            countdown(LinkState.code_expires_at, LinkState.now, before="Good for ", done="Expired: ask for a new one"),
            size="1",
            color=theme.TEXT_MUTED,
        ),
        padding="16px",
        margin_top="16px",
        spacing="1",
        role="status",
        background=theme.ACCENT_SOFT,
        border_radius=theme.RADIUS,
    )


def _real_or_simulated(real: rx.Component, simulated: rx.Component) -> rx.Component:
    """How to go on with a phone in the hand, or with the simulated one."""
    page = rx.link(
        rx.button(rx.icon("smartphone", size=14), "Open the Sandbox phone", variant="soft", size="2"),
        href="/sandbox-phone",
        is_external=True,
    )
    return rx.cond(LinkState.simulated, rx.box(simulated, page), real)


def _steps(*steps: str) -> rx.Component:
    return rx.el.ol(
        *[
            rx.el.li(
                rx.center(rx.text(str(number), size="1", weight="medium"), width="22px", height="22px", flex_shrink="0",
                          border_radius="50%", background="var(--gray-a3)", aria_hidden="true"),
                rx.text(step, size="2"),
                style={"display": "flex", "gap": "10px", "alignItems": "flex-start", "marginBottom": "14px"},
            )
            for number, step in enumerate(steps, 1)
        ],
        style={"listStyle": "none", "margin": "0", "padding": "4px 0 0"},
    )  # fmt: skip


def _ended(icon: str, title: str, text: rx.Var[str], button: str) -> rx.Component:
    return rx.vstack(
        rx.center(rx.icon(icon, size=24, color="var(--orange-11)"), width="56px", height="56px", border_radius="50%",
                  background="var(--orange-a3)"),
        rx.text(title, size="3", weight="medium"),
        rx.text(text, size="2", color=theme.TEXT_MUTED, text_align="center", max_width="420px"),
        rx.button(rx.icon("qr-code", size=16), button, on_click=LinkState.start_anew, margin_top="8px"),
        align="center", padding="28px 0 16px", spacing="2", role="status",
    )  # fmt: skip


def _connected() -> rx.Component:
    return rx.vstack(
        rx.center(rx.icon("check", size=28, color="var(--jade-11)"), width="64px", height="64px", border_radius="50%",
                  background="var(--jade-a4)", class_name="wa-pop"),
        rx.text("Connected", size="5", weight="bold"),
        rx.text(LinkState.phone, size="4", font_variant_numeric="tabular-nums", custom_attrs={"data-testid": "linked-phone"}),
        rx.text(LinkState.push_name, size="2", color=theme.TEXT_MUTED),
        rx.hstack(
            rx.dialog.close(rx.button("Done", variant="soft", color_scheme="gray")),
            rx.button("Open inbox", on_click=[LinkState.set_open(False), open_inbox(LinkState.account_id)]),
            spacing="2", padding_top="12px",
        ),
        align="center", padding="20px 0 8px", spacing="2", role="status",
    )  # fmt: skip
