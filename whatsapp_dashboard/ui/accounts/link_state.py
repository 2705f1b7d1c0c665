"""What the linking dialog does: follows one account from the first QR to connected (ACC-3)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from whatsapp_dashboard.accounts.service import SANDBOX
from whatsapp_dashboard.accounts.views import AccountRow, QrView
from whatsapp_dashboard.domain.account_status import AccountStatus
from whatsapp_dashboard.domain.engine_events import DisconnectCause
from whatsapp_dashboard.domain.ids import format_phone
from whatsapp_dashboard.domain.numbers import shown
from whatsapp_dashboard.errors import AppError, Conflict, NotFound
from whatsapp_dashboard.ui.live import following, live
from whatsapp_dashboard.ui.state import PageState, action
from whatsapp_dashboard.ui.times import iso

_DOWN = (AccountStatus.DISCONNECTED, AccountStatus.AUTH_FAILED, AccountStatus.ERROR)


class LinkState(PageState):
    """``phase`` is ``starting``, ``scan`` (a code is shown), ``ended`` (shown, and no scan in time), ``passkey`` (WhatsApp asks for one),
    ``failed`` or ``connected``."""

    open: bool = False
    account_id: str = ""
    name: str = ""
    phase: str = "starting"
    reason: str = ""
    image: str = ""
    issued_at: str = ""
    expires_at: str = ""
    last: bool = False
    shown: bool = False
    """Whether a code was there to be scanned."""
    trouble: str = ""
    """Why the last try failed, while another one follows by itself."""
    refused: str = ""
    phone: str = ""
    push_name: str = ""
    can_pair: bool = False
    simulated: bool = False
    """Whether a sandbox phone scans, no real one."""
    tab: str = "qr"
    code: str = ""
    code_expires_at: str = ""
    code_for: str = ""
    """Whose phone takes the code: the number that was understood."""
    code_not_for: str = ""
    """Another number that was possible."""
    pair_error: str = ""
    now: str = ""

    @action
    async def show(self, account_id: str) -> AsyncIterator[Any]:
        """Open the dialog for one account and start its session when nothing runs yet."""
        who = await self._who()
        row = await self._services().accounts.get(who, account_id)
        self._reset_dialog()
        self.account_id, self.name, self.open = row.id, row.name, True
        self.can_pair, self.simulated = "pairing_code" in row.capabilities, row.engine == SANDBOX
        yield
        idle = row.status in _DOWN
        if idle and row.next_attempt_at is None:
            await self._connect(account_id)
        yield LinkState.follow

    @action
    async def start_anew(self) -> None:
        """Ask for a new QR code after the last one ran out."""
        account_id = self.account_id
        self._reset_dialog()
        await self._connect(account_id)

    async def _connect(self, account_id: str) -> None:
        try:
            await self._services().accounts.connect(await self._who(), account_id)
        except AppError as error:
            self.phase, self.reason, self.refused = "failed", error.message, error.message

    @action
    async def set_open(self, value: bool) -> None:
        """Close the dialog; the session goes on as it is."""
        self.open = bool(value) and bool(self.account_id)
        if not self.open:
            self.image = self.code = ""

    @action
    async def choose_tab(self, tab: str | list[str]) -> None:
        """Scan a QR code, or type a code on the phone."""
        self.tab = "code" if tab == "code" else "qr"

    @action
    async def pair(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """Ask for the code that links the phone with the typed number."""
        self.pair_error = self.code = ""
        yield
        try:
            view = await self._services().accounts.pairing_code(await self._who(), self.account_id, str(form.get("phone", "")))
        except AppError as error:
            self.pair_error = error.message
            return
        self.now = iso(self._services().clock.now())
        self.code, self.code_expires_at = _grouped(view.code), iso(view.expires_at)
        self.code_for, self.code_not_for = shown(view.number), shown(view.other)

    @following
    async def follow(self) -> None:
        """Show each new code and the moment of connection while the dialog is open."""
        account_id = self.account_id
        async for events in live(self, "session.qr", "session.status", "account.deleted", every=5.0):
            if events and all(event.account_id != account_id for event in events):
                continue
            who = await self._who()
            accounts, view = self._services().accounts, None
            try:
                row = await accounts.get(who, account_id)
                if row.status is not AccountStatus.READY:
                    view = await accounts.qr(who, account_id)
            except Conflict:
                view = None
            except NotFound:
                async with self:
                    self.open = False
                return
            async with self:
                if not self.open or self.account_id != account_id:
                    return
                self.now = iso(self._services().clock.now())
                self._apply(row, view)

    def _apply(self, row: AccountRow, view: QrView | None) -> None:
        self.phase, self.reason = phase_of(row, view, shown=self.shown), row.status_reason
        self.trouble = row.status_reason if row.next_attempt_at is not None and row.status in _DOWN else ""
        if self.phase in ("starting", "failed", "ended") and self.refused:
            self.phase, self.reason = "failed", self.refused
        if self.phase == "connected":
            self.phone, self.push_name, self.image, self.code = format_phone(row.phone), row.push_name, "", ""
        elif self.phase == "scan" and view:
            self.image, self.issued_at, self.expires_at = view.data_url, iso(view.issued_at), iso(view.expires_at)
            self.last, self.shown = view.last, True
        else:
            self.image = self.code = ""

    def _reset_dialog(self) -> None:
        self.phase, self.tab = "starting", "qr"
        self.reason = self.image = self.code = self.pair_error = self.phone = self.push_name = ""
        self.trouble = self.refused = ""
        self.last = self.shown = False


def phase_of(row: AccountRow, view: QrView | None, *, shown: bool) -> str:
    """What the dialog shows; ``shown``: whether there was a code to be scanned."""
    if row.status is AccountStatus.READY:
        return "connected"
    if view is not None:
        return "scan"
    if row.status is AccountStatus.DISCONNECTED and row.status_code == DisconnectCause.PASSKEY_NEEDED:
        return "passkey"
    if row.status in _DOWN and row.next_attempt_at is None and (row.status is AccountStatus.ERROR or not row.linked):
        return "ended" if shown and row.status is not AccountStatus.ERROR else "failed"
    return "starting"


def _grouped(code: str) -> str:
    """``ABCD1234`` as WhatsApp shows it on the phone: ``ABCD-1234``."""
    return f"{code[:4]}-{code[4:]}" if len(code) == 8 else code
