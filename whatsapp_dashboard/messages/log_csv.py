"""Messages as CSV."""

from __future__ import annotations

from collections.abc import Iterable

from whatsapp_dashboard.core.csv_text import BOM, csv_lines, csv_time
from whatsapp_dashboard.messages.log_views import LogDetail

HEADER = (
    "id", "stored_at", "written_at", "account", "account_id", "direction", "type", "status", "reason", "contact", "phone",
    "address", "sender", "text", "file", "origin", "operator", "whatsapp_id", "sent_at", "delivered_at", "read_at", "attempts",
    "history", "recovered", "edited_at", "revoked_at", "unconfirmed",
)  # fmt: skip


def csv_header() -> str:
    """The first line of the file."""
    return BOM + csv_lines([HEADER])


def csv_rows(messages: Iterable[LogDetail]) -> str:
    """One line per message."""
    return csv_lines(_cells(message) for message in messages)


def _cells(message: LogDetail) -> tuple[str, ...]:
    row = message.row
    return (
        row.id, csv_time(row.created_at), csv_time(row.at), row.account_name, row.account_id, row.direction, row.type, row.status,
        row.status_reason, row.contact_name, row.contact_phone, message.contact_address, message.sender_name, message.body,
        row.filename, row.origin, message.operator, message.wa_id, csv_time(message.sent_at), csv_time(message.delivered_at),
        csv_time(message.read_at), str(message.attempts), _yes(row.history), _yes(row.recovered), csv_time(message.edited_at),
        csv_time(message.revoked_at), _yes(row.unconfirmed),
    )  # fmt: skip


def _yes(value: bool) -> str:
    return "yes" if value else ""
