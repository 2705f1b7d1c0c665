"""Times on their way to the browser, and days in the reader's time zone on their way back."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from whatsapp_dashboard.errors import Invalid

ASK_ZONE = "Intl.DateTimeFormat().resolvedOptions().timeZone"
"""JavaScript for the reader's time zone."""


def iso(moment: datetime | None) -> str:
    """``moment`` for the browser; empty for none."""
    return moment.isoformat() if moment else ""


def known_zone(name: object) -> str:
    """``name`` when it is a time zone, else UTC."""
    try:
        ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"
    return str(name)


def day(text: str, zone: str, field: str, days: int = 0) -> datetime | None:
    """The beginning of a day such as 2026-01-31 in ``zone``, ``days`` later; None for no text. Raises :class:`Invalid` naming ``field``."""
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text) + timedelta(days=days), time(), ZoneInfo(zone))
    except (ValueError, OverflowError):
        raise Invalid(f"“{text[:20]}” is not a date such as 2026-01-31.", field=field) from None
