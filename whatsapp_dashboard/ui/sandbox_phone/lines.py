"""What the Sandbox phone page shows, made from what the service tells."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from whatsapp_dashboard.domain.ids import format_phone
from whatsapp_dashboard.sandbox_phone.service import LinkedPhone, WaitingAccount

TIMERS = {
    0: "Messages stay",
    86_400: "Messages disappear after 24 hours",
    604_800: "Messages disappear after 7 days",
    7_776_000: "Messages disappear after 90 days",
}
_KINDS = {
    "image": "Photo", "video": "Video", "audio": "Audio", "voice": "Voice note", "document": "Document", "sticker": "Sticker",
    "location": "Location", "contact": "Contact card", "poll": "Poll",
}  # fmt: skip
_ICONS = {"video": "video", "audio": "music", "voice": "mic", "document": "file-text", "location": "map-pin", "contact": "contact"}


@dataclass
class PhoneLine:
    """One simulated phone in the selector; ``value`` is its number."""

    value: str
    label: str
    number: str
    account_id: str
    account: str
    state: str
    connected: bool
    queued: int


@dataclass
class WaitingLine:
    """One account that shows a QR."""

    id: str
    name: str
    expires_at: str


@dataclass
class ChatLine:
    """One contact in the chat list."""

    id: str
    name: str
    number: str
    preview: str
    at: str
    unread: int
    online: bool
    group: bool
    typing: bool
    timer: str = ""
    """When messages disappear there, as the chat's menu says it; empty when they stay."""


@dataclass
class Option:
    """One choice of a poll."""

    text: str
    votes: int
    mine: bool


@dataclass
class Bubble:
    """One message in the thread. ``side`` is ``right`` for what the simulated contact wrote, ``left`` for the account."""

    wa_id: str
    side: str
    writer: str
    type: str
    icon: str
    text: str
    detail: str
    preview: str
    quoted: str
    time: str
    ticks: str
    """Empty, ``waiting``, ``sent``, ``delivered`` or ``read``."""
    edited: bool
    disappears: bool
    """Whether it carries the timer of a chat whose messages disappear."""
    deleted: bool
    reactions: str
    editable: bool
    options: list[Option] = field(default_factory=list)


def phone_line(phone: LinkedPhone) -> PhoneLine:
    """A phone as the selector shows it."""
    number = format_phone(phone.number)
    return PhoneLine(
        value=phone.number,
        label=f"{phone.push_name} · {number}",
        number=number,
        account_id=phone.account_id,
        account=phone.account_name,
        state=phone.state,
        connected=phone.connected,
        queued=phone.queued,
    )


def waiting_line(account: WaitingAccount) -> WaitingLine:
    """A waiting account as the page shows it."""
    return WaitingLine(account.id, account.name, _iso(account.expires_at))


def chat_line(raw: dict[str, Any]) -> ChatLine:
    """A chat as the list shows it."""
    last = raw["last"]
    preview = ""
    if last:
        preview = "Deleted message" if raw["last_revoked"] else last.get("text") or _KINDS.get(last["type"], "")
        if raw["last_from_account"]:
            preview = "Account: " + preview
    return ChatLine(
        id=raw["id"],
        name=raw["name"],
        number="Group" if raw["kind"] == "group" else format_phone(raw["phone"]),
        preview=preview[:120],
        at=_iso(raw["last_at"]) if raw["last_at"] else "",
        unread=raw["unread"],
        online=raw["online"],
        group=raw["kind"] == "group",
        typing=raw["typing"],
        timer=TIMERS[raw["timer"]] if raw["timer"] else "",
    )


def bubbles(messages: list[dict[str, Any]]) -> list[Bubble]:
    """A thread as the page shows it."""
    texts = {raw["wa_id"]: raw["content"].get("text") or _KINDS.get(raw["content"]["type"], "") for raw in messages}
    return [_bubble(raw, texts) for raw in messages]


def _bubble(raw: dict[str, Any], texts: dict[str, str]) -> Bubble:
    content, kind = raw["content"], raw["content"]["type"]
    preview = raw.get("preview")
    deleted, mine = raw["revoked"], not raw["from_account"]
    return Bubble(
        wa_id=raw["wa_id"],
        side="right" if mine else "left",
        writer=raw["sender_name"] if mine else "Owner, on the phone" if raw["by_owner"] else "Account",
        type=kind,
        icon=_ICONS.get(kind, ""),
        text="" if deleted else content.get("text", ""),
        detail="" if deleted else _detail(kind, content),
        preview=f"data:{preview.mimetype};base64,{base64.b64encode(preview.data).decode()}" if preview and not deleted else "",
        quoted=texts.get(content.get("quoted_id", ""), "An earlier message")[:120] if content.get("quoted_id") else "",
        time=_iso(raw["at"]),
        ticks=_ticks(raw),
        edited=bool(raw["edits"]),
        disappears=bool(content.get("timer")),
        deleted=deleted,
        reactions=" ".join(raw["reactions"].values()),
        editable=(mine or raw["by_owner"]) and not deleted,
        options=_options(content, raw["votes"], raw["chat"]),
    )


def _detail(kind: str, content: dict[str, Any]) -> str:
    media, place = content.get("media"), content.get("location")
    if media and kind not in ("image", "sticker"):
        size = media.get("size") or 0
        shown = f"{size} B" if size < 1_000 else f"{size / 1_000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"
        return f"{media.get('filename') or _KINDS.get(kind, kind)} · {shown}"
    if media:
        return _KINDS[kind]
    if place:
        return place["name"] or f"{place['latitude']:.5f}, {place['longitude']:.5f}"
    if content.get("contacts"):
        return ", ".join(card["name"] for card in content["contacts"])
    return ""


def _options(content: dict[str, Any], votes: dict[str, list[str]], chat: str) -> list[Option]:
    poll = content.get("poll")
    if not poll:
        return []
    return [Option(text, sum(text in chosen for chosen in votes.values()), text in votes.get(chat, [])) for text in poll["options"]]


def _ticks(raw: dict[str, Any]) -> str:
    if raw["from_account"] and not raw["arrived_at"]:
        return "waiting"
    if raw["read_at"]:
        return "read"
    return "delivered" if raw["delivered_at"] else "sent"


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
