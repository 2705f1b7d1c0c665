"""What the messages that others reply to say, looked up for a whole batch of sends at once (MSG-1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.domain.ids import Address, parse_jid
from whatsapp_dashboard.domain.messages import Content, Direction
from whatsapp_dashboard.messages.content import short_word
from whatsapp_dashboard.models import Message

QUOTE_LENGTH = 1_000
"""Characters of a quoted message that go out with the reply."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """A stored message as a reply shows it; ``sender`` is who wrote it in a group, when it was not us."""

    text: str
    from_me: bool
    sender: Address | None


async def read_quoted(session: AsyncSession, account_id: str, messages: Iterable[Message]) -> dict[str, Quoted]:
    """Our id of each of ``messages`` that replies to another one, to what that one says; one query for all. A quoted message that is
    not stored here is left out: then only its WhatsApp id is known."""
    replies = [message for message in messages if message.quoted_wa_id]
    if not replies:
        return {}
    columns = (
        col(Message.conversation_id), col(Message.wa_id), col(Message.direction), col(Message.type),
        func.substr(col(Message.body), 1, QUOTE_LENGTH).label("text"), col(Message.revoked_at), col(Message.sender_address),
    )  # fmt: skip
    statement = select(*columns).where(
        col(Message.account_id) == account_id, col(Message.wa_id).in_({reply.quoted_wa_id for reply in replies})
    )
    # WhatsApp's ids are unique only inside a chat and direction.
    found = {
        (row.conversation_id, row.wa_id, row.direction == Direction.OUTGOING): Quoted(
            "" if row.revoked_at else row.text or short_word(row.type),
            row.direction == Direction.OUTGOING,
            parse_jid(row.sender_address) if row.sender_address and row.direction == Direction.INCOMING else None,
        )
        for row in await session.execute(statement)
    }
    quoted: dict[str, Quoted] = {}
    for reply in replies:
        meant = bool(reply.payload.get("quoted_from_me"))
        for from_me in (meant, not meant):
            if one := found.get((reply.conversation_id, reply.quoted_wa_id, from_me)):
                quoted[reply.id] = one
                break
    return quoted


def with_quote(content: Content, quoted: Quoted | None) -> Content:
    """``content`` with what the message it replies to says."""
    if quoted is None:
        return content
    return replace(content, quoted_from_me=quoted.from_me, quoted_text=quoted.text, quoted_sender=quoted.sender)
