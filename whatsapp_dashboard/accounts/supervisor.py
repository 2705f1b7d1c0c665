"""One supervisor per account: starts its engine, watches it, and starts a new one after every loss (ACC-5, ACC-6, ACC-9).

A supervisor lives from "connect" to "disconnect" (or to an end that trying again cannot mend). In it engines come and go; each
engine's life ends with a :class:`Disconnected`, whoever noticed: WhatsApp, the engine, or the probe.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog

from whatsapp_dashboard.accounts.backoff import REPLACED_SECONDS, reconnect_delay
from whatsapp_dashboard.accounts.records import AccountRecords
from whatsapp_dashboard.core.cancelling import to_its_end
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.outage import outlast
from whatsapp_dashboard.domain.account_status import AccountStatus
from whatsapp_dashboard.domain.engine_events import (
    ConversationEvent,
    DisconnectCause,
    Disconnected,
    EngineEvent,
    OfflineSyncDone,
    PairingCode,
    QrCode,
    QrExpired,
    Ready,
    Restricted,
)
from whatsapp_dashboard.domain.storable import storable
from whatsapp_dashboard.engines.base import Engine, EngineContext
from whatsapp_dashboard.errors import AppError, DatabaseAway, Retryable, Unavailable

log = structlog.get_logger(__name__)

SCAN_SECONDS = 120.0
"""Without a scan for this long after the first code the account stops waiting (ACC-3)."""
LOGIN_SECONDS = 60.0
"""An engine that shows neither a code nor a connection for this long is started anew."""
UNLINKED_TRIES = 5
"""An account without credentials gives up after this many failed starts: nobody is looking any more."""
STOP_SECONDS = 3.0
RESTRICTED_FOR = timedelta(hours=1)
"""How long the breaker stays closed when WhatsApp does not say (ACC-11)."""
UNSCANNED = Disconnected(DisconnectCause.QR_EXPIRED, "The QR code expired without a scan.")

_FINAL = {
    DisconnectCause.LOGGED_OUT: AccountStatus.AUTH_FAILED,
    DisconnectCause.BANNED: AccountStatus.AUTH_FAILED,
    DisconnectCause.OUTDATED: AccountStatus.ERROR,
}


class PoolHooks(Protocol):
    """What a supervisor tells the pool."""

    async def on_conversation_event(self, account_id: str, event: ConversationEvent) -> None: ...

    def on_ready(self, account_id: str) -> None: ...

    def on_gone(self, account_id: str) -> None: ...

    def on_proof(self, account_id: str, at: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class ShownQr:
    """The code that is valid now, and since when."""

    code: QrCode
    issued_at: datetime


class Supervisor:
    """Owns the session of one account while it is wanted."""

    def __init__(
        self,
        account_id: str,
        make_engine: Callable[[EngineContext], Engine],
        context: Callable[[Callable[[EngineEvent], Awaitable[None]]], EngineContext],
        *,
        linked: bool,
        records: AccountRecords,
        hooks: PoolHooks,
        clock: Clock,
        probe_seconds: float,
        call_seconds: float,
    ) -> None:
        self.account_id = account_id
        self._make_engine = make_engine
        self._context = context
        self._linked = linked
        self._records = records
        self._hooks = hooks
        self._clock = clock
        self._probe_seconds = probe_seconds
        self._call_seconds = call_seconds
        self.engine: Engine | None = None
        self.ready = False
        self.qr: ShownQr | None = None
        self.pairing: PairingCode | None = None
        self._ended: asyncio.Future[Disconnected] = asyncio.get_running_loop().create_future()
        self._progress = asyncio.Event()
        self._scan_until: float | None = None
        self._session_lock = asyncio.Lock()
        self._log = log.bind(account_id=account_id)

    async def run(self) -> None:
        """Keep the session up until an end that trying again cannot mend, or until cancelled."""
        attempt = 0
        while True:
            end = await self._one_life(attempt)
            was_ready, self.ready = self.ready, False
            if was_ready:
                attempt = 0
                self._hooks.on_gone(self.account_id)
            final = _FINAL.get(end.cause)
            if final is not None:
                await self._finish(final, end)
                return
            if not self._linked and (self._scan_until is not None or attempt + 1 >= UNLINKED_TRIES):
                await self._set_status(_down(end), end.reason, code=end.cause, halted=True)
                return
            attempt += 1
            await self._wait_before(attempt, end)

    async def pair(self, phone: str) -> PairingCode:
        """Ask the engine for a pairing code for ``phone`` (digits). Raises what the engine raises, :class:`Retryable` on time-out."""
        engine = self.engine
        if engine is None:
            raise Unavailable("The account is not waiting to be linked.", code="no_qr")
        try:
            async with asyncio.timeout(self._call_seconds):
                self.pairing = await engine.pair_with_phone(phone)
        except TimeoutError:
            raise Retryable("WhatsApp did not answer in time; ask for a new code.", code="timeout") from None
        if self._scan_until is not None:
            # Who asked for a code gets the time that the code is good for.
            left = (self.pairing.expires_at - self._clock.now()).total_seconds()
            self._scan_until = max(self._scan_until, self._clock.monotonic() + left)
        return self.pairing

    async def _finish(self, status: AccountStatus, end: Disconnected) -> None:
        """Stop for good, with the reason. A log-out makes the credentials worthless; a ban keeps them but waits for a person."""
        if end.cause is DisconnectCause.BANNED and end.until is not None:
            await self._restrict(end.reason, end.until)
        await self._set_status(
            status,
            end.reason,
            code=end.cause,
            unlinked=end.cause is DisconnectCause.LOGGED_OUT,
            halted=end.cause is DisconnectCause.BANNED,
        )

    async def _wait_before(self, attempt: int, end: Disconnected) -> None:
        """Sit out the backoff, visibly (ACC-5)."""
        delay = reconnect_delay(attempt)
        if end.cause is DisconnectCause.RESTART_REQUIRED and attempt == 1:
            delay = 0.0
        elif end.cause is DisconnectCause.REPLACED:
            delay = max(delay, REPLACED_SECONDS)
        until = self._clock.now() + timedelta(seconds=delay)
        await self._set_status(_down(end), end.reason, code=end.cause, attempt=attempt, next_attempt_at=until, offline=True)
        self._log.info("session down", cause=end.cause, reason=end.reason, attempt=attempt, retry_in=round(delay, 1))
        await self._clock.sleep(delay)

    async def _one_life(self, attempt: int) -> Disconnected:
        """Start one engine and return how it ended."""
        self._ended = asyncio.get_running_loop().create_future()
        self._progress = asyncio.Event()
        self._scan_until = None
        words = "Connecting" if attempt == 0 else f"Reconnecting, try {attempt}"
        await self._set_status(AccountStatus.INITIALIZING, words, attempt=attempt)
        ended = self._ended
        engine = self._make_engine(self._context(lambda event: self._on_event(event, ended)))
        self.engine = engine
        try:
            async with asyncio.timeout(self._call_seconds):
                await engine.start()
            return await self._watch(engine, ended)
        except TimeoutError:
            return Disconnected(DisconnectCause.CONNECTION_LOST, f"WhatsApp did not answer within {self._call_seconds:.0f} s.")
        except AppError as error:
            lost = isinstance(error, Retryable | DatabaseAway)  # anything else is wrong on our side
            return Disconnected(DisconnectCause.CONNECTION_LOST if lost else DisconnectCause.ENGINE_CRASHED, error.message)
        except Exception as error:
            self._log.exception("engine failed")
            return Disconnected(DisconnectCause.ENGINE_CRASHED, f"The engine failed ({type(error).__name__}); it is started again.")
        finally:
            self.engine = self.qr = self.pairing = None
            if not ended.done():
                ended.cancel()
            await to_its_end(self._stop(engine))  # or it would go on beside the next one

    async def _watch(self, engine: Engine, ended: asyncio.Future[Disconnected]) -> Disconnected:
        """Wait for the end, and prove in between that the session is alive (ACC-9)."""
        progress = asyncio.create_task(self._progress.wait())
        try:
            waiting: set[asyncio.Future[Any]] = {progress, ended}
            await asyncio.wait(waiting, timeout=LOGIN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            progress.cancel()
        if not ended.done() and not self._progress.is_set():
            return Disconnected(DisconnectCause.CONNECTION_LOST, f"No answer to the log-in within {LOGIN_SECONDS:.0f} s.")
        while not ended.done():
            await asyncio.wait({ended}, timeout=self._pause())
            if ended.done():
                break
            if self.ready:
                try:
                    async with asyncio.timeout(min(self._call_seconds, self._probe_seconds)):
                        await engine.probe()
                except (TimeoutError, AppError):
                    if not ended.done():
                        return Disconnected(DisconnectCause.CONNECTION_LOST, "The connection went silent; it is restarted.")
                else:
                    self._hooks.on_proof(self.account_id, self._clock.now())
            elif self._scan_until is not None and self._clock.monotonic() >= self._scan_until:
                return UNSCANNED
        return ended.result()

    def _pause(self) -> float:
        if self.ready or self._scan_until is None:
            return self._probe_seconds
        # Not longer than between probes: the scan may come in the middle of the wait.
        return min(self._probe_seconds, max(0.05, self._scan_until - self._clock.monotonic()))

    async def _stop(self, engine: Engine) -> None:
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await engine.stop()
        except Exception:
            self._log.warning("engine did not stop in time", exc_info=True)

    async def _on_event(self, event: EngineEvent, ended: asyncio.Future[Disconnected]) -> None:
        """What the engine emits. Returns when it is stored."""
        if not isinstance(event, QrCode | PairingCode | QrExpired | Ready | Disconnected | Restricted | OfflineSyncDone):
            await self._hooks.on_conversation_event(self.account_id, event)
            return
        async with self._session_lock:
            if ended.done():
                return  # the last words of an engine that was given up
            await self._on_session_event(storable(event), ended)

    async def _on_session_event(
        self,
        event: QrCode | PairingCode | QrExpired | Ready | Disconnected | Restricted | OfflineSyncDone,
        ended: asyncio.Future[Disconnected],
    ) -> None:
        match event:
            case QrCode():
                await self._show_qr(event)
            case PairingCode():
                self.pairing = event
            case QrExpired():
                ended.set_result(UNSCANNED)
            case Ready():
                self.qr = self.pairing = self._scan_until = None
                self._linked = True
                self._progress.set()
                await self._set_status(AccountStatus.READY, "Connected", ready=event)
                self.ready = True
                self._hooks.on_ready(self.account_id)
            case Restricted():
                until = event.until or self._clock.now() + RESTRICTED_FOR
                await self._restrict(event.reason, until)
            case Disconnected():
                ended.set_result(event)
            case OfflineSyncDone():
                self._log.info("caught up with what was missed", count=event.count)

    async def _show_qr(self, code: QrCode) -> None:
        first = self.qr is None
        self.qr = ShownQr(code, self._clock.now())
        if self._scan_until is None:
            self._scan_until = self._clock.monotonic() + SCAN_SECONDS
        self._progress.set()
        if first:
            await self._set_status(AccountStatus.QR_READY, "Waiting for the scan")
        news = {"expires_at": code.expires_at.isoformat(), "last": code.last}
        await outlast(lambda: self._records.announce_qr(self.account_id, news))

    # What must be written down waits for a database that is away: a session never ends for that, and nobody forgets its state.

    async def _set_status(self, status: AccountStatus, reason: str, **facts: Any) -> None:
        await outlast(lambda: self._records.set_status(self.account_id, status, reason, **facts))

    async def _restrict(self, reason: str, until: datetime) -> None:
        await outlast(lambda: self._records.restrict(self.account_id, reason, until))


def _down(end: Disconnected) -> AccountStatus:
    """How an account that is down is shown: a fault of the engine is an error, everything else a lost connection."""
    return AccountStatus.ERROR if end.cause is DisconnectCause.ENGINE_CRASHED else AccountStatus.DISCONNECTED
