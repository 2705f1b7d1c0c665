"""What receivers get of messages (HOOK-2)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from whatsapp_dashboard.webhooks.payload_base import (
    ABOUT,
    EXAMPLE_CONVERSATION,
    EXAMPLE_ID,
    EXAMPLE_WA_ID,
    NOTHING_MORE,
    Card,
    Data,
    Media,
    Milliseconds,
    Place,
    Poll,
    Quoted,
)


class IncomingMessage(Data):
    """The keys of HOOK-2 and what else there is; ``recovered`` when the message was written while the account was offline (ACC-10)."""

    title: ClassVar[str] = "Message received"
    when: ClassVar[str] = (
        "A contact wrote. History that WhatsApp syncs never comes as an event. `recovered: true` is added when the message was "
        "written while the account was offline. In groups `from` is the group, `from_name` the person and `author` the person's address. "
        "`wa_id` is WhatsApp's id of the message. `quoted` is the message it replies to; where that has no `message_id` it is not stored "
        "here, and what stands there is what the sender's phone claims. `place`, `cards` and `poll` are what was shared, `mentions` the "
        "addresses of who is mentioned. What `from` says is a `number` for the sending API as it is."
    )
    example: ClassVar[dict[str, Any]] = {
        "message_id": EXAMPLE_ID,
        "from": "34600111222@c.us",
        "from_name": "Carla Méndez",
        "to": "12025550188@c.us",
        "body": "I take this one",
        "type": "chat",
        "is_group": False,
        "group_name": None,
        "has_media": False,
        "media": None,
        "wa_id": EXAMPLE_WA_ID,
        "conversation_id": EXAMPLE_CONVERSATION,
        "author": None,
        **NOTHING_MORE,
        "quoted": {
            "message_id": "01a1fc45-6b0e-7c2a-bb21-1f0c9d1e7a35",
            "wa_id": "3EB0A1B2C3D4E5F60718",
            "from_me": True,
            "author": None,
            "type": "chat",
            "body": "The blue one is 300 €.",
        },
    }

    message_id: str
    sender: str = Field(serialization_alias="from")
    from_name: str
    to: str
    body: str
    type: str
    is_group: bool
    group_name: str | None
    has_media: bool
    media: Media | None
    wa_id: str
    conversation_id: str
    author: str | None
    quoted: Quoted | None
    place: Place | None
    cards: list[Card]
    poll: Poll | None
    mentions: list[str]
    recovered: Literal[True] | None = Field(default=None, exclude_if=lambda value: value is None)


class SentMessage(Data):
    """A message that WhatsApp has taken."""

    title: ClassVar[str] = "Message sent"
    when: ClassVar[str] = (
        "WhatsApp accepted a message of the account, whoever wrote it: `origin` is `operator`, `api`, `auto_reply`, `ai`, or `phone` "
        "for one written on the linked phone. `unconfirmed` is true when the connection broke while it was sent and WhatsApp may "
        "not have it."
    )
    example: ClassVar[dict[str, Any]] = {
        "message_id": EXAMPLE_ID,
        "from": "12025550188@c.us",
        "to": "34600111222@c.us",
        "to_name": "Carla Méndez",
        "body": "Today we have lentils.",
        "type": "chat",
        "is_group": False,
        "group_name": None,
        "has_media": False,
        "media": None,
        "origin": "operator",
        "unconfirmed": False,
        "wa_id": EXAMPLE_WA_ID,
        "conversation_id": EXAMPLE_CONVERSATION,
        **NOTHING_MORE,
    }

    message_id: str
    sender: str = Field(serialization_alias="from")
    to: str
    to_name: str
    body: str
    type: str
    is_group: bool
    group_name: str | None
    has_media: bool
    media: Media | None
    origin: str | None
    unconfirmed: bool
    wa_id: str | None
    conversation_id: str
    quoted: Quoted | None
    place: Place | None
    cards: list[Card]
    poll: Poll | None
    mentions: list[str]


class AboutMessage(Data):
    """A stored message, and whose it is."""

    message_id: str
    wa_id: str | None
    conversation_id: str
    direction: str
    contact: str
    contact_name: str
    is_group: bool


class StatusChange(AboutMessage):
    """The ticks of a message."""

    title: ClassVar[str] = "Message status"
    when: ClassVar[str] = (
        "An outgoing message became `sent`, `delivered`, `read` or `failed` (with the reason), or waits again (`queued`). A "
        "status never goes back. `flagged` is true when a message is still only sent after a minute."
    )
    example: ClassVar[dict[str, Any]] = {**ABOUT, "status": "delivered", "old_status": "sent", "reason": "", "flagged": False}

    status: str
    old_status: str | None
    reason: str
    flagged: bool


class Reaction(AboutMessage):
    """An emoji on a message."""

    title: ClassVar[str] = "Reaction"
    when: ClassVar[str] = (
        "Somebody reacted to a message, or took the reaction back (`emoji` is empty). `sender` is `me` for the account itself."
    )
    example: ClassVar[dict[str, Any]] = {**ABOUT, "sender": "34600111222@c.us", "emoji": "👍"}

    sender: str
    emoji: str


class Edit(AboutMessage):
    """A changed text."""

    title: ClassVar[str] = "Message edited"
    when: ClassVar[str] = (
        "The text of a message was changed. `body` is the new text; with `readable: false` the phone sealed it with a key that the "
        "dashboard does not have, and `body` is what the message said before. `options` are those of a poll whose options changed."
    )
    example: ClassVar[dict[str, Any]] = {
        **ABOUT,
        "direction": "incoming",
        "body": "What is on the menu tomorrow?",
        "readable": True,
        "options": None,
        "at": 1766140995000,
    }

    body: str
    readable: bool
    options: list[str] | None
    at: Milliseconds


class Revoke(AboutMessage):
    """A message deleted for everyone."""

    title: ClassVar[str] = "Message deleted"
    when: ClassVar[str] = "A message was deleted for everyone."
    example: ClassVar[dict[str, Any]] = {**ABOUT, "direction": "incoming", "at": 1766140995000}

    at: Milliseconds


class Vote(AboutMessage):
    """A vote in a poll."""

    title: ClassVar[str] = "Poll vote"
    when: ClassVar[str] = (
        "Somebody voted in a poll, or changed the vote: `options` are all that are chosen now, none when the vote was taken back."
    )
    example: ClassVar[dict[str, Any]] = {**ABOUT, "voter": "34600111222@c.us", "options": ["Lentils"]}

    voter: str
    options: list[str]
