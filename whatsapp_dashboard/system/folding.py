"""A connection that goes and comes back says the same thing again and again: one line for all of it (OBS-1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

TOGETHER = timedelta(hours=1)
"""Two changes that are further apart are two things that happened."""
_PASSING = ("ready", "initializing", "disconnected", "error")
"""What a session is in turn while it reconnects. Others, such as a log-out, want a person and stand by themselves."""


@dataclass(frozen=True, slots=True)
class RecentEvent:
    """Something that happened to an account, or to a webhook: then its name stands in ``account_name``. Empty for the workspace itself."""

    type: str
    at: datetime
    account_id: str
    account_name: str
    data: dict[str, Any]
    times: int = 0
    """How often the account came back, where one line stands for losing the connection and coming back; ``at`` and ``data`` are of the
    last change."""


def folded(events: Sequence[RecentEvent], most: int) -> tuple[RecentEvent, ...]:
    """The newest ``most`` of ``events`` (newest first), each account's changes of connection that follow each other as one."""
    found: list[RecentEvent] = []
    runs: dict[str, tuple[int, datetime]] = {}
    for event in events:
        if event.type != "session.status" or event.data.get("status") not in _PASSING:
            runs.pop(event.account_id, None)
            found.append(event)
            continue
        back = event.data.get("status") == "ready"
        place, begun = runs.get(event.account_id, (-1, event.at))
        if place >= 0 and begun - event.at <= TOGETHER:
            found[place] = replace(found[place], times=found[place].times + back)
        else:
            place = len(found)
            found.append(replace(event, times=int(back)))
        runs[event.account_id] = (place, event.at)
    return tuple(found[:most])
