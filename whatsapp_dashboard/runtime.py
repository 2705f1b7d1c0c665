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
from whatsapp_dashboard.ai.breaker import Breakers
from whatsapp_dashboard.ai.budget import Budget
from whatsapp_dashboard.ai.call_log import AiLog
from whatsapp_dashboard.ai.failover import Failover
from whatsapp_dashboard.ai.gathering import Gatherer
from whatsapp_dashboard.ai.providers.registry import Providers
from whatsapp_dashboard.ai.replier import AiReplier
from whatsapp_dashboard.ai.responder import Responder
from whatsapp_dashboard.ai.service import AiService
from whatsapp_dashboard.ai.trying import AiTrying
from whatsapp_dashboard.auth.service import AuthService
from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.clock_watch import ClockWatch
from whatsapp_dashboard.core.crypto import KEY_FILE, SecretBox, load_keys
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.migrations import upgrade
from whatsapp_dashboard.core.outgoing import Outgoing
from whatsapp_dashboard.credits.service import CreditService
from whatsapp_dashboard.credits.settling import Settlement
from whatsapp_dashboard.engines.registry import engine_class
from whatsapp_dashboard.engines.sandbox.neighbours import FIRST_WORKSPACE
from whatsapp_dashboard.engines.sandbox.world import WorldThread
from whatsapp_dashboard.errors import DatabaseAway
from whatsapp_dashboard.events.bus import EventBus
from whatsapp_dashboard.knowledge.service import KnowledgeService
from whatsapp_dashboard.messages.conversations import ConversationService
from whatsapp_dashboard.messages.downloads import MediaDownloads
from whatsapp_dashboard.messages.inbound import Inbound
from whatsapp_dashboard.messages.log import MessageLog
from whatsapp_dashboard.messages.media import MediaStore
from whatsapp_dashboard.messages.media_links import MediaLinks
from whatsapp_dashboard.messages.outbound import Outbound
from whatsapp_dashboard.messages.sending import MessageService
from whatsapp_dashboard.messages.set_aside import SetAsideEvents
from whatsapp_dashboard.messages.waiting import settle_groups
from whatsapp_dashboard.network.allow_list import AllowList
from whatsapp_dashboard.replies.auto_reply import AutoReplier
from whatsapp_dashboard.replies.router import ReplyRouter
from whatsapp_dashboard.sandbox_phone.service import PhoneService
from whatsapp_dashboard.system.checks import Checks
from whatsapp_dashboard.system.erasing import Eraser
from whatsapp_dashboard.system.installation import adopt
from whatsapp_dashboard.system.key_watch import KeyWatch
from whatsapp_dashboard.system.overview import Overview
from whatsapp_dashboard.system.processes import Processes
from whatsapp_dashboard.system.request_keys import RequestKeys
from whatsapp_dashboard.system.sealing import seal_addresses
from whatsapp_dashboard.webhooks.bodies import BodyBuilder
from whatsapp_dashboard.webhooks.delivery_log import DeliveryLog
from whatsapp_dashboard.webhooks.dispatcher import Dispatcher
from whatsapp_dashboard.webhooks.fanout import FanOut
from whatsapp_dashboard.webhooks.feed import DeliveryFeed
from whatsapp_dashboard.webhooks.housekeeping import Housekeeping
from whatsapp_dashboard.webhooks.service import WebhookService
from whatsapp_dashboard.webhooks.testing import Tester
from whatsapp_dashboard.webhooks.watchdog import Watchdog

log = structlog.get_logger(__name__)

DRAIN_SECONDS = 1.5
"""What a part that finishes running work may take at the end; what is left is stored and goes on at the next start."""

STOP_SECONDS = 6.0
"""What all parts may take together, also when each waits for a database that is away (SEC-9)."""
LEAST_SECONDS = 0.2
"""What the last ones get when the others took it all."""

USER_AGENT = "WhatsApp-Dashboard"
"""How outgoing requests introduce themselves."""

_current: Runtime | None = None


class Runtime:
    """Every long-lived part of one process."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        self.settings = settings
        self.clock = clock or Clock()
        self.clock_watch = ClockWatch(self.clock)
        configured = settings.encryption_key.get_secret_value() if settings.encryption_key else None
        self.box = SecretBox(*load_keys(configured, settings.data_dir / KEY_FILE))
        self.db = Database(settings.database)
        self.bus = EventBus(self.db)
        self.db.on_commit.append(self.bus.wake)
        self.key_watch = KeyWatch(self.db, self.box)
        self.auth = AuthService(self.db, self.box, settings, self.clock)

        records = AccountRecords(self.db, self.box, self.clock)
        self.inbound = Inbound(self.db, self.clock, in_doubt=lambda account_id: self.outbound.in_doubt(account_id))  # noqa: PLW0108 - made below
        self.set_aside = SetAsideEvents(self.db, self.clock, self.inbound)
        self.pool = SessionPool(settings, records, Leases(self.db, self.clock), self.clock, self.inbound)
        self.accounts = AccountService(self.db, self.pool, records, self.clock, on_settings=settle_groups)

        self.media = MediaStore(self.db, settings)
        self.downloads = MediaDownloads(self.db, self.clock, self.pool, self.media, max_mb=settings.media_max_mb)
        self.outbound = Outbound(self.db, self.clock, self.pool, self.media)
        self.messages = MessageService(self.db, self.clock, self.outbound, self.media, lambda engine: engine_class(engine).capabilities)
        self.conversations = ConversationService(self.db, self.clock)
        self.message_log = MessageLog(self.db)
        self.overview = Overview(self.db, self.clock, self.media.sweeper)
        self.checks = Checks(self.db, self.clock)
        self.processes = Processes(self.db, self.pool)
        self.request_keys = RequestKeys(self.db, self.clock, self.box)

        self.network = AllowList(self.db, self.clock)
        self.http = Outgoing(self.network.of, user_agent=USER_AGENT)
        self.media_links = MediaLinks(self.db, self.http, max_mb=settings.media_max_mb)
        self._build_webhooks()
        self.credits = CreditService(self.db, self.clock)
        self.credit_settlement = Settlement(self.db, self.clock)
        self.db.on_commit.append(self.credit_settlement.follower.wake)
        self.knowledge = KnowledgeService(self.db, self.clock, self.box, self.http, max_mb=settings.knowledge_max_mb)
        replier = self._build_ai()
        self.replies = ReplyRouter(self.db, self.clock, self.outbound, [replier, AutoReplier(self.clock)], bus=self.bus)

        self._wire()

        self.world = None if settings.sandbox_world else WorldThread(settings.data_dir)
        world = settings.sandbox_world or (self.world.socket_path if self.world else "")
        self.pool.engine_options |= {
            "world": world,
            "multidevice_sessions_per_host": str(settings.multidevice_sessions_per_host),
            "multidevice_proxy": settings.multidevice_proxy or "",
            "multidevice_peer": str(settings.multidevice_peer.resolve()) if settings.multidevice_peer else "",
        }
        self.eraser = Eraser(
            self.db,
            self.clock,
            self.media,
            dispatcher=self.dispatcher,
            recent=self.recent_bodies,
            forget_session=self.pool.forget_files,
            settle=self.credit_settlement.sweep,
        )
        self.accounts.on_deleted.append(self.eraser.until_gone)
        self.knowledge.on_deleted.append(self.eraser.wake)
        self.webhooks.on_deleted.append(self.eraser.wake)
        self.phone = PhoneService(self.accounts, self.pool.engine_options)
        self._stop_until = 0.0
        # A job that comes late, on a busy computer or after a sleep, runs late: else it would be left out until its next time.
        options = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self.scheduler = AsyncIOScheduler(timezone="UTC", job_defaults=options)
        self.clock_watch.on_set_back += [
            self._run_jobs_now,
            self.outbound.clock_was_set_back,
            self.downloads.clock_was_set_back,
            self.dispatcher.clock_was_set_back,
        ]

    def _wire(self) -> None:
        self.pool.listeners += [self.outbound, self.downloads]
        self.inbound.on_waiting.append(self.replies.take)
        self.inbound.on_changed.append(self.replies.changed)
        self.inbound.on_media.append(self.downloads.wake)

    def _build_webhooks(self) -> None:
        bodies, feed = BodyBuilder(self.settings.public_url), DeliveryFeed()
        self.recent_bodies = bodies.recent
        self.dispatcher = Dispatcher(
            self.db, self.clock, self.box, self.http, parallel=self.settings.webhook_concurrency, recent=bodies.recent, on_settled=feed.tell
        )

        def on_new() -> None:
            self.dispatcher.wake()
            feed.tell()

        self.webhook_watchdog = Watchdog(self.db, self.clock, self.dispatcher, feed.tell)
        self.fan_out = FanOut(self.db, self.clock, bodies, on_new)
        self.db.on_commit.append(self.fan_out.wake)
        tester = Tester(self.db, self.clock, self.http, feed)
        self.webhooks = WebhookService(self.db, self.clock, self.box, self.http, bodies=bodies, dispatcher=self.dispatcher, tester=tester)
        self.deliveries = DeliveryLog(self.db, self.clock, self.dispatcher, feed)
        self.webhook_housekeeping = Housekeeping(
            self.db, self.clock, hold_hours=self.settings.webhook_hold_hours, log_days=self.settings.webhook_log_days
        )

    def _build_ai(self) -> AiReplier:
        self.ai_providers = Providers(self.http)
        breakers = Breakers(self.clock)
        self.clock_watch.on_set_back.append(breakers.clock_was_set_back)
        failover = Failover(self.ai_providers, breakers)
        responder = Responder(failover, self.knowledge)
        self.ai = AiService(self.db, self.clock, self.box, self.http, providers=self.ai_providers, breakers=breakers)
        self.ai_trying = AiTrying(
            self.db, self.clock, self.box, providers=self.ai_providers, breakers=breakers, failover=failover, responder=responder
        )
        self.ai_log = AiLog(self.db, self.clock)
        return AiReplier(
            self.db,
            self.clock,
            self.box,
            providers=self.ai_providers,
            responder=responder,
            gatherer=Gatherer(self.db, self.clock, self.media),
            budget=Budget(self.db, self.clock),
            credits=self.credits,
        )

    async def start(self) -> None:
        """Bring everything up; when it returns the program is ready: sessions come back in the background."""
        global _current  # noqa: PLW0603
        await self.key_watch.start()
        await upgrade(self.settings.database)
        await adopt(self.db, self.settings, self.box)
        await seal_addresses(self.db, self.box)
        await self.bus.start()
        await self.auth.start()
        self.pool.engine_options[FIRST_WORKSPACE] = await self.auth.first_workspace()
        await self.network.load()
        await self.fan_out.start()
        await self.dispatcher.start()
        await self.credit_settlement.follower.start()
        await self.knowledge.indexer.start()
        if self.world:
            await self.world.start()
        await self.outbound.start()
        self.downloads.start()
        await self.replies.start()
        await self.pool.start()
        await self.eraser.start()
        self._schedule(self.db.look_again, seconds=2)
        self._schedule(self.replies.tick, seconds=2)
        self._schedule(self.outbound.tick, seconds=5)
        self._schedule(self.inbound.tick, seconds=60)
        self._schedule(self.media.sweep, seconds=900)
        self._schedule(self.dispatcher.tick, seconds=1)
        self._schedule(self.dispatcher.keep, seconds=10)
        self._schedule(self.webhook_watchdog.look, seconds=10)
        self._schedule(self.network.load, seconds=10)
        self._schedule(self.key_watch.tick, seconds=5)
        self._schedule(self.webhook_housekeeping.sweep, seconds=15)
        self._schedule(self.credit_settlement.sweep, seconds=15)
        self._schedule(self.eraser.tick, seconds=15)
        self._schedule(self.request_keys.sweep, seconds=3_600)
        self.scheduler.start()
        self.clock_watch.start()
        _current = self

    async def stop(self) -> None:
        """Take everything down: no new work, finish or park what runs, close the sessions. Each part gets its turn, whatever
        happened in the one before."""
        global _current  # noqa: PLW0603
        _current = None
        self._stop_until = self.clock.monotonic() + STOP_SECONDS
        await self._end("clock watch", self.clock_watch.stop())
        if self.scheduler.running:
            self.scheduler.shutdown(wait=False)
        await self._end("eraser", self.eraser.stop())
        await self._end("replies", self.replies.stop(DRAIN_SECONDS))
        await self._end("outbound", self.outbound.stop(DRAIN_SECONDS))
        await self._end("downloads", self.downloads.stop())
        await self._end("sessions", self.pool.stop())
        await self._end("inbound", self.inbound.stop())
        await self._end("knowledge", self.knowledge.indexer.stop())
        await self._end("credits", self.credit_settlement.follower.stop())
        await self._end("webhook fan-out", self.fan_out.stop())
        await self._end("webhooks", self.dispatcher.stop(DRAIN_SECONDS))
        await self._end("AI providers", self.ai_providers.close())
        await self._end("outgoing requests", self.http.close())
        await self._end("sandbox phone", self.phone.close())
        if self.world:
            await self._end("sandbox", self.world.stop())
        await self._end("auth", self.auth.stop())
        await self._end("bus", self.bus.stop())
        await self._end("database", self.db.close())
        await self._end("key", self.key_watch.stop())

    def _schedule(self, job: Callable[[], Awaitable[Any]], *, seconds: float) -> None:
        async def run() -> None:
            try:
                await job()
            except DatabaseAway:
                pass  # it runs again; that the database is away is in the log already
            except Exception:
                log.exception("scheduled job failed; it runs again", job=run.__name__)

        run.__name__ = f"{type(getattr(job, '__self__', job)).__name__}.{job.__name__}"
        self.scheduler.add_job(run, "interval", seconds=seconds, id=run.__name__)

    async def _run_jobs_now(self) -> None:
        """The scheduler goes by the time of day: without this its jobs rest for as long as the clock was set back."""
        for job in self.scheduler.get_jobs():
            job.modify(next_run_time=self.clock.now())

    async def _end(self, name: str, stopping: Awaitable[Any]) -> None:
        try:
            left = max(LEAST_SECONDS, self._stop_until - self.clock.monotonic())
            await asyncio.wait_for(stopping, min(left, DRAIN_SECONDS + 2))
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
