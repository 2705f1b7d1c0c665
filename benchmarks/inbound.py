"""Incoming messages stored per second, each with its conversation and its event, on disk when counted.

    python -m benchmarks.inbound [messages]

Events are submitted as fast as the program takes them, from 200 contacts at once; nothing else runs.
"""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime

from sqlalchemy import text

from benchmarks.setting import databases
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.migrations import upgrade
from whatsapp_dashboard.domain.engine_events import MessageReceived
from whatsapp_dashboard.domain.ids import Address, ContactKind
from whatsapp_dashboard.domain.messages import Content, MessageType
from whatsapp_dashboard.messages.inbound import Inbound
from whatsapp_dashboard.models import Account, Workspace

CONTACTS = 200


async def measure(url: str, count: int) -> float:
    """Messages per second."""
    await upgrade(url)
    db = Database(url)
    async with db.write() as session:
        workspace = Workspace(name="Bench")
        session.add(workspace)
        await session.flush()
        account = Account(workspace_id=workspace.id, name="Bench", engine="sandbox")
        session.add(account)
    inbound = Inbound(db, Clock())

    async def contact(number: int) -> None:
        address = Address(ContactKind.PERSON, f"34600{number:06d}")
        for n in range(count // CONTACTS):
            content = Content(MessageType.TEXT, f"Message {n} of contact {number}, about as long as people write.")
            await inbound.submit(account.id, MessageReceived(f"WA{number}-{n}", address, content, datetime.now(UTC)))

    began = time.perf_counter()
    await asyncio.gather(*(contact(number) for number in range(CONTACTS)))
    seconds = time.perf_counter() - began
    async with db.engine.connect() as connection:
        stored = (await connection.execute(text("SELECT count(*) FROM message"))).scalar_one()
        events = (await connection.execute(text("SELECT count(*) FROM event WHERE type = 'message'"))).scalar_one()
    await db.close()
    assert stored == events == count // CONTACTS * CONTACTS, (stored, events)
    return stored / seconds


def main() -> None:
    """Measure both databases."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with databases() as found:
        for name, url in found:
            print(f"{name}: {asyncio.run(measure(url, count)):,.0f} messages/s stored with their event ({count:,} messages)")


if __name__ == "__main__":
    main()
