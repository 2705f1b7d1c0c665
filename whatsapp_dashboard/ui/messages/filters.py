"""The log's filters in the page's address, so that a view can be linked to (MSG-8)."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from whatsapp_dashboard.messages.log_views import LogFilters
from whatsapp_dashboard.ui.addresses import address_of, filters_of
from whatsapp_dashboard.ui.times import day

NAMES = ("account", "conversation", "direction", "type", "status", "contact", "text", "since", "until")
"""Filters in the address; ``since`` and ``until`` are days (both inclusive) in the reader's time zone."""


def from_address(parameters: Mapping[str, str]) -> dict[str, str]:
    """The filters in the query of the page's address."""
    return filters_of(parameters, NAMES)


def to_address(filters: Mapping[str, str], cursor: str = "") -> str:
    """The address of the page with these filters."""
    return address_of("/messages", filters, NAMES, cursor)


def to_filters(given: Mapping[str, str], zone: str) -> LogFilters:
    """What the log is asked for. Raises :class:`Invalid` naming the field."""
    return LogFilters(
        account_id=given.get("account", ""),
        conversation_id=given.get("conversation", ""),
        direction=given.get("direction", ""),
        type=given.get("type", ""),
        status=given.get("status", ""),
        contact=given.get("contact", ""),
        text=given.get("text", ""),
        since=day(given.get("since", ""), zone, "since"),
        until=day(given.get("until", ""), zone, "until", days=1),
    )


def export_address(given: Mapping[str, str], zone: str) -> str:
    """Where the same messages are to be had as CSV."""
    filters = to_filters(given, zone)
    query = {
        "account_id": filters.account_id, "conversation_id": filters.conversation_id, "direction": filters.direction,
        "type": filters.type, "status": filters.status, "contact": filters.contact, "text": filters.text,
        "since": filters.since.isoformat() if filters.since else "", "until": filters.until.isoformat() if filters.until else "",
    }  # fmt: skip
    found = urlencode({name: value for name, value in query.items() if value})
    return "/api/messages/export.csv" + ("?" + found if found else "")
