"""The engine hosts of this process: which session runs where, and what happens when one hangs, dies or grows old (ENG-2, ACC-6)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import structlog

from whatsapp_dashboard.core.steady import SteadyTask
from whatsapp_dashboard.domain.engine_events import DisconnectCause, Disconnected
from whatsapp_dashboard.engines.base import EngineProcess, Surroundings
from whatsapp_dashboard.engines.multidevice.host_process import HostProcess
from whatsapp_dashboard.engines.multidevice.peer_file import Peer
from whatsapp_dashboard.engines.multidevice.protocol import PROXY_VARIABLE, Method
from whatsapp_dashboard.errors import Unavailable

log = structlog.get_logger(__name__)

SESSIONS_PER_HOST = 8
HEARTBEAT_SECONDS = 10.0
IDLE_SECONDS = 60.0
"""How long a host without a session is kept for the next one."""
MAX_STARTS = 100
"""The library leaks a little with every start of a session; after so many a host takes no new ones and is replaced."""
LEAVE_SECONDS = 5.0
"""How long the sessions of a host that is replaced may take to leave it."""
MAX_FILES = 800
MAX_MEMORY = 1 << 30

CRASHED = Disconnected(DisconnectCause.ENGINE_CRASHED, "The engine's process ended unexpectedly; it is started again.")
MOVED = Disconnected(DisconnectCause.RESTART_REQUIRED, "The engine's process is replaced by a fresh one.")

Push = Callable[[dict[str, Any]], None]


class _Host:
    """A host and the sessions placed on it."""

    def __init__(
        self, arguments: list[str], variables: dict[str, str], on_death: Callable[[_Host], None], on_hung: Callable[[_Host, str], None]
    ) -> None:
        self.seats: dict[str, Seat] = {}
        self.starts = 0
        self.retiring = False
        self.alone = False
        self.empty = asyncio.Event()
        self.empty_since = asyncio.get_running_loop().time()
        self._on_hung = on_hung
        self.process = HostProcess(self._on_push, lambda: on_death(self))
        self.up = asyncio.create_task(self.process.start(arguments, variables), name="engine host start")

    def _on_push(self, frame: dict[str, Any]) -> None:
        if frame["t"] == "hung":
            self._on_hung(self, frame["s"])
            return
        seat = self.seats.get(frame["s"])
        if seat:
            seat.on_push(frame)


class Seat:
    """One session's place on a host, from :meth:`EngineHosts.take` to :meth:`EngineHosts.leave`."""

    def __init__(self, session_id: str, host: _Host, on_push: Push, on_lost: Callable[[Disconnected], None]) -> None:
        self.session_id = session_id
        self.host = host
        self.on_push = on_push
        self.on_lost = on_lost

    async def call(self, method: Method, data: bytes = b"", **args: Any) -> tuple[dict[str, Any], bytes]:
        """Ask the host about this session."""
        return await self.host.process.call(method, {"s": self.session_id, **args}, data)

    def stored(self, numbers: list[int]) -> None:
        """Acknowledge what was stored."""
        self.host.process.post({"t": "stored", "s": self.session_id, "n": numbers})


class EngineHosts(Surroundings):
    """Starts hosts as sessions need them, ``per_host`` sessions each, and watches them."""

    def __init__(self, options: Mapping[str, str]) -> None:
        self._per_host = int(options.get("multidevice_sessions_per_host") or SESSIONS_PER_HOST)
        # By default neonize marks private texts as written by an AI.
        self._variables = {"NEONIZE_BOT_TAG": "off"}
        self._arguments: list[str] = []
        proxy = options.get("multidevice_proxy")
        if file := options.get("multidevice_peer"):
            log.warning("real numbers are simulated: a protocol peer is used in place of WhatsApp", peer=file)
            peer = Peer.read(Path(file))
            proxy = peer.proxy
            self._variables["SSL_CERT_FILE"] = peer.ca
            self._arguments += ["--trust", peer.root_key.hex()]
        if proxy:
            self._variables[PROXY_VARIABLE] = proxy
        self._hosts: list[_Host] = []
        self._troubled: set[str] = set()
        """Sessions in which the library hung: each gets a host of its own, so that the next time hurts nobody else."""
        self._heart = SteadyTask("engine-hosts", self._watch)
        self._background: set[asyncio.Task[None]] = set()

    async def take(self, session_id: str, on_push: Push, on_lost: Callable[[Disconnected], None]) -> Seat:
        """A place for a session, on a running host. ``on_lost`` is called when the host is gone or replaced.

        Raises :class:`Unavailable` when no host can be started.
        """
        self._heart.start()
        host = self._with_room(session_id)
        host.starts += 1
        host.empty.clear()
        seat = host.seats[session_id] = Seat(session_id, host, on_push, on_lost)
        try:
            await asyncio.shield(host.up)
        except BaseException as error:
            self.leave(seat)
            # One that came up in this turn of the loop is kept, or nobody would look after it and the sessions on it.
            if host in self._hosts and host.up.done() and (host.up.cancelled() or host.up.exception()):
                self._hosts.remove(host)
            if isinstance(error, asyncio.CancelledError | Unavailable):
                raise
            log.exception("an engine host could not be started")
            raise Unavailable("The engine's process could not be started; the log says why.", code="engine_start") from None
        return seat

    def leave(self, seat: Seat) -> None:
        """The session has ended."""
        if seat.host.seats.get(seat.session_id) is seat:
            del seat.host.seats[seat.session_id]
        if not seat.host.seats:
            seat.host.empty.set()
            seat.host.empty_since = asyncio.get_running_loop().time()

    async def stop(self) -> None:
        """End all hosts."""
        await self._heart.stop()
        hosts, self._hosts = self._hosts, []
        await asyncio.gather(*(host.process.end() for host in hosts), *self._background, return_exceptions=True)

    def processes(self) -> list[EngineProcess]:
        """The hosts that run now."""
        return [
            EngineProcess(host.process.pid, len(host.seats), host.starts, frozenset(host.seats)) for host in self._hosts if host.process.pid
        ]

    def _with_room(self, session_id: str) -> _Host:
        fitting = [host for host in self._hosts if not host.retiring and not host.alone and len(host.seats) < self._per_host]
        if fitting and session_id not in self._troubled:
            return max(fitting, key=lambda host: len(host.seats))
        host = _Host(self._arguments, self._variables, self._on_death, self._on_hang)
        host.alone = session_id in self._troubled
        self._hosts.append(host)
        return host

    def _on_death(self, host: _Host) -> None:
        if host not in self._hosts:
            return
        self._hosts.remove(host)
        self._later(host.process.kill())
        seats, host.seats = list(host.seats.values()), {}
        for seat in seats:
            seat.on_lost(CRASHED)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            looks = [self._look_after(host) for host in list(self._hosts) if host.up.done()]
            for failure in await asyncio.gather(*looks, return_exceptions=True):
                if isinstance(failure, Exception):
                    log.error("an engine host could not be looked after; it is tried again", exc_info=failure)

    async def _look_after(self, host: _Host) -> None:
        figures = await host.process.ping()
        if figures is None:
            log.error("an engine host hangs and is replaced", pid=host.process.pid)
            self._on_death(host)
            return
        if host not in self._hosts:
            return  # it died, or was given up, while it answered
        worn = host.starts >= MAX_STARTS or figures["files"] > MAX_FILES or figures["rss"] > MAX_MEMORY
        if worn and not host.retiring:
            log.info("an engine host is worn and will be replaced", **figures)
            host.retiring = True
        if host.seats:
            if host.retiring:
                next(iter(host.seats.values())).on_lost(MOVED)  # one at a time
        elif host.retiring or asyncio.get_running_loop().time() - host.empty_since > IDLE_SECONDS:
            self._hosts.remove(host)
            self._later(host.process.end())

    def _on_hang(self, host: _Host, session_id: str) -> None:
        """All the host's sessions go elsewhere at once; it ends when they have left, or is killed."""
        if host not in self._hosts:
            return
        log.error("the library hangs in an engine host, which is replaced", pid=host.process.pid, account_id=session_id)
        self._troubled.add(session_id)
        host.retiring = True
        for seat in list(host.seats.values()):
            seat.on_lost(MOVED)
        self._hosts.remove(host)
        self._later(self._end_when_empty(host))

    async def _end_when_empty(self, host: _Host) -> None:
        if host.seats:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LEAVE_SECONDS):
                    await host.empty.wait()
        await host.process.kill()

    def _later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
