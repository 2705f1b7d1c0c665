"""Who had the last word in a conversation, kept up as messages are stored (MSG-14). Pure: no I/O.

Each function returns whether the messages must be looked at to know (``waiting.recount``): only when they come out of order.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Spoken(Protocol):
    """Whatever carries the columns: a table row or an entry in memory."""

    unanswered_since: datetime | None
    last_message_at: datetime
    last_inbound_at: datetime | None
    dealt_with: str | None


def contact_wrote(conversation: Spoken, at: datetime, *, late: bool) -> bool:
    """The contact wrote at ``at``; ``late`` says that it was told only after the account had been offline. Ask before the message is
    shown in the conversation."""
    if late and at < conversation.last_message_at:
        return True
    if conversation.unanswered_since is None:
        conversation.unanswered_since = at
    return False


def answered(conversation: Spoken) -> None:
    """An answer was stored, to be sent."""
    conversation.unanswered_since = None


def answered_on_phone(conversation: Spoken, at: datetime) -> bool:
    """A person wrote at ``at`` from the linked phone."""
    if conversation.unanswered_since is None:
        return False
    if conversation.last_inbound_at is not None and at < conversation.last_inbound_at:
        return True
    conversation.unanswered_since = None
    return False


def dealt_with(conversation: Spoken, mark: str) -> None:
    """Nothing that was written before ``mark``, an id made now, needs an answer."""
    conversation.unanswered_since, conversation.dealt_with = None, mark
