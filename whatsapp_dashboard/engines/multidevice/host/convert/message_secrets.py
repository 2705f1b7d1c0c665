"""Which secret a message carries: what later changes of it are sealed with (MSG-12)."""

from __future__ import annotations

from collections.abc import Iterator

from whatsapp_dashboard.engines.multidevice.host.convert.book import Book
from whatsapp_dashboard.engines.multidevice.host.convert.ids import text_of, wa_id_of
from whatsapp_dashboard.engines.multidevice.host.convert.unwrap import layers
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb, history_pb, neonize_pb, web_pb

_BYTES = 32
Found = tuple[str, str, bytes]
"""Message id, JID of its writer, secret."""


def secret_of(event: neonize_pb.Message) -> Found | None:
    """The secret of a message that came in."""
    wa_id, sender = wa_id_of(event.Info.ID), text_of(event.Info.MessageSource.Sender)
    secret = _secret_in(event.Message) or _secret_in(event.Raw)
    return (wa_id, sender, secret) if wa_id and sender and secret else None


def history_secrets(sync: history_pb.HistorySync, book: Book) -> Iterator[Found]:
    """The secrets of the messages of the past."""
    own = f"{book.own_phone}@s.whatsapp.net" if book.own_phone else ""
    for conversation in sync.conversations:
        for row in conversation.messages:
            message = row.message
            wa_id, sender = wa_id_of(message.key.ID), _writer(message, conversation.ID, own)
            secret = message.messageSecret if len(message.messageSecret) == _BYTES else _secret_in(message.message)
            if wa_id and sender and secret:
                yield wa_id, sender, secret


def _writer(row: web_pb.WebMessageInfo, chat: str, own: str) -> str:
    writer = own if row.key.fromMe else row.participant or row.key.participant or chat
    user, _, server = writer.partition("@")
    return f"{user.split(':', 1)[0]}@{server}" if user and server else ""


def _secret_in(message: e2e_pb.Message) -> bytes:
    """It stands beside what is said, inside or outside of the wrappers."""
    for layer in layers(message):
        secret = layer.messageContextInfo.messageSecret
        if len(secret) == _BYTES:
            return secret
    return b""
