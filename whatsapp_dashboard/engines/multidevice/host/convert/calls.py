"""Incoming calls: we only tell (MSG-1)."""

from __future__ import annotations

from whatsapp_dashboard.domain.engine_events import CallReceived
from whatsapp_dashboard.engines.multidevice.host.convert.book import Book
from whatsapp_dashboard.engines.multidevice.host.convert.envelope import time_of
from whatsapp_dashboard.engines.multidevice.host.convert.ids import address_of, is_own, text_of
from whatsapp_dashboard.engines.multidevice.host.protos import neonize_pb


def call_event(offer: neonize_pb.CallOffer | neonize_pb.CallOfferNotice, book: Book) -> list[CallReceived]:
    """A call that begins, at the person who calls; nothing for a call that the account itself makes on its phone."""
    meta = offer.basicCallMeta
    caller = meta.callCreator if text_of(meta.callCreator) else getattr(meta, "from")
    chat = address_of(caller, book, meta.callCreatorAlt)
    if chat is None or not chat.is_person or is_own(text_of(caller), book):
        return []
    if isinstance(offer, neonize_pb.CallOfferNotice):
        video = offer.media == "video"
    else:
        video = any(node.Tag == "video" for node in offer.data.Nodes)
    return [CallReceived(chat, time_of(meta.timestamp), video=video)]
