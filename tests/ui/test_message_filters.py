"""The log's filters in the address (MSG-8)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from whatsapp_dashboard.errors import Invalid
from whatsapp_dashboard.ui.messages.filters import export_address, from_address, to_address, to_filters
from whatsapp_dashboard.ui.times import known_zone


def test_filters_survive_the_way_through_the_address() -> None:
    """MSG-8"""
    filters = {"account": "a1", "text": "50% & more?", "since": "2026-05-01"}
    address = to_address(filters, "older-x")
    assert address.startswith("/messages?")
    query = dict(part.split("=") for part in address.partition("?")[2].split("&"))
    assert query["text"] == "50%25+%26+more%3F"
    assert from_address({**filters, "cursor": "c", "unknown": "x", "type": ""}) == filters


def test_days_are_whole_days_of_the_readers_zone() -> None:
    """MSG-8"""
    filters = to_filters({"since": "2026-05-01", "until": "2026-05-01"}, "Europe/Madrid")
    assert filters.since == datetime(2026, 4, 30, 22, tzinfo=UTC)
    assert filters.until == datetime(2026, 5, 1, 22, tzinfo=UTC)


@pytest.mark.parametrize("given", [{"since": "yesterday"}, {"until": "9999-12-31"}, {"direction": "up"}])
def test_an_address_with_a_filter_that_cannot_be_is_refused_in_words(given: dict[str, str]) -> None:
    """MSG-8"""
    with pytest.raises(Invalid) as caught:
        to_filters(given, "UTC")
    assert caught.value.field == next(iter(given))


def test_the_export_has_the_same_filters() -> None:
    """MSG-8"""
    assert export_address({}, "UTC") == "/api/messages/export.csv"
    assert export_address({"account": "a1", "until": "2026-05-01"}, "UTC") == (
        "/api/messages/export.csv?account_id=a1&until=2026-05-02T00%3A00%3A00%2B00%3A00"
    )


@pytest.mark.parametrize(
    ("told", "taken"), [("Europe/Madrid", "Europe/Madrid"), ("../../etc/passwd", "UTC"), ("", "UTC"), ("x" * 500, "UTC")]
)
def test_a_browser_that_tells_no_time_zone_gets_utc(told: str, taken: str) -> None:
    """MSG-8"""
    assert known_zone(told) == taken
