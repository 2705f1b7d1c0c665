"""A connection that goes and comes back is one line of the first page (OBS-1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from whatsapp_dashboard.system.folding import RecentEvent, folded

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def change(status: str, minutes: float, account: str = "a") -> RecentEvent:
    return RecentEvent("session.status", NOW - timedelta(minutes=minutes), account, account.upper(), {"status": status, "reason": status})


def cycles(count: int, *, every: float = 5, account: str = "a") -> list[RecentEvent]:
    """Lost, tried, back; newest first, the last one ``every`` minutes ago."""
    found = []
    for number in range(1, count + 1):
        for late, status in enumerate(("ready", "initializing", "disconnected")):
            found.append(change(status, every * number + late, account))
    return found


def test_many_reconnects_are_one_line_with_the_time_of_the_last() -> None:
    """OBS-1: beside another account's, and beside what else happened."""
    other = RecentEvent("account.created", NOW - timedelta(minutes=30), "b", "B", {})
    events = sorted([*cycles(14), *cycles(2, every=7, account="b"), other], key=lambda event: event.at, reverse=True)
    found = folded(events, 10)
    assert [(event.account_id, event.type, event.times) for event in found] == [
        ("a", "session.status", 14), ("b", "session.status", 2), ("b", "account.created", 0),
    ]  # fmt: skip
    assert found[0].at == NOW - timedelta(minutes=5)


def test_what_is_down_now_says_so_first() -> None:
    """OBS-1"""
    (line,) = folded([change("error", 1), *cycles(3)], 10)
    assert (line.data["status"], line.times) == ("error", 3)


def test_a_log_out_and_what_is_long_ago_stand_by_themselves() -> None:
    """OBS-1"""
    events = [change("ready", 1), change("qr_ready", 2), change("auth_failed", 3), change("ready", 4), change("ready", 4 + 61)]
    assert [event.data["status"] for event in folded(events, 10)] == ["ready", "qr_ready", "auth_failed", "ready", "ready"]
    assert len(folded(events, 2)) == 2
