"""Pages are quick about what matters and easy on the database while messages stream in (ACC-7)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from whatsapp_dashboard.events.log import EventRecord
from whatsapp_dashboard.ui import pace
from whatsapp_dashboard.ui.pace import Pace


def event(kind: str) -> EventRecord:
    return EventRecord(1, "e", kind, datetime.now(UTC), "w", "a", None, None, {})


def test_a_stream_of_messages_reads_the_figures_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """ACC-7"""
    now = 100.0
    monkeypatch.setattr(pace.time, "monotonic", lambda: now)
    paced = Pace(idle=10)
    assert paced.due([])
    assert not paced.due([event("message"), event("message.status"), event("conversation.updated"), event("credits.changed")])
    assert paced.due([event("message"), event("session.status")])
    assert not paced.due([])
    assert not paced.due([event("message.queued")])
    now += pace.STREAM_SECONDS
    assert paced.due([]), "what was passed over is made up for"
    now += pace.STREAM_SECONDS
    assert not paced.due([]), "nothing happened"
    now += 10
    assert paced.due([])
