"""Follows the event log with a stored cursor: each event is handled exactly once, in the transaction that moves the cursor."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.core.db import Database, insert_ignore
from whatsapp_dashboard.core.steady import SteadyTask
from whatsapp_dashboard.events.log import EventRecord, last_seq, read_after
from whatsapp_dashboard.models import EventCursor

_BATCH = 200
_POLL_SECONDS = 1.0
"""Events of other processes are seen within this time; our own wake the reader at once."""
_SAVE_EVERY = 1_000
"""After so many events that nobody wanted the cursor is stored nevertheless."""


class Follower:
    """Gives the events for which ``wanted`` is true to ``handle``, in order, in a write. At the very first start with what happens from
    then on."""

    def __init__(
        self,
        db: Database,
        name: str,
        wanted: Callable[[EventRecord], bool],
        handle: Callable[[AsyncSession, Sequence[EventRecord]], Awaitable[None]],
    ) -> None:
        self._db = db
        self._name = name
        self._wanted = wanted
        self._handle = handle
        self._wake = asyncio.Event()
        self._loop = SteadyTask(f"follower:{name}", self._follow)
        self._seen = self._saved = 0

    async def start(self) -> None:
        """Begin to follow, at the stored cursor."""
        async with self._db.write() as session:
            await session.execute(insert_ignore(session, EventCursor).values(name=self._name, seq=await last_seq(session)))
            self._seen = self._saved = await self._cursor(session)
        self._loop.start()

    async def stop(self) -> None:
        """Stop following; what is left is read at the next start."""
        await self._loop.stop()

    def wake(self) -> None:
        """Something was committed: look now."""
        self._wake.set()

    async def _cursor(self, session: AsyncSession) -> int:
        # Locked on PostgreSQL, so that of several processes one at a time handles events.
        statement = select(col(EventCursor.seq)).where(col(EventCursor.name) == self._name).with_for_update()
        return (await session.execute(statement)).scalar_one()

    async def _follow(self) -> None:
        while True:
            self._wake.clear()
            while await self._step():
                pass
            try:
                async with asyncio.timeout(_POLL_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _step(self) -> bool:
        """Look at the next events; write only when one is wanted. Returns whether there may be more."""
        async with self._db.read() as session:
            events = await read_after(session, self._seen, limit=_BATCH)
        if not events:
            return False
        last = events[-1].seq
        if not any(map(self._wanted, events)) and last - self._saved < _SAVE_EVERY:
            self._seen = last
            return len(events) == _BATCH
        async with self._db.write() as session:
            cursor = await self._cursor(session)
            mine = [event for event in events if event.seq > cursor and self._wanted(event)]
            if mine:
                await self._handle(session, mine)
            saved = max(cursor, last)
            await session.execute(update(EventCursor).where(col(EventCursor.name) == self._name).values(seq=saved))
        self._seen = self._saved = saved
        return len(events) == _BATCH
