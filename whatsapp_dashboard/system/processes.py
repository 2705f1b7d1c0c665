"""What runs for this dashboard, and what it needs: itself, and the processes of its engines (OBS-4).

A process may carry sessions of several workspaces; each sees those that carry some of its own, and counts only these (ACC-15)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import psutil
from sqlalchemy import select
from sqlmodel import col

from whatsapp_dashboard.accounts.pool import SessionPool
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.models import Account


@dataclass(frozen=True, slots=True)
class EngineProcessView:
    """One process of an engine; memory in bytes, ``sessions`` of the asking workspace."""

    engine: str
    pid: int
    memory: int
    sessions: int
    starts: int


@dataclass(frozen=True, slots=True)
class ProcessesView:
    """The dashboard's own process, and those of its engines; memory in bytes."""

    pid: int
    memory: int
    engines: tuple[EngineProcessView, ...]


class Processes:
    """Looks at the processes of this machine that are ours."""

    def __init__(self, db: Database, pool: SessionPool) -> None:
        self._db = db
        self._pool = pool

    async def look(self, who: Principal) -> ProcessesView:
        """All that work for the workspace, now. Raises :class:`Forbidden` for viewers."""
        who.require(Role.OPERATOR)
        async with self._db.read() as session:
            mine = frozenset(await session.scalars(select(col(Account.id)).where(col(Account.workspace_id) == who.workspace_id)))
        return await asyncio.to_thread(self._look, mine)

    def _look(self, mine: frozenset[str]) -> ProcessesView:
        found = [
            EngineProcessView(engine, process.pid, memory, len(process.accounts & mine), process.starts)
            for engine, processes in self._pool.processes().items()
            for process in processes
            if process.accounts & mine and (memory := _memory(process.pid)) is not None
        ]
        own = psutil.Process()
        return ProcessesView(own.pid, own.memory_info().rss, tuple(found))


def _memory(pid: int) -> int | None:
    """Resident bytes; None for a process that has just ended."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return None
