"""Searching conversations: who matches, and which message says it (MSG-7)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from whatsapp_dashboard.domain.numbers import digits_to_find
from whatsapp_dashboard.messages.conversation_views import Hit
from whatsapp_dashboard.models import Contact, Conversation, Message

SHORTEST = 2
"""Of fewer signs, only names and numbers are looked through."""
_LID_LENGTH = 8
"""So many digits are looked for in hidden identities too; fewer stand in many of them by chance."""
_BEFORE, _AROUND = 24, 160


def matches(text: str) -> ColumnElement[bool]:
    """Name, push name or what was said; digits also match phone numbers however they are written."""
    low = text.lower()
    ways: list[ColumnElement[bool]] = [
        func.lower(col(Contact.name)).contains(low, autoescape=True),
        func.lower(col(Contact.push_name)).contains(low, autoescape=True),
    ]
    for digits in digits_to_find(text):
        ways.append(col(Contact.phone).contains(digits))
        if len(digits) >= _LID_LENGTH:
            ways.append(col(Contact.lid).contains(digits))
    if len(text) >= SHORTEST:
        said = aliased(Message)  # the list itself joins the last message
        ways.append(exists().where(col(said.conversation_id) == col(Conversation.id), _says(said, low)))
    return or_(*ways)


async def read_hits(session: AsyncSession, conversation_ids: Sequence[str], text: str) -> dict[str, Hit]:
    """Conversation id to the newest message in it that says ``text``."""
    text = text.strip()
    if len(text) < SHORTEST or not conversation_ids:
        return {}
    said = aliased(Message)
    newest = (
        select(col(said.id))
        .where(col(said.conversation_id) == col(Conversation.id), _says(said, text.lower()))
        .order_by(col(said.at).desc(), col(said.id).desc())
        .limit(1)
        .scalar_subquery()
    )
    statement = (
        select(col(Conversation.id), Message).join(Message, col(Message.id) == newest).where(col(Conversation.id).in_(conversation_ids))
    )
    return {
        conversation_id: Hit(message.id, message.at, message.direction, message.type, excerpt(message.body, text))
        for conversation_id, message in await session.execute(statement)
    }


def excerpt(body: str, text: str) -> str:
    """The part of ``body`` around ``text``, on one line."""
    line = " ".join(body.split())
    at = line.lower().find(" ".join(text.lower().split()))
    begin = max(0, at - _BEFORE)
    if begin:
        begin = line.find(" ", begin, at) + 1 or begin  # at a word, where there is one
    return ("…" if begin else "") + line[begin : begin + _AROUND] + ("…" if len(line) > begin + _AROUND else "")


def _says(said: type[Message], low: str) -> ColumnElement[bool]:
    return func.lower(col(said.body)).contains(low, autoescape=True) & col(said.revoked_at).is_(None)
