"""uvicorn's two protocols, which tell the door what their connections do (API-4)."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from whatsapp_dashboard.serving.door import Door, Phase

HEAD_BYTES = 64 * 1024
"""Of a request's header, and of what may follow its body."""


class HttpConnection(HttpToolsProtocol):
    """One HTTP connection. uvicorn knows a time limit between requests only."""

    def __init__(self, door: Door, **given: Any) -> None:
        super().__init__(**given)
        self._door = door
        self.phase, self.came, self.held = Phase.HEAD, 0, 0.0
        self.since = self.heard = time.monotonic()
        self._in_head = self._in_body = self._upgraded = False
        self._head_bytes = self._trailer_bytes = 0

    @property
    def address(self) -> str:
        """The client's, or the proxy's."""
        return self.client[0] if self.client else ""

    @property
    def holds(self) -> bool:
        """Whether the app has not taken what came."""
        return self.flow.read_paused

    def give_up(self) -> None:
        """408 where a request had begun, silence where none had."""
        unanswered = self.phase is Phase.BODY and not self.pipeline and not self.cycle.response_started
        self._end(408 if unanswered or (self.phase is Phase.HEAD and self._in_head) else None)

    # -- what the transport tells

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It begins."""
        super().connection_made(transport)
        self._door.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._door.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something came."""
        if self.transport.is_closing():
            return  # given up; what was on its way is not read any more
        self._head_bytes += len(data)
        super().data_received(data)
        if self._upgraded or self.transport.is_closing():
            return
        if (self._in_head and self._head_bytes > HEAD_BYTES) or self._trailer_bytes > HEAD_BYTES:
            self._door.leave(self)
            self._end(431)
            return
        self._settle()

    def handle_websocket_upgrade(self) -> None:
        """From here on it is a page's live connection, which enters by itself."""
        self._upgraded = True
        self._door.leave(self)
        super().handle_websocket_upgrade()

    # -- what the parser tells

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """A line of the header, or one after the body."""
        if not self._in_head:
            self._trailer_bytes += len(name) + len(value)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The body begins, also an empty one."""
        self._in_head, self._in_body, self._trailer_bytes = False, True, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if self.phase is not Phase.BODY:
            self._settle()  # the piece counts in its own phase
        self.came += len(body)
        self.heard = time.monotonic()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is here."""
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is out."""
        super().on_response_complete()
        if not self.transport.is_closing():
            self._settle()

    # -- parts

    def _settle(self) -> None:
        phase = self._now()
        if phase is not self.phase:
            self._door.turn(self, phase)

    def _now(self) -> Phase:
        answered = self.cycle is None or (self.cycle.response_complete and not self.pipeline)
        if self._in_body:
            return Phase.LINGER if answered else Phase.BODY
        if not answered:
            return Phase.BUSY
        return Phase.HEAD if self._in_head or self.cycle is None else Phase.IDLE

    def _end(self, status: int | None) -> None:
        """Close, after one last word if there is one to say, and without waiting for anybody who does not read."""
        if status is not None and not self.transport.is_closing() and not self.transport.get_write_buffer_size():
            self.transport.write(STATUS_LINE[status] + b"connection: close\r\ncontent-length: 0\r\n\r\n")
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()


class PageSocket(WebSocketsSansIOProtocol):
    """One live connection of a page. Its time limits are uvicorn's: each is asked for a sign of life."""

    def __init__(self, door: Door, **given: Any) -> None:
        super().__init__(**given)
        self._door = door
        self.phase, self.came, self.held = Phase.SOCKET, 0, 0.0
        self.since = self.heard = time.monotonic()
        self.holds = False

    @property
    def address(self) -> str:
        """The client's, or the proxy's."""
        return self.client[0] if self.client else ""

    def give_up(self) -> None:
        """Close it."""
        self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It begins."""
        super().connection_made(transport)
        self._door.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._door.leave(self)
        super().connection_lost(exc)
