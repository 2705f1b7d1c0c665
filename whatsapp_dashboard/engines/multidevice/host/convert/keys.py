"""How WhatsApp names one message in what refers to it."""

from __future__ import annotations

from whatsapp_dashboard.domain.messages import MessageKey
from whatsapp_dashboard.engines.multidevice.host.protos import common_pb


def key_of(target: MessageKey) -> common_pb.MessageKey:
    """The key of ``target``; in a group it names the writer of a message that is not ours."""
    key = common_pb.MessageKey(remoteJID=str(target.chat), fromMe=target.from_me, ID=target.wa_id)
    if not target.from_me and not target.chat.is_person and target.sender is not None:
        key.participant = str(target.sender)
    return key
