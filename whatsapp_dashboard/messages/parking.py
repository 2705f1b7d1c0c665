"""What happened to a message that is not known yet is parked, and taken up when the message is there (MSG-3, MSG-4)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from whatsapp_dashboard.domain.engine_events import (
    MessageEdited,
    MessageRevoked,
    PollChanged,
    PollVoted,
    ReactionReceived,
    Receipt,
    ReceiptKind,
)
from whatsapp_dashboard.domain.ids import Address, ContactKind, new_id
from whatsapp_dashboard.models import ParkedEvent
from whatsapp_dashboard.models.base import metadata

KEEP = timedelta(days=7)
"""How long a parked event waits for its message."""

_PARKED = metadata.tables[str(ParkedEvent.__tablename__)]

Change = Receipt | ReactionReceived | MessageEdited | MessageRevoked | PollChanged | PollVoted


def park_row(account_id: str, wa_id: str, change: Change, now: datetime) -> dict[str, Any]:
    """The row that keeps ``change`` for the message ``wa_id``."""
    kind: str
    more: dict[str, Any]
    data: dict[str, Any] = {"at": change.at.isoformat(), "chat": _address_data(change.chat)}
    match change:
        case Receipt():
            kind, more = "receipt", {"kind": change.kind.value, "reason": change.reason}
        case ReactionReceived():
            kind = "reaction"
            more = {"sender": _address_data(change.sender), "emoji": change.emoji, "from_me": change.from_me}
        case MessageEdited():
            kind = "edit"
            more = {"text": change.text, "from_me": change.from_me, "sender": _address_data(change.sender), "readable": change.readable}
        case MessageRevoked():
            kind, more = "revoke", {"from_me": change.from_me}
        case PollChanged():
            kind, more = "poll", {"question": change.question, "options": list(change.options)}
        case PollVoted():
            kind, more = "vote", {"voter": _address_data(change.voter), "options": list(change.options)}
    return {"id": new_id(), "account_id": account_id, "wa_id": wa_id, "kind": kind, "data": data | more, "created_at": now}


async def park(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """Keep these for later."""
    if rows:
        await session.execute(insert(_PARKED), rows)


async def take_parked(session: AsyncSession, wanted: Iterable[tuple[str, str]]) -> list[tuple[str, Change]]:
    """Take out what waits for these (account id, WhatsApp id) pairs, in the order it came: (account id, change)."""
    pairs = set(wanted)
    if not pairs:
        return []
    statement = select(_PARKED.c.id, _PARKED.c.account_id, _PARKED.c.wa_id, _PARKED.c.kind, _PARKED.c.data).where(
        _PARKED.c.account_id.in_({pair[0] for pair in pairs}), _PARKED.c.wa_id.in_({pair[1] for pair in pairs})
    )
    rows = [row for row in await session.execute(statement.order_by(_PARKED.c.id)) if (row.account_id, row.wa_id) in pairs]
    if rows:
        await session.execute(delete(_PARKED).where(_PARKED.c.id.in_([row.id for row in rows])))
    return [(row.account_id, _read(row.wa_id, row.kind, row.data)) for row in rows]


async def forget_old(session: AsyncSession, now: datetime) -> None:
    """Drop what waited too long."""
    await session.execute(delete(_PARKED).where(_PARKED.c.created_at < now - KEEP))


def _read(wa_id: str, kind: str, data: dict[str, Any]) -> Change:
    at = datetime.fromisoformat(data["at"])
    chat = _address(data["chat"])
    if kind == "receipt":
        return Receipt((wa_id,), ReceiptKind(data["kind"]), at, chat, data["reason"])
    assert chat is not None
    if kind == "reaction":
        return ReactionReceived(wa_id, chat, _address(data["sender"]), data["emoji"], at, data["from_me"])
    if kind == "edit":
        about = {"from_me": data.get("from_me", False), "sender": _address(data.get("sender")), "readable": data.get("readable", True)}
        return MessageEdited(wa_id, chat, data["text"], at, **about)
    if kind == "revoke":
        return MessageRevoked(wa_id, chat, at, from_me=data.get("from_me", False))
    if kind == "poll":
        return PollChanged(wa_id, chat, data["question"], tuple(data["options"]), at)
    return PollVoted(wa_id, chat, _address(data["voter"]), tuple(data["options"]), at)


def _address_data(address: Address | None) -> dict[str, Any] | None:
    if address is None:
        return None
    return {"kind": address.kind.value, "phone": address.phone, "lid": address.lid, "jid": address.jid}


def _address(data: dict[str, Any] | None) -> Address | None:
    return Address(ContactKind(data["kind"]), data["phone"], data["lid"], data["jid"]) if data else None
