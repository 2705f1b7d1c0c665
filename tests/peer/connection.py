"""One client's connection: frames, encryption, log-in, and the end of it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from aiohttp import WSMsgType, web

from tests.peer.binary_xml import SERVER, Node, decode, encode
from tests.peer.noise import Agreed, nonce, shake_hands

if TYPE_CHECKING:
    from tests.peer.accounts import Account, Device
    from tests.peer.server import Server

log = logging.getLogger(__name__)

GRACE_SECONDS = 0.5
"""A client that loses its socket right after a last stanza drops the stanza unread."""


class Connection:
    """From the websocket's opening to its end."""

    def __init__(self, server: Server, socket: web.WebSocketResponse, request: web.Request) -> None:
        self.server = server
        self.device: Device | None = None
        self.pending: Device | None = None
        """The device that is being paired here."""
        self.refs: list[str] = []
        self._socket = socket
        self._request = request
        self._buffer = b""
        self._sent = self._read = 0
        self.agreed: Agreed | None = None
        self._closer: asyncio.Task[None] | None = None

    @property
    def closed(self) -> bool:
        """Whether the socket is gone."""
        return self._socket.closed or self._request.transport is None

    async def run(self) -> None:
        """Serve the client until it is gone."""
        header = await self._header()
        if header is None:
            return
        frames = self._frames()
        await self.server.faults.maybe_hang("server_hello")
        try:
            self.agreed = await shake_hands(header, self.server.identity, frames, self._send_frame)
        except StopAsyncIteration:
            return
        await self.server.faults.maybe_hang("success")
        if self.agreed.payload.username:
            if not await self._log_in():
                return
        else:
            await self.server.pairing.offer(self)
        async for frame in frames:
            node = decode(self.agreed.receive.decrypt(nonce(self._read), frame, b""))
            self._read += 1
            log.debug("from %s: %s", self.device and self.device.pn, node)
            if not (self.device and self.device.acct.hangs):
                await self.server.handle(self, node)

    async def send(self, node: Node) -> None:
        """Say something, unless the connection hangs."""
        if self.agreed is None or self.closed or (self.device and self.device.acct.hangs):
            return
        log.debug("to %s: %s", self.device and self.device.pn, node)
        sealed = self.agreed.send.encrypt(nonce(self._sent), encode(node), b"")
        self._sent += 1
        await self._send_frame(sealed)

    async def end(self, node: Node) -> None:
        """Say a last thing, let the client act on it, then close."""
        await self.send(node)

        async def later() -> None:
            await asyncio.sleep(GRACE_SECONDS)
            await self._socket.close()

        self._closer = asyncio.create_task(later())

    def abort(self) -> None:
        """Cut the line: no farewell."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def _header(self) -> bytes | None:
        while len(self._buffer) < 4:
            message = await self._socket.receive()
            if message.type != WSMsgType.BINARY:
                return None
            self._buffer += message.data
        header, self._buffer = self._buffer[:4], self._buffer[4:]
        return header

    async def _frames(self) -> AsyncIterator[bytes]:
        while True:
            while len(self._buffer) < 3 or len(self._buffer) < 3 + int.from_bytes(self._buffer[:3], "big"):
                message = await self._socket.receive()
                if message.type != WSMsgType.BINARY:
                    return
                self._buffer += message.data
            end = 3 + int.from_bytes(self._buffer[:3], "big")
            frame, self._buffer = self._buffer[3:end], self._buffer[end:]
            yield frame

    async def _send_frame(self, frame: bytes) -> None:
        try:
            await self._socket.send_bytes(len(frame).to_bytes(3, "big") + frame)
        except (ConnectionError, RuntimeError):
            log.debug("the client was gone")

    async def _log_in(self) -> bool:
        """Let a linked device in, or tell it why not."""
        assert self.agreed is not None
        account = self.server.accounts.get(str(self.agreed.payload.username))
        device = account.devices.get(self.agreed.payload.device) if account else None
        failure = self._refusal(account, device)
        if failure is not None or account is None or device is None:
            await self.end(Node("failure", {"location": "peer", **(failure or {})}))
            await asyncio.sleep(GRACE_SECONDS)
            return False
        if account.refused_until > time.monotonic():
            self.abort()
            return False
        if (other := device.online) is not None:
            await other.end(Node("stream:error", {}, [Node("conflict", {"type": "replaced"})]))
        self.device, device.conn = device, self
        device.logins += 1
        now = int(time.time())
        await self.send(Node("success", {"t": now, "lid": device.lid, "props": "2", "location": "peer", "companion_enc_static": "x"}))
        waiting = list(device.queue.values())
        messages = sum(node.tag == "message" for node in waiting)
        preview = {"count": len(waiting), "message": messages, "receipt": len(waiting) - messages, "notification": 0, "appdata": 0}
        await self.send(Node("ib", {"from": SERVER}, [Node("offline_preview", preview)]))
        for node in waiting:
            await self.send(Node(node.tag, {**node.attrs, "offline": "1"}, node.content))
        await self.send(Node("ib", {"from": SERVER}, [Node("offline", {"count": len(waiting)})]))
        await self.server.phones.companion_online(device)
        return True

    def _refusal(self, account: Account | None, device: Device | None) -> dict[str, str] | None:
        assert self.agreed is not None
        if self.server.faults.outdated:
            return {"reason": "405"}
        if account is None or device is None or device.noise != self.agreed.client_key:
            return {"reason": "401"}
        if account.ban:
            return account.ban
        failure, account.fail_next = account.fail_next, None
        return failure
