"""The operators of the workspace, as its owner administers them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from whatsapp_dashboard.auth.operators import OperatorInfo
from whatsapp_dashboard.errors import AppError, Forbidden, Invalid
from whatsapp_dashboard.ui.components import toast_ok
from whatsapp_dashboard.ui.state import PageState, action, client_ip


@dataclass
class Member:
    """An operator in the table."""

    id: str
    username: str
    role: str
    disabled: bool
    totp: bool
    last_login: str
    is_me: bool


class TeamState(PageState):
    """What the team page shows and does."""

    loaded: bool = False
    failed: str = ""
    members: list[Member] = []
    add_open: bool = False
    add_error: str = ""
    secret_for: str = ""
    secret: str = ""
    """A password that was just made; shown once, forgotten when its dialog closes."""
    disable_id: str = ""
    disable_name: str = ""
    ask: str = ""
    """What waits for one's own password: ``role``, ``enable`` or ``reset``; empty when nothing does."""
    ask_id: str = ""
    ask_name: str = ""
    ask_role: str = ""
    ask_error: str = ""

    @action
    async def load(self) -> None:
        """Read the operators; says so instead when the role does not allow it."""
        try:
            await self._load()
        except Forbidden as error:
            self.failed, self.loaded = error.message, True

    async def _load(self) -> None:
        who = await self._who()
        items = await self._services().auth.operators.list_all(who)
        self.members = [_member(item, who.operator_id) for item in items]
        self.loaded, self.failed = True, ""

    @action
    async def show_add(self, value: bool) -> None:
        """Open or close the form for a new operator."""
        self.add_open, self.add_error = value, ""

    @action
    async def add(self, form: dict[str, Any]) -> Any:
        """Make an operator and show the generated password once."""
        try:
            made, password = await self._services().auth.operators.create(
                await self._who(),
                str(form.get("username", "")),
                str(form.get("role", "")),
                confirm=str(form.get("current_password", "")),
                ip=client_ip(),
            )
        except AppError as error:
            self.add_error = error.message
            return None
        self.add_open, self.secret_for, self.secret = False, made.username, password or ""
        await self._load()
        return toast_ok(f"{made.username} was added")

    @action
    async def set_member_role(self, operator_id: str, role: str) -> Any:
        """Change what an operator may do; a higher role asks for one's own password first."""
        try:
            await self._services().auth.operators.change(await self._who(), operator_id, role=role)
        except Invalid as error:
            if error.code != "password_needed":
                raise
            name = next((member.username for member in self.members if member.id == operator_id), "")
            self.ask, self.ask_id, self.ask_name, self.ask_role, self.ask_error = "role", operator_id, name, role, ""
            return None
        finally:
            await self._load()
        return toast_ok("Role changed")

    @action
    async def ask_disable(self, operator_id: str, username: str) -> None:
        """Ask before locking somebody out; an empty id closes the question."""
        self.disable_id, self.disable_name = operator_id, username

    @action
    async def disable(self) -> Any:
        """Lock the operator in question out."""
        made = await self._services().auth.operators.change(await self._who(), self.disable_id, disabled=True)
        self.disable_id = ""
        await self._load()
        return toast_ok(f"{made.username} can no longer log in")

    @action
    async def ask_enable(self, operator_id: str, username: str) -> None:
        """Ask for one's own password before letting an operator in again."""
        self.ask, self.ask_id, self.ask_name, self.ask_error = "enable", operator_id, username, ""

    @action
    async def ask_reset(self, operator_id: str, username: str) -> None:
        """Ask for one's own password before replacing somebody's."""
        self.ask, self.ask_id, self.ask_name, self.ask_error = "reset", operator_id, username, ""

    @action
    async def confirm(self, form: dict[str, Any]) -> Any:
        """Do what waited for the password."""
        who, operators = await self._who(), self._services().auth.operators
        asked: dict[str, Any] = {"confirm": str(form.get("current_password", "")), "ip": client_ip()}
        done, name = self.ask, self.ask_name
        try:
            if done == "role":
                await operators.change(who, self.ask_id, role=self.ask_role, **asked)
            elif done == "enable":
                await operators.change(who, self.ask_id, disabled=False, **asked)
            elif done == "reset":
                self.secret = await operators.reset_password(who, self.ask_id, **asked)
                self.secret_for = name
        except AppError as error:
            self.ask_error = error.message
            return None
        self.ask = ""
        await self._load()
        return {"role": toast_ok("Role changed"), "enable": toast_ok(f"{name} can log in again")}.get(done)

    @action
    async def close_question(self, _open: bool) -> None:
        """Close whichever question is open."""
        self.disable_id, self.ask = "", ""

    @action
    async def forget_secret(self, _open: bool) -> None:
        """Close the dialog with the new password and forget it."""
        self.secret, self.secret_for = "", ""


def _member(item: OperatorInfo, me: str) -> Member:
    return Member(
        item.id,
        item.username,
        item.role.value,
        item.disabled,
        item.totp_enabled,
        item.last_login_at.isoformat() if item.last_login_at else "",
        item.id == me,
    )
