"""One's own access: password, sessions, second factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from whatsapp_dashboard.auth.sessions import SessionInfo
from whatsapp_dashboard.errors import AppError, Invalid
from whatsapp_dashboard.ui.components import toast_info, toast_ok
from whatsapp_dashboard.ui.state import PageState, action, client_ip


@dataclass
class SessionRow:
    """A session in the list."""

    id: str
    device: str
    icon: str
    ip: str
    last_seen: str
    current: bool


class ProfileState(PageState):
    """What the profile page shows and does."""

    loaded: bool = False
    totp_on: bool = False
    sessions: list[SessionRow] = []
    others: int = 0
    password_error: str = ""
    password_form: int = 0
    """Counts up to give the form a new key, which empties it."""
    ask_open: bool = False
    """Asking for the password before the second factor is set up."""
    ask_error: str = ""
    enrol_open: bool = False
    enrol_qr: str = ""
    enrol_secret: str = ""
    enrol_error: str = ""
    disable_open: bool = False
    disable_error: str = ""

    @action
    async def load(self) -> None:
        """Read sessions and second factor."""
        await self._load()

    async def _load(self) -> None:
        who, auth = await self._who(), self._services().auth
        self.totp_on = await auth.second_factor.is_on(who)
        self.sessions = [_row(item) for item in await auth.list_sessions(who)]
        self.others = sum(not item.current for item in self.sessions)
        self.loaded = True

    @action
    async def change_password(self, form: dict[str, Any]) -> Any:
        """Set a new password."""
        who = await self._who()
        self.password_error = ""
        try:
            if form.get("new_password") != form.get("repeated"):
                raise Invalid("The new password and its repetition differ.")
            await self._services().auth.change_password(
                who, str(form.get("current_password", "")), str(form.get("new_password", "")), ip=client_ip()
            )
        except AppError as error:
            self.password_error = error.message
            return None
        self.password_form += 1
        await self._load()
        return toast_ok("Password changed", "Your other sessions were logged out.")

    @action
    async def revoke(self, session_id: str) -> Any:
        """Log one session out."""
        await self._services().auth.revoke(await self._who(), session_id)
        await self._load()
        return toast_ok("Session logged out")

    @action
    async def revoke_others(self) -> Any:
        """Log all sessions out but this one."""
        count = await self._services().auth.revoke_others(await self._who())
        await self._load()
        return toast_ok(f"{count} other session{'' if count == 1 else 's'} logged out")

    @action
    async def show_ask(self, value: bool) -> None:
        """Open or close the question for the password that comes before the QR code."""
        self.ask_open, self.ask_error = value, ""

    @action
    async def begin_totp(self, form: dict[str, Any]) -> None:
        """Show the QR code for the authenticator app."""
        try:
            enrolment = await self._services().auth.second_factor.begin(await self._who(), str(form.get("password", "")), ip=client_ip())
        except AppError as error:
            self.ask_error = error.message
            return
        self.ask_open, self.ask_error = False, ""
        self.enrol_qr, self.enrol_secret, self.enrol_error, self.enrol_open = enrolment.qr, enrolment.secret, "", True

    @action
    async def confirm_totp(self, form: dict[str, Any]) -> Any:
        """Turn the second factor on."""
        try:
            await self._services().auth.second_factor.turn_on(await self._who(), str(form.get("code", "")), ip=client_ip())
        except AppError as error:
            self.enrol_error = error.message
            return None
        self.enrol_open, self.enrol_qr, self.enrol_secret = False, "", ""
        await self._load()
        return toast_ok("Two-step log-in is on")

    @action
    async def show_enrol(self, value: bool) -> None:
        """Open or close the enrolment; closing forgets the secret shown."""
        self.enrol_open = value
        if not value:
            self.enrol_qr, self.enrol_secret = "", ""

    @action
    async def show_disable(self, value: bool) -> None:
        """Open or close the dialog that turns the second factor off."""
        self.disable_open, self.disable_error = value, ""

    @action
    async def disable_totp(self, form: dict[str, Any]) -> Any:
        """Turn the second factor off."""
        try:
            await self._services().auth.second_factor.turn_off(await self._who(), str(form.get("password", "")), ip=client_ip())
        except AppError as error:
            self.disable_error = error.message
            return None
        self.disable_open = False
        await self._load()
        return toast_info("Two-step log-in is off")


def _row(item: SessionInfo) -> SessionRow:
    device, icon = _device(item.user_agent) if item.kind == "browser" else ("Program with a token", "terminal")
    return SessionRow(item.id, device, icon, item.ip, item.last_seen_at.isoformat(), item.current)


def _device(user_agent: str) -> tuple[str, str]:
    """A short name for what a browser calls itself, and its icon."""
    names = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
    systems = (
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    )
    browser = next((name for mark, name in names if mark in user_agent), "")
    system = next((name for mark, name in systems if mark in user_agent), "")
    icon = "smartphone" if system in ("Android", "iPhone", "iPad") else "monitor"
    return " on ".join(part for part in (browser, system) if part) or user_agent[:60] or "Unknown program", icon
