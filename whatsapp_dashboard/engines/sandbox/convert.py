"""The world's JSON to and from the domain's types. Pure: no I/O (ENG-5)."""

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
    PollVoted,
    ReactionReceived,
    Receipt,
    ReceiptKind,
)
from whatsapp_dashboard.domain.ids import Address, parse_jid
from whatsapp_dashboard.domain.messages import ContactCard, Content, Location, MediaFile, MediaRef, MessageType, Poll

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
    if content.mentions:
        raw["mentions"] = list(content.mentions)
    return raw, data


def content_from_raw(raw: Mapping[str, Any]) -> Content:
    """What a message of the world says."""
    place, poll, media = raw.get("location"), raw.get("poll"), raw.get("media")
    return Content(
        type=MessageType(raw["type"]),
        text=raw.get("text", ""),
        location=Location(**place) if place else None,
        contacts=tuple(ContactCard(card["name"], tuple(card["phones"]), card["vcard"]) for card in raw.get("contacts", ())),
        poll=Poll(poll["question"], tuple(poll["options"]), poll["selectable"]) if poll else None,
        media=MediaRef(
            token=media["token"],
            mimetype=media["mimetype"],
            size=media["size"],
            filename=media["filename"],
            seconds=media.get("seconds"),
        )
        if media
        else None,
        quoted_id=raw.get("quoted_id"),
        quoted_from_me=bool(raw.get("quoted_from_me")),
        mentions=tuple(raw.get("mentions", ())),
    )


def event_from_raw(raw: Mapping[str, Any], *, offline: bool) -> ConversationEvent:
    """What happened, as the rest of the program reads it. Raises ValueError for a kind this version does not know."""
    kind = raw["k"]
    if kind == "contact":
        return ContactSeen(address_from_raw(raw["chat"]), name=raw.get("name", ""), push_name=raw.get("push_name", ""))
    chat, at = address_from_raw(raw["chat"]), time_from_raw(raw["at"])
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
                offline=offline,
            )
        case "receipt":
            return Receipt(tuple(raw["wa_ids"]), ReceiptKind(raw["kind"]), at, chat=chat, reason=raw.get("reason", ""))
        case "reaction":
            return ReactionReceived(raw["wa_id"], chat, _optional(raw.get("sender")), raw["emoji"], at, from_me=raw["from_me"])
        case "edit":
            return MessageEdited(raw["wa_id"], chat, raw["text"], at)
        case "revoke":
            return MessageRevoked(raw["wa_id"], chat, at)
        case "vote":
            return PollVoted(raw["wa_id"], chat, _optional(raw.get("sender")), tuple(raw["options"]), at)
        case "call":
            return CallReceived(chat, at, video=raw["video"])
        case _:
            raise ValueError(f"the world tells of something unknown: {kind!r}")


def _optional(raw: Mapping[str, Any] | None) -> Address | None:
    return address_from_raw(raw) if raw else None
