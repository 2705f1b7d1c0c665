"""The private hosts and networks that the owners of a workspace let its outgoing requests reach; everything else that is private is refused
(HOOK-7). What one workspace allows opens nothing for another (ACC-15)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.core.addresses import Allowed, normalise
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database, insert_ignore
from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.errors import Invalid, NotFound
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.models import AllowedNetwork as Row
from whatsapp_dashboard.models import Workspace
from whatsapp_dashboard.models.base import metadata

MAX_ENTRIES = 100
"""Of one workspace."""
_NOTHING = Allowed()


@dataclass(frozen=True, slots=True)
class AllowedNetwork:
    """A host name, address or network that is allowed although it is private."""

    value: str
    added_by: str
    added_at: datetime


class AllowList:
    """Kept in the database, and in memory for those who dial."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._current: dict[str, Allowed] = {}

    def of(self, workspace_id: str) -> Allowed:
        """What requests of this workspace may dial now."""
        return self._current.get(workspace_id, _NOTHING)

    async def load(self) -> None:
        """Read all lists: at the start, and regularly for changes that other processes make."""
        values: dict[str, list[str]] = {}
        async with self._db.read() as session:
            for workspace_id, value in await session.execute(select(col(Row.workspace_id), col(Row.value))):
                values.setdefault(workspace_id, []).append(value)
        self._current = {workspace_id: Allowed.parse(found) for workspace_id, found in values.items()}

    async def allowed(self, who: Principal) -> list[AllowedNetwork]:
        """All entries of the workspace in the order they were added."""
        who.require(Role.VIEWER)
        async with self._db.read() as session:
            return [_view(row) for row in await _entries(session, who)]

    async def allow(self, who: Principal, value: str) -> AllowedNetwork:
        """Add a host, an address or a network; one that is there already stays as it is. Raises :class:`Invalid` for what is none or
        must never be reached."""
        who.require(Role.OWNER)
        value = normalise(value)
        async with self._db.write() as session:
            # Whoever adds to a workspace's list holds the workspace: two at once could fill it beyond its end.
            await session.execute(select(col(Workspace.id)).where(col(Workspace.id) == who.workspace_id).with_for_update())
            rows = await _entries(session, who)
            known = next((row for row in rows if row.value == value), None)
            if known is None and len(rows) >= MAX_ENTRIES:
                raise Invalid(f"The list holds at most {MAX_ENTRIES} entries. Remove one, or allow a whole network.", field="value")
            if known is None:
                known = Row(id=new_id(), workspace_id=who.workspace_id, value=value, added_by=who.username, added_at=self._clock.now())
                await session.execute(insert_ignore(session, metadata.tables[str(Row.__tablename__)]).values(**known.model_dump()))
                record(session, "network.allowed", workspace_id=who.workspace_id, data={"value": value, "by": who.username})
        await self.load()
        return _view(known)

    async def disallow(self, who: Principal, value: str) -> None:
        """Remove an entry. Connections that are open are not cut. Raises :class:`NotFound`."""
        who.require(Role.OWNER)
        async with self._db.write() as session:
            gone = await session.scalars(
                delete(Row)
                .where(col(Row.workspace_id) == who.workspace_id, col(Row.value) == value.strip().lower())
                .returning(col(Row.value))
            )
            if gone.first() is None:
                raise NotFound("This is not in the list.", code="not_allowed_before")
            record(session, "network.disallowed", workspace_id=who.workspace_id, data={"value": value, "by": who.username})
        await self.load()


async def _entries(session: AsyncSession, who: Principal) -> list[Row]:
    mine = select(Row).where(col(Row.workspace_id) == who.workspace_id)
    return list(await session.scalars(mine.order_by(col(Row.added_at), col(Row.id))))


def _view(row: Row) -> AllowedNetwork:
    return AllowedNetwork(row.value, row.added_by, row.added_at)
