"""What the message log takes and gives: filters in, rows, pages and details out (MSG-8)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from whatsapp_dashboard.domain.messages import Direction, MessageStatus, MessageType
from whatsapp_dashboard.errors import Invalid

MAX_FILTER_TEXT = 200
IN_DOUBT = "in_doubt"
"""As a status filter: messages whose sending was cut off."""
OLDER, NEWER = "older-", "newer-"


@dataclass(frozen=True, slots=True)
class LogFilters:
    """Which messages are wanted; an empty field does not filter.

    ``status`` is a status, or ``in_doubt``: sent, but it is in doubt whether WhatsApp has it. ``contact`` matches
    names and phone numbers, ``text`` what the message says; both anywhere and ignoring case.
    ``since`` (inclusive) and ``until`` (exclusive) are times at which the dashboard stored the message: synced history
    appears where it was synced. Raises :class:`Invalid` for values that cannot match anything by mistake.
    """

    account_id: str = ""
    conversation_id: str = ""
    direction: str = ""
    type: str = ""
    status: str = ""
    contact: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        for name, kind in (("direction", Direction), ("type", MessageType), ("status", MessageStatus)):
            value, choices = getattr(self, name), [*kind, *([IN_DOUBT] if name == "status" else [])]
            if value and value not in choices:
                raise Invalid(f"There is no message {name} “{value[:40]}”. Choose one of: {', '.join(choices)}.", field=name)
        for name in ("contact", "text", "account_id", "conversation_id"):
            if len(getattr(self, name)) > MAX_FILTER_TEXT:
                raise Invalid(f"The filter “{name}” takes at most {MAX_FILTER_TEXT} characters.", field=name)
        for name in ("since", "until"):
            moment = getattr(self, name)
            if moment is not None and moment.tzinfo is None:
                raise Invalid(f"The time “{name}” needs a time zone, for example 2026-01-31T00:00:00Z.", field=name)
        if self.since and self.until and self.until <= self.since:
            raise Invalid("The end of the dates lies before their beginning.", field="until")


@dataclass(frozen=True, slots=True)
class LogRow:
    """One message as a line of the log. ``text`` is clipped; :meth:`MessageLog.get` gives all of it."""

    id: str
    account_id: str
    account_name: str
    conversation_id: str
    contact_name: str
    contact_phone: str
    contact_kind: str
    direction: str
    type: str
    status: str
    status_reason: str
    origin: str
    text: str
    filename: str
    at: datetime
    created_at: datetime
    history: bool
    recovered: bool
    edited: bool
    revoked: bool
    flagged: bool
    unconfirmed: bool
    """Sending was cut off: it is in doubt whether WhatsApp has it."""


@dataclass(frozen=True, slots=True)
class LogPage:
    """Rows from new to old and the cursors of the neighbouring pages (None: there is nothing further that way).

    A filter that matches little is searched for a bounded time only. Then ``searched_to`` says how far the search came
    and the cursor in that direction goes on from there.
    """

    rows: tuple[LogRow, ...]
    newer: str | None
    older: str | None
    searched_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class LogDetail:
    """Everything known of one message."""

    row: LogRow
    body: str
    payload: dict[str, Any]
    contact_address: str
    wa_id: str
    quoted_wa_id: str
    sender_name: str
    sender_address: str
    operator: str
    in_reply_to: str
    attempts: int
    resends: int
    """How often it was sent anew although WhatsApp may have had it."""
    not_before: datetime | None
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    flagged_at: datetime | None
    edited_at: datetime | None
    edit_unreadable: bool
    """The new text could not be read: ``body`` is what it said before."""
    revoked_at: datetime | None
    reply_state: str
    reply_reason: str
    media_id: str = ""
    media_state: str = ""
    media_reason: str = ""
    media_type: str = ""
    media_size: int | None = None
    reactions: dict[str, str] = field(default_factory=dict)
    votes: dict[str, list[str]] = field(default_factory=dict)
