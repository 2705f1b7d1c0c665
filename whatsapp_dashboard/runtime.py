"""The one place that builds the parts, wires them, and starts and stops them in order (SEC-9)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from whatsapp_dashboard.accounts.leases import Leases
from whatsapp_dashboard.accounts.pool import SessionPool
from whatsapp_dashboard.accounts.records import AccountRecords
from whatsapp_dashboard.accounts.service import AccountService
from whatsapp_dashboard.auth.service import AuthService
from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.crypto import KEY_FILE, SecretBox, load_keys
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.migrations import upgrade
from whatsapp_dashboard.engines.registry import engine_class
from whatsapp_dashboard.engines.sandbox.world import WorldThread
from whatsapp_dashboard.events.bus import EventBus
from whatsapp_dashboard.messages.conversations import ConversationService
from whatsapp_dashboard.messages.downloads import MediaDownloads
from whatsapp_dashboard.messages.inbound import Inbound
from whatsapp_dashboard.messages.log import MessageLog
from whatsapp_dashboard.messages.media import MediaStore
from whatsapp_dashboard.messages.outbound import Outbound
from whatsapp_dashboard.messages.sending import MessageService
from whatsapp_dashboard.replies.auto_reply import AutoReplier
from whatsapp_dashboard.replies.router import ReplyRouter
from whatsapp_dashboard.sandbox_phone.service import PhoneService
from whatsapp_dashboard.system.overview import Overview

log = structlog.get_logger(__name__)

DRAIN_SECONDS = 1.5
"""What a part that finishes running work may take at the end; what is left is stored and goes on at the next start."""

_current: Runtime | None = None


class Runtime:
    """Every long-lived part of one process."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        self.settings = settings
        self.clock = clock or Clock()
        configured = settings.encryption_key.get_secret_value() if settings.encryption_key else None
        self.box = SecretBox(*load_keys(configured, settings.data_dir / KEY_FILE))
        self.db = Database(settings.database)
        self.bus = EventBus(self.db)
        self.db.on_commit.append(self.bus.wake)
        self.auth = AuthService(self.db, self.box, settings, self.clock)

        records = AccountRecords(self.db, self.box, self.clock)
        self.inbound = Inbound(self.db, self.clock, in_doubt=lambda account_id: self.outbound.in_doubt(account_id))  # noqa: PLW0108 - made below
        self.pool = SessionPool(settings, records, Leases(self.db, self.clock), self.clock, self.inbound)
        self.accounts = AccountService(self.db, self.pool, records, self.clock)

        self.media = MediaStore(self.db, settings)
        self.downloads = MediaDownloads(self.db, self.clock, self.pool, self.media, max_mb=settings.media_max_mb)
        self.outbound = Outbound(self.db, self.clock, self.pool, self.media)
        self.messages = MessageService(self.db, self.clock, self.outbound, self.media, lambda engine: engine_class(engine).capabilities)
        self.conversations = ConversationService(self.db, self.clock)
        self.message_log = MessageLog(self.db)
        self.overview = Overview(self.db, self.clock)
        self.replies = ReplyRouter(self.db, self.clock, self.outbound, [AutoReplier()])

        self.pool.listeners += [self.outbound, self.downloads]
        self.inbound.on_waiting.append(self.replies.take)
        self.inbound.on_media.append(self.downloads.wake)

        self.world = None if settings.sandbox_world else WorldThread(settings.data_dir)
        self.pool.engine_options["world"] = settings.sandbox_world or (self.world.socket_path if self.world else "")
        self.phone = PhoneService(self.accounts, self.pool.engine_options["world"])
        self.scheduler = AsyncIOScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1})

    async def start(self) -> None:
        """Bring everything up; when it returns the program is ready: sessions come back in the background."""
        global _current  # noqa: PLW0603
        await upgrade(self.settings.database)
        await self.bus.start()
        await self.auth.start()
        if self.world:
            await self.world.start()
        await self.outbound.start()
        self.downloads.start()
        await self.replies.start()
        await self.pool.start()
        self._schedule(self.replies.tick, seconds=2)
        self._schedule(self.outbound.tick, seconds=5)
        self._schedule(self.inbound.tick, seconds=60)
        self._schedule(self.media.sweep, seconds=900)
        self.scheduler.start()
        _current = self

    async def stop(self) -> None:
        """Take everything down: no new work, finish or park what runs, close the sessions. Each part gets its turn, whatever
        happened in the one before."""
        global _current  # noqa: PLW0603
        _current = None
        if self.scheduler.running:
            self.scheduler.shutdown(wait=False)
        await self._end("replies", self.replies.stop(DRAIN_SECONDS))
        await self._end("outbound", self.outbound.stop(DRAIN_SECONDS))
        await self._end("downloads", self.downloads.stop())
        await self._end("sessions", self.pool.stop())
        await self._end("inbound", self.inbound.stop())
        await self._end("sandbox phone", self.phone.close())
        if self.world:
            await self._end("sandbox", self.world.stop())
        await self._end("auth", self.auth.stop())
        await self._end("bus", self.bus.stop())
        await self._end("database", self.db.close())

    def _schedule(self, job: Callable[[], Awaitable[Any]], *, seconds: float) -> None:
        async def run() -> None:
            try:
                await job()
            except Exception:
                log.exception("scheduled job failed; it runs again", job=run.__name__)

        run.__name__ = f"{type(getattr(job, '__self__', job)).__name__}.{job.__name__}"
        self.scheduler.add_job(run, "interval", seconds=seconds, id=run.__name__)

    async def _end(self, name: str, stopping: Awaitable[Any]) -> None:
        try:
            await asyncio.wait_for(stopping, DRAIN_SECONDS + 2)
        except Exception:
            log.exception("part did not stop cleanly", part=name)


def current() -> Runtime:
    """The running runtime. Raises RuntimeError before start and after stop."""
    if _current is None:
        raise RuntimeError("the dashboard is not running")
    return _current


def running() -> Runtime | None:
    """The running runtime, or None: for health checks."""
    return _current
