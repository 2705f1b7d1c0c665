"""The log's filters in the page's address, so that a view can be linked to (MSG-8)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from whatsapp_dashboard.errors import Invalid
from whatsapp_dashboard.messages.log_views import LogFilters

NAMES = ("account", "conversation", "direction", "type", "status", "contact", "text", "since", "until")
"""Filters in the address; ``since`` and ``until`` are days (both inclusive) in the reader's time zone."""
_LONGEST = 300


def from_address(parameters: Mapping[str, str]) -> dict[str, str]:
    """The filters in the query of an address; unknown names are dropped."""
    return {name: value[:_LONGEST] for name in NAMES if (value := parameters.get(name, ""))}


def to_address(filters: Mapping[str, str], cursor: str = "") -> str:
    """The address of the page with these filters."""
    query = {name: filters[name] for name in NAMES if filters.get(name)}
    if cursor:
        query["cursor"] = cursor
    return "/messages" + ("?" + urlencode(query) if query else "")


def known_zone(name: str) -> str:
    """``name`` when it is a time zone, else UTC."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"
    return name


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
        since=_day(given.get("since", ""), zone, "since"),
        until=_day(given.get("until", ""), zone, "until", days=1),
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


def _day(text: str, zone: str, field: str, days: int = 0) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text) + timedelta(days=days), time(), ZoneInfo(zone))
    except (ValueError, OverflowError):
        raise Invalid(f"“{text[:20]}” is not a date such as 2026-01-31.", field=field) from None
