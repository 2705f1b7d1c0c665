"""The operators of the workspace, as its owner administers them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from whatsapp_dashboard.auth.operators import OperatorInfo
from whatsapp_dashboard.errors import AppError, Forbidden
from whatsapp_dashboard.ui.components import toast_ok
from whatsapp_dashboard.ui.state import PageState, action


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
    reset_id: str = ""
    reset_name: str = ""

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
                await self._who(), str(form.get("username", "")), str(form.get("role", ""))
            )
        except AppError as error:
            self.add_error = error.message
            return None
        self.add_open, self.secret_for, self.secret = False, made.username, password or ""
        await self._load()
        return toast_ok(f"{made.username} was added")

    @action
    async def set_member_role(self, operator_id: str, role: str) -> Any:
        """Change what an operator may do."""
        try:
            await self._services().auth.operators.change(await self._who(), operator_id, role=role)
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
    async def enable(self, operator_id: str) -> Any:
        """Let an operator in again."""
        made = await self._services().auth.operators.change(await self._who(), operator_id, disabled=False)
        await self._load()
        return toast_ok(f"{made.username} can log in again")

    @action
    async def ask_reset(self, operator_id: str, username: str) -> None:
        """Ask before replacing a password; an empty id closes the question."""
        self.reset_id, self.reset_name = operator_id, username

    @action
    async def reset_member_password(self) -> None:
        """Make a new password for the operator in question and show it once."""
        self.secret = await self._services().auth.operators.reset_password(await self._who(), self.reset_id)
        self.secret_for, self.reset_id = self.reset_name, ""
        await self._load()

    @action
    async def close_question(self, _open: bool) -> None:
        """Close whichever question is open."""
        self.disable_id, self.reset_id = "", ""

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
