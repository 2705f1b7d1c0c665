"""Takes away what was deleted: every row, file and copy of it, a few at a time, and goes on after a crash (ACC-1).

What stays of an account is that somebody deleted it and when, and the amounts in the ledger: no text of anybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlmodel import col

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.sqlite_journal import empty_journal
from whatsapp_dashboard.core.steady import SteadyTask
from whatsapp_dashboard.errors import DatabaseAway
from whatsapp_dashboard.events.log import last_seq
from whatsapp_dashboard.messages.media import MediaStore
from whatsapp_dashboard.models import (
    Account,
    AiAnswer,
    AiCall,
    Contact,
    Erasure,
    Event,
    Media,
    Message,
    ParkedEvent,
    SetAsideEvent,
    Webhook,
    WebhookDelivery,
    WebhookEvent,
)
from whatsapp_dashboard.system.forgetting import forget_document, forget_webhook
from whatsapp_dashboard.webhooks.dispatcher import Dispatcher
from whatsapp_dashboard.webhooks.recent import RecentBodies

log = structlog.get_logger(__name__)

EVENTS_AT_ONCE = 1_000
"""Places in the event log that one write looks at."""
ROWS_AT_ONCE = 100
REST_SECONDS = 0.01
"""Between two writes: others go first."""
STRAGGLERS = timedelta(minutes=10)
"""So long after the end it is looked for what was still under way when the account was deleted."""
WAIT_SECONDS = 5.0
_KEPT = "account.deleted"
_BY_ACCOUNT: tuple[tuple[Any, str], ...] = (
    (Message, "id"),
    (AiCall, "id"),
    (AiAnswer, "message_id"),
    (ParkedEvent, "id"),
    (SetAsideEvent, "id"),
    (Contact, "id"),
    (Webhook, "id"),
)
"""Tables with many rows, in an order in which a row takes few others along; the rest goes with the account's own row."""


class Eraser:
    """One per process. ``forget_session`` removes what an engine keeps on disk for an account; ``settle`` books
    what answers cost, while it can still be seen which were sent (CRED-1)."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        media: MediaStore,
        *,
        dispatcher: Dispatcher,
        recent: RecentBodies,
        forget_session: Callable[[str], Awaitable[None]],
        settle: Callable[[], Awaitable[Any]],
    ) -> None:
        self._db = db
        self._clock = clock
        self._media = media
        self._dispatcher = dispatcher
        self._recent = recent
        self._forget_session = forget_session
        self._settle = settle
        self._wake = asyncio.Event()
        self._waiting: dict[str, asyncio.Event] = {}
        self._task = SteadyTask("eraser", self._run)

    async def start(self) -> None:
        """Go on with what an earlier process left."""
        self._task.start()

    async def stop(self) -> None:
        """Stop; the rest is taken away after the next start."""
        await self._task.stop()

    def wake(self) -> None:
        """Something was deleted."""
        self._wake.set()

    async def until_gone(self, subject_id: str) -> None:
        """Wait until nothing is left of it, but not for long: what is large goes on by itself."""
        done = self._waiting[subject_id] = asyncio.Event()
        self.wake()
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await done.wait()
        except TimeoutError:
            log.info("a large deletion goes on in the background", subject_id=subject_id)
        finally:
            self._waiting.pop(subject_id, None)

    async def tick(self) -> None:
        """Try again what could not be taken away; look for stragglers of what was deleted lately, then forget that it was."""
        self.wake()
        async with self._db.read() as session:
            ended = list(await session.scalars(select(Erasure).where(col(Erasure.done_at).is_not(None))))
        for erasure in ended:
            if not await self._tried(erasure, self._look_again):
                continue
            if erasure.done_at and erasure.done_at < self._clock.now() - STRAGGLERS:
                async with self._db.write() as session:
                    await session.execute(delete(Erasure).where(col(Erasure.id) == erasure.id))
        if ended:
            await self._scrub()

    # -- inside

    async def _run(self) -> None:
        self._wake.set()  # also after a fault: what is left is planned
        while True:
            await self._wake.wait()
            self._wake.clear()
            tried: list[str] = []
            while erasure := await self._next(tried):
                tried.append(erasure.id)
                await self._tried(erasure, self._erase)

    async def _next(self, tried: list[str]) -> Erasure | None:
        async with self._db.read() as session:
            waiting = select(Erasure).where(col(Erasure.done_at).is_(None), col(Erasure.id).not_in(tried))
            return await session.scalar(waiting.order_by(col(Erasure.id)).limit(1))

    async def _tried(self, erasure: Erasure, work: Callable[[Erasure], Awaitable[None]]) -> bool:
        """Whether ``work`` succeeded. What fails holds up no other deletion; it is tried again with the next tick."""
        try:
            await work(erasure)
        except DatabaseAway:
            raise
        except Exception:
            log.exception("what was deleted could not be taken away; it is tried again", kind=erasure.kind, subject_id=erasure.subject_id)
            return False
        return True

    async def _erase(self, erasure: Erasure) -> None:
        if erasure.kind == "account":
            await self._erase_account(erasure)
        elif erasure.kind == "document":
            await forget_document(self._db, erasure.subject_id)
        else:
            await forget_webhook(self._db)
        async with self._db.write() as session:
            await session.execute(update(Erasure).where(col(Erasure.id) == erasure.id).values(done_at=self._clock.now()))
        await self._scrub()
        if waiting := self._waiting.get(erasure.subject_id):
            waiting.set()

    async def _erase_account(self, erasure: Erasure) -> None:
        account_id = erasure.subject_id
        await self._erase_deliveries(account_id)
        await self._settle()
        await self._erase_events(account_id, 0)
        await self._erase_files(erasure)
        for table, key in _BY_ACCOUNT:
            await self._erase_rows(table, key, col(table.account_id) == account_id)
        async with self._db.write() as session:
            await session.execute(delete(Account).where(col(Account.id) == account_id))
        await self._forget_session(account_id)
        self._recent.clear()
        await self._look_again(erasure)

    async def _look_again(self, erasure: Erasure) -> None:
        """What was written while it was being deleted, and files that could not go yet."""
        if erasure.kind == "document":
            await forget_document(self._db, erasure.subject_id, since=erasure.created_at)
        if erasure.kind != "account":
            return
        await self._erase_events(erasure.subject_id, erasure.seq)
        await self._erase_rows(AiCall, "id", col(AiCall.account_id) == erasure.subject_id)
        left = await self._media.discard(erasure.files)
        if left != erasure.files:
            async with self._db.write() as session:
                await session.execute(update(Erasure).where(col(Erasure.id) == erasure.id).values(files=left))
            erasure.files = left

    async def _erase_deliveries(self, account_id: str) -> None:
        """Bodies with their deliveries and attempts. What an endpoint was about to get is not sent any more."""
        await self._dispatcher.reload()
        mine = select(col(WebhookEvent.id)).where(col(WebhookEvent.account_id) == account_id, col(WebhookEvent.type) != _KEPT)
        while True:
            async with self._db.write() as session:
                ids = list(await session.scalars(mine.limit(ROWS_AT_ONCE)))
                held = col(WebhookDelivery.event_id).in_(ids), col(WebhookDelivery.state) == "delivering"
                self._dispatcher.drop(await session.scalars(select(col(WebhookDelivery.id)).where(*held)))
                await session.execute(delete(WebhookEvent).where(col(WebhookEvent.id).in_(ids)))
            if len(ids) < ROWS_AT_ONCE:
                return
            await asyncio.sleep(REST_SECONDS)

    async def _erase_events(self, account_id: str, after: int) -> None:
        """Its part of the event log. The newest event stays until there is another one: SQLite would give its number away again, and a
        reader that has come so far would miss the next."""
        async with self._db.read() as session:
            last = await last_seq(session)
            own = select(col(Webhook.id)).where(col(Webhook.account_id) == account_id)
            hooks = set(await session.scalars(own))
        mine = or_(col(Event.account_id) == account_id, col(Event.type).like("webhook.%")) if hooks else col(Event.account_id) == account_id
        while after < last:
            here = col(Event.seq) > after, col(Event.seq) <= after + EVENTS_AT_ONCE, mine, col(Event.type) != _KEPT
            async with self._db.write() as session:
                found = (await session.execute(select(col(Event.seq), col(Event.account_id), col(Event.data)).where(*here))).all()
                gone = [seq for seq, account, data in found if account == account_id or data.get("webhook_id") in hooks]
                if gone:
                    newest = select(func.max(col(Event.seq))).scalar_subquery()
                    await session.execute(delete(Event).where(col(Event.seq).in_(gone), col(Event.seq) < newest))
                    await session.execute(update(Event).where(col(Event.seq).in_(gone)).values(type="erased", data={}))
            after += EVENTS_AT_ONCE
            await asyncio.sleep(REST_SECONDS)

    async def _erase_files(self, erasure: Erasure) -> None:
        """The rows of its files; the files themselves where nobody else has them, at once or as soon as it is sure."""
        mine = select(col(Media.id), col(Media.sha256)).where(col(Media.account_id) == erasure.subject_id).limit(ROWS_AT_ONCE)
        while True:
            async with self._db.write() as session:
                rows = (await session.execute(mine)).all()
                hashes = {sha256 for _, sha256 in rows if sha256}
                files = sorted({*erasure.files, *hashes})
                await session.execute(update(Erasure).where(col(Erasure.id) == erasure.id).values(files=files))
                await session.execute(delete(Media).where(col(Media.id).in_([row[0] for row in rows])))
            erasure.files = files
            erasure.files = await self._media.discard(files)
            if len(rows) < ROWS_AT_ONCE:
                return
            await asyncio.sleep(REST_SECONDS)

    async def _erase_rows(self, table: Any, key: str, which: ColumnElement[bool]) -> None:
        primary = col(getattr(table, key))
        some = select(primary).where(which).limit(ROWS_AT_ONCE)
        while True:
            async with self._db.write() as session:
                gone = await session.execute(delete(table).where(primary.in_(some)).returning(primary))
                count = len(gone.all())
            if count < ROWS_AT_ONCE:
                return
            await asyncio.sleep(REST_SECONDS)

    async def _scrub(self) -> None:
        """SQLite overwrites what is deleted (``secure_delete``), but its journal keeps older pages until it is emptied."""
        if self._db.is_sqlite:
            await asyncio.to_thread(empty_journal, self._db.url)
