"""What receivers get: a model per event, from which bodies are built and the documentation is written (HOOK-2)."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, Field

from whatsapp_dashboard.webhooks.message_payloads import Edit, IncomingMessage, Reaction, Revoke, SentMessage, StatusChange, Vote
from whatsapp_dashboard.webhooks.payload_base import CONTACT, EXAMPLE_ID, Data, Milliseconds


class Call(Data):
    """Somebody rings."""

    title: ClassVar[str] = "Call"
    when: ClassVar[str] = "A contact calls the account. The dashboard does not answer calls."
    example: ClassVar[dict[str, Any]] = {"from": "34600111222@c.us", "from_name": "Carla Méndez", "video": False, "at": 1766140995000}

    caller: str = Field(serialization_alias="from")
    from_name: str
    video: bool
    at: Milliseconds


class SessionStatus(Data):
    """The account's connection."""

    title: ClassVar[str] = "Session status"
    when: ClassVar[str] = (
        "The account's session changed: `initializing`, `qr_ready`, `ready`, `disconnected`, `auth_failed` or `error`, with the "
        "reason in words and, while it is down, as a `code` (`connection_lost`, `logged_out`, `passkey_needed` ...). `attempt` counts the "
        "tries to reconnect."
    )
    example: ClassVar[dict[str, Any]] = {
        "status": "disconnected",
        "old_status": "ready",
        "reason": "The connection to WhatsApp was lost.",
        "code": "connection_lost",
        "attempt": 1,
    }

    status: str
    old_status: str
    reason: str
    code: str
    attempt: int


class SessionQr(Data):
    """A QR waits to be scanned."""

    title: ClassVar[str] = "QR code"
    when: ClassVar[str] = (
        "A new QR code waits to be scanned until `expires_at`; get it with `GET /api/accounts/{id}/qr`. The code itself is not in "
        "the event: whoever has it can link the account. `last` says that no other follows."
    )
    example: ClassVar[dict[str, Any]] = {"expires_at": 1766141015000, "last": False}

    expires_at: Milliseconds
    last: bool


class SessionRestricted(Data):
    """WhatsApp refuses sends."""

    title: ClassVar[str] = "Sending restricted"
    when: ClassVar[str] = "WhatsApp restricts the account; the dashboard sends nothing until then."
    example: ClassVar[dict[str, Any]] = {"reason": "WhatsApp limits messages to new contacts.", "until": 1766144595000}

    reason: str
    until: Milliseconds


class AccountDeleted(Data):
    """An account is gone."""

    title: ClassVar[str] = "Account deleted"
    when: ClassVar[str] = (
        "An operator deleted the account; `account_id` says which. It is the last event about it: what still waited to be delivered is "
        "dropped. Webhooks of that account alone are deleted with it and do not get it."
    )
    example: ClassVar[dict[str, Any]] = {"by": "ana"}

    by: str


class ConversationData(Data):
    """A conversation."""

    conversation_id: str
    contact: str
    contact_name: str
    is_group: bool


class ConversationCreated(ConversationData):
    """The first word with a contact."""

    title: ClassVar[str] = "Conversation created"
    when: ClassVar[str] = "A conversation with a new contact began."
    example: ClassVar[dict[str, Any]] = {"conversation_id": EXAMPLE_ID, **CONTACT}


class ConversationUpdated(ConversationData):
    """Who answers, open or closed."""

    title: ClassVar[str] = "Conversation updated"
    when: ClassVar[str] = (
        "A conversation was taken over by a person or handed back to the bot, closed or opened again, or read, or its timer changed. "
        "It tells how it stands now; `bot_paused_until` is null unless the bot waits for a time, `handover_reason` is empty unless the bot "
        "gave the conversation to people and nobody has written since, `disappear_seconds` is 0 unless messages disappear there."
    )
    example: ClassVar[dict[str, Any]] = {
        "conversation_id": EXAMPLE_ID,
        **CONTACT,
        "status": "active",
        "answered_by": "human",
        "bot_paused_until": 1766155395000,
        "unread": 0,
        "handover_reason": "",
        "disappear_seconds": 0,
    }

    status: str
    answered_by: str
    bot_paused_until: Milliseconds | None
    unread: int
    handover_reason: str
    disappear_seconds: int


class ConversationHandedOver(ConversationData):
    """The bot gives a conversation to people."""

    title: ClassVar[str] = "Conversation handed over"
    when: ClassVar[str] = (
        "The bot stopped in a conversation and gave it to people, because it has answered more often there than the account's limits let "
        "it. A `conversation.updated` comes with it."
    )
    example: ClassVar[dict[str, Any]] = {
        "conversation_id": EXAMPLE_ID,
        **CONTACT,
        "reason": "The bot stopped: 6 answers within a minute. Perhaps the other side is a bot too. It answers again when you hand back.",
    }

    reason: str


class ConversationMerged(ConversationData):
    """Two conversations turned out to be with the same person."""

    title: ClassVar[str] = "Conversations merged"
    when: ClassVar[str] = (
        "Two conversations turned out to be with the same person: `merged_id` is gone, its messages are in `conversation_id`."
    )
    example: ClassVar[dict[str, Any]] = {"conversation_id": EXAMPLE_ID, **CONTACT, "merged_id": "01a1fc46-1d79-74a5-a7af-efa70ef512db"}

    merged_id: str


class CreditsExhausted(Data):
    """No answer by AI can be paid any more."""

    title: ClassVar[str] = "Credits used up"
    when: ClassVar[str] = (
        "An answer by AI was not made because the credits are used up. It comes once, and again only after there were enough. It belongs "
        "to no account: webhooks of one account do not get it."
    )
    example: ClassVar[dict[str, Any]] = {"balance": 1, "held": 0, "price": 2}

    balance: int
    held: int
    """Set aside for answers under way."""
    price: int


class Test(Data):
    """A test event."""

    title: ClassVar[str] = "Test"
    when: ClassVar[str] = "Somebody pressed “Send test event”. It is sent once, whatever the webhook subscribes to."
    example: ClassVar[dict[str, Any]] = {"message": "This is a test of your webhook.", "sent_by": "ana"}

    message: str
    sent_by: str


TEST = "webhook.test"
EVENT_MODELS: dict[str, type[Data]] = {
    "message": IncomingMessage,
    "message.sent": SentMessage,
    "message.status": StatusChange,
    "message.reaction": Reaction,
    "message.edited": Edit,
    "message.revoked": Revoke,
    "message.vote": Vote,
    "call": Call,
    "session.status": SessionStatus,
    "session.qr": SessionQr,
    "session.restricted": SessionRestricted,
    "conversation.created": ConversationCreated,
    "conversation.updated": ConversationUpdated,
    "conversation.handed_over": ConversationHandedOver,
    "conversation.merged": ConversationMerged,
    "account.deleted": AccountDeleted,
    "credits.exhausted": CreditsExhausted,
}
"""What a webhook can subscribe to, in the order of pages and documentation."""


class Envelope(BaseModel):
    """The body of a delivery: exactly these keys, whatever the event (HOOK-2)."""

    event: str
    account_id: str | None
    account_name: str | None
    account_phone: str | None
    timestamp: Milliseconds
    data: dict[str, Any]


_OF_NO_ACCOUNT = (CreditsExhausted,)


def example_body(name: str, model: type[Data]) -> dict[str, Any]:
    """A whole body of the event ``name``, as the documentation shows it."""
    none = model in _OF_NO_ACCOUNT
    return Envelope(
        event=name,
        account_id=None if none else "01a1fc46-0000-7000-8000-c640edcd0b6b",
        account_name=None if none else "Bakery",
        account_phone=None if none else "12025550188",
        timestamp=1766140995000,
        data=model.example,
    ).model_dump()
