"""The session pool: owns every session of this process, and is the only way to an engine."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from contextvars import Context
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, TypeVar

import structlog

from whatsapp_dashboard.accounts.backoff import reconnect_delay
from whatsapp_dashboard.accounts.leases import RENEW_SECONDS, Leases
from whatsapp_dashboard.accounts.records import AccountRecords
from whatsapp_dashboard.accounts.supervisor import Supervisor
from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.outage import outlast
from whatsapp_dashboard.core.steady import SteadyTask
from whatsapp_dashboard.domain.account_status import AccountStatus
from whatsapp_dashboard.domain.engine_events import ConversationEvent, EngineEvent, MessageReceived, Receipt
from whatsapp_dashboard.domain.storable import storable
from whatsapp_dashboard.engines.base import Engine, EngineContext, EngineProcess, Surroundings
from whatsapp_dashboard.engines.registry import engine_class
from whatsapp_dashboard.errors import Conflict, DatabaseAway, Retryable, Unavailable

log = structlog.get_logger(__name__)

T = TypeVar("T")

NOTE_SECONDS = 1.0
"""How long the end of a session waits for the database; what cannot be written then is found at the next start."""


class Inbox(Protocol):
    """Where conversation events go; returns when the event is stored."""

    async def submit(self, account_id: str, event: ConversationEvent) -> None: ...


class SessionListener(Protocol):
    """Who wants to know which accounts can send now."""

    def account_ready(self, account_id: str) -> None: ...

    def account_gone(self, account_id: str) -> None: ...


class SessionPool:
    """Runs a supervisor per wanted account, each in a task of its own, so that none can hurt another (ACC-6)."""

    def __init__(self, settings: Settings, records: AccountRecords, leases: Leases, clock: Clock, inbox: Inbox) -> None:
        self._settings = settings
        self._records = records
        self._leases = leases
        self._clock = clock
        self._inbox = inbox
        self.listeners: list[SessionListener] = []
        self.engine_options: dict[str, str] = {}
        self._surroundings: dict[str, Surroundings] = {}
        self._supervisors: dict[str, Supervisor] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._signs: dict[str, dict[str, datetime]] = {}
        self._upkeep = SteadyTask("pool-upkeep", self._keep)
        self.started = False
        self._stopping = False

    # -- life of the pool

    async def start(self) -> None:
        """Bring back every account that was linked and wanted (ACC-4). Returns before they are connected."""
        await self._leases.release_dead_owners()
        await self._records.forget_stale_states()
        await self._adopt()
        self._upkeep.start()
        self.started = True

    async def stop(self) -> None:
        """Close every session, keep their credentials; ends within the time a single engine may take to stop (SEC-9)."""
        self._stopping = True
        await self._upkeep.stop()
        await asyncio.gather(*(self.halt(account_id) for account_id in list(self._tasks)), return_exceptions=True)
        try:
            async with asyncio.timeout(NOTE_SECONDS):
                await self._records.touch(self._take_signs())
        except (TimeoutError, DatabaseAway):
            log.warning("the last signs of life could not be stored")
        finally:
            await asyncio.gather(*(shared.stop() for shared in self._surroundings.values()))

    # -- life of one session

    async def run(self, account_id: str) -> None:
        """Start to keep ``account_id`` connected; nothing when it already is being kept.

        Raises :class:`Conflict` while another process owns the session.
        """
        async with self._lock(account_id):
            if self._stopping or (account_id in self._tasks and not self._tasks[account_id].done()):
                return
            account = await self._records.get(account_id)
            if account is None:
                return
            if not await self._leases.take(account_id):
                raise Conflict("Another instance of the dashboard runs this account now.", code="leased")
            supervisor = self._make_supervisor(account_id, account.engine, account.workspace_id, linked=account.linked)
            self._supervisors[account_id] = supervisor
            # A context of its own: the session's log lines do not belong to the request that happened to start it.
            task = asyncio.create_task(self._supervise(supervisor), name=f"session:{account_id}", context=Context())
            self._tasks[account_id] = task

    async def halt(self, account_id: str) -> None:
        """Stop keeping ``account_id`` connected, and wait until its session is closed."""
        async with self._lock(account_id):
            task = self._tasks.pop(account_id, None)
            if task is None:
                return
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self._supervisors.pop(account_id, None)
            try:
                async with asyncio.timeout(NOTE_SECONDS):
                    await self._leases.release(account_id)
            except (TimeoutError, DatabaseAway):
                log.warning("a lease could not be given back; it runs out by itself", account_id=account_id)

    async def forget(self, account_id: str) -> None:
        """The account was deleted: drop what is remembered of it."""
        self._locks.pop(account_id, None)
        self._signs.pop(account_id, None)
        await self.forget_files(account_id)

    async def forget_files(self, account_id: str) -> None:
        """Remove what the engine keeps on disk for a session that has ended and will not come back."""
        await asyncio.to_thread(shutil.rmtree, self._session_dir(account_id), ignore_errors=True)

    def _session_dir(self, account_id: str) -> Path:
        return self._settings.data_dir / "sessions" / account_id

    # -- the way to an engine

    def supervisor(self, account_id: str) -> Supervisor | None:
        """Who keeps the account now, if anyone."""
        return self._supervisors.get(account_id)

    def engine(self, account_id: str) -> Engine | None:
        """The engine while the account is ``ready``, else None."""
        supervisor = self._supervisors.get(account_id)
        return supervisor.engine if supervisor and supervisor.ready else None

    async def call(self, account_id: str, make_call: Callable[[Engine], Awaitable[T]]) -> T:
        """Call into a ready engine, within the time limit (ACC-6).

        Raises :class:`Unavailable` when the account is not connected, :class:`Retryable` when the call took too long, and what
        the engine raises.
        """
        engine = self.engine(account_id)
        if engine is None:
            raise Unavailable("The account is not connected.", code="offline")
        try:
            async with asyncio.timeout(self._settings.engine_call_seconds):
                return storable(await make_call(engine))
        except TimeoutError:
            raise Retryable(f"WhatsApp did not answer within {self._settings.engine_call_seconds:.0f} s.", code="timeout") from None

    # -- what supervisors tell

    async def on_conversation_event(self, account_id: str, event: ConversationEvent) -> None:
        """Hand an event to the inbox, and remember the sign of life."""
        await self._inbox.submit(account_id, event)
        signs = self._signs.setdefault(account_id, {})
        now = self._clock.now()
        if isinstance(event, MessageReceived) and not event.history and not event.from_me:
            signs["last_inbound_at"] = now
        elif isinstance(event, Receipt):
            signs["last_receipt_at"] = now
        signs["last_proof_at"] = now

    def on_ready(self, account_id: str) -> None:
        """The account can send from now on."""
        for listener in self.listeners:
            listener.account_ready(account_id)

    def on_gone(self, account_id: str) -> None:
        """The account cannot send any more."""
        for listener in self.listeners:
            listener.account_gone(account_id)

    def on_proof(self, account_id: str, at: datetime) -> None:
        """WhatsApp answered the probe."""
        self._signs.setdefault(account_id, {})["last_proof_at"] = at

    # -- inside

    def _lock(self, account_id: str) -> asyncio.Lock:
        return self._locks.setdefault(account_id, asyncio.Lock())

    def surroundings(self, engine: str) -> Surroundings | None:
        """What the sessions of ``engine`` share in this process; None for an engine that shares nothing."""
        kind = engine_class(engine).surroundings
        if kind is not None and engine not in self._surroundings:
            self._surroundings[engine] = kind(self.engine_options)
        return self._surroundings.get(engine)

    def processes(self) -> dict[str, list[EngineProcess]]:
        """The processes of each engine that has some."""
        return {name: shared.processes() for name, shared in self._surroundings.items()}

    def _make_supervisor(self, account_id: str, engine: str, workspace_id: str, *, linked: bool) -> Supervisor:
        def context(emit: Callable[[EngineEvent], Awaitable[None]]) -> EngineContext:
            return EngineContext(
                account_id=account_id,
                data_dir=self._session_dir(account_id),
                emit=emit,
                load_credentials=lambda: outlast(lambda: self._records.load_credentials(account_id)),
                save_credentials=lambda secret: outlast(lambda: self._records.save_credentials(account_id, secret)),
                options=self.engine_options,
                surroundings=self.surroundings(engine),
                workspace_id=workspace_id,
            )

        return Supervisor(
            account_id,
            engine_class(engine),
            context,
            linked=linked,
            records=self._records,
            hooks=self,
            clock=self._clock,
            probe_seconds=self._settings.probe_seconds,
            call_seconds=self._settings.engine_call_seconds,
        )

    async def _supervise(self, supervisor: Supervisor) -> None:
        """Run one supervisor until its account is to rest; a fault of ours in it is written down, and the session begun again."""
        failures = 0
        while True:
            try:
                await supervisor.run()
                return
            except Exception:
                log.exception("supervisor failed; it is begun again", account_id=supervisor.account_id)
            finally:
                if supervisor.ready:
                    supervisor.ready = False
                    self.on_gone(supervisor.account_id)
            failures += 1
            await self._rest(supervisor.account_id, reconnect_delay(failures))

    async def _rest(self, account_id: str, seconds: float) -> None:
        """Show that the session failed, and wait."""
        reason, until = "An internal error stopped this session; it is started again.", self._clock.now() + timedelta(seconds=seconds)
        try:
            await outlast(lambda: self._records.set_status(account_id, AccountStatus.ERROR, reason, next_attempt_at=until, offline=True))
        except Exception:
            log.exception("the state of a session could not be stored", account_id=account_id)
        await self._clock.sleep(seconds)

    def _take_signs(self) -> dict[str, dict[str, datetime]]:
        signs, self._signs = self._signs, {}
        return {account_id: columns for account_id, columns in signs.items() if columns}

    async def _keep(self) -> None:
        """Renew the leases, store the signs of life, and adopt accounts whose owner died (other processes: PostgreSQL)."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            running = [account_id for account_id, task in self._tasks.items() if not task.done()]
            for account_id in await self._leases.renew(running):
                log.error("lease lost: another instance took the session", account_id=account_id)
                await self.halt(account_id)
            await self._touch()
            await self._adopt()

    async def _touch(self) -> None:
        """Store the signs of life; those that cannot be stored now are kept for the next time."""
        signs = self._take_signs()
        try:
            await self._records.touch(signs)
        except BaseException:
            for account_id, columns in signs.items():
                self._signs[account_id] = columns | self._signs.get(account_id, {})
            raise

    async def _adopt(self) -> None:
        """Run the wanted accounts that nobody runs, and those whose task has ended without a reason."""
        for account in await self._records.wanted():
            task = self._tasks.get(account.id)
            if task is None or _ended_by_accident(task):
                try:
                    await self.run(account.id)
                except Conflict:
                    continue


def _ended_by_accident(task: asyncio.Task[None]) -> bool:
    """A session's task that returns has written down why; one that was halted is not remembered."""
    return task.done() and (task.cancelled() or task.exception() is not None)
