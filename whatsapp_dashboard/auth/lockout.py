"""The lock-out: five failed log-ins in 15 minutes, per address and per user name, then none is tried (SEC-3).

Every attempt is written down before the password is looked at and crossed out when it was right, so attempts sent at the
same moment count as well, and a restart forgets nothing.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.errors import TooMany
from whatsapp_dashboard.models import LoginAttempt

LIMIT = 5
WINDOW = timedelta(minutes=15)
_LOCK = 0x57414C4F47494E  # serializes counting on PostgreSQL, where writers run side by side


class Lockout:
    """Counts failed log-ins."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def begin(self, ip: str, username: str) -> str:
        """Write down one attempt and return its id. Raises :class:`TooMany` when there were too many failures."""
        now = self._clock.now()
        async with self._db.write() as session:
            if not self._db.is_sqlite:
                await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            waits = [
                await self._wait(session, col(LoginAttempt.ip) == ip, now),
                await self._wait(session, col(LoginAttempt.username) == username, now),
            ]
            wait = max(waits)
            if wait <= 0:
                attempt = LoginAttempt(ip=ip, username=username, at=now)
                session.add(attempt)
                return attempt.id
        minutes = math.ceil(wait / 60)
        raise TooMany(
            f"Too many failed log-ins. Try again in {minutes} minute{'s' if minutes != 1 else ''}.", after=wait, code="locked_out"
        )

    async def succeeded(self, ip: str, username: str) -> None:
        """Cross out this person's failures from this address. Failures for other names from the address keep counting."""
        async with self._db.write() as session:
            await session.execute(delete(LoginAttempt).where(col(LoginAttempt.ip) == ip, col(LoginAttempt.username) == username))

    async def forget(self, attempt_id: str) -> None:
        """Cross out one attempt that was neither right nor wrong (the second factor was still missing)."""
        async with self._db.write() as session:
            await session.execute(delete(LoginAttempt).where(col(LoginAttempt.id) == attempt_id))

    async def prune(self) -> None:
        """Delete what no longer counts."""
        async with self._db.write() as session:
            await session.execute(delete(LoginAttempt).where(col(LoginAttempt.at) < self._clock.now() - WINDOW))

    async def _wait(self, session: AsyncSession, mine: ColumnElement[bool], now: datetime) -> float:
        """Seconds until the oldest of the last :data:`LIMIT` failures is forgotten; 0 when there are fewer."""
        newest = select(col(LoginAttempt.at)).where(mine, col(LoginAttempt.at) > now - WINDOW)
        at = await session.scalar(newest.order_by(col(LoginAttempt.at).desc()).offset(LIMIT - 1).limit(1))
        return (at + WINDOW - now).total_seconds() if at is not None else 0.0
