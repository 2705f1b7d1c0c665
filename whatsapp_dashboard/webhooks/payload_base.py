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


EXAMPLE_ID = "01a1fc46-0f7f-703b-8c40-c640edcd0b6b"
CONTACT = {"contact": "34600111222@c.us", "contact_name": "Carla Méndez", "is_group": False}
ABOUT = {"message_id": EXAMPLE_ID, "direction": "outgoing", **CONTACT}


def milliseconds(at: datetime | str) -> Milliseconds:
    """A time, also one written in ISO 8601, as receivers get it."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return int(moment.timestamp() * 1_000)
