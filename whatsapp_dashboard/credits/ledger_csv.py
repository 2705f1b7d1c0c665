"""The ledger as CSV."""

from __future__ import annotations

from whatsapp_dashboard.core.csv_text import BOM, csv_lines, csv_time
from whatsapp_dashboard.credits.views import EntryRow

HEADER = (
    "id", "at", "type", "amount", "balance_before", "balance_after", "description", "related_type", "related_id", "operator", "contact",
)  # fmt: skip


def csv_header() -> str:
    """The first line of the file."""
    return BOM + csv_lines([HEADER])


def csv_row(row: EntryRow) -> str:
    """One line of it."""
    amounts = (str(row.amount), str(row.balance_before), str(row.balance_after))
    return csv_lines(
        [(row.id, csv_time(row.at), row.type, *amounts, row.description, row.related_type, row.related_id or "", row.operator, row.contact)]
    )
