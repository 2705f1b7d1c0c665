"""A conversation as the inbox shows it: one line of the list, and the head of the open thread (MSG-7)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from whatsapp_dashboard.domain.ids import format_phone
from whatsapp_dashboard.messages.conversation_views import ConversationRow
from whatsapp_dashboard.ui.inbox.formatting import Part

_COLORS = ("jade", "blue", "violet", "orange", "pink", "cyan", "amber", "indigo", "crimson", "grass")
_UNNAMED = {"group": "Group", "channel": "Channel", "broadcast": "Broadcast list", "status": "Status updates"}
MOST_UNREAD = 99
HIT = "wa-hit"


@dataclass
class Line:
    """One conversation. Times are ISO 8601 for programs, ``when`` and ``exact`` are for people."""

    id: str = ""
    account_id: str = ""
    account: str = ""
    account_status: str = ""
    contact_id: str = ""
    kind: str = "person"
    name: str = ""
    own_name: str = ""
    """The name WhatsApp or an operator gave; empty when only the number is known."""
    initials: str = ""
    color: str = "gray"
    phone: str = ""
    address: str = ""
    opted_out: bool = False
    closed: bool = False
    human: bool = False
    answers: str = "nobody"
    """Who answers the next message: ``bot``, ``person`` or ``nobody``."""
    bot: bool = False
    """Whether a bot is set up for this contact, so that it can be paused and handed back to."""
    waits: str = ""
    """Since when the contact waits for a person; empty when nobody has to answer."""
    waits_text: str = ""
    hit_id: str = ""
    """The message that says what was searched for."""
    words: list[Part] = field(default_factory=list)
    """The name, and what was said, with what was searched for in a look of its own."""
    name_words: list[Part] = field(default_factory=list)
    paused_until: str = ""
    paused_text: str = ""
    stopped: str = ""
    """Why the bot gave it to people."""
    unread: int = 0
    badge: str = ""
    preview: str = ""
    preview_type: str = "text"
    ticks: str = ""
    """Status of the last message when it is an outgoing one."""
    at: str = ""
    when: str = ""
    exact: str = ""
    since: str = ""
    timer: str = ""
    """After how long messages disappear, in a sentence."""


def conversation_line(row: ConversationRow, now: datetime, zone: str, searched: str = "") -> Line:
    """The row as the page shows it to a reader in ``zone`` who looks for ``searched``."""
    phone = format_phone(row.contact_phone)
    name = row.contact_name.strip() or phone or _UNNAMED.get(row.contact_kind, "Unknown contact")
    local = row.last_message_at.astimezone(ZoneInfo(zone))
    paused = row.bot_paused_until if row.answered_by == "human" else None
    return Line(
        id=row.id, account_id=row.account_id, account=row.account_name, account_status=row.account_status.value,
        contact_id=row.contact_id, kind=row.contact_kind, name=name, own_name=row.contact_name,
        initials=initials(row.contact_name), color=color_of(row.contact_id), phone=phone, address=row.contact_address,
        opted_out=row.opted_out, closed=row.status == "closed", human=row.answered_by == "human",
        answers=row.answers_next, bot=row.has_bot,
        waits=row.waiting_since.isoformat() if row.waiting_since else "", waits_text=_waits(row.waiting_since, now, zone),
        hit_id=row.hit.message_id if row.hit else "", words=highlighted(row.hit.text, searched) if row.hit else [],
        name_words=highlighted(name, searched) if searched else [],
        paused_until=paused.isoformat() if paused else "",
        paused_text=clock_text(paused, now, zone) if paused else "",
        stopped=row.handover_reason,
        unread=row.unread, badge=str(row.unread) if row.unread <= MOST_UNREAD else f"{MOST_UNREAD}+",
        preview=row.preview, preview_type=row.preview_type or "text",
        ticks=_ticks(row),
        at=row.last_message_at.isoformat(), when=short_time(row.last_message_at, now, zone),
        exact=local.strftime("%-d %B %Y, %H:%M:%S"),
        timer=timer_text(row.disappear_seconds),
        since=row.created_at.astimezone(ZoneInfo(zone)).strftime("%-d %B %Y, %H:%M"),
    )  # fmt: skip


def highlighted(text: str, searched: str) -> list[Part]:
    """The text in pieces; those that say what was searched for look like it. Upper and lower case are the same."""
    parts, end, low, wanted = [], 0, text.lower(), " ".join(searched.lower().split())
    while wanted and len(low) == len(text) and (at := low.find(wanted, end)) >= 0:
        parts += [Part(text[end:at]), Part(text[at : at + len(wanted)], look=HIT)]
        end = at + len(wanted)
    return [part for part in (*parts, Part(text[end:])) if part.text]


def _waits(since: datetime | None, now: datetime, zone: str) -> str:
    return "" if since is None else short_time(since, now, zone)


def aged(line: Line, now: datetime, zone: str) -> Line:
    """The line some time later."""
    waits = _waits(datetime.fromisoformat(line.waits), now, zone) if line.waits else ""
    return replace(line, when=short_time(datetime.fromisoformat(line.at), now, zone), waits_text=waits)


def timer_text(seconds: int) -> str:
    """The timer of a chat in a sentence."""
    if seconds <= 0:
        return "Messages stay"
    for unit, name in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        count, rest = divmod(seconds, unit)
        if not rest and (count > 1 or unit != 86_400):
            return f"Messages disappear after {count:,} {name}{'' if count == 1 else 's'}"
    return f"Messages disappear after {seconds:,} seconds"


def _ticks(row: ConversationRow) -> str:
    if row.preview_direction != "outgoing":
        return ""
    return "in_doubt" if row.preview_unconfirmed and row.preview_status == "sent" else row.preview_status


def order(line: Line) -> tuple[str, str]:
    """Sorts lines as the service does, newest first when reversed."""
    return (datetime.fromisoformat(line.at).isoformat(timespec="microseconds"), line.id)


def initials(name: str) -> str:
    """One or two letters for the avatar; a person sign's stand-in when the name has none."""
    words = [word for word in name.split() if word[0].isalnum()]
    if not words:
        return "#"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def color_of(key: str) -> str:
    """A colour that stays the same for the same contact."""
    return _COLORS[zlib.crc32(key.encode()) % len(_COLORS)]


def short_time(at: datetime, now: datetime, zone: str) -> str:
    """How long ago, in as few signs as a list has room for."""
    seconds = (now - at).total_seconds()
    if seconds < 60:
        return "now"
    if seconds < 3_600:
        return f"{int(seconds // 60)} min"
    if seconds < 86_400:
        return f"{int(seconds // 3_600)} h"
    if seconds < 7 * 86_400:
        return f"{int(seconds // 86_400)} d"
    local, today = at.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
    return local.strftime("%-d %b") if local.year == today.year else local.strftime("%-d %b %Y")


def clock_text(at: datetime, now: datetime, zone: str) -> str:
    """``14:05``, with the day when it is not today's."""
    local, today = at.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
    return local.strftime("%H:%M") if local.date() == today.date() else local.strftime("%-d %b, %H:%M")
