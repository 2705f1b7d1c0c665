"""The team: who may log in, and what each may do."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.domain.principal import Role
from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components import (
    avatar,
    badge,
    confirm_dialog,
    copy_button,
    data_table,
    error_state,
    field,
    form_dialog,
    page_header,
    relative_time,
    skeleton_rows,
    text_field,
)
from whatsapp_dashboard.ui.navigation import Page
from whatsapp_dashboard.ui.team.state import Member, TeamState

ROLES = [role.value for role in Role]
_ROLE_HINT = "A viewer reads, an operator works, an owner administers."


def team() -> rx.Component:
    """The page."""
    return rx.box(
        page_header(
            "Team",
            "Who may log in, and what each may do.",
            rx.cond(
                TeamState.failed == "",
                rx.button(rx.icon("plus", size=16), "Add operator", on_click=TeamState.show_add(True)),
            ),
        ),
        rx.cond(
            ~TeamState.loaded,
            skeleton_rows(3),
            rx.cond(
                TeamState.failed != "",
                error_state("Only owners see this page", TeamState.failed),
                data_table(
                    "Operators", ["Name", "Role", "Two-step", "Last log-in", "Actions"], rx.foreach(TeamState.members, _row),
                    wide=["Two-step", "Last log-in"],
                ),
            ),
        ),
        _add_dialog(),
        _secret_dialog(),
        confirm_dialog(
            open_=TeamState.disable_id != "",
            on_open_change=TeamState.close_question,
            title=rx.Var.create("Disable ") + TeamState.disable_name + "?",
            text="Their sessions end at once and they cannot log in until you enable them again. Nothing is deleted.",
            confirm="Disable",
            on_confirm=TeamState.disable,
        ),
        _ask_dialog(),
    )


def _row(member: Member) -> rx.Component:
    return rx.table.row(
        rx.table.row_header_cell(
            rx.hstack(
                avatar(member.username, theme.ACCENT, "2"),
                rx.box(
                    rx.flex(
                        rx.text(member.username, size=theme.BODY, weight="medium", title=member.username, **theme.CLIP),
                        rx.cond(member.is_me, badge("You", "neutral")),
                        rx.cond(member.disabled, badge("Disabled", "bad")),
                        gap="8px", align="center", wrap="wrap",
                    ),
                    rx.text(
                        rx.cond(member.totp, "Two-step on", "Two-step off"), " · ", relative_time(member.last_login),
                        size="1", color=theme.TEXT_MUTED, weight="regular", display=["block", "block", "block", "none"],
                    ),
                    min_width="0",
                ),
                align="center",
                spacing="2",
            ),
        ),
        rx.table.cell(
            rx.select(
                ROLES,
                value=member.role,
                size="1",
                on_change=lambda role: TeamState.set_member_role(member.id, role),
                variant="soft",
                color_scheme="gray",
                custom_attrs={"aria-label": "Role"},
            ),
        ),
        rx.table.cell(
            rx.cond(member.totp, badge("On", "good"), rx.text("Off", size=theme.BODY, color=theme.TEXT_MUTED)), **theme.WIDE_CELL
        ),
        rx.table.cell(rx.text(relative_time(member.last_login), size=theme.BODY, color=theme.TEXT_MUTED), **theme.WIDE_CELL),
        rx.table.cell(
            rx.cond(
                member.is_me,
                rx.fragment(),
                rx.menu.root(
                    rx.menu.trigger(
                        rx.icon_button(rx.icon("ellipsis", size=16), variant="ghost", color_scheme="gray", size="1", aria_label="Actions"),
                    ),
                    rx.menu.content(
                        rx.menu.item("New password", on_select=TeamState.ask_reset(member.id, member.username)),
                        rx.cond(
                            member.disabled,
                            rx.menu.item("Enable", on_select=TeamState.ask_enable(member.id, member.username)),
                            rx.menu.item("Disable", color_scheme="red", on_select=TeamState.ask_disable(member.id, member.username)),
                        ),
                    ),
                ),
            ),
            text_align="right",
        ),
        align="center",
    )


def _add_dialog() -> rx.Component:
    return form_dialog(
        text_field("User name", "username", required=True, max_length=64, auto_complete="off"),
        field("Role", rx.select(ROLES, name="role", default_value=Role.OPERATOR.value, width="100%"), _ROLE_HINT),
        _own_password(),
        open_=TeamState.add_open,
        on_open_change=TeamState.show_add,
        title="Add an operator",
        text="A password is made for them and shown to you once.",
        submit="Add",
        on_submit=TeamState.add,
        error=TeamState.add_error,
        width="420px",
    )


def _own_password() -> rx.Component:
    return text_field(
        "Your own password",
        "current_password",
        "So that nobody can do this who only finds your browser open.",
        type="password",
        auto_complete="current-password",
        required=True,
        max_length=256,
    )


def _ask_dialog() -> rx.Component:
    name = TeamState.ask_name
    return form_dialog(
        rx.text(
            rx.match(
                TeamState.ask,
                ("role", f"{name} will be able to do more from now on: {_ROLE_HINT[0].lower()}{_ROLE_HINT[1:]}"),
                ("enable", f"{name} will be able to log in again, with the role and the password of before."),
                "The old password stops working, two-step log-in is turned off and all their sessions end.",
            ),
            size=theme.BODY,
            color=theme.TEXT_MUTED,
        ),
        _own_password(),
        open_=TeamState.ask != "",
        on_open_change=TeamState.close_question,
        title=rx.match(
            TeamState.ask,
            ("role", f"Make {name} {TeamState.ask_role}?"),
            ("enable", f"Enable {name}?"),
            f"New password for {name}?",
        ),
        submit=rx.match(TeamState.ask, ("role", "Change role"), ("enable", "Enable"), "Make a new password"),
        on_submit=TeamState.confirm,
        error=TeamState.ask_error,
        width="420px",
    )


def _secret_dialog() -> rx.Component:
    return rx.dialog.root(
        rx.dialog.content(
            rx.dialog.title("Password for ", TeamState.secret_for, size="4"),
            rx.dialog.description(
                "Pass it on now: it is not shown again. They can change it on their profile page.",
                size="2",
                color=theme.TEXT_MUTED,
            ),
            rx.hstack(
                rx.code(TeamState.secret, size="3", id="new-password"),
                copy_button(TeamState.secret, "Copy the password"),
                align="center",
                margin_y="16px",
            ),
            rx.flex(rx.dialog.close(rx.button("Done")), justify="end"),
            max_width="420px",
        ),
        open=TeamState.secret != "",
        on_open_change=TeamState.forget_secret,
    )


PAGE = Page(
    route="/team", title="Team", icon="users", content=team, on_load=[TeamState.load], section="Administration", min_role=Role.OWNER
)
