"""Message content to and from table columns, what may be sent, and the one-line preview (MSG-1)."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from whatsapp_dashboard.domain.messages import (
    MEDIA_TYPES,
    Buttons,
    ContactCard,
    Content,
    Location,
    MediaFile,
    MessageType,
    Poll,
)
from whatsapp_dashboard.engines.base import Capability
from whatsapp_dashboard.errors import Invalid, Unsupported
from whatsapp_dashboard.models import Message

MAX_TEXT = 65_536
MAX_CAPTION = 1_024
MAX_POLL_QUESTION = 255
MAX_POLL_OPTION = 100
MAX_BUTTONS = 10
MAX_BUTTON = 60
PREVIEW_LENGTH = 200
MAX_QUOTE = 1_000
"""Characters of a quoted message that are kept with the reply: for when the message itself is not here."""

NEEDS: dict[MessageType, Capability] = {
    MessageType.TEXT: Capability.TEXT,
    MessageType.IMAGE: Capability.IMAGE,
    MessageType.VIDEO: Capability.VIDEO,
    MessageType.AUDIO: Capability.AUDIO,
    MessageType.VOICE: Capability.AUDIO,
    MessageType.DOCUMENT: Capability.DOCUMENT,
    MessageType.LOCATION: Capability.LOCATION,
    MessageType.CONTACT: Capability.CONTACT,
    MessageType.POLL: Capability.POLL,
    MessageType.BUTTONS: Capability.TEXT,  # numbered text where the engine has no buttons
}
"""What an engine must be able to do to send each type. Types that are not here are only received."""

_LABELS = {
    MessageType.IMAGE: "Photo",
    MessageType.VIDEO: "Video",
    MessageType.AUDIO: "Audio",
    MessageType.VOICE: "Voice message",
    MessageType.DOCUMENT: "Document",
    MessageType.STICKER: "Sticker",
    MessageType.LOCATION: "Location",
    MessageType.CONTACT: "Contact",
    MessageType.UNSUPPORTED: "Message of a kind this dashboard cannot show",
}


def payload_of(content: Content) -> dict[str, Any]:
    """The parts of ``content`` that are no column of their own, as JSON."""
    payload: dict[str, Any] = {}
    if content.location:
        payload["location"] = asdict(content.location)
    if content.contacts:
        payload["contacts"] = [{"name": c.name, "phones": list(c.phones), "vcard": c.vcard} for c in content.contacts]
    if content.poll:
        poll = content.poll
        payload["poll"] = {
            "question": poll.question,
            "options": list(poll.options),
            "selectable": poll.selectable,
        }
    if content.buttons:
        payload["buttons"] = list(content.buttons.options)
    if content.mentions:
        payload["mentions"] = list(content.mentions)
    if content.quoted_from_me:
        payload["quoted_from_me"] = True
    if content.quoted_id and (content.quoted_text or content.quoted_type):
        payload["quoted"] = {
            "text": content.quoted_text[:MAX_QUOTE],
            "type": content.quoted_type.value if content.quoted_type else "",
            "sender": str(content.quoted_sender) if content.quoted_sender else "",
        }
    return payload


def body_of(content: Content) -> str:
    """The text column: body, caption, or the question of a poll."""
    return content.text or (content.poll.question if content.poll else "")


def content_of(row: Message, file: MediaFile | None = None) -> Content:
    """The content of a stored message, ready to be sent; ``file`` is the file that belongs to it."""
    payload = row.payload
    poll = payload.get("poll")
    return Content(
        type=MessageType(row.type),
        text=row.body,
        location=Location(**payload["location"]) if "location" in payload else None,
        contacts=tuple(ContactCard(c["name"], tuple(c["phones"]), c["vcard"]) for c in payload.get("contacts", ())),
        poll=Poll(poll["question"], tuple(poll["options"]), poll["selectable"]) if poll else None,
        buttons=Buttons(tuple(payload["buttons"])) if "buttons" in payload else None,
        media=file,
        quoted_id=row.quoted_wa_id,
        quoted_from_me=bool(payload.get("quoted_from_me")),
        mentions=tuple(payload.get("mentions", ())),
    )


def as_numbered_text(content: Content) -> Content:
    """A message with buttons as plain text: the choices follow as a numbered list (MSG-1)."""
    if content.buttons is None:
        return content
    lines = [f"{number}. {option}" for number, option in enumerate(content.buttons.options, 1)]
    return replace(content, type=MessageType.TEXT, text="\n".join([content.text, "", *lines]).strip(), buttons=None)


def preview(type: str, body: str, payload: dict[str, Any] | None = None, filename: str = "") -> str:
    """One line that says what a message is, for lists."""
    text = " ".join(body.split()) if len(body) < 2_000 else " ".join(body[:2_000].split())
    kind = MessageType(type)
    if kind is MessageType.POLL:
        text = f"Poll: {text}"
    elif kind is MessageType.CONTACT and payload and payload.get("contacts"):
        text = f"Contact: {payload['contacts'][0]['name']}"
    elif kind is MessageType.DOCUMENT and filename and not text:
        text = f"Document: {filename}"
    elif not text:
        text = short_word(type)
    return text if len(text) <= PREVIEW_LENGTH else text[: PREVIEW_LENGTH - 1] + "…"


def short_word(type: str) -> str:
    """What stands for a message without words: ``Photo``, ``Location``; empty where there is no such word."""
    return _LABELS.get(MessageType(type), "")


def check_sendable(content: Content, capabilities: frozenset[Capability]) -> None:
    """Raise :class:`Unsupported` for what the engine cannot send, :class:`Invalid` that names the field for what WhatsApp
    would refuse."""
    needed = NEEDS.get(content.type)
    if needed is None:
        raise Unsupported(f"Messages of type {content.type.value} can be received but not sent.")
    if needed not in capabilities:
        raise Unsupported(f"The engine of this account cannot send this: {content.type.value}.")
    _CHECKS.get(content.type, _check_media)(content)


def _check_text(content: Content) -> None:
    if not content.text.strip():
        raise Invalid("The message is empty.", code="empty", field="message")
    if len(content.text) > MAX_TEXT:
        raise Invalid(f"The message has {len(content.text):,} characters; WhatsApp takes {MAX_TEXT:,}.", code="too_long", field="message")


def _check_media(content: Content) -> None:
    if content.type in MEDIA_TYPES and len(content.text) > MAX_CAPTION:
        raise Invalid(
            f"The caption has {len(content.text):,} characters; WhatsApp takes {MAX_CAPTION:,}.", code="too_long", field="caption"
        )


def _check_location(content: Content) -> None:
    place = content.location
    if place is None:
        raise Invalid("A location needs latitude and longitude.", field="location")
    if not (-90 <= place.latitude <= 90 and -180 <= place.longitude <= 180):
        raise Invalid("Latitude goes from -90 to 90 and longitude from -180 to 180.", field="location")


def _check_contacts(content: Content) -> None:
    if not content.contacts or not all(card.name.strip() for card in content.contacts):
        raise Invalid("A contact card needs a name.", field="contacts")
    if not all(card.phones or card.vcard for card in content.contacts):
        raise Invalid("A contact card needs a phone number.", field="contacts")


def _check_poll(content: Content) -> None:
    poll = content.poll
    if poll is None or not poll.question.strip():
        raise Invalid("A poll needs a question.", field="question")
    if len(poll.question) > MAX_POLL_QUESTION:
        raise Invalid(f"The question may have {MAX_POLL_QUESTION} characters.", code="too_long", field="question")
    options = [option.strip() for option in poll.options]
    if not 2 <= len(options) <= 12:
        raise Invalid(f"A poll has 2 to 12 options, not {len(options)}.", field="options")
    if not all(options) or len(set(options)) < len(options):
        raise Invalid("The options of a poll are all different, and none is empty.", field="options")
    if any(len(option) > MAX_POLL_OPTION for option in options):
        raise Invalid(f"An option may have {MAX_POLL_OPTION} characters.", code="too_long", field="options")
    if not 0 <= poll.selectable <= len(options):
        raise Invalid(f"Between 0 (any) and {len(options)} options may be chosen.", field="selectable")


def _check_buttons(content: Content) -> None:
    _check_text(content)
    options = content.buttons.options if content.buttons else ()
    if not 1 <= len(options) <= MAX_BUTTONS or not all(option.strip() for option in options):
        raise Invalid(f"A message has 1 to {MAX_BUTTONS} buttons, none of them empty.", field="buttons")
    if any(len(option) > MAX_BUTTON for option in options):
        raise Invalid(f"A button may have {MAX_BUTTON} characters.", code="too_long", field="buttons")


_CHECKS = {
    MessageType.TEXT: _check_text,
    MessageType.LOCATION: _check_location,
    MessageType.CONTACT: _check_contacts,
    MessageType.POLL: _check_poll,
    MessageType.BUTTONS: _check_buttons,
}
