"""Messages as CSV that a spreadsheet opens without running anything in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime

from whatsapp_dashboard.messages.log_views import LogDetail

HEADER = (
    "id", "stored_at", "written_at", "account", "account_id", "direction", "type", "status", "reason", "contact", "phone",
    "address", "sender", "text", "file", "origin", "operator", "whatsapp_id", "sent_at", "delivered_at", "read_at", "attempts",
    "history", "recovered", "edited_at", "revoked_at",
)  # fmt: skip
BOM = "\ufeff"
"""Tells Excel that the file is UTF-8."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(text: str) -> str:
    """``text`` with an apostrophe before it when a spreadsheet would take it for a formula."""
    return "'" + text if text.startswith(_FORMULA) else text


def csv_header() -> str:
    """The first line of the file."""
    return BOM + _lines([HEADER])


def csv_rows(messages: Iterable[LogDetail]) -> str:
    """One line per message."""
    return _lines(_cells(message) for message in messages)


def _cells(message: LogDetail) -> tuple[str, ...]:
    row = message.row
    return (
        row.id, _time(row.created_at), _time(row.at), row.account_name, row.account_id, row.direction, row.type, row.status,
        row.status_reason, row.contact_name, row.contact_phone, message.contact_address, message.sender_name, message.body,
        row.filename, row.origin, message.operator, message.wa_id, _time(message.sent_at), _time(message.delivered_at),
        _time(message.read_at), str(message.attempts), _yes(row.history), _yes(row.recovered), _time(message.edited_at),
        _time(message.revoked_at),
    )  # fmt: skip


def _lines(rows: Iterable[tuple[str, ...]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for row in rows:
        writer.writerow([safe_cell(cell) for cell in row])
    return buffer.getvalue()


def _time(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z") if moment else ""


def _yes(value: bool) -> str:
    return "yes" if value else ""
