"""Bodies of the latest events, so that what was just built need not be read again to be sent."""

from __future__ import annotations

LIMIT_BYTES = 2_000_000
"""Thousands of usual ones: who is a minute behind reads from the database anyway."""


class RecentBodies:
    """Event id to body; the oldest go when there are more than :data:`LIMIT_BYTES`."""

    def __init__(self) -> None:
        self._bodies: dict[str, bytes] = {}
        self._size = 0

    def get(self, event_ids: set[str]) -> dict[str, bytes]:
        """Those that are here."""
        return {ident: self._bodies[ident] for ident in event_ids if ident in self._bodies}

    def add(self, bodies: dict[str, bytes]) -> None:
        """Keep some; they are stored in the database."""
        for ident, body in bodies.items():
            if ident not in self._bodies:
                self._bodies[ident] = body
                self._size += len(body)
        while self._size > LIMIT_BYTES:
            self._size -= len(self._bodies.pop(next(iter(self._bodies))))

    def clear(self) -> None:
        """Forget them all: something was deleted."""
        self._bodies.clear()
        self._size = 0
