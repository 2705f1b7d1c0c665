"""What engines tell, made storable where it enters: text, lengths, numbers and times of every field, also of one added later (MSG-3).

What a stranger wrote decides none of this: whatever a phone sends, an event goes on with the nearest value that every database takes.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from typing import Any, TypeVar, cast

from whatsapp_dashboard.domain.messages import Location
from whatsapp_dashboard.text import clean

T = TypeVar("T")

LONGEST_NUMBER = 2**31 - 1
"""Sizes and lengths are kept in 32 bits; what WhatsApp carries is smaller."""
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Between these a time can be stored, made an id of, and shown in every time zone."""

_LENGTHS = {
    "sender_name": 255,
    "chat_name": 255,
    "push_name": 255,
    "name": 255,
    "filename": 255,
    "mimetype": 128,
    "platform": 64,
    "emoji": 64,
    "code": 255,
    "reason": 500,
}
"""Characters of what is kept in a column of limited length; other text may be as long as it is."""
_IDS = {
    "wa_id": 128,
    "wa_ids": 128,
    "target_wa_id": 128,
    "quoted_id": 128,
    "jid": 128,
    "phone": 32,
    "lid": 32,
}
"""What things are called: two different ones stay different when they are cut or cleaned."""
_OPAQUE = "token"
"""Belongs to the engine: its numbers are its own business."""
_MARK = 13


def storable(value: T) -> T:
    """``value`` (an event, or what an engine's call answered) with everything in it that cannot be stored replaced; itself when nothing is.

    Text loses what :func:`~whatsapp_dashboard.text.clean` leaves out and what is longer than its column; names of things that change get a
    mark, so that two do not become one; numbers and times are brought into their range; a place that is not on Earth is left out.
    """
    return cast(T, _walk(value, ""))


def _walk(value: Any, name: str) -> Any:
    match value:
        case None | bool() | Enum() | bytes():
            return value
        case str():
            return _text(value, name)
        case int():
            return value if name == _OPAQUE else max(-LONGEST_NUMBER, min(LONGEST_NUMBER, value))
        case float():
            return value if math.isfinite(value) else 0.0
        case datetime():
            return _time(value)
        case tuple() | list():
            return type(value)(_walk(part, name) for part in value)
        case dict():
            return {_walk(key, ""): _walk(part, name) for key, part in value.items()}
        case Location() if not _on_earth(value):
            return None
        case _ if is_dataclass(value) and not isinstance(value, type):
            return _fields(value)
        case _:
            return value


def _fields(value: Any) -> Any:
    changed = {}
    for field in fields(value):
        old = getattr(value, field.name)
        new = _walk(old, field.name)
        if new is not old and new != old:
            changed[field.name] = new
    return replace(value, **changed) if changed else value


def _text(text: str, name: str) -> str:
    cleaned = clean(text)
    if name in _IDS:
        limit = _IDS[name]
        if cleaned == text and len(text) <= limit:
            return text
        mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[: _MARK - 1]
        return f"{cleaned[: limit - _MARK]}~{mark}"
    return cleaned[: _LENGTHS.get(name)]


def _time(at: datetime) -> datetime:
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max(at, EARLIEST), LATEST)


def _on_earth(place: Location) -> bool:
    return -90 <= place.latitude <= 90 and -180 <= place.longitude <= 180
