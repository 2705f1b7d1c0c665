"""Our content as the protobuf to send (MSG-1)."""

from __future__ import annotations

import time
from typing import Any

from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import ContactCard, Content, MessageKey, MessageType
from whatsapp_dashboard.engines.multidevice.host.convert.book import Book
from whatsapp_dashboard.engines.multidevice.host.convert.cards import vcard_of
from whatsapp_dashboard.engines.multidevice.host.convert.keys import key_of
from whatsapp_dashboard.engines.multidevice.host.convert.outgoing_media import media_message
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb, neonize_pb
from whatsapp_dashboard.errors import Permanent


def message_of(content: Content, *, secret: bytes, upload: neonize_pb.UploadResponse | None, book: Book, chat: Address) -> e2e_pb.Message:
    """``content`` for ``chat``; ``upload`` says where its file lies and ``secret`` (32 bytes) seals votes and reactions to it.

    Raises :class:`Permanent` for a type that is only received.
    """
    message = _said(content, upload)
    context = _context(content, book, chat)
    if context is not None:
        _part_of(message).contextInfo.CopyFrom(context)
    message.messageContextInfo.messageSecret = secret
    return message


def reaction_of(target: MessageKey, emoji: str, book: Book, *, now: float | None = None) -> e2e_pb.Message:
    """Our reaction on ``target``; an empty ``emoji`` takes it back."""
    del book
    return e2e_pb.Message(reactionMessage=e2e_pb.ReactionMessage(key=key_of(target), text=emoji, senderTimestampMS=_milliseconds(now)))


def edit_of(target: MessageKey, text: str, book: Book, *, now: float | None = None) -> e2e_pb.Message:
    """A new text for ``target``, which is a text of ours."""
    del book
    change = e2e_pb.ProtocolMessage(
        key=key_of(target),
        type=e2e_pb.ProtocolMessage.MESSAGE_EDIT,
        editedMessage=e2e_pb.Message(conversation=text),
        timestampMS=_milliseconds(now),
    )
    return e2e_pb.Message(editedMessage=e2e_pb.FutureProofMessage(message=e2e_pb.Message(protocolMessage=change)))


def revoke_of(target: MessageKey, book: Book) -> e2e_pb.Message:
    """Delete ``target`` for everyone."""
    del book
    return e2e_pb.Message(protocolMessage=e2e_pb.ProtocolMessage(key=key_of(target), type=e2e_pb.ProtocolMessage.REVOKE))


def _said(content: Content, upload: neonize_pb.UploadResponse | None) -> e2e_pb.Message:
    match content.type:
        case MessageType.TEXT:
            if content.quoted_id or content.mentions or content.timer:
                return e2e_pb.Message(extendedTextMessage=e2e_pb.ExtendedTextMessage(text=content.text))
            return e2e_pb.Message(conversation=content.text)
        case MessageType.LOCATION if content.location:
            return e2e_pb.Message(locationMessage=_location(content))
        case MessageType.CONTACT if content.contacts:
            return _contacts(content.contacts)
        case MessageType.POLL if content.poll:
            return _poll(content)
        case _ if upload is not None:
            return media_message(content, upload)
    raise Permanent(f"Messages of type {content.type.value} cannot be sent.", code="unsupported")


def _location(content: Content) -> e2e_pb.LocationMessage:
    place = content.location
    assert place is not None
    part = e2e_pb.LocationMessage(degreesLatitude=place.latitude, degreesLongitude=place.longitude)
    if place.name:
        part.name = place.name
    if place.address:
        part.address = place.address
    if content.text:
        part.comment = content.text
    return part


def _contacts(cards: tuple[ContactCard, ...]) -> e2e_pb.Message:
    parts = [e2e_pb.ContactMessage(displayName=card.name, vcard=vcard_of(card)) for card in cards]
    if len(parts) == 1:
        return e2e_pb.Message(contactMessage=parts[0])
    title = f"{cards[0].name} and {len(cards) - 1} other contact{'s' if len(cards) > 2 else ''}"
    return e2e_pb.Message(contactsArrayMessage=e2e_pb.ContactsArrayMessage(displayName=title, contacts=parts))


def _poll(content: Content) -> e2e_pb.Message:
    """In the first of the shapes of polls: only that one does the library mark as a poll for the server."""
    poll = content.poll
    assert poll is not None
    options = [e2e_pb.PollCreationMessage.Option(optionName=option) for option in poll.options]
    part = e2e_pb.PollCreationMessage(name=poll.question, options=options, selectableOptionsCount=poll.selectable)
    return e2e_pb.Message(pollCreationMessage=part)


def _context(content: Content, book: Book, chat: Address) -> e2e_pb.ContextInfo | None:
    """The quote, the mentions, and the timer of a chat whose messages disappear."""
    if not content.quoted_id and not content.mentions and not content.timer:
        return None
    context = e2e_pb.ContextInfo(mentionedJID=[_mentioned(one) for one in content.mentions])
    if content.quoted_id:
        context.stanzaID = content.quoted_id
        writer = f"{book.own_phone}@s.whatsapp.net" if content.quoted_from_me else str(content.quoted_sender or chat)
        if not writer.endswith("@g.us"):
            context.participant = writer
        context.quotedMessage.CopyFrom(e2e_pb.Message(conversation=content.quoted_text))
    if content.timer:
        context.expiration = content.timer.seconds
        if content.timer.set_at:
            context.ephemeralSettingTimestamp = int(content.timer.set_at.timestamp())
    return context


def _mentioned(who: str) -> str:
    return who if "@" in who else f"{who.lstrip('+')}@s.whatsapp.net"


def _part_of(message: e2e_pb.Message) -> Any:
    """The part of ``message`` that says something, out of its wrapper."""
    (field, part), *_ = message.ListFields()
    return _part_of(part.message) if field.name == "documentWithCaptionMessage" else part


def _milliseconds(now: float | None) -> int:
    return int((time.time() if now is None else now) * 1_000)
