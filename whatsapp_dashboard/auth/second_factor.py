"""The second factor of an operator: set up, turned on, used, turned off (SEC-3)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.auth import totp
from whatsapp_dashboard.auth.confirming import Confirmation
from whatsapp_dashboard.auth.lockout import Lockout
from whatsapp_dashboard.auth.sessions import Sessions
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.crypto import SecretBox
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.principal import Principal
from whatsapp_dashboard.errors import Conflict, Invalid
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.models import LoginSession, Operator


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app needs to be set up: the QR code, and the same secret to type in."""

    secret: str
    qr: str


class SecondFactor:
    """Codes of an authenticator app."""

    def __init__(
        self, db: Database, box: SecretBox, clock: Clock, *, sessions: Sessions, lockout: Lockout, confirmation: Confirmation
    ) -> None:
        self._db = db
        self._box = box
        self._clock = clock
        self._sessions = sessions
        self._lockout = lockout
        self._confirmation = confirmation

    async def is_on(self, who: Principal) -> bool:
        """Whether it is asked for at the caller's log-in."""
        return (await self._confirmation.operator(who)).totp_enabled

    async def begin(self, who: Principal, password: str | None, *, ip: str) -> Enrolment:
        """Make a secret for an authenticator app; it counts only after :meth:`turn_on`. Asks for the password: otherwise whoever holds a
        session for a moment could lock its owner out with an app of their own. Raises :class:`Invalid`, :class:`Conflict`."""
        await self._confirmation.require(who, password, ip=ip)
        secret = totp.new_secret()
        async with self._db.write() as session:
            operator = await session.get(Operator, who.operator_id)
            if operator is None or operator.totp_enabled:
                raise Conflict("The second factor is on already. Turn it off first.")
            operator.totp_secret = totp.seal(self._box, operator.id, secret)
            operator.totp_last_step = None
        return Enrolment(secret, await asyncio.to_thread(totp.qr_data_url, totp.address(secret, who.username)))

    async def turn_on(self, who: Principal, code: str, *, ip: str) -> None:
        """Turn the second factor on with a first right code, and end the other sessions. Wrong codes count as wrong passwords do.
        Raises :class:`Invalid`, :class:`Conflict`, :class:`TooMany`."""
        operator = await self._confirmation.operator(who)
        if operator.totp_enabled or operator.totp_secret is None:
            raise Conflict("The second factor is on already." if operator.totp_enabled else "Set the second factor up first.")
        attempt = await self._lockout.begin_confirming(who.operator_id)
        if not await self.use(who.operator_id, code):
            await self._lockout.failed(attempt, operator, ip, "code")
            raise Invalid("That code is not right. Wait for the next one and try again.", field="code", code="wrong_code")
        async with self._db.write() as session:
            await session.execute(update(Operator).where(col(Operator.id) == who.operator_id).values(totp_enabled=True))
            _record(session, who, "operator.second_factor_on", ip)
        await self._lockout.succeeded(attempt)
        mine = col(LoginSession.operator_id) == who.operator_id
        await self._sessions.end(mine, col(LoginSession.id) != who.session_id)

    async def turn_off(self, who: Principal, password: str | None, *, ip: str) -> None:
        """Turn the second factor off; asks for the password again."""
        await self._confirmation.require(who, password, ip=ip)
        async with self._db.write() as session:
            await session.execute(update(Operator).where(col(Operator.id) == who.operator_id).values(totp_enabled=False, totp_secret=None))
            _record(session, who, "operator.second_factor_off", ip)

    async def use(self, operator_id: str, code: str) -> bool:
        """Whether ``code`` is right now; each is good for once."""
        async with self._db.write() as session:
            operator = await session.get(Operator, operator_id)
            step = totp.accepted_step(self._box, operator, code, self._clock.now()) if operator else None
            if operator is None or step is None:
                return False
            # Conditional, so that of two log-ins with the same code at the same moment one fails.
            used = await session.execute(
                update(Operator)
                .where(
                    col(Operator.id) == operator_id,
                    (col(Operator.totp_last_step).is_(None)) | (col(Operator.totp_last_step) < step),
                )
                .values(totp_last_step=step)
                .returning(col(Operator.id))
            )
            return used.first() is not None


def _record(session: AsyncSession, who: Principal, type: str, ip: str) -> None:
    record(session, type, workspace_id=who.workspace_id, data={"operator_id": who.operator_id, "username": who.username, "ip": ip[:64]})
