"""One message event of the library as what happened in the conversation (MSG-1)."""

from __future__ import annotations

from collections.abc import Sequence

from whatsapp_dashboard.domain.engine_events import ConversationEvent, PollVoted
from whatsapp_dashboard.engines.multidevice.host.convert.book import Book
from whatsapp_dashboard.engines.multidevice.host.convert.changes import change_of, vote_of
from whatsapp_dashboard.engines.multidevice.host.convert.content import content_of
from whatsapp_dashboard.engines.multidevice.host.convert.context import timer_of
from whatsapp_dashboard.engines.multidevice.host.convert.envelope import envelope_of
from whatsapp_dashboard.engines.multidevice.host.convert.sealed import sealed_in
from whatsapp_dashboard.engines.multidevice.host.convert.sealed_changes import sealed_change
from whatsapp_dashboard.engines.multidevice.host.convert.unwrap import unwrap
from whatsapp_dashboard.engines.multidevice.host.protos import neonize_pb


def events_of(message: neonize_pb.Message, book: Book) -> list[ConversationEvent]:
    """What ``message`` means: a message, a change of an earlier one, or nothing for people.

    A vote needs its options decrypted first: see :func:`vote_event`.
    """
    envelope = envelope_of(message.Info, book)
    if envelope is None:
        return []
    inside = unwrap(message.Message)
    if (sealed := sealed_in(inside.message)) is not None:
        found = sealed_change(sealed, envelope, message.Info.MessageSource, book)
        return [found] if found else []
    edit, is_edit = message.Info.Edit, message.IsEdit or inside.edited
    change = change_of(inside.message, envelope, book, edit=edit, is_edit=is_edit)
    if change is not None:
        return [change]
    if is_edit:
        return []
    view_once = message.IsViewOnce or message.IsViewOnceV2 or message.IsViewOnceV2Extension
    content = content_of(message.Message, book, view_once=view_once)
    return [envelope.holding(content, timer=timer_of(inside.message))] if content else []


def vote_event(message: neonize_pb.Message, option_hashes: Sequence[bytes], book: Book) -> PollVoted | None:
    """A vote in a poll; ``option_hashes`` are the decrypted SHA-256 sums of the options chosen. None for an unknown poll."""
    envelope = envelope_of(message.Info, book)
    update = unwrap(message.Message).message.pollUpdateMessage
    return vote_of(envelope, update, option_hashes, book) if envelope else None
