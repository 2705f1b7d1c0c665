"""How far our messages got (MSG-4)."""

from __future__ import annotations

from whatsapp_dashboard.domain.engine_events import Receipt, ReceiptKind
from whatsapp_dashboard.engines.multidevice.host.convert.book import Book
from whatsapp_dashboard.engines.multidevice.host.convert.envelope import time_of
from whatsapp_dashboard.engines.multidevice.host.convert.ids import address_of, is_own, text_of, wa_id_of
from whatsapp_dashboard.engines.multidevice.host.protos import neonize_pb

_TYPES = neonize_pb.Receipt
_KINDS = {
    _TYPES.DELIVERED: ReceiptKind.DELIVERED,
    _TYPES.INACTIVE: ReceiptKind.DELIVERED,  # it reached a device that is asleep
    _TYPES.READ: ReceiptKind.READ,
    _TYPES.PLAYED: ReceiptKind.READ,
}
"""What a receipt of somebody else tells of our message. The rest is between devices: ``READ_SELF`` and ``PLAYED_SELF`` come from
our own phone, ``RETRY`` and ``PEER_MSG`` are answered by the library. ``SERVER_ERROR`` too: this library sends it in place of
``PLAYED_SELF``, and asks for a file again by itself."""


def receipt_events(receipt: neonize_pb.Receipt, book: Book) -> list[Receipt]:
    """The receipt, when it tells something of messages of ours. What our own other devices report is no sign of the contact."""
    kind = _KINDS.get(receipt.Type)
    source = receipt.MessageSource
    if kind is None or source.IsFromMe or is_own(text_of(source.Sender), book):
        return []
    ids = tuple(dict.fromkeys(wa_id for wa_id in receipt.MessageIDs if wa_id_of(wa_id)))
    chat = address_of(source.Chat, book, source.SenderAlt)
    if not ids or chat is None:
        return []
    return [Receipt(ids, kind, time_of(receipt.Timestamp), chat=chat)]
