"""What the events about messages say: built here and nowhere else, so that pages and webhooks read one shape (HOOK-2)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import MediaRef, MessageType


def hook_type(type: MessageType) -> str:
    """The type as other systems call it: ``chat`` for text."""
    return "chat" if type is MessageType.TEXT else type.value


def chat_address(address: Address) -> str:
    """An address as other systems write it: ``34600111222@c.us``."""
    return f"{address.phone}@c.us" if address.phone else str(address)


def incoming_data(
    *,
    message_id: str,
    wa_id: str,
    chat: Address,
    sender: Address | None,
    sender_name: str,
    chat_name: str,
    own_phone: str | None,
    type: MessageType,
    body: str,
    payload: dict[str, Any],
    media_id: str | None,
    media: MediaRef | None,
    at: datetime,
    recovered: bool,
    quoted_wa_id: str | None = None,
) -> dict[str, Any]:
    """The data of ``message``: the keys of HOOK-2, and what only we need besides. ``timestamp`` is in milliseconds."""
    is_group = not chat.is_person
    return {
        "message_id": message_id,
        "wa_id": wa_id,
        "from": chat_address(chat),
        "author": chat_address(sender) if is_group and sender else None,
        "from_name": sender_name or ("" if is_group else chat_name),
        "to": f"{own_phone}@c.us" if own_phone else "",
        "body": body,
        "type": hook_type(type),
        "is_group": is_group,
        "group_name": chat_name if is_group else None,
        "has_media": media is not None,
        "media": {"id": media_id, "mimetype": media.mimetype, "filename": media.filename, "size": media.size} if media else None,
        "payload": payload,
        "quoted_wa_id": quoted_wa_id,
        "timestamp": int(at.timestamp() * 1_000),
        "recovered": recovered,
    }


def outgoing_data(
    *, wa_id: str | None, to: Address, type: str, body: str, origin: str | None, in_reply_to: str | None = None
) -> dict[str, Any]:
    """The data of ``message.queued`` and ``message.sent``."""
    return {
        "wa_id": wa_id,
        "to": chat_address(to),
        "body": body,
        "type": hook_type(MessageType(type)),
        "origin": origin,
        "in_reply_to": in_reply_to,
    }
