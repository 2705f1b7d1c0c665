"""What changes an earlier message: reactions, edits, deletions, votes (MSG-1)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from whatsapp_dashboard.domain.engine_events import (
    ConversationEvent,
    MessageEdited,
    MessageRevoked,
    PollVoted,
    ReactionReceived,
    TimerChanged,
)
from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.engines.multidevice.host.convert.book import Book
from whatsapp_dashboard.engines.multidevice.host.convert.content import content_of
from whatsapp_dashboard.engines.multidevice.host.convert.envelope import Envelope
from whatsapp_dashboard.engines.multidevice.host.convert.ids import wa_id_of
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb

MAX_EMOJI = 64
_CHANNEL_EDIT = "3"
_REVOKES = frozenset({"7", "8"})
"""What the stanza's edit attribute says: deleted by its writer, by an administrator."""


def change_of(inside: e2e_pb.Message, envelope: Envelope, book: Book, *, edit: str, is_edit: bool) -> ConversationEvent | None:
    """The change that the unwrapped message ``inside`` makes, or None when it makes none.

    ``edit`` is the stanza's edit attribute; ``is_edit`` says that the wrapper of an edit was taken off before.
    """
    if inside.HasField("reactionMessage"):
        return _reaction(inside.reactionMessage, envelope)
    if inside.HasField("protocolMessage"):
        return _protocol(inside.protocolMessage, envelope, book)
    if edit in _REVOKES and not _says_something(inside, book):
        return MessageRevoked(envelope.wa_id, envelope.chat, envelope.at, from_me=envelope.from_me)
    if is_edit or edit == _CHANNEL_EDIT:
        return _edited(envelope.wa_id, inside, envelope, book)
    return None


def vote_of(envelope: Envelope, update: e2e_pb.PollUpdateMessage, hashes: Sequence[bytes], book: Book) -> PollVoted | None:
    """The choices of a voter; ``hashes`` are the SHA-256 of the options chosen. None for a poll nobody knows."""
    target = wa_id_of(update.pollCreationMessageKey.ID)
    options = book.poll(target) if target else None
    if target is None or options is None or (envelope.from_me and not book.own_phone):
        return None
    chosen = set(hashes)
    texts = tuple(option for option in options if hashlib.sha256(option.encode("utf-8", "surrogatepass")).digest() in chosen)
    voter = Address(phone=book.own_phone, lid=book.own_lid) if envelope.from_me else envelope.sender
    return PollVoted(target, envelope.chat, voter, texts, envelope.at)


def _reaction(part: e2e_pb.ReactionMessage, envelope: Envelope) -> ReactionReceived | None:
    target = wa_id_of(part.key.ID)
    if target is None:
        return None
    return ReactionReceived(
        target_wa_id=target,
        chat=envelope.chat,
        sender=None if envelope.from_me else envelope.sender,
        emoji=part.text[:MAX_EMOJI],
        at=envelope.at,
        from_me=envelope.from_me,
    )


def _protocol(part: e2e_pb.ProtocolMessage, envelope: Envelope, book: Book) -> ConversationEvent | None:
    if part.type == e2e_pb.ProtocolMessage.EPHEMERAL_SETTING:
        return TimerChanged(envelope.chat, part.ephemeralExpiration, envelope.at)
    target = wa_id_of(part.key.ID)
    if target is None:
        return None
    if part.type == e2e_pb.ProtocolMessage.REVOKE and part.HasField("type"):
        return MessageRevoked(target, envelope.chat, envelope.at, from_me=envelope.from_me)
    if part.type == e2e_pb.ProtocolMessage.MESSAGE_EDIT and part.HasField("editedMessage"):
        return _edited(target, part.editedMessage, envelope, book)
    return None


def _edited(target: str, message: e2e_pb.Message, envelope: Envelope, book: Book) -> MessageEdited | None:
    content = content_of(message, book)
    if content is None:
        return None
    sender = None if envelope.from_me else envelope.sender
    return MessageEdited(target, envelope.chat, content.text, envelope.at, from_me=envelope.from_me, sender=sender)


def _says_something(message: e2e_pb.Message, book: Book) -> bool:
    return bool(message.ListFields()) and content_of(message, book) is not None
