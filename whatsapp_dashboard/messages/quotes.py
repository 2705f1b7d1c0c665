"""What the messages that others reply to say, looked up for a whole batch at once (MSG-1, MSG-12)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.domain.ids import Address, parse_jid
from whatsapp_dashboard.domain.messages import Content, Direction
from whatsapp_dashboard.errors import Invalid
from whatsapp_dashboard.messages.content import short_word
from whatsapp_dashboard.models import Message

QUOTE_LENGTH = 1_000
"""Characters of a quoted message that go out with the reply."""


class Reply(Protocol):
    """What is known of a message that may reply to another one."""

    @property
    def id(self) -> str: ...
    @property
    def conversation_id(self) -> str: ...
    @property
    def quoted_wa_id(self) -> str | None: ...
    @property
    def payload(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Quoted:
    """A message as a reply shows it; ``sender`` is who wrote it in a group, when it was not us.

    Without ``message_id`` it is not stored here, and the rest is what the reply says of it, which nobody can check."""

    text: str
    from_me: bool
    sender: Address | None
    type: str = ""
    message_id: str = ""
    sender_name: str = ""


async def read_quoted(session: AsyncSession, accounts: str | Iterable[str], replies: Iterable[Reply]) -> dict[str, Quoted]:
    """Our id of each of ``replies`` that replies to another message, to what that one says; one query for all. A quoted message that is
    not stored here is left out: then only what the reply says of it is known, see :func:`claimed`."""
    found_replies = [reply for reply in replies if reply.quoted_wa_id]
    if not found_replies:
        return {}
    columns = (
        col(Message.id), col(Message.conversation_id), col(Message.wa_id), col(Message.direction), col(Message.type),
        func.substr(col(Message.body), 1, QUOTE_LENGTH).label("text"), col(Message.revoked_at), col(Message.sender_address),
        col(Message.sender_name),
    )  # fmt: skip
    account_ids = [accounts] if isinstance(accounts, str) else list(accounts)
    statement = select(*columns).where(
        col(Message.account_id).in_(account_ids), col(Message.wa_id).in_({reply.quoted_wa_id for reply in found_replies})
    )
    # WhatsApp's ids are unique only inside a chat and direction.
    found = {
        (row.conversation_id, row.wa_id, row.direction == Direction.OUTGOING): Quoted(
            "" if row.revoked_at else row.text or short_word(row.type),
            row.direction == Direction.OUTGOING,
            parse_jid(row.sender_address) if row.sender_address and row.direction == Direction.INCOMING else None,
            row.type,
            row.id,
            row.sender_name,
        )
        for row in await session.execute(statement)
    }
    quoted: dict[str, Quoted] = {}
    for reply in found_replies:
        meant = bool(reply.payload.get("quoted_from_me"))
        for from_me in (meant, not meant):
            if one := found.get((reply.conversation_id, reply.quoted_wa_id, from_me)):
                quoted[reply.id] = one
                break
    return quoted


def claimed(payload: Mapping[str, Any]) -> Quoted | None:
    """What a reply says itself of the message it replies to; None when it says nothing."""
    said = payload.get("quoted")
    if not said:
        return None
    try:
        sender = parse_jid(said["sender"]) if said["sender"] else None
    except Invalid:
        sender = None
    kind = said["type"]
    return Quoted(said["text"] or (short_word(kind) if kind else ""), bool(payload.get("quoted_from_me")), sender, kind)


def with_quote(content: Content, quoted: Quoted | None) -> Content:
    """``content`` with what the message it replies to says."""
    if quoted is None:
        return content
    return replace(content, quoted_from_me=quoted.from_me, quoted_text=quoted.text, quoted_sender=quoted.sender)
