"""The private hosts and networks that owners let outgoing requests reach; everything else that is private is refused (HOOK-7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.core.addresses import Allowed, normalise
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.errors import Invalid, NotFound
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.models import Setting

KEY = "network.allowed"
MAX_ENTRIES = 100


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
        self._current = Allowed.parse(())

    @property
    def current(self) -> Allowed:
        """What may be dialled now."""
        return self._current

    async def load(self) -> None:
        """Read the list: at the start, and regularly for changes that other processes make."""
        async with self._db.read() as session:
            self._use(await _entries(session))

    async def allowed(self, who: Principal) -> list[AllowedNetwork]:
        """All entries in the order they were added."""
        who.require(Role.VIEWER)
        async with self._db.read() as session:
            return [_view(entry) for entry in await _entries(session)]

    async def allow(self, who: Principal, value: str) -> AllowedNetwork:
        """Add a host, an address or a network; one that is there already stays as it is. Raises :class:`Invalid` for what is none or
        must never be reached."""
        who.require(Role.OWNER)
        value = normalise(value)
        async with self._db.write() as session:
            entries = await _entries(session, lock=True)
            known = next((entry for entry in entries if entry["value"] == value), None)
            if known:
                return _view(known)
            if len(entries) >= MAX_ENTRIES:
                raise Invalid(f"The list holds at most {MAX_ENTRIES} entries. Remove one, or allow a whole network.", field="value")
            entry = {"value": value, "added_by": who.username, "added_at": self._clock.now().isoformat()}
            await self._store(session, [*entries, entry])
            record(session, "network.allowed", workspace_id=who.workspace_id, data={"value": value, "by": who.username})
        self._use([*entries, entry])
        return _view(entry)

    async def disallow(self, who: Principal, value: str) -> None:
        """Remove an entry. Connections that are open are not cut. Raises :class:`NotFound`."""
        who.require(Role.OWNER)
        async with self._db.write() as session:
            entries = await _entries(session, lock=True)
            kept = [entry for entry in entries if entry["value"] != value.strip().lower()]
            if len(kept) == len(entries):
                raise NotFound("This is not in the list.", code="not_allowed_before")
            await self._store(session, kept)
            record(session, "network.disallowed", workspace_id=who.workspace_id, data={"value": value, "by": who.username})
        self._use(kept)

    def _use(self, entries: list[dict[str, Any]]) -> None:
        self._current = Allowed.parse(entry["value"] for entry in entries)

    async def _store(self, session: AsyncSession, entries: list[dict[str, Any]]) -> None:
        await session.merge(Setting(key=KEY, value={"entries": entries}, updated_at=self._clock.now()))


async def _entries(session: AsyncSession, *, lock: bool = False) -> list[dict[str, Any]]:
    statement = select(Setting).where(col(Setting.key) == KEY)
    row = await session.scalar(statement.with_for_update() if lock else statement)
    return list(row.value["entries"]) if row else []


def _view(entry: dict[str, Any]) -> AllowedNetwork:
    return AllowedNetwork(entry["value"], entry["added_by"], datetime.fromisoformat(entry["added_at"]))
