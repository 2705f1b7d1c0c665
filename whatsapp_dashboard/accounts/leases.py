"""Session leases: which process runs an account (DESIGN idea: one owner per session, OPS-3).

A lease is taken or renewed by one conditional statement and ends by itself when its owner stops renewing it.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, or_, select, update
from sqlmodel import col

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database, insert_ignore
from whatsapp_dashboard.core.process_owner import is_dead, make_owner
from whatsapp_dashboard.models import SessionLease

LEASE_SECONDS = 20.0
RENEW_SECONDS = 5.0


class Leases:
    """The leases of this process. ``owner`` is new at every start."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self.owner = make_owner()

    async def take(self, account_id: str) -> bool:
        """Try to become (or stay) the owner of ``account_id``; False while another process is."""
        now = self._clock.now()
        until = now + timedelta(seconds=LEASE_SECONDS)
        async with self._db.write() as session:
            row = {"account_id": account_id, "owner": self.owner, "until": until}
            await session.execute(insert_ignore(session, SessionLease).values(row))
            free = or_(col(SessionLease.owner) == self.owner, col(SessionLease.until) < now)
            statement = update(SessionLease).where(col(SessionLease.account_id) == account_id, free)
            result = await session.execute(statement.values(owner=self.owner, until=until))
            return bool(result.rowcount)  # type: ignore[attr-defined]

    async def renew(self, account_ids: list[str]) -> set[str]:
        """Prolong the leases of ``account_ids`` and return those that were lost meanwhile."""
        until = self._clock.now() + timedelta(seconds=LEASE_SECONDS)
        async with self._db.write() as session:
            statement = (
                update(SessionLease)
                .where(col(SessionLease.owner) == self.owner, col(SessionLease.account_id).in_(account_ids))
                .values(until=until)
                .returning(col(SessionLease.account_id))
            )
            kept = set((await session.execute(statement)).scalars())
        return set(account_ids) - kept

    async def release(self, account_id: str) -> None:
        """Give the account free at once."""
        async with self._db.write() as session:
            statement = delete(SessionLease).where(col(SessionLease.account_id) == account_id, col(SessionLease.owner) == self.owner)
            await session.execute(statement)

    async def release_dead_owners(self) -> None:
        """Free what a killed process of this machine still holds, so that a restart need not wait for leases to run out."""
        async with self._db.read() as session:
            owners = (await session.scalars(select(col(SessionLease.owner)).distinct())).all()
        dead = [owner for owner in owners if self._db.is_sqlite or is_dead(owner)]
        if dead:
            async with self._db.write() as session:
                await session.execute(delete(SessionLease).where(col(SessionLease.owner).in_(dead)))
