"""What one workspace allows opens nothing for another, by whatever part dials (HOOK-7, ACC-15). Real requests to real servers here."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from alembic import command
from sqlalchemy import text

from tests.support.cast import Cast, make_cast
from tests.support.clock import MovableClock
from tests.support.receivers import Receivers
from whatsapp_dashboard.core.crypto import SecretBox
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.migrations import alembic_config, migration_connection
from whatsapp_dashboard.core.outgoing import Outgoing
from whatsapp_dashboard.core.safe_http import Refused
from whatsapp_dashboard.errors import Invalid, NotFound
from whatsapp_dashboard.knowledge.service import KnowledgeService
from whatsapp_dashboard.messages.media_links import MediaLinks
from whatsapp_dashboard.network.allow_list import MAX_ENTRIES, AllowList
from whatsapp_dashboard.webhooks.attempt import Letter, attempt
from whatsapp_dashboard.webhooks.endpoints import Endpoint

LOOPBACK = "127.0.0.1"


@pytest.fixture
async def people(db: Database) -> Cast:
    return await make_cast(db)


@pytest.fixture
def network(db: Database, clock: MovableClock) -> AllowList:
    return AllowList(db, clock)


@pytest.fixture
async def http(network: AllowList) -> AsyncIterator[Outgoing]:
    made = Outgoing(network.of, user_agent="test")
    yield made
    await made.close()


@pytest.fixture
async def receivers() -> AsyncIterator[Receivers]:
    async with Receivers() as running:
        yield running


async def test_each_workspace_has_a_list_of_its_own(network: AllowList, people: Cast) -> None:
    """ACC-15: neither seen, nor taken away, nor of use elsewhere."""
    await network.allow(people.ana, LOOPBACK)
    await network.allow(people.mallory, "10.0.0.0/8")
    assert [entry.value for entry in await network.allowed(people.vic)] == [LOOPBACK]
    assert [entry.value for entry in await network.allowed(people.mallory)] == ["10.0.0.0/8"]
    with pytest.raises(NotFound):
        await network.disallow(people.mallory, LOOPBACK)
    assert network.of(people.ana.workspace_id) != network.of(people.mallory.workspace_id)
    assert network.of("") == network.of("no such workspace")


async def test_a_full_list_is_full_for_its_workspace_only(network: AllowList, people: Cast) -> None:
    """ACC-15"""
    for n in range(MAX_ENTRIES):
        await network.allow(people.ana, f"10.0.0.{n}")
    with pytest.raises(Invalid):
        await network.allow(people.ana, "10.0.1.0")
    await network.allow(people.ana, "10.0.0.7")
    await network.allow(people.mallory, "10.0.1.0")


async def test_the_same_entry_added_at_the_same_moment_is_there_once(network: AllowList, people: Cast) -> None:
    """HOOK-7"""
    await asyncio.gather(*(network.allow(people.ana, LOOPBACK) for _ in range(5)))
    assert [entry.value for entry in await network.allowed(people.ana)] == [LOOPBACK]


async def test_a_connection_of_one_workspace_is_never_there_for_another(
    network: AllowList, people: Cast, http: Outgoing, receivers: Receivers
) -> None:
    """ACC-15: one that is open and idle, to the very server; nor what was looked up."""
    await network.allow(people.ana, LOOPBACK)
    mine, theirs = http.of(people.ana.workspace_id), http.of(people.mallory.workspace_id)
    url = receivers.url("accept")
    assert (await mine.request("POST", url)).status < 300
    with pytest.raises(Refused):
        await theirs.request("POST", url)
    with pytest.raises(Refused):
        await http.of("").request("POST", url)
    assert (await mine.request("POST", url)).status < 300


async def test_everybody_who_dials_dials_in_the_name_of_the_owner_of_the_thing(
    db: Database, clock: MovableClock, network: AllowList, people: Cast, http: Outgoing, receivers: Receivers
) -> None:
    """ACC-15: webhooks, their drafts, files at a URL, documents at a URL."""
    await network.allow(people.ana, LOOPBACK)
    url = receivers.url("accept")
    letter = Letter("e", "test", "d", 1, b"{}")
    for who, fine in ((people.ana, True), (people.mallory, False)):
        outcome = await attempt(http, clock, Endpoint("w", who.workspace_id, url), letter)
        assert outcome.succeeded is fine, outcome.error
        links, knowledge = MediaLinks(db, http, max_mb=1), KnowledgeService(db, clock, SecretBox(os.urandom(32)), http, max_mb=1)
        if fine:
            await links.fetch(who, url)
            await knowledge.add_url(who, url)
        else:
            for dialled in (links.fetch(who, url), knowledge.add_url(who, url)):
                with pytest.raises(Refused):
                    await dialled


async def test_a_change_by_another_process_is_seen(db: Database, clock: MovableClock, network: AllowList, people: Cast) -> None:
    """HOOK-7"""
    await AllowList(db, clock).allow(people.ana, LOOPBACK)
    assert not network.of(people.ana.workspace_id).networks
    await network.load()
    assert network.of(people.ana.workspace_id).networks


async def test_each_workspace_keeps_what_the_shared_list_allowed(empty_database_url: str) -> None:
    """OPS-4, ACC-15: nothing that worked stops; and back again the oldest one's list is the shared one."""
    at = "2026-01-02T03:04:05+00:00"
    shared = '{"entries": [{"value": "10.0.0.0/8", "added_by": "ana", "added_at": "' + at + '"}]}'
    async with migration_connection(empty_database_url) as connection:
        await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), "0009"))
        await connection.run_sync(lambda sync: command.downgrade(alembic_config(sync), "0006"))
        for name in ("a", "b"):
            row = {"id": name, "name": name, "at": datetime(2026, 1, 1, tzinfo=UTC)}
            await connection.execute(text("INSERT INTO workspace (id, name, created_at) VALUES (:id, :name, :at)"), row)
        value = "CAST(:value AS JSONB)" if "postgresql" in empty_database_url else ":value"
        stored = {"value": shared, "at": datetime(2026, 1, 1, tzinfo=UTC)}
        await connection.execute(text(f"INSERT INTO setting (key, value, updated_at) VALUES ('network.allowed', {value}, :at)"), stored)
        await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), "0009"))
        rows = (await connection.execute(text("SELECT workspace_id, value, added_by FROM allowed_network ORDER BY workspace_id"))).all()
        assert [tuple(row) for row in rows] == [("a", "10.0.0.0/8", "ana"), ("b", "10.0.0.0/8", "ana")]
        assert (await connection.execute(text("SELECT count(*) FROM setting"))).scalar() == 0
        await connection.run_sync(lambda sync: command.downgrade(alembic_config(sync), "0006"))
        assert (await connection.execute(text("SELECT count(*) FROM setting"))).scalar() == 1
        await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), "0009"))
        again = (await connection.execute(text("SELECT workspace_id, value FROM allowed_network ORDER BY workspace_id"))).all()
        assert [tuple(row) for row in again] == [("a", "10.0.0.0/8"), ("b", "10.0.0.0/8")]
