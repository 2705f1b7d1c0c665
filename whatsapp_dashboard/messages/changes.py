"""What may happen to a stored message: receipts, reactions, edits, revokes, votes. Pure: an entry in, an event out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from whatsapp_dashboard.domain.engine_events import (
    MessageEdited,
    MessageRevoked,
    PollChanged,
    PollVoted,
    ReactionReceived,
    Receipt,
)
from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import Direction, MessageStatus, MessageType, status_advances
from whatsapp_dashboard.messages.content import preview
from whatsapp_dashboard.messages.message_book import MessageEntry
from whatsapp_dashboard.messages.parking import Change
from whatsapp_dashboard.models import Message

REASON_LENGTH = 500
ME = "me"
"""Under which name our own reaction is kept."""


def targets(change: Change) -> tuple[str, ...]:
    """WhatsApp's ids of the messages ``change`` is about."""
    return change.wa_ids if isinstance(change, Receipt) else (change.target_wa_id,)


def choose_target(entries: list[MessageEntry], change: Change, is_here: Callable[[MessageEntry], bool]) -> MessageEntry | None:
    """Which of the messages with the right WhatsApp id is meant; ``is_here`` says whether one is of the change's chat. Only a
    receipt may miss the chat (its address may be one we have not linked yet): what changes a text must come from the very chat, and
    from who wrote it."""
    if isinstance(change, Receipt):
        entries = [entry for entry in entries if entry.direction == Direction.OUTGOING]
    here = [entry for entry in entries if is_here(entry) and _may(entry, change)]
    if here:
        return here[0]
    return entries[0] if isinstance(change, Receipt) and len(entries) == 1 else None


def _may(entry: MessageEntry, change: Change) -> bool:
    """Whether who made ``change`` may make it: nobody edits what others wrote, and only administrators of groups delete it."""
    ours = entry.direction == Direction.OUTGOING
    match change:
        case MessageEdited():
            return ours == change.from_me and _wrote(entry, change.sender)
        case MessageRevoked():
            return ours == change.from_me or not change.chat.is_person
    return True


def _wrote(entry: MessageEntry, sender: Address | None) -> bool:
    """Whether ``sender`` wrote it, as far as a group's message tells."""
    if not entry.sender_address or sender is None or entry.direction == Direction.OUTGOING:
        return True
    return entry.sender_address in {str(sender), f"{sender.lid}@lid"}


def apply_change(entry: MessageEntry, change: Change) -> tuple[str, dict[str, Any]] | None:
    """Change ``entry``; the event's type and data, or None when there was nothing to change."""
    match change:
        case Receipt():
            return apply_status(entry, MessageStatus(change.kind.value), change)
        case ReactionReceived():
            return _react(entry, ME if change.from_me else _name(change.sender or change.chat), change.emoji)
        case MessageEdited():
            if entry.revoked_at or (entry.edited_at and entry.edited_at > change.at):
                return None
            return edit(entry, change)
        case MessageRevoked():
            if entry.revoked_at:
                return None
            entry.revoked_at = change.at
            return "message.revoked", {"at": change.at.isoformat()}
        case PollChanged():
            if entry.revoked_at or entry.type != MessageType.POLL:
                return None
            entry.body, entry.edited_at = change.question or entry.body, change.at
            return "message.edited", {"body": entry.body, "options": list(change.options), "at": change.at.isoformat()}
        case PollVoted():
            return _vote(entry, change)


def preview_after(entry: MessageEntry, change: Change) -> str | None:
    """What the inbox's list says of a message that was changed so; None when it says the same."""
    match change:
        case MessageEdited() | PollChanged():
            return preview(entry.type, entry.body)
        case MessageRevoked():
            return "This message was deleted"
    return None


def apply_status(entry: MessageEntry, new: MessageStatus, receipt: Receipt) -> tuple[str, dict[str, Any]] | None:
    """Climb the ladder of statuses, never down (MSG-4). Times that were skipped are filled in: read implies delivered."""
    old = MessageStatus(entry.status)
    if new is MessageStatus.DELIVERED and old is MessageStatus.READ and entry.delivered_at is None:
        entry.delivered_at = receipt.at  # the receipts came in the wrong order
    if not status_advances(old, new):
        return None
    entry.status = new.value
    entry.status_reason = receipt.reason[:REASON_LENGTH] if new is MessageStatus.FAILED else ""
    entry.unconfirmed = False  # whatever the receipt says, WhatsApp has spoken
    if new in (MessageStatus.DELIVERED, MessageStatus.READ):
        entry.flagged_at = entry.not_before = None
        entry.sent_at = entry.sent_at or receipt.at
        entry.delivered_at = entry.delivered_at or receipt.at
    if new is MessageStatus.READ:
        entry.read_at = receipt.at
    return "message.status", status_data(entry, old.value)


def status_data(entry: MessageEntry | Message, old: str) -> dict[str, Any]:
    """What the event ``message.status`` says."""
    return {
        "status": entry.status,
        "old_status": old,
        "reason": entry.status_reason,
        "flagged": entry.flagged_at is not None,
        "unconfirmed": entry.unconfirmed,
        "wa_id": entry.wa_id,
    }


def edit(entry: MessageEntry, change: MessageEdited) -> tuple[str, dict[str, Any]] | None:
    """Give the message its new text, or mark it as edited when that cannot be read."""
    if change.readable:
        entry.body = change.text
    elif entry.edited_at == change.at:
        return None  # told before
    entry.edited_at, entry.edit_unreadable = change.at, not change.readable
    return "message.edited", {"body": entry.body, "readable": change.readable, "at": change.at.isoformat()}


def _react(entry: MessageEntry, who: str, emoji: str) -> tuple[str, dict[str, Any]] | None:
    emoji = emoji[:64]
    if entry.reactions.get(who, "") == emoji:
        return None
    others = {name: value for name, value in entry.reactions.items() if name != who}
    entry.reactions = others | ({who: emoji} if emoji else {})
    return "message.reaction", {"sender": who, "emoji": emoji, "target_wa_id": entry.wa_id}


def _vote(entry: MessageEntry, change: PollVoted) -> tuple[str, dict[str, Any]] | None:
    voter, options = _name(change.voter or change.chat), list(change.options)
    if entry.votes.get(voter, []) == options:
        return None
    others = {name: value for name, value in entry.votes.items() if name != voter}
    entry.votes = others | ({voter: options} if options else {})
    return "message.vote", {"voter": voter, "options": options}


def _name(address: Address) -> str:
    return str(address)
