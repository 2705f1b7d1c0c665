"""Answering hours and limits of the AI (AI-1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from whatsapp_dashboard.domain.ai_settings import AiSettings
from whatsapp_dashboard.domain.hours import DayHours, Hours

CLOSED = DayHours(open=False)
WEDNESDAY = datetime(2026, 11, 25, tzinfo=UTC)


def hours(**days: DayHours) -> Hours:
    """Open on these days only, by number of the weekday as ``d0`` to ``d6``, in Madrid (an hour ahead of UTC in winter)."""
    return Hours(enabled=True, timezone="Europe/Madrid", days=[days.get(f"d{number}", CLOSED) for number in range(7)])


@pytest.mark.parametrize(
    ("clock", "is_open"),
    [("07:59", False), ("08:00", True), ("16:59", True), ("17:00", False)],
)
def test_the_bot_answers_within_its_hours_in_its_time_zone(clock: str, is_open: bool) -> None:
    """AI-1: 9 to 18 in Madrid is 8 to 17 in UTC."""
    hour, minute = map(int, clock.split(":"))
    assert hours(d2=DayHours()).is_open(WEDNESDAY + timedelta(hours=hour, minutes=minute)) is is_open


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    """AI-1: from Wednesday 22:00 to Thursday 06:00, and on no other night."""
    night = hours(d2=DayHours(begins="22:00", ends="06:00"))
    answers = [night.is_open(WEDNESDAY + timedelta(hours=hour - 1)) for hour in range(48)]
    assert [hour for hour, is_open in enumerate(answers) if is_open] == [22, 23, *range(24, 30)]
    assert not night.is_open(WEDNESDAY - timedelta(hours=1))


def test_a_day_that_ends_when_it_begins_is_a_whole_day() -> None:
    """AI-1: 00:00 to 00:00 leaves nothing out."""
    always = Hours(enabled=True, days=[DayHours(begins="00:00", ends="00:00")] * 7)
    assert all(always.is_open(WEDNESDAY + timedelta(minutes=minute)) for minute in range(0, 7 * 1_440, 37))


def test_without_hours_the_bot_answers_at_any_time() -> None:
    """AI-1: off means no limit."""
    assert Hours(enabled=False, days=[CLOSED] * 7).is_open(WEDNESDAY)


def test_the_day_begins_at_midnight_of_the_time_zone() -> None:
    """AI-1: daily limits count from there."""
    assert Hours(timezone="Asia/Kolkata").day_start(WEDNESDAY).astimezone(UTC) == WEDNESDAY - timedelta(hours=5, minutes=30)


@given(st.lists(st.floats(0, 300), min_size=1, max_size=8), st.floats(0, 120), st.floats(0, 600))
def test_an_answer_waits_for_the_newest_message_but_never_longer_than_the_longest_wait(gaps: list[float], wait: float, more: float) -> None:
    """AI-1: the delay counts from the newest message, the longest wait from the first."""
    settings = AiSettings(wait_seconds=wait, longest_wait_seconds=min(600, wait + more))
    newest = WEDNESDAY + timedelta(seconds=sum(gaps))
    at = settings.answer_at(WEDNESDAY, newest)
    assert at <= newest + timedelta(seconds=wait)
    assert at <= WEDNESDAY + timedelta(seconds=settings.longest_wait_seconds)


@pytest.mark.parametrize(
    "bad",
    [
        {"temperature": 1.1},
        {"max_tokens": 0},
        {"history_limit": -1},
        {"prompt": "   "},
        {"prompt": "x" * 20_001},
        {"wait_seconds": 30, "longest_wait_seconds": 20},
        {"hours": {"timezone": "Mars/Olympus"}},
        {"hours": {"days": []}},
        {"hours": {"days": [{"begins": "25:00"}] * 7}},
        {"daily_answers": "many"},
        {"unknown": 1},
    ],
)
def test_settings_that_make_no_sense_are_refused(bad: dict[str, object]) -> None:
    """AI-1: each with what is wrong."""
    with pytest.raises(ValidationError):
        AiSettings.model_validate(bad)


def test_the_defaults_are_those_that_are_promised() -> None:
    """AI-1: temperature 0.7, 200 tokens, 10 messages of history."""
    settings = AiSettings()
    assert (settings.temperature, settings.max_tokens, settings.history_limit) == (0.7, 200, 10)
    assert "two or three short sentences" in settings.prompt
