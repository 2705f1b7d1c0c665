"""History: the conversations that a phone shares with a companion after it was linked, or when it is asked for more."""

from __future__ import annotations

import base64
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.peer import blobs
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb, history_pb

SYNC_TYPES = {
    "initial": "INITIAL_BOOTSTRAP",
    "recent": "RECENT",
    "full": "FULL",
    "on_demand": "ON_DEMAND",
    "push_names": "PUSH_NAME",
}
"""Short names of the kinds of history."""


@dataclass(frozen=True)
class History:
    """One chunk ready to be announced: what to store on the media servers (nothing when inline) and the message that tells of it."""

    message: e2e_pb.Message
    blob: blobs.Blob | None


def address(who: str) -> str:
    """The JID of a number, or ``who`` itself when it is one."""
    return who if "@" in who else f"{who.lstrip('+')}@s.whatsapp.net"


def conversation(chat: Mapping[str, Any]) -> history_pb.Conversation:
    """A conversation from ``{"number" or "jid", "name", "lid", "unread", "messages": [...]}``; see ``web_message`` for the messages."""
    jid = address(chat.get("jid") or chat["number"])
    made = history_pb.Conversation(ID=jid, unreadCount=chat.get("unread", 0), endOfHistoryTransfer=True)
    if chat.get("name"):
        made.name = chat["name"]
    if chat.get("lid"):
        made.lidJID = f"{chat['lid']}@lid"
    for order, message in enumerate(chat.get("messages", ())):
        entry = made.messages.add(msgOrderID=order + 1)
        web_message(entry.message, jid, message)
        made.conversationTimestamp = max(made.conversationTimestamp, entry.message.messageTimestamp)
    return made


def web_message(made: Any, chat: str, message: Mapping[str, Any]) -> None:
    """Fill a WebMessageInfo from ``{"id", "from_me", "text" or "message", "timestamp", "participant", "push_name"}``.

    ``message`` is an e2e_pb.Message, as it is or serialised in base64, for anything but text; ``timestamp`` is in seconds (default: now).
    """
    made.key.remoteJID = chat
    made.key.fromMe = bool(message.get("from_me"))
    made.key.ID = message["id"]
    if message.get("participant"):
        made.key.participant = made.participant = address(message["participant"])
    if message.get("push_name"):
        made.pushName = message["push_name"]
    made.messageTimestamp = int(message.get("timestamp") or time.time())
    if isinstance(content := message.get("message"), str):
        made.message.ParseFromString(base64.b64decode(content))
    elif content is not None:
        made.message.CopyFrom(content)
    else:
        made.message.conversation = message["text"]


def build(
    conversations: Sequence[Mapping[str, Any]] = (),
    *,
    kind: str = "initial",
    push_names: Mapping[str, str] | None = None,
    lids: Mapping[str, str] | None = None,
    chunk: int = 0,
    progress: int = 100,
) -> history_pb.HistorySync:
    """A HistorySync of a kind from SYNC_TYPES; ``push_names`` is number -> name, ``lids`` number -> hidden identity."""
    made = history_pb.HistorySync(
        syncType=history_pb.HistorySync.HistorySyncType.Value(SYNC_TYPES[kind]),
        conversations=[conversation(chat) for chat in conversations],
        chunkOrder=chunk,
        progress=progress,
    )
    for number, name in (push_names or {}).items():
        made.pushnames.add(ID=address(number), pushname=name)
    for number, lid in (lids or {}).items():
        made.phoneNumberToLidMappings.add(pnJID=address(number), lidJID=f"{lid}@lid")
    return made


def announce(history: history_pb.HistorySync, *, inline: bool = False, request_id: str = "") -> History:
    """The notification of a chunk; ``inline`` carries it in the message itself, ``request_id`` is that of the request it answers."""
    packed = zlib.compress(history.SerializeToString())
    message = e2e_pb.Message()
    message.protocolMessage.type = e2e_pb.ProtocolMessage.HISTORY_SYNC_NOTIFICATION
    note = message.protocolMessage.historySyncNotification
    note.syncType = history.syncType
    note.chunkOrder, note.progress = history.chunkOrder, history.progress
    if request_id:
        note.peerDataRequestSessionID = request_id
    if inline:
        note.initialHistBootstrapInlinePayload = packed
        return History(message, None)
    blob = blobs.encrypt(packed, blobs.HISTORY)
    note.fileSHA256, note.fileEncSHA256, note.fileLength = blob.sha256, blob.enc_sha256, blob.length
    note.mediaKey, note.directPath = blob.key, blob.direct_path
    return History(message, blob)
