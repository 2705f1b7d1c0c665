"""How often a page reads its figures anew: at once for what matters, now and then for the stream of messages."""

from __future__ import annotations

import time
from collections.abc import Sequence

from whatsapp_dashboard.events.log import EventRecord

STREAM_SECONDS = 3.0
"""Figures that count messages are read at most this often while messages stream in: on a busy day counting is dear."""
_STREAM = ("message", "conversation", "credits")
LOOK_SECONDS = 1.0
"""How often a page asks; for the ``every`` of :func:`~whatsapp_dashboard.ui.live.live`."""


class Pace:
    """Decides for each batch of :func:`~whatsapp_dashboard.ui.live.live` whether to read now. ``idle`` seconds without anything
    are due too, for what changes without an event."""

    def __init__(self, idle: float) -> None:
        self._idle = idle
        self._last = float("-inf")
        self._behind = False

    def due(self, events: Sequence[EventRecord]) -> bool:
        """True for any event that is no message, and for messages and what comes with each of them once per :data:`STREAM_SECONDS`;
        what was passed over is made up for as soon as that time is over."""
        now = time.monotonic()
        rest = now - self._last
        stream = all(event.type.partition(".")[0] in _STREAM for event in events)
        self._behind = self._behind or bool(events)
        due = rest >= (STREAM_SECONDS if self._behind else self._idle) if stream else True
        if due:
            self._last, self._behind = now, False
        return due
