"""The sandbox engine: one account's connection to the sandbox world (ENG-5)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, ClassVar

import structlog

from whatsapp_dashboard.domain.engine_events import (
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
from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import Content, MediaFile, MediaRef, MessageKey, MessageType, SendResult
from whatsapp_dashboard.engines.base import Capability, Engine, EngineContext, Lookup
from whatsapp_dashboard.engines.delivery import Deliveries
from whatsapp_dashboard.engines.raw import (
    address_from_raw,
    address_to_raw,
    content_to_raw,
    event_from_raw,
    time_from_raw,
)
from whatsapp_dashboard.engines.sandbox.neighbours import world_of
from whatsapp_dashboard.engines.wire import Line
from whatsapp_dashboard.errors import Retryable, Unavailable

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 10.0
PROBE_SECONDS = 5.0


class SandboxEngine(Engine):
    """Speaks with the world at the socket named by the option ``world``."""

    name: ClassVar[str] = "sandbox"
    title: ClassVar[str] = "Sandbox"
    summary: ClassVar[str] = "A simulated phone inside the dashboard, for trying things out. Nothing reaches WhatsApp."
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability) - {Capability.BUTTONS}

    def __init__(self, context: EngineContext) -> None:
        super().__init__(context)
        self._line: Line | None = None
        self._session_events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._session_task: asyncio.Task[None] | None = None
        self._deliveries = Deliveries(
            context.account_id, context.emit, self._acknowledge, lambda: self._session_events.put_nowait({"t": "unstored"})
        )
        self._over = False

    # -- life

    async def start(self) -> None:
        """Connect. Raises :class:`Retryable` when the world does not answer."""
        secret = await self.context.load_credentials()
        hello = {"role": "device", "token": secret.decode() if secret else None, "label": self.context.account_id}
        hello["world"] = world_of(self.context.workspace_id, self.context.options)
        try:
            self._line = await Line.open(
                self.context.options.get("world", ""),
                hello,
                self._on_push,
                self._on_close,
                other="sandbox world",
                timeout=CONNECT_SECONDS,
            )
        except Unavailable:
            raise Retryable("WhatsApp (the sandbox world) does not answer.", code="unreachable") from None
        self._session_task = asyncio.create_task(self._follow_session(self._line.welcome), name="sandbox-session")

    async def stop(self) -> None:
        """End the connection; what is being stored gets a moment to be acknowledged."""
        self._over = True
        self._deliveries.close()
        if self._session_task and self._session_task is not asyncio.current_task():
            self._session_task.cancel()
            await asyncio.gather(self._session_task, return_exceptions=True)
        await self._deliveries.drain()
        if self._line:
            await self._line.close()

    async def logout(self) -> None:
        """Unlink this device and forget the credentials."""
        self._over = True
        try:
            await self._call("logout")
        except BaseException:
            self._over = False
            raise
        await self.context.save_credentials(None)

    async def probe(self) -> None:
        """One round trip. Raises :class:`Unavailable` when none comes back in time."""
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await self._call("probe")
        except TimeoutError:
            raise Unavailable("The sandbox world does not answer.", code="silent") from None

    async def pair_with_phone(self, phone: str) -> PairingCode:
        """A code to type on the simulated phone with this number."""
        answer = await self._call("pair", phone=phone)
        return PairingCode(answer["code"], time_from_raw(answer["expires_at"]))

    # -- sending

    async def send(self, key: str, to: Address, content: Content) -> SendResult:
        """Send one message; the world journals the key and answers a known one with the first result."""
        if content.type is MessageType.BUTTONS or content.buttons:
            raise self.unsupported(Capability.BUTTONS)
        raw, data = content_to_raw(content)
        return await self._sent("send", data, key=key, to=address_to_raw(to), content=raw)

    async def react(self, key: str, target: MessageKey, emoji: str) -> SendResult:
        """Set or remove our reaction."""
        return await self._sent("react", key=key, wa_id=target.wa_id, emoji=emoji)

    async def edit(self, key: str, target: MessageKey, text: str) -> SendResult:
        """Change a message of ours."""
        return await self._sent("edit", key=key, wa_id=target.wa_id, text=text)

    async def revoke(self, key: str, target: MessageKey) -> SendResult:
        """Delete a message of ours for everyone."""
        return await self._sent("revoke", key=key, wa_id=target.wa_id)

    async def mark_read(self, messages: list[MessageKey]) -> None:
        """Blue ticks for the senders."""
        await self._call("read", wa_ids=[message.wa_id for message in messages])

    async def set_typing(self, to: Address, on: bool) -> None:
        """Show or end "typing..."."""
        await self._call("typing", to=address_to_raw(to), on=on)

    async def download(self, ref: MediaRef) -> MediaFile:
        """The bytes of a received file."""
        line = self._connected()
        answer, data = await line.call("download", {"token": ref.token})
        return MediaFile(data, answer["mimetype"], answer["filename"])

    async def lookup(self, phone: str) -> Lookup:
        """Whether the number is on WhatsApp; see docs/sandbox.md for which are not."""
        answer = await self._call("lookup", phone=phone)
        return Lookup(answer["exists"], address_from_raw(answer), answer["name"])

    # -- inside

    def _connected(self) -> Line:
        if self._line is None or self._line.closed:
            raise Unavailable("The account is not connected.", code="offline")
        return self._line

    async def _call(self, method: str, **args: Any) -> dict[str, Any]:
        answer, _ = await self._connected().call(method, args)
        return answer

    async def _sent(self, method: str, data: bytes = b"", **args: Any) -> SendResult:
        answer, _ = await self._connected().call(method, args, data)
        return SendResult(answer["wa_id"], time_from_raw(answer["at"]))

    def _on_push(self, frame: dict[str, Any]) -> None:
        if frame["t"] == "event":
            self._deliveries.take(frame["seq"], lambda: event_from_raw(frame["e"], offline=frame["offline"]))
        else:
            self._session_events.put_nowait(frame)

    def _on_close(self) -> None:
        self._session_events.put_nowait({"t": "closed"})

    def _acknowledge(self, numbers: list[int]) -> None:
        if self._line:
            self._line.post({"t": "ack", "seqs": numbers})

    async def _follow_session(self, frame: dict[str, Any]) -> None:
        """Handle what concerns the session, one after the other, until it is over."""
        while not self._over:
            try:
                await self._on_session(frame)
            except Exception as error:
                if self._over:
                    return
                if not isinstance(error, Unavailable):
                    log.warning("a session event could not be handled", account_id=self.context.account_id, exc_info=True)
                frame = {"t": "closed"}
                continue
            frame = await self._session_events.get()

    async def _on_session(self, frame: dict[str, Any]) -> None:
        match frame["t"]:
            case "welcome" if frame["linked"] is None:
                await self._call("qr")
            case "welcome":
                await self._ready(frame["linked"])
            case "linked":
                await self.context.save_credentials(frame["token"].encode())
                await self._ready(frame)
            case "qr":
                await self.context.emit(QrCode(frame["text"], time_from_raw(frame["expires_at"]), frame["last"]))
            case "qr_expired":
                await self.context.emit(QrExpired())
            case "restricted":
                await self.context.emit(Restricted(frame["code"], frame["reason"], _optional_time(frame["until"])))
            case "caught_up":
                await self.context.emit(OfflineSyncDone(frame["count"]))
            case "gone":
                cause = DisconnectCause(frame["cause"])
                if cause is DisconnectCause.LOGGED_OUT:
                    await self.context.save_credentials(None)
                await self._end(Disconnected(cause, frame["reason"], _optional_time(frame["until"])))
            case "unstored":
                await self._end(Disconnected(DisconnectCause.CONNECTION_LOST, "An event could not be stored; it is fetched again."))
            case "closed":
                await self._end(Disconnected(DisconnectCause.CONNECTION_LOST, "The connection to WhatsApp was lost."))

    async def _ready(self, linked: dict[str, Any]) -> None:
        await self.context.emit(Ready(linked["phone"], linked["push_name"], linked["platform"], linked["lid"]))
        await self._call("listen")

    async def _end(self, event: EngineEvent) -> None:
        self._over = True
        self._deliveries.close()
        if self._line:
            await self._line.close()
        await self.context.emit(event)


def _optional_time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
