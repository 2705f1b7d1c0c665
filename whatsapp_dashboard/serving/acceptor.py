"""Takes connections from the listening socket, as many as the door lets in (API-4).

The event loop's own server takes all there are at once, before anybody is asked: a flood would use up every file this process may open.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable

import structlog

from whatsapp_dashboard.serving.door import Door

log = structlog.get_logger(__name__)

BACKLOG = 2_048
AT_ONCE = 32
"""Connections that are taken before others have their turn."""
PAUSE_SECONDS = 0.5
"""How long none is taken when the system has no place for one."""
LOOK_SECONDS = 1.0
_FULL = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_REFUSAL = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 5\r\ncontent-length: 0\r\n\r\n"


class Acceptor:
    """For one listening socket. ``make`` makes the protocol of a connection."""

    def __init__(self, listening: socket.socket, door: Door, make: Callable[[], asyncio.Protocol]) -> None:
        self._socket = listening
        self._door = door
        self._make = make
        self._loop = asyncio.get_running_loop()
        self._beginning: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None
        self._looks: asyncio.TimerHandle | None = None
        self._complained = False

    def start(self) -> None:
        """Listen."""
        self._socket.setblocking(False)
        self._socket.listen(BACKLOG)
        self._loop.add_reader(self._socket.fileno(), self._ready)
        self._look_round()

    def close(self) -> None:
        """Take no more."""
        for timer in (self._pause, self._looks):
            if timer is not None:
                timer.cancel()
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()

    async def wait_closed(self) -> None:
        """Wait for those that were just being taken."""
        await asyncio.gather(*self._beginning, return_exceptions=True)

    def _ready(self) -> None:
        for _ in range(min(AT_ONCE, self._door.limits.connections // 4 + 1)):  # those taken before get to say what they want
            try:
                taken, address = self._socket.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno in _FULL:
                    self._rest(error)
                    return
                continue  # that client has hung up already
            if self._door.admit(address[0], beginning=len(self._beginning)):
                task = self._loop.create_task(self._begin(taken))
                self._beginning.add(task)
                task.add_done_callback(self._beginning.discard)
            else:
                with contextlib.suppress(OSError):
                    taken.send(_REFUSAL)
                taken.close()

    async def _begin(self, taken: socket.socket) -> None:
        try:
            taken.setblocking(False)
            taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.connect_accepted_socket(self._make, taken)
        except OSError:
            taken.close()  # it has hung up meanwhile

    def _rest(self, error: OSError) -> None:
        """The system has no place: without a pause this would be tried thousands of times a second."""
        if not self._complained:
            log.error("no connection can be taken: the system has no place for one", reason=error.strerror, connected=len(self._door))
        self._complained = True
        self._loop.remove_reader(self._socket.fileno())
        self._pause = self._loop.call_later(PAUSE_SECONDS, self._go_on)

    def _go_on(self) -> None:
        self._loop.add_reader(self._socket.fileno(), self._ready)

    def _look_round(self) -> None:
        self._looks = self._loop.call_later(LOOK_SECONDS, self._look_round)
        try:
            self._door.look_round()
        except Exception:
            log.exception("the connections could not be looked through; tried again")
