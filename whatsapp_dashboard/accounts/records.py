"""How the pool writes what it learns about a session: status changes by the table, times of proof, credentials, restrictions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import delete, select, update
from sqlmodel import col

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.crypto import SecretBox
from whatsapp_dashboard.core.db import Database, insert_ignore
from whatsapp_dashboard.domain.account_status import AccountStatus, is_legal
from whatsapp_dashboard.domain.engine_events import Ready
from whatsapp_dashboard.domain.ids import same_phone
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.models import Account, SessionCredential, SessionLease

log = structlog.get_logger(__name__)

_REASON_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """An account that should be running."""

    id: str
    engine: str
    linked: bool


class AccountRecords:
    """The pool's pen: short writes, each with its event."""

    def __init__(self, db: Database, box: SecretBox, clock: Clock) -> None:
        self._db = db
        self._box = box
        self._clock = clock

    async def wanted(self) -> list[Wanted]:
        """The accounts to bring back at start: linked ones the operator did not disconnect (ACC-4)."""
        async with self._db.read() as session:
            rows = await session.scalars(select(Account).where(col(Account.wanted), col(Account.linked)).order_by(col(Account.id)))
            return [Wanted(row.id, row.engine, row.linked) for row in rows]

    async def get(self, account_id: str) -> Account | None:
        """The account as it is stored now."""
        async with self._db.read() as session:
            return await session.get(Account, account_id)

    async def forget_stale_states(self) -> None:
        """After a crash the table may still say ``ready``: nothing is, until proven again (ACC-9)."""
        live = (AccountStatus.READY, AccountStatus.INITIALIZING, AccountStatus.QR_READY)
        leased = select(col(SessionLease.account_id)).where(col(SessionLease.until) > self._clock.now())
        async with self._db.read() as session:
            statement = select(col(Account.id)).where(col(Account.status).in_(live), col(Account.id).not_in(leased))
            rows = (await session.scalars(statement)).all()
        for account_id in rows:
            await self.set_status(account_id, AccountStatus.DISCONNECTED, "The dashboard was restarted.", offline=True)

    async def set_status(
        self,
        account_id: str,
        status: AccountStatus,
        reason: str,
        *,
        code: str = "",
        attempt: int | None = None,
        next_attempt_at: datetime | None = None,
        ready: Ready | None = None,
        unlinked: bool = False,
        halted: bool = False,
        offline: bool = False,
    ) -> bool:
        """Move the account to ``status`` if the table allows it, with its event; False (and a log line) when it does not.

        ``code`` is the reason for programs (a DisconnectCause); ``ready`` carries what a fresh link proved; ``unlinked`` says the
        stored credentials are worthless; ``halted`` that it must not come back by itself at the next start; ``offline`` opens the gap
        that ACC-10 shows.
        """
        now = self._clock.now()
        reason = reason[:_REASON_LENGTH]
        async with self._db.write() as session:
            account = await session.get(Account, account_id, with_for_update=True)
            if account is None:
                return False
            old = AccountStatus(account.status)
            if not is_legal(old, status):
                log.error("illegal status change refused", account_id=account_id, old=old, new=status, reason=reason)
                return False
            if old is not status:
                account.status_changed_at = now
            account.status = status
            account.status_reason, account.status_code = reason, code
            account.next_attempt_at = next_attempt_at
            if attempt is not None:
                account.attempt = attempt
            if ready is not None:
                _apply_ready(account, ready, now)
            elif status is not AccountStatus.READY:
                if account.connected_since is not None or (offline and account.linked and account.gap_started_at is None):
                    account.gap_started_at = account.last_proof_at or now
                    account.gap_ended_at = None
                account.connected_since = None
            if unlinked or halted:
                account.wanted = False
            if unlinked:
                account.linked = False
                account.phone = account.lid = None
                account.push_name = account.platform = ""
                await session.execute(delete(SessionCredential).where(col(SessionCredential.account_id) == account_id))
            record(
                session,
                "session.status",
                workspace_id=account.workspace_id,
                account_id=account_id,
                data={"status": status, "old_status": old, "reason": reason, "code": code, "attempt": account.attempt},
            )
        return True

    async def announce_qr(self, account_id: str, data: dict[str, Any]) -> None:
        """Tell listeners that a new QR is there. The code itself stays in memory: whoever reads the log cannot link with it."""
        async with self._db.write() as session:
            account = await session.get(Account, account_id)
            if account:
                record(session, "session.qr", workspace_id=account.workspace_id, account_id=account_id, data=data)

    async def restrict(self, account_id: str, reason: str, until: datetime) -> None:
        """Close the breaker of ACC-11 until ``until``."""
        async with self._db.write() as session:
            account = await session.get(Account, account_id)
            if account:
                account.restricted_until, account.restriction = until, reason[:_REASON_LENGTH]
                record(
                    session,
                    "session.restricted",
                    workspace_id=account.workspace_id,
                    account_id=account_id,
                    data={"reason": reason, "until": until.isoformat()},
                )

    async def touch(self, times: dict[str, dict[str, datetime]]) -> None:
        """Store the latest signs of life: account id to column to time (ACC-9)."""
        if not times:
            return
        async with self._db.write() as session:
            for account_id, columns in times.items():
                await session.execute(update(Account).where(col(Account.id) == account_id).values(**columns))

    async def load_credentials(self, account_id: str) -> bytes | None:
        """The stored session, opened; None when there is none."""
        async with self._db.read() as session:
            row = await session.get(SessionCredential, account_id)
        return self._box.open(row.sealed, _place(account_id)) if row else None

    async def save_credentials(self, account_id: str, secret: bytes | None) -> None:
        """Seal and keep the session; None forgets it (SEC-7)."""
        async with self._db.write() as session:
            await session.execute(delete(SessionCredential).where(col(SessionCredential.account_id) == account_id))
            if secret is not None:
                sealed = self._box.seal(secret, _place(account_id))
                row = {"account_id": account_id, "sealed": sealed, "updated_at": self._clock.now()}
                await session.execute(insert_ignore(session, SessionCredential).values(row))
            await session.execute(update(Account).where(col(Account.id) == account_id).values(linked=secret is not None))


def _apply_ready(account: Account, ready: Ready, now: datetime) -> None:
    if account.linked_at is None or not same_phone(account.phone, ready.phone):
        account.linked_at = now
    account.linked = account.wanted = True
    account.phone, account.lid = ready.phone, ready.lid
    account.push_name, account.platform = ready.push_name[:255], ready.platform[:64]
    # An engine may tell of the same connection again, when it has learned the account's name.
    account.connected_since = account.connected_since or now
    account.last_proof_at = now
    account.attempt = 0
    if account.gap_started_at is not None and account.gap_ended_at is None:
        account.gap_ended_at = now


def _place(account_id: str) -> str:
    return f"session_credential/sealed/{account_id}"
