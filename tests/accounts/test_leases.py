"""One process runs an account at a time, and a dead one holds it back from nobody for long (OPS-3, ACC-4)."""

from __future__ import annotations

import subprocess
import sys

import pytest
from sqlalchemy import update
from sqlmodel import col

from tests.support.clock import MovableClock
from tests.support.waiting import PATIENCE
from whatsapp_dashboard.accounts.leases import LEASE_SECONDS, Leases
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.models import Account, SessionLease, Workspace


@pytest.fixture
async def account_id(db: Database) -> str:
    """An account of the workspace Default."""
    async with db.write() as session:
        workspace = Workspace(name="Leases")
        session.add(workspace)
        await session.flush()
        account = Account(workspace_id=workspace.id, name="Shop", engine="sandbox")
        session.add(account)
    return account.id


async def test_only_one_of_two_processes_gets_an_account(db: Database, clock: MovableClock, account_id: str) -> None:
    """OPS-3: the other one waits until the lease runs out."""
    first, second = Leases(db, clock), Leases(db, clock)
    assert await first.take(account_id)
    assert not await second.take(account_id)
    await clock.advance(LEASE_SECONDS + 1)
    assert await second.take(account_id)
    assert not await first.take(account_id)


async def test_a_renewed_lease_does_not_run_out(db: Database, clock: MovableClock, account_id: str) -> None:
    """OPS-3: the owner keeps it as long as it lives, and taking it again is not a conflict."""
    first, second = Leases(db, clock), Leases(db, clock)
    assert await first.take(account_id)
    for _ in range(5):
        await clock.advance(LEASE_SECONDS - 1)
        assert await first.renew([account_id]) == set()
    assert not await second.take(account_id)
    assert await first.take(account_id)


async def test_an_owner_that_slept_too_long_learns_that_it_lost_the_account(db: Database, clock: MovableClock, account_id: str) -> None:
    """OPS-3: it must close its session then."""
    first, second = Leases(db, clock), Leases(db, clock)
    await first.take(account_id)
    await clock.advance(LEASE_SECONDS + 1)
    await second.take(account_id)
    assert await first.renew([account_id]) == {account_id}


async def test_a_released_account_is_free_at_once(db: Database, clock: MovableClock, account_id: str) -> None:
    """OPS-3: nobody waits for a process that stopped in order; releasing what another one owns does nothing."""
    first, second = Leases(db, clock), Leases(db, clock)
    await first.take(account_id)
    await second.release(account_id)
    assert not await second.take(account_id)
    await first.release(account_id)
    assert await second.take(account_id)


async def test_a_killed_process_of_this_machine_holds_nothing_after_a_restart(db: Database, clock: MovableClock, account_id: str) -> None:
    """ACC-4: its process number is gone, so its leases are freed without waiting."""
    dead, alive = Leases(db, clock), Leases(db, clock)
    await dead.take(account_id)
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    gone.wait(PATIENCE)
    owner = dead.owner.split(":")
    async with db.write() as session:
        await session.execute(update(SessionLease).values(owner=f"{owner[0]}:{gone.pid}:{owner[2]}"))
    await alive.release_dead_owners()
    assert await alive.take(account_id)


async def test_leases_of_other_machines_are_left_alone(db: Database, clock: MovableClock, account_id: str) -> None:
    """OPS-3: whether a process elsewhere lives cannot be seen from here; on SQLite there is no elsewhere."""
    there, here = Leases(db, clock), Leases(db, clock)
    await there.take(account_id)
    async with db.write() as session:
        statement = update(SessionLease).where(col(SessionLease.account_id) == account_id)
        await session.execute(statement.values(owner="another-machine:1:ab"))
    await here.release_dead_owners()
    assert await here.take(account_id) == db.is_sqlite
