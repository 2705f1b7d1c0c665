"""The ledger's filters in the page's address, so that a view can be linked to (CRED-2)."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from whatsapp_dashboard.credits.views import LedgerFilters
from whatsapp_dashboard.ui.addresses import address_of, filters_of
from whatsapp_dashboard.ui.times import day

NAMES = ("type", "since", "until")
"""``since`` and ``until`` are days (both inclusive) in the reader's time zone."""


def from_address(parameters: Mapping[str, str]) -> dict[str, str]:
    """The filters in the query of the page's address."""
    return filters_of(parameters, NAMES)


def to_address(filters: Mapping[str, str], cursor: str = "") -> str:
    """The address of the page with these filters."""
    return address_of("/credits", filters, NAMES, cursor)


def to_filters(given: Mapping[str, str], zone: str) -> LedgerFilters:
    """What the ledger is asked for. Raises Invalid naming the field."""
    return LedgerFilters(
        type=given.get("type", ""),
        since=day(given.get("since", ""), zone, "since"),
        until=day(given.get("until", ""), zone, "until", days=1),
    )


def export_address(filters: LedgerFilters) -> str:
    """Where the same lines are to be had as CSV."""
    query = {
        "type": filters.type,
        "since": filters.since.isoformat() if filters.since else "",
        "until": filters.until.isoformat() if filters.until else "",
    }
    found = urlencode({name: value for name, value in query.items() if value})
    return "/api/credits/ledger.csv" + ("?" + found if found else "")
