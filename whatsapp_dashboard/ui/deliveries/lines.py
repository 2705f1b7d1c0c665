"""A delivery and its attempts as the page shows them (HOOK-6)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from whatsapp_dashboard.ui.times import iso
from whatsapp_dashboard.ui.webhooks.lines import milliseconds
from whatsapp_dashboard.webhooks.views import AttemptView, DeliveryDetail, DeliveryRow, DeliveryState

HELD = {
    "paused": "The webhook is paused.",
    "failing": "The endpoint keeps failing; it is probed.",
    "stalled": "Due deliveries did not go out; they are being set going again.",
    "off": "The webhook is switched off.",
    "quiet": "The endpoint asked to be left alone for a while.",
}


@dataclass
class DeliveryLine:
    """One row. Times are ISO 8601 in UTC, empty where there is none."""

    id: str
    at: str
    event: str
    endpoint: str
    webhook_id: str
    account: str
    state: str
    """``waiting``, ``delivering``, ``succeeded`` or ``dead``."""
    attempts: str
    result: str
    ms: str
    next_try_at: str
    held: str
    replays: str


@dataclass
class AttemptLine:
    """One request with its answer. ``round`` is a heading, only where a round begins."""

    id: str
    round: str
    title: str
    at: str
    good: bool
    result: str
    ms: str
    address: str
    request_headers: str
    response_headers: str
    response_body: str
    truncated: bool


def delivery_line(row: DeliveryRow, now: datetime) -> DeliveryLine:
    """The row as the page shows it at ``now``."""
    waiting = row.state is DeliveryState.PENDING
    return DeliveryLine(
        id=row.id,
        at=iso(row.created_at),
        event=row.event_type,
        endpoint=row.webhook_name,
        webhook_id=row.webhook_id,
        account=row.account_name or "",
        state="waiting" if waiting else row.state.value,
        attempts=f"{row.attempts} {'attempt' if row.attempts == 1 else 'attempts'}" if row.attempts else "not tried yet",
        result=_result(row.last_status, row.last_error) if row.attempts or row.last_error else "",
        ms=milliseconds(row.last_ms) if row.last_ms is not None else "",
        next_try_at=iso(row.next_try_at) if waiting and row.next_try_at and row.next_try_at > now else "",
        held=HELD.get(row.held, ""),
        replays="" if not row.replays else "replayed" if row.replays == 1 else f"replayed {row.replays} times",
    )


def attempt_lines(detail: DeliveryDetail) -> list[AttemptLine]:
    """The attempts, newest first, each round under its heading."""
    found: list[AttemptLine] = []
    before: int | None = None
    several = any(attempt.round for attempt in detail.attempts)
    for attempt in detail.attempts:
        heading = ""
        if several and attempt.round != before:
            heading = f"Replay {attempt.round}" if attempt.round else "First round"
        before = attempt.round
        found.append(_attempt_line(attempt, heading))
    return found


def pretty(body: str) -> str:
    """JSON with line breaks; anything else as it is."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body


def _attempt_line(attempt: AttemptView, heading: str) -> AttemptLine:
    return AttemptLine(
        id=attempt.id,
        round=heading,
        title=f"Attempt {attempt.number}",
        at=iso(attempt.started_at),
        good=attempt.succeeded,
        result=_result(attempt.status, attempt.error),
        ms=milliseconds(attempt.ms),
        address=attempt.address,
        request_headers=_headers(attempt.request_headers),
        response_headers=_headers(attempt.response_headers),
        response_body=attempt.response_body,
        truncated=attempt.response_truncated,
    )


def _result(status: int | None, error: str) -> str:
    if error:
        return error
    return f"Answered {status}" if status is not None else ""


def _headers(headers: dict[str, str]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in headers.items())
