"""What the Credits page and the first page make of what the services tell (CRED-2, OBS-1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from whatsapp_dashboard.credits.views import CreditDay, CreditState, EntryRow
from whatsapp_dashboard.errors import Invalid
from whatsapp_dashboard.system.folding import RecentEvent
from whatsapp_dashboard.ui.credits.filters import export_address, from_address, to_address, to_filters
from whatsapp_dashboard.ui.credits.lines import HEIGHT, MARGIN, day_chart, entry_line, left_in_words, short_day, whole
from whatsapp_dashboard.ui.home.state import _credits, _happened

NOW = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)


def row(**fields: object) -> EntryRow:
    """A line of the ledger."""
    given: dict[str, object] = {
        "id": "e1", "at": NOW, "type": "debit", "amount": 2_000, "balance_before": 5_000, "balance_after": 3_000,
        "description": "Answer by AI", "related_type": "message", "related_id": "m1", "operator": "",
    }  # fmt: skip
    return EntryRow(**(given | fields))  # type: ignore[arg-type]


def test_a_line_says_what_who_and_where() -> None:
    """CRED-2."""
    line = entry_line(row(contact="Carla", conversation_id="c1"))
    assert (line.amount, line.after, line.who, line.contact, line.href) == ("−2,000", "3,000", "AI", "Carla", "/inbox?c=c1")
    assert entry_line(row()).href == ""
    line = entry_line(row(type="credit", related_type="", related_id=None, operator="ana"))
    assert (line.amount, line.who) == ("+2,000", "ana")
    assert entry_line(row(related_type="", operator="")).who == "–", "an operator who was removed"


def test_spending_and_balance_are_drawn_to_scales_of_their_own() -> None:
    """CRED-2: a top-up of thousands does not flatten days of a few answers; every day with an answer is seen."""
    days = [CreditDay("2026-01-29", 40, 0, 0, 5_000), CreditDay("2026-01-30", 0, 0, 900, 0), CreditDay("2026-01-31", 0, 9_000, 0, 10_000)]
    chart = day_chart(days)
    assert [bar.height for bar in chart.bars] == ["100%", "0", "0"]
    assert [bar.added for bar in chart.bars] == [False, False, True]
    assert [point.split(",")[1] for point in chart.line.split()] == [f"{HEIGHT / 2:.1f}", f"{HEIGHT - MARGIN:.1f}", f"{MARGIN:.1f}"]
    assert chart.bars[1].words == "0 spent, 900 taken away, balance 0"
    assert (chart.most_spent, chart.most_balance, chart.spent, chart.first_day) == ("40", "10,000", "40", "29 Jan")
    assert day_chart([CreditDay("2026-01-30", 1, 0, 0, 9), CreditDay("2026-01-31", 1_000, 0, 0, 9)]).bars[0].height == "2%"
    empty = day_chart([CreditDay("2026-01-31", 0, 0, 0, 0)])
    assert (empty.bars[0].height, empty.most_balance) == ("0", "0")
    assert short_day("2026-12-01") == "1 Dec"


@pytest.mark.parametrize(("typed", "number"), [("50", 50), (" 1,000 ", 1_000), ("1\u00a0000", 1_000), ("−20", -20), ("-5", -5), (7, 7)])
def test_numbers_are_read_as_people_write_them(typed: object, number: int) -> None:
    """CRED-2."""
    assert whole(typed, "amount") == number


@pytest.mark.parametrize("typed", ["", "abc", "1.5", "1e9", None, "9" * 5_000, "0x10"])
def test_what_is_no_number_is_never_taken_for_zero(typed: object) -> None:
    """CRED-1: a price of 0 would turn billing off."""
    with pytest.raises(Invalid, match="whole number"):
        whole(typed, "amount")


def test_a_view_of_the_ledger_can_be_linked_to_and_exported() -> None:
    """CRED-2: what the address says is what is asked for, and back."""
    filters = from_address({"type": "debit", "since": "2026-01-30", "until": "2026-01-31", "x": "y"})
    assert to_address(filters, "c1") == "/credits?type=debit&since=2026-01-30&until=2026-01-31&cursor=c1"
    asked = to_filters(filters, "Asia/Kathmandu")
    assert asked.since
    assert asked.until
    assert asked.until - asked.since == timedelta(days=2)
    assert export_address(asked) == (
        "/api/credits/ledger.csv?type=debit&since=2026-01-30T00%3A00%3A00%2B05%3A45&until=2026-02-01T00%3A00%3A00%2B05%3A45"
    )
    assert export_address(to_filters({}, "UTC")) == "/api/credits/ledger.csv"
    with pytest.raises(Invalid):
        to_filters({"since": "soon"}, "UTC")


def test_the_first_page_tells_when_credits_run_out() -> None:
    """OBS-1, CRED-1."""
    low = CreditState(balance=10, held=6, available=4, price=2, answers_left=2, exhausted=False)
    assert (_credits(low).status, _credits(low).text, _credits(low).href) == (
        "credits_low",
        "What is left is enough for 2 answers.",
        "/credits",
    )
    assert left_in_words(CreditState(2, 0, 2, 2, 1, False)) == "for 1 answer"
    assert _credits(CreditState(1, 0, 1, 2, 0, True)).status == "credits"
    happened = _happened(RecentEvent("credits.exhausted", NOW, "", "", {"balance": 1, "held": 0, "price": 2}))
    assert (happened.kind, happened.title, happened.text) == ("credits", "Credits", "Used up: messages are not answered by AI")
