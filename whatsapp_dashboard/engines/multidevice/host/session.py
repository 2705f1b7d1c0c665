"""One account in this process: from the start of its client to its end (ENG-2, ACC-3, ACC-5)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from whatsapp_dashboard.domain.engine_events import DisconnectCause
from whatsapp_dashboard.engines.multidevice.host import naming, signals
from whatsapp_dashboard.engines.multidevice.host.book import SessionBook
from whatsapp_dashboard.engines.multidevice.host.feed import Feed
from whatsapp_dashboard.engines.multidevice.host.folder import SessionFolder
from whatsapp_dashboard.engines.multidevice.host.journal import Journal
from whatsapp_dashboard.engines.multidevice.host.library import Client, EventCode, LibraryError
from whatsapp_dashboard.engines.multidevice.host.protos import companion_pb, neonize_pb
from whatsapp_dashboard.engines.multidevice.host.reading import Reader
from whatsapp_dashboard.engines.multidevice.host.sends import Sends
from whatsapp_dashboard.engines.multidevice.host.signals import Gone
from whatsapp_dashboard.errors import AppError, Unavailable

log = logging.getLogger(__name__)

JOURNALED = frozenset(
    {
        EventCode.MESSAGE,
        EventCode.RECEIPT,
        EventCode.HISTORY_SYNC,
        EventCode.CALL_OFFER,
        EventCode.CALL_OFFER_NOTICE,
        EventCode.UNDECRYPTABLE,
        EventCode.OFFLINE_SYNC_COMPLETED,
    }
)
FIRST_QR_SECONDS, NEXT_QR_SECONDS, QR_CODES = 60.0, 20.0, 6
"""whatsmeow shows six codes, the first for a minute; a pairing code lives as long as they do."""
PASSKEY_STATUSES = ("passkey-request", "passkey-confirmation")
"""What whatsmeow's QR channel says when WhatsApp asks for a passkey, after a scan and after a typed code alike."""
CONNECT_SECONDS = 30.0
"""How long the library may take to reach WhatsApp; by itself it waits much longer in some phases, in some for ever."""
GRACE_SECONDS = 4.0
"""WhatsApp closes connections as a matter of routine; the library is back within this time or the loss is told."""
_STORE_OPTIONS = "?_foreign_keys=on&_journal_mode=WAL&_busy_timeout=10000&_x="
_DEVICE = companion_pb.DeviceProps(os="WhatsApp dashboard", platformType=companion_pb.DeviceProps.CHROME, requireFullSync=False)


class Session:
    """The client of one account, its journal, and what is told of it. Methods are called on the event loop unless they say otherwise."""

    def __init__(
        self,
        session_id: str,
        folder: Path,
        secret: bytes,
        *,
        proxy: str,
        push: Callable[[dict[str, Any]], None],
        threads: ThreadPoolExecutor,
    ) -> None:
        self.session_id = session_id
        self.threads = threads
        self.connected = False
        self._folder = SessionFolder(folder)
        self._secret = secret
        self._proxy = proxy
        self._push = push
        self._loop = asyncio.get_running_loop()
        self._qr_count = 0
        self._pairing_until = 0.0
        self._catching_up = False
        self._was_ready = False
        self._over = False
        self._silent = False
        self._grace: asyncio.TimerHandle | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._names: asyncio.Task[None] | None = None
        self._told_names: tuple[str, str] = ("", "")

    # -- life

    async def open(self, *, linked: bool) -> None:
        """Take the session's folder and begin to connect; the outcome is pushed.

        Raises :class:`Conflict` when another process does not let go of the folder.
        """
        await self._folder.take()
        try:
            self._journal = Journal(self._folder.path)
            self.book = SessionBook(self._journal, self.threads)
            self._feed = Feed(self._journal, Reader(self._journal, self.book).read, self._push, self.threads)
            await self._loop.run_in_executor(self.threads, self._folder.look_back, self._journal)
            self._catching_up = linked
            self.client = Client(
                f"{self.session_id}.{time.monotonic_ns()}",
                str(self._folder.store) + _STORE_OPTIONS,
                device=_DEVICE,
                proxy=self._proxy,
                on_qr=lambda text: self._soon(self._on_qr, text),
                on_login=lambda status: self._soon(self._on_login, status),
                on_event=self._on_event,
                on_end=lambda error: self._soon(self._on_end, error),
                on_log=_write_log,
            )
            self.book.client = self.client
            self.sends = Sends(self.client, self._journal, self.book, self._folder.store, self._secret)
            self.sends.on_restricted = lambda code, reason: self._soon(self._tell, {"k": "restricted", "code": code, "reason": reason})
            self._feed.start()
            self._patience = self._loop.call_later(CONNECT_SECONDS, lambda: self._end(signals.SILENT))
            await self._loop.run_in_executor(self.threads, self.client.start)
        except BaseException:
            self._folder.release()
            raise

    async def close(self) -> bool:
        """End the connection, keep everything. False when the library hangs: this process should be replaced."""
        self._over = True
        self._cancel_timers()
        if self._names:
            self._names.cancel()
        await self._feed.stop()
        stopped = await self._loop.run_in_executor(self.threads, self.client.stop)
        self.book.client = None
        if stopped:
            self._journal.close()
            self._folder.release()
        return stopped

    def stored(self, numbers: list[int]) -> None:
        """The dashboard has stored these frames."""
        self._feed.stored(numbers)

    # -- linking

    async def pair(self, phone: str) -> tuple[str, float]:
        """A code to type on the phone, and until when it works (seconds since 1970). Raises :class:`Unavailable` before the first QR."""
        if not self._qr_count or self._was_ready:
            raise Unavailable("The account is not waiting to be linked.", code="no_qr")
        wanted = neonize_pb.PairPhoneParams(phone=phone, showPushNotification=True, clientType=1, clientDisplayName="Chrome (Linux)")
        body = wanted.SerializeToString()

        def ask() -> str:
            return self.client.ask("PairPhone", neonize_pb.PairPhoneReturnFunction, body, len(body)).Code

        try:
            return await self._loop.run_in_executor(self.threads, ask), self._pairing_until
        except LibraryError as error:
            raise Unavailable(f"WhatsApp gave no code: {str(error)[:200]}", code="pairing_refused") from None

    async def logout(self) -> None:
        """Unlink this device. Raises :class:`Unavailable` when WhatsApp cannot be told."""
        self._over = True
        try:
            await self._loop.run_in_executor(self.threads, lambda: self.client.tell("Logout"))
        except (LibraryError, AppError) as error:
            self._over = False
            raise Unavailable(f"WhatsApp could not be told: {str(error)[:200]}", code="offline") from None

    def check(self) -> None:
        """Prove that WhatsApp answers. Blocks, for worker threads. Raises :class:`Unavailable`."""
        if not self.connected or self._silent:
            raise Unavailable("WhatsApp does not answer on this connection.", code="silent")
        try:
            self.client.tell("SetPassive", False)
        except LibraryError as error:
            raise Unavailable(f"WhatsApp does not answer: {str(error)[:200]}", code="silent") from None

    # -- what the library tells, on its own threads

    def _on_event(self, code: int, body: bytes) -> None:
        if code in JOURNALED:
            try:
                self._journal.append(code, body, offline=self._catching_up)
            except Exception:
                # It is found again as lost when the session is opened anew; what comes next must not be lost too.
                log.exception("the journal cannot be written")
                self._soon(self._end, Gone(DisconnectCause.ENGINE_CRASHED, "The engine cannot write its journal: is the disk full?"))
                return
            if code == EventCode.OFFLINE_SYNC_COMPLETED:
                self._catching_up = False
            self._soon(self._feed.wake)
        else:
            self._soon(self._on_signal, code, body)

    def _soon(self, call: Callable[..., None], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:
            log.debug("told after the end")

    # -- and what it means, on the event loop

    def _on_qr(self, text: str) -> None:
        self._cancel_timers()
        seconds = NEXT_QR_SECONDS if self._qr_count else FIRST_QR_SECONDS
        if not self._qr_count:
            self._pairing_until = time.time() + FIRST_QR_SECONDS + (QR_CODES - 1) * NEXT_QR_SECONDS
        self._qr_count += 1
        self._tell({"k": "qr", "text": text, "expires_at": time.time() + seconds, "last": self._qr_count >= QR_CODES})

    def _on_login(self, status: str) -> None:
        if status == "timeout":
            self._tell({"k": "qr_expired"})
        elif status == "err-client-outdated":
            self._end(signals.OUTDATED)
        elif status in PASSKEY_STATUSES:
            # No event and no call of neonize has to do with it: that it was asked is all that can be known.
            self._end(signals.PASSKEY)
        elif status != "success":
            log.warning("linking: %s", status)

    def _on_end(self, error: str) -> None:
        if not self._over:
            log.warning("the library ended the session: %s", error or "no reason given")
            self._end(signals.connect_error(error) if error else Gone(DisconnectCause.ENGINE_CRASHED, "The library ended the session."))

    def _on_signal(self, code: int, body: bytes) -> None:
        if self._over:
            return
        match code:
            case EventCode.CONNECTED:
                self._cancel_timers()
                self._silent = False
                self.connected = True
                self.threads.submit(self._introduce)
            case EventCode.DISCONNECTED if self._was_ready:
                self._lost()
            case EventCode.KEEPALIVE_TIMEOUT:
                self._silent = True
            case EventCode.KEEPALIVE_RESTORED:
                self._silent = False
            case EventCode.GROUP_INFO:
                change = neonize_pb.GroupInfoEvent.FromString(body)
                self.book.group_is_called(change.JID, change.Name.Name)
                if change.HasField("Ephemeral"):
                    self.book.group_timer(change.JID, change.Ephemeral, int(change.Timestamp))
                    self._feed.wake()
            case EventCode.GROUP_JOINED:
                group = neonize_pb.JoinedGroup.FromString(body).GroupInfo
                self.book.group_is_called(group.JID, group.GroupName.Name)
                if group.GroupEphemeral.DisappearingTimer:
                    self.book.group_timer(group.JID, group.GroupEphemeral, int(time.time()))
                    self._feed.wake()
            case EventCode.STREAM_ERROR if not self._was_ready:
                pass  # 515 after the pairing: the library connects again by itself
            case _:
                if end := signals.gone(code, body):
                    self._end(end)

    def _lost(self) -> None:
        self.connected = False
        self._catching_up = True
        if self._grace is None:
            self._grace = self._loop.call_later(GRACE_SECONDS, lambda: self._end(signals.LOST))

    def _cancel_timers(self) -> None:
        for timer in (self._grace, self._patience):
            if timer:
                timer.cancel()
        self._grace = self._patience = None

    def _introduce(self) -> None:
        """Tell who is connected. On a worker thread: it asks the library."""
        try:
            self.client.tell("SetForceActiveDeliveryReceipts", True)
            me = naming.own(self.client, patient=not self._journal.recall("linked"))
        except (LibraryError, AppError) as error:
            log.warning("who is connected could not be asked: %s", error)
            return
        self._soon(self._ready, me)

    def _ready(self, me: neonize_pb.Device) -> None:
        if self._over:
            return
        phone, lid = me.JID.User, me.LID.User or None
        self.book.own(phone, lid)
        self._journal.remember("linked", "1")
        names = (me.PushName or me.BussinessName, me.Platform)
        if not self._was_ready or names != self._told_names:
            self._told_names = names
            self._tell({"k": "ready", "phone": phone, "lid": lid, "push_name": names[0], "platform": names[1]})
        if not self._was_ready:
            self._was_ready = True
            self._names = asyncio.create_task(self._watch_names(), name="names")

    async def _watch_names(self) -> None:
        for wait in naming.pauses():
            await asyncio.sleep(wait)
            if self.connected:
                me = await self._loop.run_in_executor(self.threads, naming.look, self.client, self._journal)
                self._feed.wake()
                if me:
                    self._ready(me)

    def _end(self, gone: Gone) -> None:
        if self._over:
            return
        self._over = True
        self.connected = False
        self._cancel_timers()
        until = None if gone.seconds is None else time.time() + gone.seconds
        self._tell({"k": "gone", "cause": gone.cause.value, "reason": gone.reason, "until": until})

    def _tell(self, event: dict[str, Any]) -> None:
        self._push({"t": "session", "e": event})


def _write_log(entry: neonize_pb.LogEntry) -> None:
    level = logging.getLevelNamesMapping().get(entry.Level.upper(), logging.INFO)
    logging.getLogger("whatsmeow").log(min(level, logging.WARNING), "%s: %s", entry.Name, entry.Message)
