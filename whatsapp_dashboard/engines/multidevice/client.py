"""The multi-device engine as the dashboard sees it: one account's session on an engine host (ENG-2)."""

from __future__ import annotations

import asyncio
import base64
import time
from datetime import UTC, datetime
from typing import Any, ClassVar

import structlog

from whatsapp_dashboard.domain.engine_events import (
    DisconnectCause,
    Disconnected,
    OfflineSyncDone,
    PairingCode,
    QrCode,
    QrExpired,
    Ready,
    Restricted,
)
from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import Content, MediaFile, MediaRef, MessageKey, MessageType, SendResult
from whatsapp_dashboard.engines.base import Capability, Engine, EngineContext, Lookup, Surroundings
from whatsapp_dashboard.engines.delivery import Deliveries
from whatsapp_dashboard.engines.multidevice.hosts import EngineHosts, Seat
from whatsapp_dashboard.engines.multidevice.protocol import Method
from whatsapp_dashboard.engines.multidevice.vault import MissingStore, Vault
from whatsapp_dashboard.engines.raw import address_from_raw, address_to_raw, content_to_raw, event_from_raw, time_from_raw
from whatsapp_dashboard.errors import AppError, Unavailable

log = structlog.get_logger(__name__)

PROBE_SECONDS = 15.0
_UNSTORED = Disconnected(DisconnectCause.CONNECTION_LOST, "An event could not be stored; it is handed over again.")


class MultideviceEngine(Engine):
    """Speaks with its session on an engine host; see ``protocol.py``."""

    name: ClassVar[str] = "multidevice"
    title: ClassVar[str] = "WhatsApp"
    summary: ClassVar[str] = "A real number, linked like WhatsApp Web by a QR code or a pairing code. The phone stays yours."
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability) - {Capability.BUTTONS}
    surroundings: ClassVar[type[Surroundings] | None] = EngineHosts

    def __init__(self, context: EngineContext) -> None:
        super().__init__(context)
        self._seat: Seat | None = None
        self._key = b""
        self._linked = False
        self._session_events: asyncio.Queue[dict[str, Any] | Disconnected] = asyncio.Queue()
        self._follower: asyncio.Task[None] | None = None
        self._deliveries = Deliveries(
            context.account_id, context.emit, self._acknowledge, lambda: self._session_events.put_nowait(_UNSTORED)
        )
        self._over = False

    # -- life

    async def start(self) -> None:
        """Take a place on a host and connect. Raises :class:`Unavailable` when no host comes up, and what keeps the session busy."""
        assert isinstance(self.context.surroundings, EngineHosts)
        self._key = await self.context.load_credentials() or b""
        self._linked = bool(self._key)
        if not self._linked:
            self._key = Vault.new_key()
        vault = self._vault
        try:
            await asyncio.to_thread(vault.unseal if self._linked else vault.begin)
        except MissingStore as error:
            await self.context.save_credentials(None)
            await self.context.emit(Disconnected(DisconnectCause.LOGGED_OUT, f"{error} Link the phone again."))
            return
        self._follower = asyncio.create_task(self._follow(), name=f"session {self.context.account_id}")
        self._seat = await self.context.surroundings.take(self.context.account_id, self._on_push, self._session_events.put_nowait)
        await self._ask(
            Method.OPEN,
            folder=str(vault.folder),
            linked=self._linked,
            secret=base64.b64encode(vault.message_secret).decode(),
        )

    async def stop(self) -> None:
        """End the connection and encrypt the store; what is being stored gets a moment to be acknowledged."""
        self._over = True
        self._deliveries.close()
        if self._follower and self._follower is not asyncio.current_task():
            self._follower.cancel()
            await asyncio.gather(self._follower, return_exceptions=True)
        await self._deliveries.drain()
        await self._leave()

    async def _leave(self) -> None:
        """Give the place back, and put the store away."""
        seat, self._seat = self._seat, None
        if seat is None:
            return
        try:
            await seat.call(Method.CLOSE)
        except AppError:
            log.info("the engine's process was gone before the session could be closed", account_id=self.context.account_id)
        finally:
            assert isinstance(self.context.surroundings, EngineHosts)
            self.context.surroundings.leave(seat)
        if self._linked:
            await asyncio.to_thread(self._vault.seal)
        else:
            await asyncio.to_thread(self._vault.wipe)

    async def logout(self) -> None:
        """Unlink this device and forget the session."""
        self._over = True
        try:
            await self._ask(Method.LOGOUT)
        except BaseException:
            self._over = False
            raise
        await self._forget()

    async def _forget(self) -> None:
        self._linked = False
        await self.context.save_credentials(None)

    async def probe(self) -> None:
        """One round trip. Raises :class:`Unavailable` when none comes back in time."""
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await self._ask(Method.PROBE)
        except TimeoutError:
            raise Unavailable("WhatsApp does not answer on this connection.", code="silent") from None

    async def pair_with_phone(self, phone: str) -> PairingCode:
        """A code to type on the phone with this number."""
        answer, _ = await self._ask(Method.PAIR, phone=phone)
        return PairingCode(answer["code"], time_from_raw(answer["expires_at"]))

    # -- sending

    async def send(self, key: str, to: Address, content: Content) -> SendResult:
        """Send one message; the host's journal answers a known key with the first result."""
        if content.type is MessageType.BUTTONS or content.buttons:
            raise self.unsupported(Capability.BUTTONS)
        raw, data = content_to_raw(content)
        return await self._sent(Method.SEND, data, key=key, to=address_to_raw(to), content=raw)

    async def react(self, key: str, target: MessageKey, emoji: str) -> SendResult:
        """Set or remove our reaction."""
        return await self._sent(Method.REACT, key=key, target=_key_to_raw(target), emoji=emoji)

    async def edit(self, key: str, target: MessageKey, text: str) -> SendResult:
        """Change a message of ours."""
        return await self._sent(Method.EDIT, key=key, target=_key_to_raw(target), text=text)

    async def revoke(self, key: str, target: MessageKey) -> SendResult:
        """Delete a message of ours for everyone."""
        return await self._sent(Method.REVOKE, key=key, target=_key_to_raw(target))

    async def mark_read(self, messages: list[MessageKey]) -> None:
        """Blue ticks for the senders."""
        await self._ask(Method.READ, messages=[_key_to_raw(message) for message in messages], at=time.time())

    async def set_typing(self, to: Address, on: bool) -> None:
        """Show or end "typing..."."""
        await self._ask(Method.TYPING, to=address_to_raw(to), on=on)

    async def download(self, ref: MediaRef) -> MediaFile:
        """The bytes of a received file."""
        _, data = await self._ask(Method.DOWNLOAD, token=ref.token)
        return MediaFile(data, ref.mimetype, ref.filename)

    async def lookup(self, phone: str) -> Lookup:
        """Whether the number is on WhatsApp."""
        answer, _ = await self._ask(Method.LOOKUP, phone=phone)
        return Lookup(answer["exists"], address_from_raw(answer), answer["name"])

    # -- inside

    @property
    def _vault(self) -> Vault:
        return Vault(self.context.data_dir, self._key)

    async def _ask(self, method: Method, data: bytes = b"", **args: Any) -> tuple[dict[str, Any], bytes]:
        if self._seat is None:
            raise Unavailable("The account is not connected.", code="offline")
        return await self._seat.call(method, data, **args)

    async def _sent(self, method: Method, data: bytes = b"", **args: Any) -> SendResult:
        answer, _ = await self._ask(method, data, **args)
        return SendResult(answer["wa_id"], time_from_raw(answer["at"]), unconfirmed=answer["in_doubt"])

    def _on_push(self, frame: dict[str, Any]) -> None:
        if frame["t"] == "session":
            self._session_events.put_nowait(frame["e"])
        elif frame["t"] == "caught_up":
            self._deliveries.take_last(frame["n"], OfflineSyncDone(frame["count"]))
        else:
            self._deliveries.take(frame["n"], lambda: event_from_raw(frame["e"], offline=frame["offline"]))

    def _acknowledge(self, numbers: list[int]) -> None:
        if self._seat:
            self._seat.stored(numbers)

    async def _follow(self) -> None:
        """Handle what concerns the session, one after the other, until it is over."""
        while not self._over:
            event = await self._session_events.get()
            try:
                if isinstance(event, Disconnected):
                    await self._end(event)
                else:
                    await self._on_session(event)
            except Exception:
                if not self._over:
                    log.exception("a session event could not be handled", account_id=self.context.account_id)
                    await self._end(Disconnected(DisconnectCause.CONNECTION_LOST, "Something went wrong here; the session is restarted."))

    async def _on_session(self, event: dict[str, Any]) -> None:
        match event["k"]:
            case "qr":
                await self.context.emit(QrCode(event["text"], time_from_raw(event["expires_at"]), event["last"]))
            case "qr_expired":
                await self.context.emit(QrExpired())
            case "ready":
                if not self._linked:
                    await self.context.save_credentials(self._key)
                    self._linked = True
                await self.context.emit(Ready(event["phone"], event["push_name"], event["platform"], event["lid"]))
            case "restricted":
                await self.context.emit(Restricted(event["code"], event["reason"]))
            case "gone":
                cause = DisconnectCause(event["cause"])
                until = event["until"]
                if cause is DisconnectCause.LOGGED_OUT:
                    await self._forget()
                await self._end(Disconnected(cause, event["reason"], None if until is None else datetime.fromtimestamp(until, UTC)))

    async def _end(self, event: Disconnected) -> None:
        self._over = True
        self._deliveries.close()
        await self.context.emit(event)


def _key_to_raw(key: MessageKey) -> dict[str, Any]:
    return {
        "wa_id": key.wa_id,
        "chat": address_to_raw(key.chat),
        "from_me": key.from_me,
        "sender": address_to_raw(key.sender) if key.sender else None,
    }
