"""Who may be connected: a limit for all and for each address, and what gives way when it is reached (API-4).

A connection gives way while it costs nothing to lose it: one that has not said yet what it wants, one that waits between two requests, one
whose request does not come in. Requests being answered and open pages never do. So a flood of connections displaces itself, oldest first.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from itertools import islice
from typing import Any, Protocol

import structlog

log = structlog.get_logger(__name__)

BODY_SECONDS = 20.0
BODY_RATE = 500
"""Bytes per second. A request's body may take :data:`BODY_SECONDS`, and longer for as long as it comes at this rate."""
LINGER_SECONDS = 10.0
"""How long the rest of a request may come in after its answer."""
STALLED_SECONDS = 60.0
"""How long an answer may lie unread."""
_HURRY_SECONDS = 1.0
"""From this age a request whose body comes too slowly gives way,"""
_SILENT_SECONDS = 2.0
"""and one of which nothing came for so long."""
_LOOKED_AT = 50
_TOLD_SECONDS = 60.0


class Phase(Enum):
    """What a connection is doing."""

    HEAD = "head"
    """A request's header has not come in."""
    IDLE = "idle"
    """Between two requests."""
    BODY = "body"
    """A request's body comes in."""
    LINGER = "linger"
    """The same, and the answer is out already."""
    BUSY = "busy"
    """A request is being answered."""
    SOCKET = "socket"
    """A page's live connection."""


class Connection(Protocol):
    """What the door knows of a connection. It is told of every change of its phase."""

    phase: Phase
    since: float
    """When the phase began, by the monotonic clock."""
    came: int
    """Bytes of the body that came."""
    heard: float
    """When the last of them came."""
    held: float
    """Seconds of this phase in which we ourselves did not read."""
    transport: Any

    @property
    def address(self) -> str:
        """Whose it is."""

    @property
    def holds(self) -> bool:
        """Whether we do not read from it at the moment."""

    def give_up(self) -> None:
        """End it, and say why where that can be understood."""


@dataclass(slots=True)
class Limits:
    """``per_address`` does not count for ``exempt`` networks: behind a proxy everybody has the proxy's address."""

    connections: int
    per_address: int
    header_seconds: float
    idle_seconds: float
    exempt: Sequence[IPv4Network | IPv6Network] = ()


@dataclass(slots=True)
class _Unread:
    size: int
    since: float


@dataclass(slots=True)
class Door:
    """All connections of one server."""

    limits: Limits
    refused: int = 0
    displaced: int = 0
    _phases: dict[Phase, dict[Connection, None]] = field(default_factory=lambda: {phase: {} for phase in Phase})
    """Of each phase, the ones that are longest in it first."""
    _addresses: Counter[str] = field(default_factory=Counter)
    _unread: dict[Connection, _Unread] = field(default_factory=dict)
    _looked: float = field(default_factory=time.monotonic)
    _told: float = float("-inf")

    def __len__(self) -> int:
        """How many are connected."""
        return self._addresses.total()

    # -- coming and going

    def admit(self, address: str, *, beginning: int = 0) -> bool:
        """Whether another connection from ``address`` may come in; one that can be spared is given up for it when all is full.
        ``beginning``: how many were let in and have not entered."""
        group = group_of(address)
        if not self._is_exempt(address) and self._addresses[group] >= self.limits.per_address and not self._displace(group):
            return self._refuse(f"{group} has {self.limits.per_address} connections, all in use")
        if len(self) + beginning >= self.limits.connections and not self._displace(None):
            return self._refuse(f"all {self.limits.connections} connections are in use")
        return True

    def enter(self, connection: Connection) -> None:
        """It is connected."""
        self._addresses[group_of(connection.address)] += 1
        self._phases[connection.phase][connection] = None

    def leave(self, connection: Connection) -> None:
        """It is gone, or about to go. Nothing when that was told already."""
        if self._phases[connection.phase].pop(connection, self) is self:
            return
        self._unread.pop(connection, None)
        group = group_of(connection.address)
        self._addresses[group] -= 1
        if not self._addresses[group]:
            del self._addresses[group]

    def turn(self, connection: Connection, phase: Phase) -> None:
        """It now does something else."""
        if connection in self._phases[connection.phase]:
            del self._phases[connection.phase][connection]
            self._phases[phase][connection] = None
        connection.phase, connection.since, connection.came, connection.held = phase, time.monotonic(), 0, 0.0
        connection.heard = connection.since

    # -- time limits

    def look_round(self) -> None:
        """Give up what has taken too long. To be called about once a second."""
        now = time.monotonic()
        passed, self._looked = now - self._looked, now
        self._older(Phase.HEAD, now - self.limits.header_seconds)
        self._older(Phase.IDLE, now - self.limits.idle_seconds)
        self._older(Phase.LINGER, now - LINGER_SECONDS)
        for connection in list(self._phases[Phase.BODY]):
            if connection.holds:
                connection.held += passed
            elif now - connection.since - connection.held > BODY_SECONDS + connection.came / BODY_RATE:
                self._give_up(connection)
        for phase in Phase:
            for connection in list(self._phases[phase]):
                self._watch_unread(connection, now)

    def _older(self, phase: Phase, than: float) -> None:
        for connection in list(self._phases[phase]):
            if connection.since > than:
                return
            self._give_up(connection)

    def _watch_unread(self, connection: Connection, now: float) -> None:
        size = connection.transport.get_write_buffer_size()
        seen = self._unread.get(connection)
        if not size:
            self._unread.pop(connection, None)
        elif seen is None or seen.size != size:
            self._unread[connection] = _Unread(size, now)
        elif now - seen.since > STALLED_SECONDS:
            connection.transport.abort()

    # -- parts

    def _is_exempt(self, address: str) -> bool:
        read = _read(address)
        return read is not None and any(read in network for network in self.limits.exempt)

    def _displace(self, group: str | None) -> bool:
        """Give up one connection, of this group if one is named. False: none can be spared."""
        now = time.monotonic()
        for phase in (Phase.HEAD, Phase.LINGER, Phase.IDLE, Phase.BODY):
            ours = (each for each in self._phases[phase] if group is None or group_of(each.address) == group)
            for connection in islice(ours, _LOOKED_AT):
                if phase is Phase.BODY and not _is_slow(connection, now):
                    continue
                self.displaced += 1
                self._tell("connections are given up for new ones")
                self._give_up(connection)
                return True
        return False

    def _give_up(self, connection: Connection) -> None:
        self.leave(connection)
        connection.give_up()

    def _refuse(self, reason: str) -> bool:
        self.refused += 1
        self._tell("a connection is refused", reason=reason)
        return False

    def _tell(self, words: str, **data: Any) -> None:
        """In the log, but not each time."""
        if time.monotonic() - self._told > _TOLD_SECONDS:
            self._told = time.monotonic()
            log.warning(words, connected=len(self), refused=self.refused, displaced=self.displaced, **data)


@lru_cache(maxsize=4_096)
def group_of(address: str) -> str:
    """Whose address it is: one IPv4 address, or the network of one IPv6 line."""
    read = _read(address)
    if isinstance(read, IPv6Address):
        return str(ip_network((int(read) >> 64 << 64, 64)))
    return address if read is None else str(read)


def _read(address: str) -> IPv4Address | IPv6Address | None:
    try:
        read = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return (read.ipv4_mapped if isinstance(read, IPv6Address) else None) or read


def _is_slow(connection: Connection, now: float) -> bool:
    """Whether the body of its request comes so slowly that another connection may have its place."""
    age = now - connection.since
    if connection.holds or age < _HURRY_SECONDS:
        return False
    return connection.came < age * BODY_RATE or now - connection.heard > _SILENT_SECONDS
