"""An account as the page shows it: times as text a browser reads, and what can be done now (ACC-7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from whatsapp_dashboard.accounts.views import AccountRow
from whatsapp_dashboard.domain.account_status import AccountStatus
from whatsapp_dashboard.domain.ids import format_phone
from whatsapp_dashboard.ui.times import iso

LINKABLE = frozenset({"qr", "pairing_code"})
"""Capabilities of an engine whose accounts are linked by a person with a phone."""
GAP_SHOWN = timedelta(hours=24)
"""How long a healed offline gap stays on the row (ACC-10)."""


@dataclass
class AccountLine:
    """One row. Times are ISO 8601 in UTC, empty where there is none; ``step`` is the action to offer first."""

    id: str
    name: str
    description: str
    engine: str
    status: str
    reason: str
    phone: str
    push_name: str
    platform: str
    linked: bool
    connected_since: str
    last_life: str
    life_title: str
    messages_24h: int
    webhooks: str
    """How many of the webhooks that get its events are active, and how many there are: ``1/2``; empty without any."""
    ai: bool
    """Whether its bot is on."""
    auto_reply: bool
    aside: str
    """How many events could not be stored, in words; empty for none."""
    attempt: int
    next_attempt_at: str
    gap: str
    restricted_until: str
    restriction: str
    step: str
    can_link: bool
    can_reconnect: bool
    can_disconnect: bool
    can_log_out: bool


def account_line(row: AccountRow, now: datetime, webhooks: tuple[int, int] = (0, 0), *, ai: bool = False, aside: int = 0) -> AccountLine:
    """The row as the page shows it at ``now``. ``webhooks``: those that are active, and all; ``ai``: whether its bot is on; ``aside``: how
    many events could not be stored."""
    running = row.status in (AccountStatus.INITIALIZING, AccountStatus.QR_READY, AccountStatus.READY)
    waiting = row.next_attempt_at is not None
    ready = row.status is AccountStatus.READY
    can_scan = bool(LINKABLE & row.capabilities)
    return AccountLine(
        id=row.id,
        name=row.name,
        description=row.description,
        engine=row.engine_title,
        status=row.status.value,
        reason=row.status_reason,
        phone=format_phone(row.phone),
        push_name=row.push_name,
        platform=row.platform,
        linked=row.linked,
        connected_since=iso(row.connected_since) if ready else "",
        last_life=iso(max((t for t in (row.last_proof_at, row.last_inbound_at, row.last_receipt_at) if t), default=None)),
        life_title=_life_title(row),
        messages_24h=row.messages_24h,
        webhooks=f"{webhooks[0]}/{webhooks[1]}" if webhooks[1] else "",
        ai=ai,
        auto_reply=row.settings.auto_reply.enabled,
        aside=f"{aside:,} {'event' if aside == 1 else 'events'} set aside" if aside else "",
        attempt=row.attempt,
        next_attempt_at=iso(row.next_attempt_at) if waiting and not ready else "",
        gap=_gap(row, now),
        restricted_until=iso(row.restricted_until) if row.restricted_until and row.restricted_until > now else "",
        restriction=row.restriction,
        step=_step(row, can_scan=can_scan),
        can_link=can_scan and not row.linked,
        can_reconnect=row.linked,
        can_disconnect=running or waiting,
        can_log_out=row.linked,
    )


def _step(row: AccountRow, *, can_scan: bool) -> str:
    """The one action that moves this account on: ``inbox``, ``link``, ``reconnect``, or none while it works by itself."""
    match row.status:
        case AccountStatus.READY:
            return "inbox"
        case AccountStatus.QR_READY:
            return "link"
        case _ if not row.linked:
            return "link" if can_scan else ""
        case AccountStatus.INITIALIZING:
            return ""
        case _:
            return "reconnect"


def _gap(row: AccountRow, now: datetime) -> str:
    """The latest time offline in words; empty when there was none lately."""
    begun, ended = row.gap_started_at, row.gap_ended_at
    if begun is None or not row.linked:
        return ""
    if ended is None:
        return "" if row.status is AccountStatus.READY else f"Offline for {duration(now - begun)}"
    if now - ended > GAP_SHOWN or ended - begun < timedelta(seconds=5):
        return ""
    return f"Was offline for {duration(ended - begun)}; what came meanwhile was fetched"


def _life_title(row: AccountRow) -> str:
    parts = (("WhatsApp answered", row.last_proof_at), ("message in", row.last_inbound_at), ("receipt", row.last_receipt_at))
    return "Last: " + ", ".join(f"{label} {t:%d %b %H:%M:%S} UTC" if t else f"{label} never" for label, t in parts)


def duration(span: timedelta) -> str:
    """A span of time in its two largest units."""
    seconds = max(0, int(span.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3_600:
        return f"{seconds // 60} min"
    if seconds < 86_400:
        return f"{seconds // 3_600} h {seconds % 3_600 // 60} min"
    return f"{seconds // 86_400} d {seconds % 86_400 // 3_600} h"
