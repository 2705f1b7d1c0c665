"""The domain's types to and from JSON, for engines that live in another process (ENG-2, ENG-5). Pure: no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from whatsapp_dashboard.domain.engine_events import (
    CallReceived,
    ContactSeen,
    ConversationEvent,
    MessageEdited,
    MessageReceived,
    MessageRevoked,
    PollChanged,
    PollVoted,
    ReactionReceived,
    Receipt,
    ReceiptKind,
    TimerChanged,
)
from whatsapp_dashboard.domain.ids import Address, parse_jid
from whatsapp_dashboard.domain.messages import ContactCard, Content, Location, MediaFile, MediaRef, MessageType, Poll, Timer

Raw = dict[str, Any]


def time_from_raw(seconds: float) -> datetime:
    """A time in UTC from seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def address_to_raw(address: Address) -> Raw:
    """Both identities of a person, where known."""
    alt = f"{address.lid}@lid" if address.phone and address.lid else None
    return {"jid": str(address), "alt": alt}


def address_from_raw(raw: Mapping[str, Any]) -> Address:
    """The address of ``raw``. Raises :class:`Invalid` when it is none."""
    return parse_jid(raw["jid"], alt=raw.get("alt"))


def content_to_raw(content: Content) -> tuple[Raw, bytes]:
    """What a message says, and the bytes of its file, if it has one to send."""
    raw: Raw = {"type": content.type.value, "text": content.text}
    data = b""
    if content.location:
        place = content.location
        raw["location"] = {"latitude": place.latitude, "longitude": place.longitude, "name": place.name, "address": place.address}
    if content.contacts:
        raw["contacts"] = [{"name": card.name, "phones": list(card.phones), "vcard": card.vcard} for card in content.contacts]
    if content.poll:
        raw["poll"] = {
            "question": content.poll.question,
            "options": list(content.poll.options),
            "selectable": content.poll.selectable,
        }
    if isinstance(content.media, MediaFile):
        data = content.media.data
        raw["media"] = {"mimetype": content.media.mimetype, "filename": content.media.filename, "size": len(data)}
    elif content.media:
        ref = content.media
        raw["media"] = {
            "token": ref.token,
            "mimetype": ref.mimetype,
            "filename": ref.filename,
            "size": ref.size,
            "seconds": ref.seconds,
        }
    if content.quoted_id:
        raw["quoted_id"], raw["quoted_from_me"] = content.quoted_id, content.quoted_from_me
        raw["quoted_text"] = content.quoted_text
        raw["quoted_type"] = content.quoted_type.value if content.quoted_type else None
        raw["quoted_sender"] = _optional_to_raw(content.quoted_sender)
    if content.mentions:
        raw["mentions"] = list(content.mentions)
    if content.timer:
        raw["timer"] = _timer_to_raw(content.timer)
    return raw, data


def content_from_raw(raw: Mapping[str, Any], data: bytes = b"") -> Content:
    """What a message says; ``data`` are the bytes of a file to send. Raises KeyError or ValueError for what this version does not know."""
    place, poll = raw.get("location"), raw.get("poll")
    return Content(
        type=MessageType(raw["type"]),
        text=raw.get("text", ""),
        location=Location(**place) if place else None,
        contacts=tuple(ContactCard(card["name"], tuple(card["phones"]), card["vcard"]) for card in raw.get("contacts", ())),
        poll=Poll(poll["question"], tuple(poll["options"]), poll["selectable"]) if poll else None,
        media=_media_from_raw(raw["media"], data) if raw.get("media") else None,
        quoted_id=raw.get("quoted_id"),
        quoted_from_me=bool(raw.get("quoted_from_me")),
        quoted_text=raw.get("quoted_text", ""),
        quoted_type=MessageType(raw["quoted_type"]) if raw.get("quoted_type") else None,
        quoted_sender=_optional(raw.get("quoted_sender")),
        mentions=tuple(raw.get("mentions", ())),
        timer=_timer(raw.get("timer")),
    )


def _media_from_raw(media: Mapping[str, Any], data: bytes) -> MediaRef | MediaFile:
    if "token" not in media:
        return MediaFile(data, media["mimetype"], media["filename"])
    return MediaRef(
        token=media["token"],
        mimetype=media["mimetype"],
        size=media["size"],
        filename=media["filename"],
        seconds=media.get("seconds"),
    )


def event_to_raw(event: ConversationEvent) -> Raw:
    """What happened, as :func:`event_from_raw` reads it again; whether it waited on the server is told beside it."""
    if isinstance(event, ContactSeen):
        return {"k": "contact", "chat": address_to_raw(event.address), "name": event.name, "push_name": event.push_name}
    raw: Raw = {"chat": _optional_to_raw(event.chat), "at": event.at.timestamp()}
    match event:
        case MessageReceived():
            content, _ = content_to_raw(event.content)
            raw |= {"k": "message", "wa_id": event.wa_id, "content": content, "from_me": event.from_me}
            raw |= {"sender": _optional_to_raw(event.sender), "sender_name": event.sender_name, "chat_name": event.chat_name}
            raw["history"] = event.history
            if event.timer:
                raw["timer"] = _timer_to_raw(event.timer)
        case Receipt():
            raw |= {"k": "receipt", "wa_ids": list(event.wa_ids), "kind": event.kind.value, "reason": event.reason}
        case ReactionReceived():
            raw |= {"k": "reaction", "wa_id": event.target_wa_id, "emoji": event.emoji, "from_me": event.from_me}
            raw["sender"] = _optional_to_raw(event.sender)
        case MessageEdited():
            raw |= {"k": "edit", "wa_id": event.target_wa_id, "text": event.text, "from_me": event.from_me, "readable": event.readable}
            raw["sender"] = _optional_to_raw(event.sender)
        case MessageRevoked():
            raw |= {"k": "revoke", "wa_id": event.target_wa_id, "from_me": event.from_me}
        case PollChanged():
            raw |= {"k": "poll", "wa_id": event.target_wa_id, "question": event.question, "options": list(event.options)}
        case PollVoted():
            raw |= {"k": "vote", "wa_id": event.target_wa_id, "options": list(event.options), "sender": _optional_to_raw(event.voter)}
        case TimerChanged():
            raw |= {"k": "timer", "seconds": event.seconds}
        case CallReceived():
            raw |= {"k": "call", "video": event.video}
    return raw


def event_from_raw(raw: Mapping[str, Any], *, offline: bool) -> ConversationEvent:
    """What happened, as the rest of the program reads it. Raises ValueError for a kind this version does not know."""
    kind = raw["k"]
    if kind == "contact":
        return ContactSeen(address_from_raw(raw["chat"]), name=raw.get("name", ""), push_name=raw.get("push_name", ""))
    at = time_from_raw(raw["at"])
    if kind == "receipt":
        return Receipt(tuple(raw["wa_ids"]), ReceiptKind(raw["kind"]), at, chat=_optional(raw["chat"]), reason=raw.get("reason", ""))
    chat = address_from_raw(raw["chat"])
    match kind:
        case "message":
            return MessageReceived(
                wa_id=raw["wa_id"],
                chat=chat,
                content=content_from_raw(raw["content"]),
                at=at,
                from_me=raw["from_me"],
                sender=_optional(raw.get("sender")),
                sender_name=raw.get("sender_name", ""),
                chat_name=raw.get("chat_name", ""),
                history=bool(raw.get("history")),
                timer=_timer(raw.get("timer")),
                offline=offline,
            )
        case "reaction":
            return ReactionReceived(raw["wa_id"], chat, _optional(raw.get("sender")), raw["emoji"], at, from_me=raw["from_me"])
        case "edit":
            return MessageEdited(
                raw["wa_id"],
                chat,
                raw["text"],
                at,
                from_me=bool(raw.get("from_me")),
                sender=_optional(raw.get("sender")),
                readable=raw.get("readable", True),
            )
        case "revoke":
            return MessageRevoked(raw["wa_id"], chat, at, from_me=bool(raw.get("from_me")))
        case "poll":
            return PollChanged(raw["wa_id"], chat, raw["question"], tuple(raw["options"]), at)
        case "vote":
            return PollVoted(raw["wa_id"], chat, _optional(raw.get("sender")), tuple(raw["options"]), at)
        case "timer":
            return TimerChanged(chat, raw["seconds"], at)
        case "call":
            return CallReceived(chat, at, video=raw["video"])
        case _:
            raise ValueError(f"an event of a kind this version does not know: {kind!r}")


def _timer_to_raw(timer: Timer) -> Raw:
    return {"seconds": timer.seconds, "at": timer.set_at.timestamp() if timer.set_at else None}


def _timer(raw: Mapping[str, Any] | None) -> Timer | None:
    return Timer(raw["seconds"], time_from_raw(raw["at"]) if raw["at"] is not None else None) if raw else None


def _optional_to_raw(address: Address | None) -> Raw | None:
    return address_to_raw(address) if address else None


def _optional(raw: Mapping[str, Any] | None) -> Address | None:
    return address_from_raw(raw) if raw else None
