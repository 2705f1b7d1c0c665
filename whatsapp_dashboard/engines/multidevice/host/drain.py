"""When a library that is being stopped has handed over everything it holds (DUR-1).

It hands events over by a queue, one at a time, and drops what is in the queue when it is stopped; WhatsApp was told of them as arrived.
Nothing tells how full the queue is, so quiet is the sign.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

QUIET_SECONDS = 0.4
"""When no event came for so long after a disconnect, none is on its way any more."""
LOOK_SECONDS = 0.02
"""How often that is looked at. A look that comes much later says that the machine is too busy to tell quiet from slow."""
DRAIN_SECONDS = 30.0
"""How long quiet is waited for at most: as long as a slow disk may need for a full queue. Nobody waits for a host whose dashboard is
gone; a dashboard that lives and has no more patience kills it."""


class Drain:
    """Counts the events of one client; :meth:`run_dry` waits until no more come."""

    def __init__(self) -> None:
        self._taken = 0
        self._taking = False

    @contextlib.contextmanager
    def taking(self) -> Iterator[None]:
        """An event is being written down."""
        self._taking = True
        try:
            yield
        finally:
            self._taken += 1
            self._taking = False

    def run_dry(self, seconds: float = DRAIN_SECONDS) -> None:
        """Wait for quiet, ``seconds`` at most. While an event is being written down it is not quiet; a late look proves nothing."""
        until = time.monotonic() + seconds
        seen, quiet = self._taken, 0.0
        while quiet < QUIET_SECONDS and time.monotonic() < until:
            began = time.monotonic()
            time.sleep(LOOK_SECONDS)
            late = time.monotonic() - began > 3 * LOOK_SECONDS
            if self._taking or self._taken != seen:
                seen, quiet = self._taken, 0.0
            elif not late:
                quiet += LOOK_SECONDS
