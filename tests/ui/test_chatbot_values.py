"""What the pages of the AI make of what the services tell, and of what is typed (AI-1, AI-3, AI-6, AI-9)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from whatsapp_dashboard.ai.views import (
    AiConfigView,
    Outcome,
    PassageView,
    ProviderView,
    StepView,
    TestResult,
    Today,
    Trace,
    Usage,
    UsageLine,
)
from whatsapp_dashboard.domain.ai_settings import AiSettings
from whatsapp_dashboard.domain.hours import DayHours, Hours
from whatsapp_dashboard.errors import Invalid
from whatsapp_dashboard.ui.ai_usage.filters import from_address, to_address, to_filters
from whatsapp_dashboard.ui.ai_usage.lines import day_bars, figures, model_line
from whatsapp_dashboard.ui.chatbot.form import changed, explained, read_form, switches_of, tab_of, values_of
from whatsapp_dashboard.ui.chatbot.lines import next_opening, provider_line, provider_lines, situation, taken, test_line
from whatsapp_dashboard.ui.chatbot.trying_state import TryLine, turns_of
from whatsapp_dashboard.ui.components.bars import BARS_HEIGHT, bar_lines
from whatsapp_dashboard.ui.components.week import days_of
from whatsapp_dashboard.ui.traces import OUTCOMES, dollars, trace_line

test_line.__test__ = False  # type: ignore[attr-defined]
TestResult.__test__ = False  # type: ignore[attr-defined]

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
"""A Wednesday."""
PROVIDER = ProviderView(
    id="p1", kind="groq", kind_title="Groq", label="Groq", model="m", url="", has_key=True, key_hint="6789", takes_images=None,
    takes_audio=False, concurrency=20, enabled=True, resting_until=None, last_error="", last_ok_at=None,
)  # fmt: skip
VIEW = AiConfigView("a1", "Bakery", True, AiSettings(), (PROVIDER,), Today(3, 100, 0.0, False), True)
STEP = StepView("p1", "Groq", "groq", "m", Outcome.OK, "", 840, 12, 7, 1_500)


def form_of(settings: AiSettings) -> dict[str, str]:
    """What the browser sends of a form that shows ``settings``."""
    form = values_of(settings) | {name: "on" for name, on in switches_of(settings).items() if on} | {"timezone": settings.hours.timezone}
    for day in days_of(settings.hours):
        form |= {f"{day.key}-begins": day.begins, f"{day.key}-ends": day.ends} | ({f"{day.key}-open": "on"} if day.open else {})
    return form


@pytest.mark.parametrize(
    ("view", "key"),
    [
        (VIEW, "answers"),
        (replace(VIEW, enabled=False), "off"),
        (replace(VIEW, providers=()), "no_provider"),
        (replace(VIEW, providers=(replace(PROVIDER, enabled=False),)), "no_provider"),
        (replace(VIEW, today=Today(3, 0, 0, True), open_now=False), "limit"),
        (replace(VIEW, open_now=False), "closed"),
        (replace(VIEW, providers=(replace(PROVIDER, resting_until=NOW + timedelta(seconds=30)),)), "failing"),
        (replace(VIEW, providers=(replace(PROVIDER, resting_until=NOW + timedelta(seconds=30)), PROVIDER)), "answers"),
    ],
)
def test_the_page_says_whether_the_bot_answers_now(view: AiConfigView, key: str) -> None:
    """AI-1, AI-3: the first reason why it does not."""
    assert situation(view, NOW).key == key


def test_the_page_says_when_the_bot_answers_again() -> None:
    """AI-1: in the time zone of its answering hours, also across the days that are closed."""
    days = [DayHours(open=weekday == 0, begins="08:30", ends="12:00") for weekday in range(7)]
    hours = Hours(enabled=True, timezone="Asia/Kolkata", days=days)
    settings = AiSettings(hours=hours)
    closed = situation(replace(VIEW, settings=settings, open_now=False), NOW)
    assert closed.text == "Answers again Monday at 08:30 (Asia/Kolkata)."
    assert closed.until == "2026-11-30T08:30:00+05:30"
    assert next_opening(Hours(days=[DayHours(open=False)] * 7), NOW) is None
    limited = situation(replace(VIEW, settings=settings, today=Today(9, 0, 0, True)), NOW)
    assert limited.until == "2026-11-26T00:00:00+05:30"


def test_a_provider_says_how_it_does_and_shows_only_the_end_of_its_key() -> None:
    """AI-3, AI-9"""
    assert (provider_line(PROVIDER, NOW).key, provider_line(replace(PROVIDER, has_key=False), NOW).key) == ("••••6789", "no key")
    assert provider_line(PROVIDER, NOW).state == "new"
    assert provider_line(replace(PROVIDER, last_ok_at=NOW), NOW).state == "works"
    assert provider_line(replace(PROVIDER, enabled=False, last_error="x"), NOW).state == "off"
    resting = provider_line(replace(PROVIDER, last_error="Too slow.", resting_until=NOW + timedelta(seconds=9)), NOW)
    assert (resting.state, resting.error, resting.resting_until) == ("resting", "Too slow.", (NOW + timedelta(seconds=9)).isoformat())
    assert provider_line(replace(PROVIDER, last_error="Too slow.", resting_until=NOW), NOW).state == "failing"
    assert provider_line(PROVIDER, NOW).takes == "voice: no"
    assert (provider_line(PROVIDER, NOW).kind_title, provider_line(replace(PROVIDER, label="Fast"), NOW).kind_title) == ("", "Groq")


def test_what_a_test_found_stays_beside_its_provider_when_the_list_is_read_again() -> None:
    """AI-2: also when the order changed."""
    good = test_line(TestResult(True, 1_200, "Yes!", "", Outcome.OK, "m"))
    bad = test_line(TestResult(False, 30, "", "Groq does not accept the key.", Outcome.AUTH, "m"))
    assert (good.state, good.words, good.answer) == ("good", "Answered after 1.2 s.", "Yes!")
    assert (bad.state, bad.words) == ("bad", "Key refused after 30 ms. Groq does not accept the key.")
    before = [provider_line(PROVIDER, NOW, test=good)]
    lines = provider_lines(replace(VIEW, providers=(replace(PROVIDER, id="p2"), PROVIDER)), NOW, before)
    assert [(line.id, line.test.state, line.first, line.last) for line in lines] == [("p2", "", True, False), ("p1", "good", False, True)]


def test_every_outcome_has_words() -> None:
    """AI-6"""
    assert set(OUTCOMES) == set(Outcome)
    assert [taken(choice) for choice in ("yes", "no", "auto", None)] == [True, False, None, None]


def test_a_form_that_shows_the_settings_sends_the_settings() -> None:
    """AI-1: so only what was changed is saved."""
    for settings in (AiSettings(), AiSettings(use_images=False, temperature=0.3, hours=Hours(enabled=True, timezone="Europe/Madrid"))):
        read, errors = read_form(form_of(settings))
        assert errors == {}
        assert changed(read, settings) == {}
    read, _ = read_form(form_of(AiSettings()) | {"prompt": "Be brief.\r\nAlways.", "wait_seconds": "1,5"})
    assert changed(read, AiSettings()) == {"prompt": "Be brief.\nAlways.", "wait_seconds": 1.5}


def test_what_is_no_number_is_told_beside_its_field() -> None:
    """AI-1"""
    _, errors = read_form(form_of(AiSettings()) | {"max_tokens": "many", "daily_cost_usd": ""})
    assert errors == {"max_tokens": "Write a whole number.", "daily_cost_usd": "Write a number."}


@pytest.mark.parametrize(
    ("field", "message", "where", "words"),
    [
        ("max_tokens", "max_tokens: Input should be less than or equal to 8192.", "max_tokens", "It must be less than or equal to 8192."),
        ("hours.days.2.begins", "hours.days.2.begins: String should match pattern", "day2", "Enter when it begins, for example 09:30."),
        ("hours.timezone", "hours.timezone: 'Mars' is not a time zone.", "timezone", "'Mars' is not a time zone."),
        ("longest_wait_seconds", "longest_wait_seconds: the longest wait must not be shorter than the delay.", "longest_wait_seconds",
         "The longest wait must not be shorter than the delay."),
        (None, "No.", "form", "No."),
    ],
)  # fmt: skip
def test_a_refused_setting_is_explained_where_it_stands(field: str | None, message: str, where: str, words: str) -> None:
    """AI-1"""
    assert explained(Invalid(message, field=field)) == {where: words}
    assert tab_of(where) == ("" if where == "form" else "prompt" if where == "max_tokens" else "when")


def test_a_trace_says_who_answered_and_what_it_took() -> None:
    """AI-3, AI-5, AI-6"""
    failed = StepView("p0", "First", "openai", "m", Outcome.TIMEOUT, "No answer in 20 s.", 20_000, 0, 0, None)
    rests = StepView("p9", "Third", "openai", "m", Outcome.RESTING, "It failed lately.", 0, 0, 0, None)
    made = trace_line(Trace("answer", (failed, STEP), (PassageView("d", "Hours", "Sunday", "Closed.", 1.0),), ("m1", "m2"), NOW))
    assert made.summary == "Groq · after 1 other · 20.8 s · 19 tokens · 1 passage"
    assert made.together == "Answers 2 messages together."
    assert [step.facts for step in made.steps] == ["20.0 s", "840 ms · tokens 12 in, 7 out · $0.0015"]
    assert made.passages[0].text == "Closed."
    excuse = trace_line(Trace("failure", (failed, rests), ()))
    assert excuse.summary.startswith("No provider answered")
    assert excuse.steps[1].facts == "not asked"
    assert "failure text" in excuse.note


@pytest.mark.parametrize(("micros", "text"), [(None, "–"), (0, "$0"), (30, "$0.00003"), (9_990, "$0.00999"), (1_234_567_890, "$1,234.57")])
def test_money_is_shown_with_the_digits_it_has(micros: int | None, text: str) -> None:
    """AI-6"""
    assert dollars(micros) == text


def test_usage_adds_up_in_words() -> None:
    """AI-6"""
    total = UsageLine("", "", 4, 3, 1_000, 50, 0, 900)
    days = (UsageLine("2026-11-24", "", 0, 0, 0, 0, 0, None), UsageLine("2026-11-25", "", 4, 3, 1_000, 50, 0, None))
    usage = Usage(total, (UsageLine("Groq", "m", 4, 3, 1_000, 50, 0, 900),), days)
    found = figures(usage)
    assert (found.calls, found.failed, found.rate, found.tokens, found.cost) == ("4", "1 did not answer", "75 %", "1,050", "–")
    assert (found.first_day, found.last_day) == ("24 Nov", "25 Nov")
    assert day_bars(usage)[1].title == "25 Nov: 3 answered, 1 not"
    assert (model_line(usage.by_model[0]).rate, model_line(usage.by_model[0]).p95) == ("75 %", "900 ms")
    assert figures(Usage(UsageLine("", "", 0, 0, 0, 0, 0, None), ())).rate == "–"


def test_bars_fill_the_height_and_nothing_is_invisible() -> None:
    """AI-6"""
    bars = bar_lines([(0, 0, ""), (1, 0, ""), (5_000, 5_000, "")])
    assert (bars[0].good, bars[1].good, bars[1].bad) == (0, 2, 0)
    assert bars[2].good + bars[2].bad == BARS_HEIGHT - 4


def test_usage_filters_stand_in_the_address() -> None:
    """AI-6: and what is not known there is dropped."""
    given = from_address({"days": "7", "outcome": "failed", "purpose": "nonsense", "account": "a1", "other": "x"})
    assert given == {"days": "7", "outcome": "failed", "account": "a1"}
    assert to_address(given, "c") == "/ai-usage?days=7&account=a1&outcome=failed&cursor=c"
    assert (to_filters(given).outcome, to_filters(given).account_id) == ("failed", "a1")


def test_the_bot_is_told_only_what_was_really_said() -> None:
    """AI-7: not the text for failures, and no errors."""
    lines = [TryLine("1", True, "Hi"), TryLine("2", False, "Sorry", "failure"), TryLine("3", True, "Hello?")]
    lines.append(TryLine("4", False, "", "busy"))
    assert [(turn.role, turn.text) for turn in turns_of(lines)] == [("user", "Hi"), ("user", "Hello?")]
