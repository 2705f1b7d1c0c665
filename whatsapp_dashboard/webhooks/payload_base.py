"""What the data of all events have in common, and the parts that several share."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel

Milliseconds = int
"""Since 1970, UTC."""


class Data(BaseModel):
    """What an event is about. Each kind says when it comes and gives an example."""

    title: ClassVar[str]
    when: ClassVar[str]
    """When it comes, for people."""
    example: ClassVar[dict[str, Any]]


class Media(BaseModel):
    """A file of a message. ``url`` answers with the bytes to a caller who is logged in."""

    id: str
    url: str
    mimetype: str
    filename: str
    size: int | None = None


class Quoted(BaseModel):
    """The message another one replies to. Without ``message_id`` it is not stored here, and the rest is what the sender's phone says of
    it, which nobody can check."""

    message_id: str | None
    wa_id: str
    from_me: bool
    author: str | None
    type: str
    body: str


class Place(BaseModel):
    """A point on the map."""

    latitude: float
    longitude: float
    name: str
    address: str


class Card(BaseModel):
    """A shared contact."""

    name: str
    phones: list[str]


class Poll(BaseModel):
    """A poll; ``selectable`` is how many options may be chosen, 0 for any number."""

    question: str
    options: list[str]
    selectable: int


NOTHING_MORE: dict[str, Any] = {"quoted": None, "place": None, "cards": [], "poll": None, "mentions": []}
EXAMPLE_WA_ID = "3EB0C767D097B7C7C030"
EXAMPLE_CONVERSATION = "01a1fc46-0f70-7d11-9a35-5b1f6e0c2d47"
EXAMPLE_ID = "01a1fc46-0f7f-703b-8c40-c640edcd0b6b"
CONTACT = {"contact": "34600111222@c.us", "contact_name": "Carla Méndez", "is_group": False}
ABOUT = {
    "message_id": EXAMPLE_ID,
    "wa_id": EXAMPLE_WA_ID,
    "conversation_id": EXAMPLE_CONVERSATION,
    "direction": "outgoing",
    **CONTACT,
}


def milliseconds(at: datetime | str) -> Milliseconds:
    """A time, also one written in ISO 8601, as receivers get it."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return int(moment.timestamp() * 1_000)
