"""What an account's row says and offers (ACC-2, ACC-5, ACC-7, ACC-10, ACC-11)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from whatsapp_dashboard.accounts.views import AccountRow, Losses
from whatsapp_dashboard.domain.account_settings import AccountSettings
from whatsapp_dashboard.domain.account_status import AccountStatus
from whatsapp_dashboard.engines.base import Capability
from whatsapp_dashboard.ui.accounts.countries import COUNTRIES, find_countries
from whatsapp_dashboard.ui.accounts.delete_state import what_goes
from whatsapp_dashboard.ui.accounts.edit_state import NUMBERS, SWITCHES, TEXTS, flatten, limit_now
from whatsapp_dashboard.ui.accounts.lines import account_line, duration

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def row(**values: object) -> AccountRow:
    """A linked, connected account, with changes."""
    fields = dict.fromkeys(AccountRow.__dataclass_fields__)
    fields |= {
        "id": "a", "workspace_id": "w", "name": "Sales", "description": "", "engine": "sandbox", "engine_title": "Sandbox",
        "capabilities": frozenset(Capability), "status": AccountStatus.READY, "status_reason": "Connected", "status_changed_at": NOW,
        "wanted": True, "linked": True, "phone": "34600111222", "push_name": "Ana", "platform": "android", "attempt": 0,
        "connected_since": NOW - timedelta(hours=3), "last_proof_at": NOW - timedelta(seconds=9), "restriction": "", "messages_24h": 7,
        "settings": AccountSettings(), "created_at": NOW,
    }  # fmt: skip
    return replace(AccountRow(**fields), **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "linked", "next_attempt", "step"),
    [
        ("ready", True, None, "inbox"),
        ("qr_ready", False, None, "link"),
        ("disconnected", False, None, "link"),
        ("auth_failed", False, None, "link"),
        ("error", False, None, "link"),
        ("disconnected", True, None, "reconnect"),
        ("disconnected", True, NOW, "reconnect"),
        ("error", True, None, "reconnect"),
        ("initializing", True, None, ""),
    ],
)
def test_the_first_action_is_the_one_that_moves_the_account_on(status: str, linked: bool, next_attempt: datetime | None, step: str) -> None:
    """ACC-7"""
    assert account_line(row(status=AccountStatus(status), linked=linked, next_attempt_at=next_attempt), NOW).step == step


def test_only_a_proven_connection_is_shown_as_one() -> None:
    """ACC-9"""
    assert account_line(row(), NOW).connected_since
    assert account_line(row(status=AccountStatus.DISCONNECTED), NOW).connected_since == ""
    assert account_line(row(), NOW).last_life == (NOW - timedelta(seconds=9)).isoformat()


def test_an_offline_gap_is_shown_while_it_lasts_and_for_a_day() -> None:
    """ACC-10"""
    begun = NOW - timedelta(minutes=30)
    offline = row(status=AccountStatus.DISCONNECTED, gap_started_at=begun)
    assert account_line(offline, NOW).gap == "Offline for 30 min"
    healed = row(gap_started_at=begun, gap_ended_at=begun + timedelta(minutes=10))
    assert account_line(healed, NOW).gap.startswith("Was offline for 10 min")
    assert account_line(healed, NOW + timedelta(days=2)).gap == ""


def test_a_restriction_is_shown_until_it_ends() -> None:
    """ACC-11"""
    restricted = row(restricted_until=NOW + timedelta(minutes=1), restriction="463")
    assert account_line(restricted, NOW).restricted_until
    assert account_line(restricted, NOW + timedelta(minutes=2)).restricted_until == ""


def test_the_warm_up_says_what_is_left_of_the_daily_limit() -> None:
    """ACC-11"""
    assert limit_now(row(linked_at=NOW), NOW) == " Now, in the warm-up: 5."
    assert limit_now(row(linked_at=NOW - timedelta(days=8)), NOW) == ""
    assert limit_now(row(linked_at=NOW, linked=False), NOW) == ""


def test_an_account_whose_engine_needs_no_phone_is_not_asked_to_scan() -> None:
    """ENG-1"""
    line = account_line(row(status=AccountStatus.DISCONNECTED, linked=False, capabilities=frozenset({Capability.TEXT})), NOW)
    assert (line.step, line.can_link) == ("", False)


def test_the_edit_form_has_a_field_for_every_setting() -> None:
    """ACC-11: a limit added later must get its field."""
    assert set(flatten(AccountSettings())) == {*NUMBERS, *SWITCHES, *TEXTS, "default_country", "auto_reply.hours.days"}


def test_the_question_before_deleting_counts_what_goes() -> None:
    """ACC-1"""
    assert what_goes(Losses(2, 1_234, 1, 3)) == (
        "2 conversations, 1,234 messages and 1 file will be lost with it. This cannot be undone. "
        "3 messages still waiting to go out will not be sent."
    )
    assert what_goes(Losses(0, 0, 0, 0)) == "It has no conversations. This cannot be undone."


def test_countries_are_found_by_name_code_and_calling_code() -> None:
    """MSG-2"""
    assert [country.code for country in find_countries("spain")] == ["ES"]
    assert find_countries("es")[0].code in ("EE", "ES")
    assert find_countries("+351")[0].code == "PT"
    assert len(COUNTRIES) > 200
    assert find_countries("no such country") == []


@pytest.mark.parametrize(("seconds", "text"), [(5, "5 s"), (65, "1 min"), (3_700, "1 h 1 min"), (90_000, "1 d 1 h"), (-3, "0 s")])
def test_spans_are_told_in_their_two_largest_units(seconds: int, text: str) -> None:
    """ACC-10"""
    assert duration(timedelta(seconds=seconds)) == text
