"""The people who work in a workspace, as its owner administers them (SEC-6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.auth import addresses, passwords
from whatsapp_dashboard.auth.confirming import Confirmation
from whatsapp_dashboard.auth.sessions import Sessions
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.errors import Conflict, Invalid, NotFound
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.models import LoginSession, Operator

_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")


@dataclass(frozen=True, slots=True)
class OperatorInfo:
    """An operator as the team page and the API show them."""

    id: str
    username: str
    role: Role
    disabled: bool
    totp_enabled: bool
    created_at: datetime
    last_login_at: datetime | None


class Operators:
    """What an owner does with the operators of the workspace. Every method raises :class:`Forbidden` for others.

    What lets somebody in, or gives them more, asks for the owner's own password (``confirm``): a stolen session alone makes no other way
    in. What takes access away does not, since that must be quick."""

    def __init__(self, db: Database, sessions: Sessions, confirmation: Confirmation) -> None:
        self._db = db
        self._sessions = sessions
        self._confirmation = confirmation

    async def list_all(self, who: Principal) -> list[OperatorInfo]:
        """All operators of the workspace, by name."""
        who.require(Role.OWNER)
        async with self._db.read() as session:
            rows = await session.scalars(
                select(Operator).where(col(Operator.workspace_id) == who.workspace_id).order_by(func.lower(col(Operator.username)))
            )
            return [_info(row) for row in rows]

    async def create(
        self, who: Principal, username: str, role: str, password: str | None = None, *, confirm: str | None, ip: str
    ) -> tuple[OperatorInfo, str | None]:
        """A new operator; without ``password`` one is made and returned, to be passed on once. ``confirm`` is the owner's own password."""
        who.require(Role.OWNER)
        username, new_role = username.strip(), _role(role)
        if not _USERNAME.fullmatch(username):
            raise Invalid("A user name has 1 to 64 letters, digits or . _ @ + - and begins with a letter or digit.", field="username")
        chosen = password or passwords.generate()
        passwords.check_new(chosen)
        await self._confirmation.require(who, confirm, ip=ip)
        hashed = await passwords.hash_password(chosen)
        async with self._db.write() as session:
            taken = select(func.count()).select_from(Operator).where(func.lower(col(Operator.username)) == username.lower())
            if await session.scalar(taken):
                raise Conflict(f"There is already an operator named {username}.", field="username")
            row = Operator(workspace_id=who.workspace_id, username=username, password_hash=hashed, role=new_role.value)
            session.add(row)
            await session.flush()
            _record(session, who, "operator.created", row)
            return _info(row), None if password else chosen

    async def change(
        self,
        who: Principal,
        operator_id: str,
        *,
        role: str | None = None,
        disabled: bool | None = None,
        confirm: str | None = None,
        ip: str = "",
    ) -> OperatorInfo:
        """Change what an operator may do, or lock them out or in; what is None stays. Open pages follow at once. A higher role, and letting
        somebody in again, need the owner's own password in ``confirm``. Raises :class:`Invalid`, :class:`NotFound`, :class:`Conflict`."""
        who.require(Role.OWNER)
        new_role = _role(role) if role is not None else None
        asked = await self._gives(who, operator_id, new_role, disabled)
        if asked:
            await self._confirmation.require(who, confirm, ip=ip)
        async with self._db.write() as session:
            row = await self._mine(session, who, operator_id)
            if disabled and row.id == who.operator_id:
                raise Conflict("You cannot disable yourself.")
            if disabled or (new_role is not None and new_role is not Role.OWNER):
                await self._keep_an_owner(session, row)
            if not asked and _gives(row, new_role, disabled):  # changed since it was looked at
                raise Conflict("The operator was changed meanwhile. Look again, and repeat it.")
            if new_role is not None:
                row.role = new_role.value
            if disabled is not None:
                row.disabled = disabled
            _record(session, who, "operator.changed", row)
        self._sessions.forget()
        if disabled:
            await self._sessions.end(col(LoginSession.operator_id) == operator_id)
        return _info(row)

    async def reset_password(self, who: Principal, operator_id: str, *, confirm: str | None, ip: str) -> str:
        """A new password, returned to be passed on once; ends the operator's sessions and second factor. ``confirm`` is the owner's own
        password."""
        who.require(Role.OWNER)
        if operator_id == who.operator_id:
            raise Conflict("Change your own password on your profile page.")
        async with self._db.read() as session:
            await self._mine(session, who, operator_id)
        await self._confirmation.require(who, confirm, ip=ip)
        password = passwords.generate()
        hashed = await passwords.hash_password(password)
        async with self._db.write() as session:
            row = await self._mine(session, who, operator_id)
            row.password_hash, row.totp_enabled, row.totp_secret = hashed, False, None
            await addresses.forget(session, row.id)
            _record(session, who, "operator.password_reset", row)
        await self._sessions.end(col(LoginSession.operator_id) == operator_id)
        return password

    async def _gives(self, who: Principal, operator_id: str, role: Role | None, disabled: bool | None) -> bool:
        async with self._db.read() as session:
            return _gives(await self._mine(session, who, operator_id), role, disabled)

    async def _mine(self, session: AsyncSession, who: Principal, operator_id: str) -> Operator:
        row = await session.scalar(
            select(Operator).where(col(Operator.id) == operator_id, col(Operator.workspace_id) == who.workspace_id).with_for_update()
        )
        if row is None:
            raise NotFound("There is no such operator.")
        return row

    async def _keep_an_owner(self, session: AsyncSession, row: Operator) -> None:
        if row.role != Role.OWNER.value or row.disabled:
            return
        owners = await session.scalars(
            select(Operator)
            .where(
                col(Operator.workspace_id) == row.workspace_id,
                col(Operator.role) == Role.OWNER.value,
                col(Operator.disabled).is_(False),
            )
            .with_for_update()
        )
        if len(list(owners)) < 2:
            raise Conflict("The workspace needs at least one owner who can log in.")


def _role(role: str) -> Role:
    try:
        return Role(role)
    except ValueError:
        raise Invalid("A role is viewer, operator or owner.", field="role") from None


def _gives(row: Operator, role: Role | None, disabled: bool | None) -> bool:
    """Whether the change lets ``row`` do more than before."""
    return (disabled is False and row.disabled) or (role is not None and role.rank > Role(row.role).rank)


def _info(row: Operator) -> OperatorInfo:
    return OperatorInfo(row.id, row.username, Role(row.role), row.disabled, row.totp_enabled, row.created_at, row.last_login_at)


def _record(session: AsyncSession, who: Principal, type: str, row: Operator) -> None:
    record(
        session,
        type,
        workspace_id=row.workspace_id,
        data={"operator_id": row.id, "username": row.username, "role": row.role, "disabled": row.disabled, "by": who.username},
    )
