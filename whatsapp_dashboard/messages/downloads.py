"""Fetches the files of incoming messages, a few at a time, and again after a failure or a restart (MSG-9)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import or_, select, update
from sqlmodel import col

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.outage import outlast
from whatsapp_dashboard.core.steady import SteadyTask
from whatsapp_dashboard.domain.messages import MediaRef, MessageType
from whatsapp_dashboard.errors import AppError, Permanent, Retryable, TooLarge, Unavailable, Unsupported
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.messages.media import MediaStore, Staged
from whatsapp_dashboard.messages.media_types import check_size, sniff
from whatsapp_dashboard.messages.sessions import Sessions
from whatsapp_dashboard.models import Account, Media, Message

log = structlog.get_logger(__name__)

PARALLEL = 4
MAX_ATTEMPTS = 8
_LOOK_SECONDS = 15.0
"""How often the table is read without a hint that something is there."""


class MediaDownloads:
    """A row of the media table stays ``pending`` until its bytes are here or cannot be had."""

    def __init__(self, db: Database, clock: Clock, sessions: Sessions, store: MediaStore, *, max_mb: int) -> None:
        self._db = db
        self._clock = clock
        self._sessions = sessions
        self._store = store
        self._max_mb = max_mb
        self._wake = asyncio.Event()
        self._loop = SteadyTask("media-downloads", self._look)
        self._running: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        """Begin, with what an earlier run left."""
        self._wake.set()
        self._loop.start()

    async def stop(self) -> None:
        """End at once: what is not here is still pending at the next start."""
        await self._loop.stop()
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def wake(self) -> None:
        """There may be something to fetch."""
        self._wake.set()

    def account_ready(self, _account_id: str) -> None:
        """The account can download again."""
        self._wake.set()

    async def clock_was_set_back(self) -> None:
        """What waits for its next try is tried now: that time would come too late."""
        now = self._clock.now()
        async with self._db.write() as session:
            waiting = col(Media.state) == "pending", col(Media.not_before) > now
            await session.execute(update(Media).where(*waiting).values(not_before=now))
        self._wake.set()

    def account_gone(self, _account_id: str) -> None:
        """Its downloads fail by themselves and wait."""

    async def _look(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            await self._start_some()

    async def _start_some(self) -> None:
        free = PARALLEL - len(self._running)
        if free <= 0:
            return
        now = self._clock.now()
        statement = (
            select(Media, Message, col(Account.workspace_id))
            .join(Message, col(Message.media_id) == col(Media.id))
            .join(Account, col(Account.id) == col(Media.account_id))
            .where(col(Media.state) == "pending", col(Account.status) == "ready", col(Media.id).not_in(list(self._running)))
            .where(or_(col(Media.not_before).is_(None), col(Media.not_before) <= now))
            .order_by(col(Message.history), col(Media.id))
            .limit(free)
        )
        async with self._db.read() as session:
            rows = (await session.execute(statement)).all()
        for media, message, workspace_id in rows:
            if media.id in self._running or self._sessions.engine(media.account_id) is None:
                continue
            task = asyncio.create_task(self._fetch(media, message, workspace_id), name=f"download:{media.id}")
            self._running[media.id] = task

    async def _fetch(self, media: Media, message: Message, workspace_id: str) -> None:
        try:
            outcome = await self._try(media, MessageType(message.type))
            await outlast(lambda: self._settle(media, message, workspace_id, outcome))
            if sha256 := outcome.get("sha256"):
                self._store.named(sha256)
            self._wake.set()
        except Unavailable:
            pass  # the account went offline: it is tried when it is ready again, or at the next look round
        except Exception:
            log.exception("download failed", media_id=media.id)
        finally:
            self._running.pop(media.id, None)

    async def _try(self, media: Media, type: MessageType) -> dict[str, Any]:
        """The columns that change: the stored file, another try later, or the reason why there is none."""
        try:
            if media.size:
                check_size(type, media.size, self._max_mb)
            ref = MediaRef(media.token or {}, media.mimetype, media.size, media.filename, media.seconds)
            file = await self._sessions.call(media.account_id, lambda engine: engine.download(ref))
            check_size(type, len(file.data), self._max_mb)
            mimetype = sniff(file.data, media.filename, media.mimetype)
            staged = Staged(type, await self._store.put(file.data), mimetype, len(file.data), media.filename)
        except Unavailable:
            raise
        except (Permanent, Unsupported, TooLarge) as error:
            return {"state": "failed", "reason": error.message[:500]}
        except Exception as error:
            return self._again(media, error)
        columns = {"state": "stored", "reason": "", "sha256": staged.sha256, "mimetype": staged.mimetype, "size": staged.size}
        return columns | {"token": None, "not_before": None}

    def _again(self, media: Media, error: Exception) -> dict[str, Any]:
        attempts = media.attempts + 1
        reason = error.message if isinstance(error, AppError) else f"The download failed ({type(error).__name__})."
        if not isinstance(error, AppError):
            log.warning("download failed", media_id=media.id, exc_info=error)
        if attempts >= MAX_ATTEMPTS:
            return {"state": "failed", "reason": f"Given up after {attempts} tries: {reason}"[:500], "attempts": attempts}
        after = (error.after if isinstance(error, Retryable) else None) or min(2.0**attempts, 300.0)
        return {"attempts": attempts, "reason": reason[:500], "not_before": self._clock.now() + timedelta(seconds=after)}

    async def _settle(self, media: Media, message: Message, workspace_id: str, columns: dict[str, Any]) -> None:
        async with self._db.write() as session:
            await session.execute(update(Media).where(col(Media.id) == media.id, col(Media.state) == "pending").values(**columns))
            if "state" not in columns:
                return
            record(
                session,
                "message.updated",
                workspace_id=workspace_id,
                account_id=media.account_id,
                conversation_id=message.conversation_id,
                message_id=message.id,
                data={"media_id": media.id, "media_state": columns["state"], "reason": columns.get("reason", "")},
            )
