"""What the webhook pages make of what the services tell (HOOK-6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from whatsapp_dashboard.errors import Invalid
from whatsapp_dashboard.ui.deliveries.filters import from_address, to_address, to_filters
from whatsapp_dashboard.ui.deliveries.lines import attempt_lines, delivery_line, pretty
from whatsapp_dashboard.ui.deliveries.state import numbers
from whatsapp_dashboard.ui.webhooks.lines import BAR_HEIGHT, bars, milliseconds, percent, webhook_line
from whatsapp_dashboard.webhooks.views import (
    AttemptView,
    DeliveryDetail,
    DeliveryRow,
    DeliveryState,
    Hour,
    WebhookHealth,
    WebhookRow,
    WebhookState,
)

NOW = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)
HEALTH = WebhookHealth(
    hours=tuple(Hour(NOW - timedelta(hours=23 - n), n, 0) for n in range(24)),
    succeeded=276,
    failed=0,
    given_up=0,
    p95_ms=40,
    waiting=0,
    dead=0,
    oldest_waiting_at=None,
    last_success_at=NOW,
    last_failure_at=NOW - timedelta(hours=2),
    last_error="The endpoint answered 500 Internal Server Error.",
)
ROW = WebhookRow(
    id="w1", workspace_id="ws", name="CRM", url="https://example.org/hook", account_id=None, account_name=None,
    events=("message", "message.sent", "message.status", "call"), header_names=(), has_secret=True, secret_hint="abc=",
    previous_secret_until=None, enabled=True, state=WebhookState.ACTIVE, paused_at=None, failing_since=None, next_probe_at=None,
    quiet_until=None, stalled_since=None, created_at=NOW, updated_at=NOW, health=HEALTH,
)  # fmt: skip
DELIVERY = DeliveryRow(
    id="d1", event_id="e1", event_type="message", webhook_id="w1", webhook_name="CRM", url="https://example.org/hook", account_id="a1",
    account_name="Bakery", conversation_id=None, state=DeliveryState.PENDING, attempts=1, replays=0, created_at=NOW,
    next_try_at=NOW + timedelta(seconds=30), finished_at=None, last_status=500, last_error="No.", last_ms=12, held="",
)  # fmt: skip


def test_a_webhook_without_a_name_is_called_by_its_url() -> None:
    """HOOK-1."""
    assert (webhook_line(ROW, NOW).title, webhook_line(ROW, NOW).url) == ("CRM", "https://example.org/hook")
    unnamed = webhook_line(replace(ROW, name=""), NOW)
    assert (unnamed.title, unnamed.url) == ("https://example.org/hook", "")
    assert (unnamed.events, unnamed.more_events) == (["message", "message.sent", "message.status"], "+1")


def test_a_rate_is_of_deliveries_and_attempts_are_told_apart() -> None:
    """HOOK-6: 13 deliveries of which all arrived, some at the second try, are all of them and not 61.9 %."""
    line = webhook_line(replace(ROW, health=replace(HEALTH, succeeded=13, failed=8)), NOW)
    assert (line.rate, line.rate_tone, line.attempts) == ("100 %", "jade", "8 failed attempts")
    assert line.rate_title == "In 24 hours 13 deliveries arrived, 0 were given up; 8 of 21 attempts failed."
    half = webhook_line(replace(ROW, health=replace(HEALTH, succeeded=1, failed=6, given_up=1)), NOW)
    assert (half.rate, half.attempts) == ("50 %", "6 failed attempts")
    running = webhook_line(replace(ROW, health=replace(HEALTH, succeeded=0, failed=3)), NOW)
    assert (running.rate, running.attempts) == ("–", "3 failed attempts")


def test_an_old_failure_is_not_shown_beside_a_newer_success() -> None:
    """HOOK-6."""
    assert webhook_line(ROW, NOW).last_error == ""
    failed = replace(ROW, health=replace(HEALTH, last_failure_at=NOW + timedelta(seconds=1)))
    assert webhook_line(failed, NOW).last_error.startswith("The endpoint answered 500")
    never = replace(ROW, health=replace(HEALTH, last_success_at=None))
    assert webhook_line(never, NOW).last_error


def test_every_hour_with_attempts_has_a_visible_bar_and_the_busiest_the_tallest() -> None:
    """HOOK-6."""
    drawn = bars((Hour(NOW, 1_000, 0), Hour(NOW, 1, 1), Hour(NOW, 0, 0)))
    assert [(bar.good, bar.bad) for bar in drawn] == [(BAR_HEIGHT, 0), (2, 2), (0, 0)]
    assert bars(()) == []


@pytest.mark.parametrize(
    ("rate", "said"), [(1.0, "100 %"), (0.0, "0 %"), (0.5, "50 %"), (0.123, "12.3 %"), (0.9999, ">99.9 %"), (0.0001, "<0.1 %")]
)
def test_a_rate_never_says_all_when_it_is_not_all(rate: float, said: str) -> None:
    """HOOK-6."""
    assert percent(rate) == said


def test_times_are_said_in_the_unit_that_fits() -> None:
    """HOOK-6."""
    assert [milliseconds(ms) for ms in (0, 999, 1_000, 9_140)] == ["0 ms", "999 ms", "1.0 s", "9.1 s"]


def test_a_waiting_delivery_says_when_it_is_tried_next_or_why_not() -> None:
    """HOOK-6."""
    line = delivery_line(DELIVERY, NOW)
    assert (line.state, line.attempts, line.result, line.next_try_at) == (
        "waiting",
        "1 attempt",
        "No.",
        (NOW + timedelta(seconds=30)).isoformat(),
    )
    assert delivery_line(replace(DELIVERY, held="paused"), NOW).held == "The webhook is paused."
    fresh = delivery_line(replace(DELIVERY, attempts=0, last_error="", last_status=None, last_ms=None, next_try_at=None), NOW)
    assert (fresh.attempts, fresh.result, fresh.ms) == ("not tried yet", "", "")
    assert delivery_line(replace(DELIVERY, replays=2, state=DeliveryState.DEAD), NOW).replays == "replayed 2 times"


def test_rounds_have_a_heading_each_once_there_are_several() -> None:
    """HOOK-8."""

    def attempt(number: int, round: int) -> AttemptView:
        return AttemptView(
            id=str(number), number=number, round=round, started_at=NOW, ms=5, succeeded=False, status=500, error="No.", address="192.0.2.1",
            request_headers={}, response_headers={"A": "1", "B": "2"}, response_body="", response_truncated=False,
        )  # fmt: skip

    def headings(*attempts: AttemptView) -> list[str]:
        return [line.round for line in attempt_lines(DeliveryDetail(DELIVERY, "{}", attempts))]

    assert headings(attempt(2, 0), attempt(1, 0)) == ["", ""]
    assert headings(attempt(4, 2), attempt(3, 1), attempt(2, 0), attempt(1, 0)) == ["Replay 2", "Replay 1", "First round", ""]
    assert attempt_lines(DeliveryDetail(DELIVERY, "{}", (attempt(1, 0),)))[0].response_headers == "A: 1\nB: 2"


def test_a_body_is_laid_out_and_anything_else_left_alone() -> None:
    """HOOK-6."""
    assert pretty('{"a":"ñ"}') == '{\n  "a": "ñ"\n}'
    assert pretty("not json") == "not json"


def test_a_view_of_the_log_can_be_linked_to() -> None:
    """HOOK-6: what the address says is what is asked for, and back."""
    given = {"state": "dead", "event": "message", "webhook": "w1", "account": "a1", "since": "2026-01-30", "until": "2026-01-31", "x": "y"}
    filters = from_address(given)
    assert from_address(dict(pair.split("=") for pair in to_address(filters).partition("?")[2].split("&"))) == filters
    asked = to_filters(filters, "Europe/Madrid")
    assert (asked.state, asked.event_type, asked.webhook_id, asked.account_id) == ("dead", "message", "w1", "a1")
    assert asked.since
    assert asked.until
    assert asked.until - asked.since == timedelta(days=2)
    with pytest.raises(Invalid):
        to_filters({"since": "soon"}, "UTC")


def test_the_tabs_add_up_and_say_where_counting_stopped() -> None:
    """HOOK-6."""
    assert numbers({"pending": 2, "delivering": 1, "succeeded": 1_200, "dead": 0}) == {
        "waiting": "3", "succeeded": "1,200", "dead": "0", "": "1,203",
    }  # fmt: skip
    assert numbers({"pending": 0, "delivering": 0, "succeeded": 10_000, "dead": 1})["succeeded"] == "10,000+"
    assert numbers({"pending": 0, "delivering": 0, "succeeded": 10_000, "dead": 1})[""] == "10,001+"
