"""What a message refers to: the one it replies to, and who is mentioned in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from whatsapp_dashboard.domain.messages import Content
from whatsapp_dashboard.engines.multidevice.host.convert.book import Book
from whatsapp_dashboard.engines.multidevice.host.convert.ids import address_of_text, is_own, wa_id_of
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb

MAX_MENTIONS = 1_024
"""As many as a group has members."""


def with_context(content: Content, part: Any, book: Book) -> Content:
    """``content`` with the quote and the mentions of its message's ``part``, whatever its type."""
    if "contextInfo" not in part.DESCRIPTOR.fields_by_name or not part.HasField("contextInfo"):
        return content
    context: e2e_pb.ContextInfo = part.contextInfo
    quoted = wa_id_of(context.stanzaID)
    found = (address_of_text(jid, book) for jid in context.mentionedJID[:MAX_MENTIONS])
    return replace(
        content,
        quoted_id=quoted,
        quoted_from_me=quoted is not None and is_own(context.participant, book),
        mentions=tuple(dict.fromkeys(str(address) for address in found if address)),
    )
