"""Which processes a workspace is told of (OBS-4, ACC-15)."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest

from tests.support.cast import make_cast
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.engines.base import EngineProcess
from whatsapp_dashboard.errors import Forbidden
from whatsapp_dashboard.models import Account
from whatsapp_dashboard.system.processes import Processes


@dataclass
class Pool:
    """Two real processes: this one carries sessions of both workspaces, its parent one of the first."""

    carried: list[frozenset[str]]

    def processes(self) -> dict[str, list[EngineProcess]]:
        pids = (os.getpid(), os.getppid())
        return {"multidevice": [EngineProcess(pid, len(ids), 1, ids) for pid, ids in zip(pids, self.carried, strict=True)]}


async def test_a_workspace_sees_the_processes_of_its_sessions_and_counts_only_these(db: Database) -> None:
    """OBS-4, ACC-15"""
    cast = await make_cast(db)
    async with db.write() as session:
        mine = [Account(workspace_id=cast.ana.workspace_id, name=f"Mine {n}", engine="sandbox") for n in range(3)]
        theirs = Account(workspace_id=cast.mallory.workspace_id, name="Theirs", engine="sandbox")
        session.add_all([*mine, theirs])
    ids = [account.id for account in mine]
    processes = Processes(db, Pool([frozenset({*ids[:2], theirs.id}), frozenset(ids[2:])]))  # type: ignore[arg-type]
    assert [(one.pid, one.sessions) for one in (await processes.look(cast.ben)).engines] == [(os.getpid(), 2), (os.getppid(), 1)]
    assert [(one.pid, one.sessions) for one in (await processes.look(cast.mallory)).engines] == [(os.getpid(), 1)]
    with pytest.raises(Forbidden):
        await processes.look(cast.vic)
