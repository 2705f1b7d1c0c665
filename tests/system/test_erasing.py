"""A deletion keeps nobody waiting, neither a large one nor one that fails (ACC-1, DUR-2)."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select
from sqlmodel import col

from tests.support.cast import make_cast
from tests.support.waiting import until
from whatsapp_dashboard.accounts.removal import hide
from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.core.addresses import Allowed
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.crypto import SecretBox
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.outgoing import Outgoing
from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.messages.media import MediaStore
from whatsapp_dashboard.models import Account, Contact, Conversation, Erasure, Event, Message, Setting, metadata
from whatsapp_dashboard.system.erasing import Eraser
from whatsapp_dashboard.webhooks.dispatcher import Dispatcher
from whatsapp_dashboard.webhooks.recent import RecentBodies

PATIENT_SECONDS = 5.0
"""How long a write may wait while an account is taken away; figures of a quiet machine are in docs/accounts.md."""


async def fill(db: Database, account_id: str, messages: int, *, chat: int = 100) -> None:
    """Conversations of ``chat`` messages each, with three events per message."""
    tables, now = metadata.tables, datetime.now(UTC)
    for start in range(0, messages, 2_000):
        contacts, conversations, rows, events = [], [], [], []
        for number in range(start, min(start + 2_000, messages)):
            if number % chat == 0:
                person = Contact(id=new_id(), account_id=account_id, lid=f"{number}", name="Somebody")
                talk = Conversation(id=new_id(), account_id=account_id, contact_id=person.id)
                contacts.append(person.model_dump())
                conversations.append(talk.model_dump())
            about: dict[str, Any] = {"account_id": account_id, "conversation_id": talk.id}
            message = Message(
                **about, id=new_id(), contact_id=person.id, direction="incoming", type="text", status="received",
                body="Something that somebody wrote. " * 4, wa_id=f"W{number}", at=now + timedelta(seconds=number),
            )  # fmt: skip
            rows.append(message.model_dump())
            for kind in ("message", "message.status", "conversation.updated"):
                event = Event(**about, type=kind, workspace_id="w", message_id=message.id, data={"body": message.body})
                events.append(event.model_dump(exclude={"seq"}))
        async with db.write() as session:
            for name, some in (("contact", contacts), ("conversation", conversations), ("message", rows), ("event", events)):
                if some:
                    await session.execute(insert(tables[name]), some)


async def nothing(*_: Any) -> None:
    """For what is not there."""


@asynccontextmanager
async def erasing(db: Database, folder: Path, forget_session: Callable[[str], Awaitable[None]] = nothing) -> AsyncIterator[Eraser]:
    """An eraser that runs."""
    http, recent, clock = Outgoing(lambda _: Allowed.parse([]), user_agent="test"), RecentBodies(), Clock()
    dispatcher = Dispatcher(db, clock, SecretBox(os.urandom(32)), http, parallel=1, recent=recent, on_settled=lambda: None)
    store = MediaStore(db, Settings(data_dir=folder))
    eraser = Eraser(db, clock, store, dispatcher=dispatcher, recent=recent, forget_session=forget_session, settle=nothing)
    await eraser.start()
    try:
        yield eraser
    finally:
        await eraser.stop()
        await http.close()


async def delete_accounts(db: Database, *ids: str) -> None:
    """As a person does who deletes one after the other."""
    for account_id in ids:
        async with db.write() as session:
            account = await session.get(Account, account_id)
            assert account is not None
            await hide(session, account, datetime.now(UTC))


async def count(db: Database, account_id: str) -> int:
    """How many accounts have this id: one or none."""
    async with db.read() as session:
        return await session.scalar(select(func.count()).where(col(Account.id) == account_id)) or 0


async def delete_measured(db: Database, folder: Path, messages: int) -> tuple[float, float]:
    """Delete an account with so many messages while somebody writes all the time; seconds it took, and the longest wait of a write."""
    cast = await make_cast(db)
    accounts = [Account(id=new_id(), workspace_id=cast.ana.workspace_id, name=name, engine="sandbox") for name in ("Doomed", "Stays")]
    async with db.write() as session:
        session.add_all(accounts)
    doomed, stays = (account.id for account in accounts)
    await fill(db, stays, messages // 10)
    await fill(db, doomed, messages)
    waits: list[float] = []

    async def others() -> None:
        while True:
            began = time.monotonic()
            async with db.write() as session:
                session.add(Setting(key=new_id()))
            waits.append(time.monotonic() - began)
            await asyncio.sleep(0.01)

    busy = asyncio.create_task(others())
    async with erasing(db, folder) as eraser:
        began = time.monotonic()
        await delete_accounts(db, doomed)
        eraser.wake()
        await until(lambda: count(db, doomed), lambda left: left == 0, seconds=600, pause=0.1)
        took = time.monotonic() - began
    busy.cancel()
    await asyncio.gather(busy, return_exceptions=True)
    async with db.read() as session:
        for table in (Message, Contact, Conversation):
            assert await session.scalar(select(func.count()).select_from(table).where(col(table.account_id) == doomed)) == 0
        # The newest place of the log is never given away again: what was there is blank.
        told = await session.execute(select(col(Event.type), col(Event.data)).where(col(Event.account_id) == doomed))
        assert [tuple(row) for row in told] in ([], [("erased", {})])
        assert await session.scalar(select(func.count()).where(col(Message.account_id) == stays)) == messages // 10
    return took, max(waits)


async def test_others_write_while_a_large_account_is_taken_away(db: Database, tmp_path: Path) -> None:
    """ACC-1: a few rows at a time, on SQLite and on PostgreSQL; another account keeps all of its own."""
    took, longest = await delete_measured(db, tmp_path, 3_000)
    assert longest < PATIENT_SECONDS, f"{took:.1f} s in all, the longest wait {longest:.2f} s"


async def test_a_deletion_that_fails_holds_up_no_other_and_is_tried_again(db: Database, tmp_path: Path) -> None:
    """ACC-1: a file of one account that cannot be removed is one account's trouble."""
    cast = await make_cast(db)
    accounts = [Account(id=new_id(), workspace_id=cast.ana.workspace_id, name=f"Shop {n}", engine="sandbox") for n in range(3)]
    async with db.write() as session:
        session.add_all(accounts)
    first, *others = (account.id for account in accounts)
    stuck = {first}
    tried: list[str] = []

    async def forget_session(account_id: str) -> None:
        tried.append(account_id)
        if account_id in stuck:
            raise PermissionError("read-only")

    async def left() -> list[str]:
        async with db.read() as session:
            return list(await session.scalars(select(col(Erasure.subject_id)).where(col(Erasure.done_at).is_(None))))

    async with erasing(db, tmp_path, forget_session) as eraser:
        await delete_accounts(db, first, *others)
        eraser.wake()
        await until(left, lambda found: found == [first])
        assert first in tried
        stuck.clear()
        await eraser.tick()
        await until(left, lambda found: not found)


@pytest.mark.full
@pytest.mark.timeout(900)
async def test_others_write_while_100_000_messages_are_taken_away(db: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """ACC-1: at full size."""
    took, longest = await delete_measured(db, tmp_path, 100_000)
    with capsys.disabled():
        print(f"\n100,000 messages on {db.dialect}: {took:.1f} s, the longest wait of another write {longest * 1_000:.0f} ms")
    assert longest < PATIENT_SECONDS
