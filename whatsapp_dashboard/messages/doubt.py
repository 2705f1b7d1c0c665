"""Messages of which it is in doubt whether WhatsApp has them, because a crash or a lost connection cut their sending off; and how one is
sent anew (MSG-4, MSG-11)."""

from __future__ import annotations

from whatsapp_dashboard.domain.messages import MessageStatus
from whatsapp_dashboard.messages.message_book import MessageEntry
from whatsapp_dashboard.models import Message

IN_DOUBT = "Sending was cut off; it is in doubt whether WhatsApp has it."
SENDING_AGAIN = "Being sent again: it is in doubt whether WhatsApp has it."


def is_in_doubt(message: Message | MessageEntry) -> bool:
    """Whether it waits for somebody to decide: neither proved, nor failed, nor being sent anew."""
    return message.unconfirmed and message.status == MessageStatus.SENT


def send_anew(message: Message | MessageEntry) -> None:
    """Queue a message in doubt under a new key; the contact may get it twice. A receipt for the first try still counts: it keeps
    WhatsApp's id until the new one is known, and a message that turns out to be delivered is no longer queued."""
    message.status, message.status_reason = MessageStatus.QUEUED.value, SENDING_AGAIN
    message.resends += 1
    message.attempts, message.not_before, message.sent_at, message.flagged_at = 0, None, None, None
