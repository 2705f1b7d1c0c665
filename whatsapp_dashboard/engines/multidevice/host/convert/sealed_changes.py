"""What a sealed change says once it is open, and what is told of one that stays closed (MSG-12)."""

from __future__ import annotations

import logging
from dataclasses import replace

from google.protobuf.message import DecodeError

from whatsapp_dashboard.domain.engine_events import ConversationEvent, MessageEdited, PollChanged, ReactionReceived
from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import Content
from whatsapp_dashboard.engines.multidevice.host.convert import sealed as kinds
from whatsapp_dashboard.engines.multidevice.host.convert.book import Book
from whatsapp_dashboard.engines.multidevice.host.convert.content import MAX_OPTIONS, content_of
from whatsapp_dashboard.engines.multidevice.host.convert.envelope import Envelope
from whatsapp_dashboard.engines.multidevice.host.convert.notices import event_answer, notice
from whatsapp_dashboard.engines.multidevice.host.convert.sealed import Sealed, unseal
from whatsapp_dashboard.engines.multidevice.host.convert.unwrap import unwrap
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb, neonize_pb

log = logging.getLogger(__name__)

CLOSED_COMMENT = "A comment on a message, which could not be read here. Look at it on the phone."
CLOSED_ANSWER = "An answer to an event, which could not be read here. Look at it on the phone."
MAX_EMOJI = 64
_EDITS = frozenset({kinds.MESSAGE_EDIT, kinds.EVENT_EDIT, kinds.POLL_EDIT})


def sealed_change(sealed: Sealed, envelope: Envelope, source: neonize_pb.MessageSource, book: Book) -> ConversationEvent | None:
    """What ``sealed`` means, or None for what is not shown here."""
    opened = unseal(sealed, source, book, own_only=sealed.use in _EDITS)
    if opened.forged:
        log.warning("an edit of a message that somebody else wrote was left out")
        return None
    plain = opened.plain
    try:
        match sealed.use:
            case kinds.MESSAGE_EDIT | kinds.EVENT_EDIT | kinds.POLL_EDIT:
                return _edit(sealed.target, plain, envelope, book)
            case kinds.POLL_ADD_OPTION:
                return _option(sealed.target, plain, envelope, book)
            case kinds.REACTION:
                return _reaction(sealed.target, plain, envelope)
            case kinds.COMMENT:
                said = content_of(e2e_pb.Message.FromString(plain), book) if plain is not None else notice(CLOSED_COMMENT)
                return envelope.holding(_about(sealed.target, said)) if said else None
            case kinds.EVENT_RESPONSE:
                answer = event_answer(e2e_pb.EventResponseMessage.FromString(plain)) if plain is not None else notice(CLOSED_ANSWER)
                return envelope.holding(_about(sealed.target, answer))
    except DecodeError:
        log.warning("a sealed change holds something else than it says (%s)", sealed.use)
    log.warning("a sealed change was left out (%s)", sealed.use or "of a kind this version does not know")
    return None


def is_closed(event: ConversationEvent | None) -> bool:
    """Whether the change may become readable when its message arrives."""
    return isinstance(event, MessageEdited) and not event.readable


def _edit(target: str, plain: bytes | None, envelope: Envelope, book: Book) -> ConversationEvent:
    closed = MessageEdited(
        target, envelope.chat, "", envelope.at, from_me=envelope.from_me, sender=_writer(envelope), readable=False
    )
    if plain is None:
        return closed
    try:
        inside = unwrap(e2e_pb.Message.FromString(plain)).message
    except DecodeError:
        return closed
    if inside.protocolMessage.HasField("editedMessage"):
        inside = inside.protocolMessage.editedMessage
    content = content_of(inside, book)
    if content is None:
        return closed
    if content.poll:
        return PollChanged(target, envelope.chat, content.poll.question, content.poll.options, envelope.at)
    return replace(closed, text=content.text, readable=True)


def _option(target: str, plain: bytes | None, envelope: Envelope, book: Book) -> PollChanged | None:
    options = book.poll(target)
    if plain is None or options is None:
        log.warning("an option was added to a poll that is not known here")
        return None
    added = unwrap(e2e_pb.Message.FromString(plain)).message.pollAddOptionMessage.addOption.optionName
    if not added or added in options or len(options) >= MAX_OPTIONS:
        return None
    return PollChanged(target, envelope.chat, "", (*options, added), envelope.at)


def _reaction(target: str, plain: bytes | None, envelope: Envelope) -> ReactionReceived | None:
    if plain is None:
        log.warning("a sealed reaction could not be read")
        return None
    emoji = e2e_pb.ReactionMessage.FromString(plain).text[:MAX_EMOJI]
    return ReactionReceived(target, envelope.chat, _writer(envelope), emoji, envelope.at, from_me=envelope.from_me)


def _about(target: str, content: Content) -> Content:
    return replace(content, quoted_id=content.quoted_id or target)


def _writer(envelope: Envelope) -> Address | None:
    return None if envelope.from_me else envelope.sender
