"""What runs for this dashboard, and what it needs: itself, and the processes of its engines (OBS-4)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import psutil

from whatsapp_dashboard.accounts.pool import SessionPool
from whatsapp_dashboard.domain.principal import Principal, Role


@dataclass(frozen=True, slots=True)
class EngineProcessView:
    """One process of an engine; memory in bytes."""

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

    def __init__(self, pool: SessionPool) -> None:
        self._pool = pool

    async def look(self, who: Principal) -> ProcessesView:
        """All of them, now. Raises :class:`Forbidden` for viewers."""
        who.require(Role.OPERATOR)
        return await asyncio.to_thread(self._look)

    def _look(self) -> ProcessesView:
        found = [
            EngineProcessView(engine, process.pid, memory, process.sessions, process.starts)
            for engine, processes in self._pool.processes().items()
            for process in processes
            if (memory := _memory(process.pid)) is not None
        ]
        own = psutil.Process()
        return ProcessesView(own.pid, own.memory_info().rss, tuple(found))


def _memory(pid: int) -> int | None:
    """Resident bytes; None for a process that has just ended."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return None
