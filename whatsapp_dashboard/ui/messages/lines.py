"""A message as the log page shows it, and everything known of one (MSG-8)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from whatsapp_dashboard.domain.ids import format_phone
from whatsapp_dashboard.messages.log_views import IN_DOUBT, LogDetail, LogRow
from whatsapp_dashboard.ui.components.message_marks import MESSAGE_STATUSES, MESSAGE_TYPES

LATE = timedelta(minutes=2)
"""A message stored this much after it was written says so."""
_ORIGINS = {"operator": "an operator", "api": "the API", "auto_reply": "the auto-reply", "ai": "AI", "phone": "the linked phone"}
_KINDS = {"group": "Group", "channel": "Channel", "broadcast": "Broadcast", "status": "Status updates"}


@dataclass
class LogLine:
    """One row. ``marks`` names what is special about it: edited, deleted, recovered, history, unproven."""

    id: str
    account: str
    contact: str
    number: str
    incoming: bool
    type: str
    text: str
    status: str
    reason: str
    at: str
    marks: str


@dataclass
class Fact:
    """One line of the details; ``time`` instead of ``text`` is an ISO 8601 time."""

    label: str
    text: str = ""
    time: str = ""
    mono: bool = False


def log_line(row: LogRow) -> LogLine:
    """The row as the page shows it."""
    marks = [
        label
        for label, there in (
            ("deleted", row.revoked), ("edited", row.edited), ("history", row.history), ("recovered", row.recovered),
            ("no proof of delivery", row.flagged and row.status == "sent"),
        )
        if there
    ]  # fmt: skip
    number = format_phone(row.contact_phone)
    return LogLine(
        id=row.id,
        account=row.account_name,
        contact=row.contact_name or number or _KINDS.get(row.contact_kind, "Unknown contact"),
        number=number if row.contact_name else "",
        incoming=row.direction == "incoming",
        type=row.type,
        text=row.text or row.filename,
        status=IN_DOUBT if _in_doubt(row) else row.status,
        reason=row.status_reason,
        at=row.created_at.isoformat(),
        marks=", ".join(marks),
    )


def facts(detail: LogDetail) -> list[Fact]:
    """Everything known of a message that is not its text, in reading order; what is unknown is left out."""
    row = detail.row
    found = [
        Fact("Status", MESSAGE_STATUSES[IN_DOUBT] if _in_doubt(row) else MESSAGE_STATUSES.get(row.status, row.status)),
        Fact("Reason", row.status_reason),
        Fact("Account", row.account_name),
        Fact("From" if row.direction == "incoming" else "To", row.contact_name),
        Fact("Phone number", format_phone(row.contact_phone)),
        Fact("Address", detail.contact_address, mono=True),
        Fact("Written by", detail.sender_name or detail.sender_address),
        Fact("Type", MESSAGE_TYPES[row.type][1] if row.type in MESSAGE_TYPES else row.type),
        Fact("Sent by", _ORIGINS.get(row.origin, row.origin) + (f" ({detail.operator})" if detail.operator else "")),
        Fact("File", row.filename),
        Fact("File type", detail.media_type),
        Fact("File size", _size(detail.media_size)),
        Fact("File state", ": ".join(part for part in (detail.media_state, detail.media_reason) if part)),
        Fact("Attempts", str(detail.attempts) if detail.attempts else ""),
        Fact("Sent anew", f"{detail.resends} time{'' if detail.resends == 1 else 's'}" if detail.resends else ""),
        Fact("Automatic answer", _answer(detail)),
        Fact("Votes", "; ".join(f"{voter}: {', '.join(options)}" for voter, options in detail.votes.items() if options)),
        Fact("Reactions", "  ".join(f"{emoji} {who}" for who, emoji in detail.reactions.items() if emoji)),
        Fact("Content", json.dumps(detail.payload, ensure_ascii=False) if detail.payload else "", mono=True),
        Fact("Message id", row.id, mono=True),
        Fact("WhatsApp id", detail.wa_id, mono=True),
        Fact("Replies to", detail.quoted_wa_id, mono=True),
        Fact("Answers message", detail.in_reply_to, mono=True),
        Fact("Conversation id", row.conversation_id, mono=True),
    ]
    return [fact for fact in found if fact.text]


def steps(detail: LogDetail) -> list[Fact]:
    """When what happened to a message, in order."""
    row = detail.row
    incoming = row.direction == "incoming"
    moments: list[tuple[str, datetime | None]] = [
        ("Written", row.at if incoming or abs(row.created_at - row.at) > LATE else None),
        ("Stored here" if incoming else "Accepted and stored", row.created_at),
        ("Next attempt", detail.not_before if row.status == "queued" else None),
        ("Sending was cut off" if _in_doubt(row) else "Sent to WhatsApp", detail.sent_at),
        ("Delivered to the phone", detail.delivered_at),
        ("Read", detail.read_at),
        ("Flagged: no proof of delivery", detail.flagged_at),
        ("Edited; the new text could not be read" if detail.edit_unreadable else "Edited", detail.edited_at),
        ("Deleted", detail.revoked_at),
    ]
    return [Fact(label, time=moment.isoformat()) for label, moment in moments if moment]


def trouble(row: LogRow) -> str:
    """What is wrong with an outgoing message that can be sent again; empty when nothing is (MSG-11)."""
    if row.direction != "outgoing" or row.revoked:
        return ""
    if row.status == "failed":
        return row.status_reason or "Sending failed."
    if _in_doubt(row):
        return "In doubt: sending was cut off, and WhatsApp has not said whether it has the message."
    if row.flagged and row.status == "sent" and row.origin != "phone":
        return "No proof of delivery: WhatsApp took the message and has not confirmed that it reached the phone."
    return ""


def _in_doubt(row: LogRow) -> bool:
    return row.unconfirmed and row.status == "sent"


def _answer(detail: LogDetail) -> str:
    match detail.reply_state:
        case "answered":
            return "answered"
        case "skipped":
            return f"none: {detail.reply_reason}" if detail.reply_reason else "none"
        case state:
            return state


def _size(size: int | None) -> str:
    if size is None:
        return ""
    value = float(size)
    for unit in ("bytes", "KiB", "MiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} GiB"
