"""What a message refers to: the one it replies to, and who is mentioned in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from whatsapp_dashboard.domain.messages import Content, Timer
from whatsapp_dashboard.engines.multidevice.host.convert.book import Book
from whatsapp_dashboard.engines.multidevice.host.convert.envelope import time_of
from whatsapp_dashboard.engines.multidevice.host.convert.ids import address_of_text, is_own, wa_id_of
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb

MAX_QUOTE = 1_000
"""Characters of a quoted message that are kept."""
MAX_MENTIONS = 1_024
"""As many as a group has members."""


def with_context(content: Content, part: Any, book: Book, *, quoted: Callable[[e2e_pb.Message], Content | None]) -> Content:
    """``content`` with the quote and the mentions of its message's ``part``, whatever its type; ``quoted`` reads the quoted message."""
    if "contextInfo" not in part.DESCRIPTOR.fields_by_name or not part.HasField("contextInfo"):
        return content
    context: e2e_pb.ContextInfo = part.contextInfo
    quoted_id = wa_id_of(context.stanzaID)
    said = quoted(context.quotedMessage) if quoted_id and context.HasField("quotedMessage") else None
    found = (address_of_text(jid, book) for jid in context.mentionedJID[:MAX_MENTIONS])
    return replace(
        content,
        quoted_id=quoted_id,
        quoted_from_me=quoted_id is not None and is_own(context.participant, book),
        quoted_text=_words(said)[:MAX_QUOTE] if said else "",
        quoted_type=said.type if said else None,
        quoted_sender=address_of_text(context.participant, book) if quoted_id else None,
        mentions=tuple(dict.fromkeys(str(address) for address in found if address)),
    )


def timer_of(message: e2e_pb.Message) -> Timer | None:
    """The timer of the chat as a message tells it; None when it tells none, which does not mean that there is none."""
    for _, part in message.ListFields():
        if hasattr(part, "DESCRIPTOR") and "contextInfo" in part.DESCRIPTOR.fields_by_name and part.contextInfo.expiration:
            set_at = part.contextInfo.ephemeralSettingTimestamp
            return Timer(part.contextInfo.expiration, time_of(set_at) if set_at > 0 else None)
    return None


def _words(content: Content) -> str:
    """The words of a message, or what stands for one without any."""
    if content.text:
        return content.text
    if content.location:
        return ", ".join(part for part in (content.location.name, content.location.address) if part)
    return ", ".join(card.name for card in content.contacts)
