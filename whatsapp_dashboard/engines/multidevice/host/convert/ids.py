"""WhatsApp's JIDs to and from our addresses (MSG-2, MSG-10). Device parts are dropped: a person is one contact on all devices."""

from __future__ import annotations

import re

from whatsapp_dashboard.domain.ids import Address, ContactKind, same_phone
from whatsapp_dashboard.engines.multidevice.host.convert.book import Book
from whatsapp_dashboard.engines.multidevice.host.protos import neonize_pb

MAX_ID = 128
"""Longer message ids and JIDs are not WhatsApp's."""
_PHONE_SERVERS = frozenset({"s.whatsapp.net", "c.us", "hosted"})
_LID_SERVERS = frozenset({"lid", "hosted.lid"})
_DEVICE = re.compile(r"[._:]")  # 34600111222:12, 34600111222.0:12, 123_1:4
_DIGITS = re.compile(r"[0-9]{1,20}")
_WHATSAPP_ITSELF = "0"
_JIDS = {"g.us": ContactKind.GROUP, "newsletter": ContactKind.CHANNEL}


def text_of(jid: neonize_pb.JID) -> str:
    """``jid`` as text, without its device; empty for an empty one."""
    return f"{jid.User}@{jid.Server}" if jid.User and jid.Server else ""


def jid_of(address: Address) -> neonize_pb.JID:
    """``address`` as the library takes it, the phone number preferred."""
    user, _, server = str(address).partition("@")
    return neonize_pb.JID(User=user, Server=server, RawAgent=0, Device=0, Integrator=0, IsEmpty=False)


def address_of(jid: neonize_pb.JID, book: Book, alt: neonize_pb.JID | None = None) -> Address | None:
    """The address behind ``jid``; see :func:`address_of_text`."""
    return address_of_text(text_of(jid), book, text_of(alt) if alt is not None else "")


def address_of_text(jid: str, book: Book, alt: str = "") -> Address | None:
    """The address behind ``jid``, with both identities of a person where they are known: from ``alt``, else from the book.

    None for what nobody can be answered at: AI bots (``@bot``), WhatsApp's own announcements, servers we do not know.
    """
    phone, lid = _person(jid)
    if phone or lid:
        other_phone, other_lid = _person(alt)
        if not (other_phone if lid else other_lid):
            other_phone, other_lid = _person(book.alt(f"{phone}@s.whatsapp.net" if phone else f"{lid}@lid") or "")
        return Address(phone=phone or other_phone, lid=lid or other_lid)
    user, _, server = jid.partition("@")
    if not user or len(jid) > MAX_ID:
        return None
    if server in _JIDS:
        return Address(_JIDS[server], jid=jid)
    if server == "broadcast":
        return Address(ContactKind.STATUS if user == "status" else ContactKind.BROADCAST, jid=jid)
    return None


def is_own(jid: str, book: Book) -> bool:
    """Whether ``jid`` is the account itself, on any of its devices."""
    phone, lid = _person(jid)
    return same_phone(phone, book.own_phone) or bool(lid and lid == book.own_lid)


def wa_id_of(text: str) -> str | None:
    """A message id as somebody claims it, or None when it cannot be one."""
    return text if 0 < len(text) <= MAX_ID and "\x00" not in text else None


def _person(jid: str) -> tuple[str | None, str | None]:
    """Phone number and LID in ``jid``: one of them, or none when it is no person."""
    user, _, server = jid.partition("@")
    user = _DEVICE.split(user, maxsplit=1)[0]
    if not _DIGITS.fullmatch(user) or user == _WHATSAPP_ITSELF:
        return None, None
    if server in _PHONE_SERVERS:
        return user, None
    return (None, user) if server in _LID_SERVERS else (None, None)
