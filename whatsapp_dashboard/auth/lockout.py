"""The lock-out: five failed tries in 15 minutes, then none is made (SEC-3; docs/decisions/login-and-guard.md).

Strangers are counted by address and by the name they try, so many addresses together get five tries at one name. Somebody who comes from
where this operator logged in before is counted apart: strangers cannot lock that door, and it is no way around the count either.

Every attempt is written down before the password is looked at and crossed out when it was right, so attempts sent at the
same moment count as well, and a restart forgets nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.auth import addresses
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.errors import TooMany
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.models import LoginAttempt, Operator

LIMIT = 5
WINDOW = timedelta(minutes=15)
MAX_STRANGERS = 10_000
"""Failed tries of strangers that are remembered; with more of them in the window no stranger is let to the door. So neither the memory
nor the guesses of somebody with a million addresses grow without end."""
_LOCK = 0x57414C4F47494E  # serializes counting on PostgreSQL, where writers run side by side
_CONFIRMING = "confirming"
"""In the place of the address: a password asked for again inside a session."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try that was let to the door."""

    id: str
    ip: str
    """As it is counted."""
    username: str
    known: bool
    last: bool
    """The next one would be refused, when this one fails."""


class Lockout:
    """Counts failed log-ins, wrong second factors, and wrong passwords where one is asked for again."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def begin(self, ip: str, username: str) -> Attempt:
        """Write down one try to log in. Raises :class:`TooMany` (code ``locked_out``) when there were too many failures."""
        return await self._begin(addresses.counted_as(ip), username)

    async def begin_confirming(self, operator_id: str) -> Attempt:
        """Write down that somebody in a session of this operator gives the password again. Failed log-ins elsewhere do not count here.
        Raises :class:`TooMany`."""
        return await self._begin(_CONFIRMING, operator_id)

    async def failed(self, attempt: Attempt, operator: Operator | None, ip: str, reason: str) -> None:
        """The try was wrong: ``reason`` is ``password`` or ``code``. The workspace of ``operator``, if anybody has that name, is told."""
        async with self._db.write() as session:
            # Written also when nobody has that name, so that the time tells nothing.
            await session.execute(update(LoginAttempt).where(col(LoginAttempt.id) == attempt.id).values(reason=reason))
            if operator is None:
                return
            where = "session" if attempt.ip == _CONFIRMING else "known" if attempt.known else "elsewhere"
            data = {"operator_id": operator.id, "username": operator.username, "ip": ip[:64], "from": where}
            record(session, "operator.login_failed", workspace_id=operator.workspace_id, data={**data, "reason": reason})
            if attempt.last:
                minutes = WINDOW.total_seconds() / 60
                record(session, "operator.locked_out", workspace_id=operator.workspace_id, data={**data, "minutes": int(minutes)})

    async def succeeded(self, attempt: Attempt) -> None:
        """Cross out this person's failures from this address. Failures for other names from the address keep counting."""
        async with self._db.write() as session:
            await session.execute(
                delete(LoginAttempt).where(col(LoginAttempt.ip) == attempt.ip, col(LoginAttempt.username) == attempt.username)
            )

    async def forget(self, attempt: Attempt) -> None:
        """Cross out one attempt that was neither right nor wrong (the second factor was still missing)."""
        async with self._db.write() as session:
            await session.execute(delete(LoginAttempt).where(col(LoginAttempt.id) == attempt.id))

    async def prune(self) -> None:
        """Delete what no longer counts."""
        now = self._clock.now()
        async with self._db.write() as session:
            await session.execute(delete(LoginAttempt).where(col(LoginAttempt.at) < now - WINDOW))
            await addresses.prune(session, now)

    async def _begin(self, ip: str, username: str) -> Attempt:
        now = self._clock.now()
        here, name = col(LoginAttempt.ip) == ip, col(LoginAttempt.username) == username
        stranger = col(LoginAttempt.known).is_(False)
        async with self._db.write() as session:
            if not self._db.is_sqlite:
                await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            known = ip == _CONFIRMING or await addresses.is_known(session, username, ip, now)
            among_strangers = [(here, LIMIT), (name & stranger, LIMIT), (stranger, MAX_STRANGERS)]
            limits: list[tuple[ColumnElement[bool], int]] = [(here & name & ~stranger, LIMIT)] if known else among_strangers
            wait = max([await self._wait(session, mine, now, limit) for mine, limit in limits])
            if wait <= 0:
                last = max([await self._count(session, mine, now) for mine, limit in limits if limit == LIMIT]) == LIMIT - 1
                row = LoginAttempt(ip=ip, username=username, known=known, at=now)
                session.add(row)
                return Attempt(row.id, ip, username, known, last)
        minutes = math.ceil(wait / 60)
        what = "wrong passwords or codes" if ip == _CONFIRMING else "failed log-ins"
        raise TooMany(f"Too many {what}. Try again in {minutes} minute{'s' if minutes != 1 else ''}.", after=wait, code="locked_out")

    async def _wait(self, session: AsyncSession, mine: ColumnElement[bool], now: datetime, limit: int) -> float:
        """Seconds until the oldest of the last ``limit`` failures is forgotten; 0 when there are fewer."""
        newest = select(col(LoginAttempt.at)).where(mine, col(LoginAttempt.at) > now - WINDOW)
        at = await session.scalar(newest.order_by(col(LoginAttempt.at).desc()).offset(limit - 1).limit(1))
        return (at + WINDOW - now).total_seconds() if at is not None else 0.0

    async def _count(self, session: AsyncSession, mine: ColumnElement[bool], now: datetime) -> int:
        counted = select(func.count()).select_from(LoginAttempt).where(mine, col(LoginAttempt.at) > now - WINDOW)
        return await session.scalar(counted) or 0
