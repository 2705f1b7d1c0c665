"""A message or note as the thread shows it: plain values only, ready to be drawn as text (MSG-7, SEC-4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from whatsapp_dashboard.domain.file_names import ending_of
from whatsapp_dashboard.domain.ids import format_phone, parse_jid
from whatsapp_dashboard.domain.numbers import format_written
from whatsapp_dashboard.errors import Invalid
from whatsapp_dashboard.messages.conversation_views import ThreadItem
from whatsapp_dashboard.ui.inbox.formatting import Block, blocks_of
from whatsapp_dashboard.ui.inbox.lines import color_of

EDITABLE = timedelta(minutes=15)
OURS = "me"
_ORIGINS = {"auto_reply": "Auto-reply", "ai": "AI", "phone": "Phone", "api": "API"}
LONG_SIGNS, LONG_LINES = 900, 16
"""A text with more is folded."""


@dataclass
class Reaction:
    """One emoji, how many set it, and whether we are among them."""

    emoji: str
    count: int
    mine: bool


@dataclass
class Choice:
    """One option of a poll with its votes."""

    text: str
    votes: int
    width: str


@dataclass
class Card:
    """A shared contact."""

    name: str
    phones: str


@dataclass
class Bubble:
    """Everything the thread shows of one message or note."""

    id: str
    at: str
    kind: str = "message"
    key: str = ""
    """Under which key the browser's outbox sent it, if it did."""
    day: str = ""
    """Heading above the first item of a day."""
    missed: str = ""
    """Heading above the first of the messages that came while the account was offline (ACC-10)."""
    time: str = ""
    exact: str = ""
    mine: bool = False
    type: str = "text"
    text: str = ""
    blocks: list[Block] = field(default_factory=list)
    long: bool = False
    """Whether it is folded until somebody wants to read it."""
    fresh: str = ""
    """Heading above the first message that was unread when the conversation was opened."""
    status: str = ""
    reason: str = ""
    flagged: bool = False
    doubt: bool = False
    """Whether it is in doubt that WhatsApp has it, and somebody must decide."""
    author: str = ""
    """Who wrote an outgoing message or a note."""
    ai: bool = False
    """Whether the bot wrote it, so that it can be asked what it was made of."""
    sender: str = ""
    sender_color: str = "gray"
    shows_sender: bool = False
    media_id: str = ""
    media_state: str = ""
    media_note: str = ""
    file: str = ""
    file_info: str = ""
    quoted_id: str = ""
    quoted_name: str = ""
    quoted_text: str = ""
    quoted_type: str = ""
    reactions: list[Reaction] = field(default_factory=list)
    reacted: str = ""
    """Our own reaction."""
    place: str = ""
    place_note: str = ""
    map_href: str = ""
    cards: list[Card] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    poll_note: str = ""
    buttons: list[str] = field(default_factory=list)
    edited: str = ""
    """Said below it when it was edited."""
    deleted: bool = False
    recovered: bool = False
    history: bool = False
    editable: bool = False
    on_whatsapp: bool = False
    """Whether WhatsApp knows it, so that it can be answered, reacted to or deleted there."""


def bubble(item: ThreadItem, now: datetime, zone: str, *, group: bool, contact: str) -> Bubble:
    """The item for a reader in ``zone``; ``contact`` is what the other side is called."""
    local = item.at.astimezone(ZoneInfo(zone))
    mine = item.direction == "outgoing"
    made = Bubble(
        id=item.id, at=item.at.isoformat(), kind=item.kind, key=item.key, time=local.strftime("%H:%M"), exact=_times(item, zone), mine=mine,
        type=item.type or "text", text=item.text, blocks=blocks_of(item.text), status=item.status, reason=item.status_reason,
        flagged=item.flagged, doubt=item.unconfirmed and item.status == "sent", author=_author(item), ai=item.origin == "ai",
        deleted=item.revoked, long=len(item.text) > LONG_SIGNS or item.text.count("\n") >= LONG_LINES,
        edited=_edited(item),
        recovered=item.recovered, history=item.history, on_whatsapp=bool(item.wa_id) and not item.revoked,
        editable=mine and item.type == "text" and bool(item.wa_id) and not item.revoked and now - item.at < EDITABLE,
    )  # fmt: skip
    if group and not mine and item.kind == "message":
        made.sender = item.sender_name or _number(item.sender_address) or "Unknown"
        made.sender_color = color_of(item.sender_address or item.sender_name)
    if item.media is not None:
        _add_media(made, item)
    if item.quoted is not None:
        quoted = item.quoted
        made.quoted_id, made.quoted_type, made.quoted_text = quoted.message_id, quoted.type, quoted.text
        made.quoted_name = "You" if quoted.direction == "outgoing" else quoted.sender_name or contact
    counts = Counter(item.reactions.values())
    made.reacted = item.reactions.get(OURS, "")
    made.reactions = [Reaction(emoji, count, emoji == made.reacted) for emoji, count in counts.most_common() if emoji]
    _add_payload(made, item)
    return made


def first_fresh(items: Sequence[ThreadItem], unread: int) -> tuple[str, str]:
    """The first of the newest ``unread`` messages of the contact, and the heading above it; as far back as ``items`` go."""
    heard = [item for item in items if item.kind == "message" and item.direction == "incoming" and not item.history]
    if not heard:
        return "", ""
    return heard[-min(unread, len(heard))].id, "1 unread message" if unread == 1 else f"{unread} unread messages"


def lay_out(bubbles: list[Bubble], now: datetime, zone: str, fresh: tuple[str, str] = ("", "")) -> list[Bubble]:
    """The bubbles in order, each day's first with its heading, each sender's first in a row with the name; ``fresh`` is one's id and the
    heading above it."""
    found: list[Bubble] = []
    before: Bubble | None = None
    last_day = ""
    for one in sorted(bubbles, key=lambda each: (datetime.fromisoformat(each.at), each.id)):
        day = _day(datetime.fromisoformat(one.at), now, zone)
        first = before is None or day != last_day
        shows = bool(one.sender) and (first or before is None or before.sender != one.sender or before.kind != one.kind)
        found.append(replace(one, day=day if first else "", shows_sender=shows, missed="", fresh=fresh[1] if one.id == fresh[0] else ""))
        before, last_day = one, day
    _mark_missed(found, zone)
    return found


def _mark_missed(laid: list[Bubble], zone: str) -> None:
    """Put one heading above each row of recovered messages; notes between them do not end it, a new day does."""
    row: list[Bubble] = []
    for one in [*laid, Bubble("", "")]:
        if one.kind == "note" and not one.day:
            continue
        if row and (not one.recovered or one.day):
            first, last = (datetime.fromisoformat(end.at).astimezone(ZoneInfo(zone)).strftime("%H:%M") for end in (row[0], row[-1]))
            row[0].missed = f"Missed while offline, {first if first == last else f'{first}–{last}'}, recovered"
            row = []
        if one.recovered:
            row.append(one)


def size_text(size: int | None) -> str:
    """Bytes as people read them."""
    if size is None:
        return ""
    if size < 1_000_000:
        return f"{max(1, round(size / 1_000))} kB"
    return f"{size / 1_000_000:.1f} MB"


def _add_media(made: Bubble, item: ThreadItem) -> None:
    media = item.media
    assert media is not None
    made.media_id, made.media_state = media.id, media.state
    made.file = media.filename or {"document": "Document"}.get(item.type, "")
    kind = (ending_of(media.mimetype) or media.mimetype.rpartition("/")[2].split(";")[0]).upper() if "/" in media.mimetype else ""
    length = f"{media.seconds // 60}:{media.seconds % 60:02d}" if media.seconds else ""
    made.file_info = " · ".join(part for part in (kind[:12], size_text(media.size), length) if part)
    if media.state == "failed":
        made.media_note = media.reason or "The file could not be fetched."


def _add_payload(made: Bubble, item: ThreadItem) -> None:
    payload: dict[str, Any] = item.payload
    if place := payload.get("location"):
        latitude, longitude = float(place["latitude"]), float(place["longitude"])
        made.place = place.get("name") or "Location"
        made.place_note = place.get("address") or f"{latitude:.5f}, {longitude:.5f}"
        made.map_href = f"https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}#map=16/{latitude}/{longitude}"
    elif item.type == "location":
        made.place, made.place_note = "Location", "It came with coordinates that are nowhere on Earth."
    made.cards = [
        Card(card.get("name") or "Contact", ", ".join(map(format_written, card.get("phones", ()))))
        for card in payload.get("contacts", ())
    ]
    if poll := payload.get("poll"):
        votes = Counter(option for chosen in item.votes.values() for option in chosen)
        voters = len([chosen for chosen in item.votes.values() if chosen])
        made.choices = [Choice(text, votes[text], f"{round(100 * votes[text] / voters) if voters else 0}%") for text in poll["options"]]
        picks = poll.get("selectable", 1)
        rule = "One answer" if picks == 1 else "Any number of answers" if picks == 0 else f"Up to {picks} answers"
        made.poll_note = f"{rule} · {voters} {'voter' if voters == 1 else 'voters'}"
    made.buttons = [str(option) for option in payload.get("buttons", ())]


def _edited(item: ThreadItem) -> str:
    if not item.edited or item.revoked:
        return ""
    return "edited, the new text could not be read" if item.edit_unreadable else "edited"


def _author(item: ThreadItem) -> str:
    if item.kind == "note":
        return item.operator or "Former operator"
    if item.direction != "outgoing":
        return ""
    return item.operator or _ORIGINS.get(item.origin, "")


def _times(item: ThreadItem, zone: str) -> str:
    """Every time known of the item, for the hover text."""
    fetched = item.created_at if item.recovered else None
    named = (("", item.at), ("Fetched ", fetched), ("Sent ", item.sent_at), ("Delivered ", item.delivered_at), ("Read ", item.read_at))
    return "\n".join(label + at.astimezone(ZoneInfo(zone)).strftime("%-d %B %Y, %H:%M:%S") for label, at in named if at is not None)


def _day(at: datetime, now: datetime, zone: str) -> str:
    local, today = at.astimezone(ZoneInfo(zone)).date(), now.astimezone(ZoneInfo(zone)).date()
    if local == today:
        return "Today"
    if local == today - timedelta(days=1):
        return "Yesterday"
    return local.strftime("%A, %-d %B") if local.year == today.year else local.strftime("%-d %B %Y")


def _number(address: str) -> str:
    try:
        return format_phone(parse_jid(address).phone)
    except (Invalid, ValueError):
        return ""
