"""Contacts and conversations in memory, while one write works on them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from whatsapp_dashboard.domain.ids import Address, ContactKind


@dataclass(slots=True, eq=False)
class ConversationEntry:
    """One conversation in memory; the fields are its columns."""

    id: str
    account_id: str
    contact_id: str
    created_at: datetime
    last_message_at: datetime
    status: str = "active"
    answered_by: str = "bot"
    bot_paused_until: datetime | None = None
    handover_reason: str = ""
    bot_since: datetime | None = None
    unread: int = 0
    last_message_id: str | None = None
    last_inbound_at: datetime | None = None
    last_message_preview: str = ""
    last_message_direction: str = ""
    last_message_type: str = ""
    closed_at: datetime | None = None
    disappear_seconds: int = 0
    disappear_set_at: datetime | None = None
    unanswered_since: datetime | None = None
    dealt_with: str | None = None


@dataclass(slots=True, eq=False)
class ContactEntry:
    """One contact in memory; the fields are its columns."""

    id: str
    account_id: str
    created_at: datetime
    kind: str = "person"
    phone: str | None = None
    lid: str | None = None
    jid: str | None = None
    name: str = ""
    push_name: str = ""
    opted_out: bool = False
    approached_at: datetime | None = None

    @property
    def address(self) -> Address:
        """Where to write to."""
        return Address(ContactKind(self.kind), phone=self.phone, lid=self.lid, jid=self.jid)

    def names(self) -> Iterable[tuple[str, str, str]]:
        """Under what this contact is found."""
        for kind, value in (("phone", self.phone), ("lid", self.lid), ("jid", self.jid)):
            if value:
                yield self.account_id, kind, value


def set_timer(conversation: ConversationEntry, seconds: int, at: datetime) -> bool:
    """Remember the timer that the chat has since ``at``, unless a newer one is known; whether it is another one now."""
    if conversation.disappear_set_at is not None and at < conversation.disappear_set_at:
        return False
    changed = conversation.disappear_seconds != max(0, seconds)
    conversation.disappear_seconds, conversation.disappear_set_at = max(0, seconds), at
    return changed


def timer_data(conversation: ConversationEntry) -> dict[str, int]:
    """What the event of a changed timer says."""
    return {"disappear_seconds": conversation.disappear_seconds}


def absorb(kept: ConversationEntry, gone: ConversationEntry) -> None:
    """Let ``kept`` show what both showed: the newest message, all that is unread, and the more careful of both bot states."""
    if gone.last_message_at >= kept.last_message_at:
        for name in ("last_message_at", "last_message_id", "last_message_preview", "last_message_direction", "last_message_type"):
            setattr(kept, name, getattr(gone, name))
    kept.unread += gone.unread
    if gone.disappear_set_at is not None:
        set_timer(kept, gone.disappear_seconds, gone.disappear_set_at)
    kept.last_inbound_at = max((at for at in (kept.last_inbound_at, gone.last_inbound_at) if at), default=None)
    if "active" in (kept.status, gone.status):
        kept.status, kept.closed_at = "active", None
    kept.dealt_with = min(kept.dealt_with, gone.dealt_with) if kept.dealt_with and gone.dealt_with else None
    if gone.answered_by == "human":
        forever = gone.bot_paused_until is None or (kept.answered_by == "human" and kept.bot_paused_until is None)
        kept.bot_paused_until = None if forever else max(at for at in (kept.bot_paused_until, gone.bot_paused_until) if at)
        kept.answered_by = "human"
    kept.handover_reason = kept.handover_reason or gone.handover_reason
    kept.bot_since = min(kept.bot_since, gone.bot_since) if kept.bot_since and gone.bot_since else None
