"""What operators do with accounts: create, link, watch, change, delete (ACC-1 to ACC-7)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import phonenumbers
from pydantic import ValidationError
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.accounts.pool import SessionPool
from whatsapp_dashboard.accounts.records import AccountRecords
from whatsapp_dashboard.accounts.removal import hide
from whatsapp_dashboard.accounts.views import AccountRow, EngineInfo, Losses, PairingView, QrView, qr_data_url
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.account_settings import AccountSettings
from whatsapp_dashboard.domain.account_status import AccountStatus
from whatsapp_dashboard.domain.ids import id_floor, new_id
from whatsapp_dashboard.domain.nulls import without_nulls
from whatsapp_dashboard.domain.numbers import read_phone
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.engines.base import Capability, Engine
from whatsapp_dashboard.engines.registry import ENGINES, engine_class
from whatsapp_dashboard.errors import Conflict, Invalid, NotFound, Unsupported
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.models import Account, Conversation, Media, Message

MAX_NAME = 255
MAX_DESCRIPTION = 2_000
SANDBOX = "sandbox"
"""The engine whose phones are simulated."""


OnSettings = Callable[[AsyncSession, Account], Awaitable[None]]
"""Called in the write that changes the settings of an account, with the account as it is then."""


class AccountService:
    """Accounts of the asking operator's workspace. Viewers read; operators work; the rest of the program goes by the pool."""

    def __init__(
        self, db: Database, pool: SessionPool, records: AccountRecords, clock: Clock, *, on_settings: OnSettings | None = None
    ) -> None:
        self._db, self._pool, self._records, self._clock = db, pool, records, clock
        self._on_settings = on_settings
        self.on_deleted: list[Callable[[str], Awaitable[None]]] = []
        """Who takes away what a deleted account leaves; may wait until it is gone."""

    # -- reading

    def engines(self, who: Principal) -> list[EngineInfo]:
        """The engines an account may use, those for real numbers first; the first one is the default."""
        who.require(Role.VIEWER)
        return [EngineInfo(kind.name, kind.title, kind.summary, kind.capabilities) for kind in _engines()]

    async def list_accounts(self, who: Principal) -> list[AccountRow]:
        """All accounts, oldest first."""
        who.require(Role.VIEWER)
        async with self._db.read() as session:
            statement = select(Account).where(col(Account.workspace_id) == who.workspace_id).order_by(col(Account.id))
            accounts = (await session.scalars(statement)).all()
            counts = await self._messages_24h(session, [account.id for account in accounts])
        return [_row(account, counts.get(account.id, 0)) for account in accounts]

    async def get(self, who: Principal, account_id: str) -> AccountRow:
        """One account. Raises :class:`NotFound`."""
        who.require(Role.VIEWER)
        async with self._db.read() as session:
            account = await _owned(session, who, account_id)
            counts = await self._messages_24h(session, [account_id])
        return _row(account, counts.get(account_id, 0))

    async def what_is_lost(self, who: Principal, account_id: str) -> Losses:
        """What :meth:`delete` would remove, for the question before it."""
        who.require(Role.VIEWER)
        async with self._db.read() as session:
            await _owned(session, who, account_id)

            async def count(table: Any, *where: Any) -> int:
                statement = select(func.count()).select_from(table).where(col(table.account_id) == account_id, *where)
                return await session.scalar(statement) or 0

            return Losses(
                conversations=await count(Conversation),
                messages=await count(Message),
                media=await count(Media),
                queued=await count(Message, col(Message.status) == "queued"),
            )

    async def qr(self, who: Principal, account_id: str) -> QrView:
        """The QR to scan now (ACC-3). Viewers may not: whoever scans it owns the session.

        Raises :class:`Conflict` while there is none, with the reason.
        """
        who.require(Role.OPERATOR)
        account = await self.get(who, account_id)
        supervisor = self._pool.supervisor(account_id)
        shown = supervisor.qr if supervisor else None
        if shown is None:
            raise Conflict(_why_no_qr(account), code="no_qr")
        code = shown.code
        return QrView(code.text, qr_data_url(code.text), shown.issued_at, code.expires_at, code.last)

    # -- changing

    async def create(
        self,
        who: Principal,
        *,
        name: str,
        description: str = "",
        engine: str | None = None,
        settings: dict[str, Any] | None = None,
    ) -> AccountRow:
        """Create an account; it is not connected yet. Without ``engine`` it is the first of :meth:`engines`. Raises :class:`Invalid`
        naming the field."""
        who.require(Role.OPERATOR)
        account = Account(
            id=new_id(),
            workspace_id=who.workspace_id,
            name=_name(name),
            description=_description(description),
            engine=(engine_class(engine) if engine else _engines()[0]).name,
            settings=_settings({}, settings or {}),
            status=AccountStatus.DISCONNECTED,
            status_reason="Not linked yet",
        )
        async with self._db.write() as session:
            session.add(account)
            record(session, "account.created", workspace_id=who.workspace_id, account_id=account.id, data={"name": account.name})
        return _row(account, 0)

    async def update(
        self,
        who: Principal,
        account_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        settings: dict[str, Any] | None = None,
    ) -> AccountRow:
        """Change what is given; ``settings`` is merged into the stored ones, group by group."""
        who.require(Role.OPERATOR)
        async with self._db.write() as session:
            account = await _owned(session, who, account_id, lock=True)
            if name is not None:
                account.name = _name(name)
            if description is not None:
                account.description = _description(description)
            if settings is not None:
                account.settings = _settings(account.settings, settings)
                await session.flush()
                if self._on_settings:
                    await self._on_settings(session, account)
            account.updated_at = self._clock.now()
            record(session, "account.updated", workspace_id=who.workspace_id, account_id=account_id, data={"name": account.name})
        return await self.get(who, account_id)

    async def delete(self, who: Principal, account_id: str) -> None:
        """Close the session and remove the account with everything that hangs off it (ACC-1): in one transaction nobody reaches any of it
        any more, then row by row and file by file it is taken away, also when the program ends meanwhile.

        The device stays in the phone's list of linked devices unless it was logged out before.
        """
        who.require(Role.OPERATOR)
        await self.get(who, account_id)
        await self._pool.halt(account_id)
        async with self._db.write() as session:
            account = await _owned(session, who, account_id, lock=True)
            await hide(session, account, self._clock.now())
            data = {"by": who.username, "engine": account.engine}
            record(session, "account.deleted", workspace_id=who.workspace_id, account_id=account_id, data=data)
        await self._pool.halt(account_id)  # somebody may have connected it meanwhile
        await self._pool.forget(account_id)
        for erase in self.on_deleted:
            await erase(account_id)

    async def connect(self, who: Principal, account_id: str) -> AccountRow:
        """Start the session, or start it anew: a linked account reconnects, an unlinked one gets a new QR (ACC-3, ACC-5)."""
        who.require(Role.OPERATOR)
        await self.get(who, account_id)
        await self._pool.halt(account_id)
        async with self._db.write() as session:
            await _owned(session, who, account_id, lock=True)
            await session.execute(update(Account).where(col(Account.id) == account_id).values(wanted=True))
        await self._pool.run(account_id)
        return await self.get(who, account_id)

    async def disconnect(self, who: Principal, account_id: str) -> AccountRow:
        """Close the session and keep the link: it stays off until connected again."""
        who.require(Role.OPERATOR)
        await self.get(who, account_id)
        await self._pool.halt(account_id)
        await self._records.set_status(account_id, AccountStatus.DISCONNECTED, f"Disconnected by {who.username}", halted=True, attempt=0)
        return await self.get(who, account_id)

    async def logout(self, who: Principal, account_id: str) -> AccountRow:
        """Unlink the device at WhatsApp, where it can be reached, and forget the credentials in any case."""
        who.require(Role.OPERATOR)
        account = await self.get(who, account_id)
        reason = f"Logged out by {who.username}"
        if self._pool.engine(account_id) is not None:
            await self._pool.call(account_id, lambda engine: engine.logout())
        elif account.linked:
            reason += "; the phone was not reached, remove the device there too"
        await self._pool.halt(account_id)
        await self._records.set_status(account_id, AccountStatus.DISCONNECTED, reason, unlinked=True, attempt=0)
        await self._pool.forget_files(account_id)
        return await self.get(who, account_id)

    async def pairing_code(self, who: Principal, account_id: str, phone: str) -> PairingView:
        """Ask for a code to type on the phone with number ``phone`` (ACC-3).

        Raises :class:`Unsupported`, :class:`Invalid` for a bad number, :class:`Conflict` unless the account waits for a scan.
        """
        who.require(Role.OPERATOR)
        account = await self.get(who, account_id)
        if Capability.PAIRING_CODE not in account.capabilities:
            raise Unsupported(f"The {account.engine_title} engine links by QR code only.")
        number, other = read_phone(phone, country=account.settings.default_country)
        supervisor = self._pool.supervisor(account_id)
        if supervisor is None or supervisor.engine is None or supervisor.ready or supervisor.qr is None:
            raise Conflict(_why_no_qr(account), code="no_qr")
        code = await supervisor.pair(number)
        return PairingView(code.code.replace("-", ""), code.expires_at, number, other)

    # -- inside

    async def _messages_24h(self, session: AsyncSession, account_ids: list[str]) -> dict[str, int]:
        if not account_ids:
            return {}
        since = self._clock.now() - timedelta(hours=24)
        statement = (
            select(col(Message.account_id), func.count())
            .where(col(Message.account_id).in_(account_ids), col(Message.id) >= id_floor(since), col(Message.history).is_(False))
            .group_by(col(Message.account_id))
        )
        return {account_id: count for account_id, count in await session.execute(statement)}  # noqa: C416 - rows are no dict items


def _engines() -> list[type[Engine]]:
    return sorted(ENGINES.values(), key=lambda kind: kind.name == SANDBOX)


async def _owned(session: AsyncSession, who: Principal, account_id: str, *, lock: bool = False) -> Account:
    account = await session.get(Account, account_id, with_for_update=lock or None)
    if account is None or account.workspace_id != who.workspace_id:
        raise NotFound("There is no such account.", code="account_not_found")
    return account


def _row(account: Account, messages_24h: int) -> AccountRow:
    kind = engine_class(account.engine)
    fields = {name: getattr(account, name) for name in AccountRow.__dataclass_fields__ if hasattr(account, name)}
    fields |= {
        "engine_title": kind.title,
        "capabilities": kind.capabilities,
        "status": AccountStatus(account.status),
        "settings": AccountSettings.model_validate(account.settings),
        "messages_24h": messages_24h,
    }
    return AccountRow(**fields)


def _name(name: str) -> str:
    name = name.strip()
    if not name:
        raise Invalid("Give the account a name.", code="name_missing", field="name")
    if len(name) > MAX_NAME:
        raise Invalid(f"The name is too long: {len(name)} of at most {MAX_NAME} characters.", code="name_too_long", field="name")
    return name


def _description(text: str) -> str:
    if len(text) > MAX_DESCRIPTION:
        words = f"The description is too long: {len(text)} of at most {MAX_DESCRIPTION} characters."
        raise Invalid(words, code="description_too_long", field="description")
    return text.strip()


def _settings(stored: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    try:
        return AccountSettings.model_validate(_merged(stored, without_nulls(AccountSettings, change))).model_dump(mode="json")
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise Invalid(f"{field}: {first['msg'].removeprefix('Value error, ')}.", code="bad_setting", field=f"settings.{field}") from None


def _merged(stored: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """What is given, in the place of what was; groups within groups too."""
    found = dict(stored)
    for key, value in change.items():
        old = found.get(key, {})
        found[key] = _merged(old, value) if isinstance(value, dict) and isinstance(old, dict) else value
    return found


def _why_no_qr(account: AccountRow) -> str:
    match account.status:
        case AccountStatus.READY:
            return "The account is linked and connected; there is no QR code to scan."
        case AccountStatus.INITIALIZING:
            return "The QR code is on its way; ask again in a moment."
        case _ if account.linked:
            return "The account is linked; press Reconnect, or log it out to link it anew."
        case _:
            return account.status_reason if account.status_code == "passkey_needed" else "There is no QR code now; press “New QR code”."


def country_choices() -> list[str]:
    """ISO codes an account's default country may have."""
    return sorted(phonenumbers.SUPPORTED_REGIONS)
