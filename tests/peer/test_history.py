"""History as the simulated phone packs it (the real library reads it in test_owner_phone.py)."""

from __future__ import annotations

import zlib

import pytest

from tests.peer import blobs, history
from whatsapp_dashboard.engines.multidevice.host.protos import history_pb

CHAT = {
    "number": "+15550000002",
    "name": "Carla",
    "messages": [
        {"id": "3A01", "from_me": False, "text": "Hello", "timestamp": 1700000000},
        {"id": "3A02", "from_me": True, "text": "Good morning", "timestamp": 1700000060},
    ],
}


def test_a_chunk_is_announced_with_what_is_needed_to_fetch_it() -> None:
    """Encrypted on the media servers, the key in the message (ACC-8, ACC-10)."""
    made = history.announce(history.build([CHAT], kind="recent", chunk=1, progress=40))
    note = made.message.protocolMessage.historySyncNotification
    assert made.blob is not None
    assert (note.directPath, note.fileEncSHA256) == (made.blob.direct_path, made.blob.enc_sha256)
    packed = blobs.decrypt(made.blob.data, note.mediaKey, blobs.HISTORY)
    assert len(packed) == note.fileLength
    read = history_pb.HistorySync.FromString(zlib.decompress(packed))
    assert read.syncType == history_pb.HistorySync.RECENT
    (chat,) = read.conversations
    assert (chat.ID, chat.name, chat.conversationTimestamp) == ("15550000002@s.whatsapp.net", "Carla", 1700000060)
    assert [(entry.message.key.fromMe, entry.message.message.conversation) for entry in chat.messages] == [
        (False, "Hello"),
        (True, "Good morning"),
    ]


def test_a_small_chunk_can_travel_in_the_message() -> None:
    """Nothing is stored on the media servers then (ACC-8)."""
    made = history.announce(history.build(kind="push_names", push_names={"15550000002": "Carla"}), inline=True, request_id="3A99")
    note = made.message.protocolMessage.historySyncNotification
    assert made.blob is None
    assert note.peerDataRequestSessionID == "3A99"
    read = history_pb.HistorySync.FromString(zlib.decompress(note.initialHistBootstrapInlinePayload))
    assert [(entry.ID, entry.pushname) for entry in read.pushnames] == [("15550000002@s.whatsapp.net", "Carla")]


def test_a_damaged_file_is_refused() -> None:
    """Its MAC covers every byte (MSG-9)."""
    blob = blobs.encrypt(b"picture", blobs.IMAGE)
    assert blobs.decrypt(blob.data, blob.key, blobs.IMAGE) == b"picture"
    with pytest.raises(ValueError, match="MAC"):
        blobs.decrypt(b"\x00" + blob.data[1:], blob.key, blobs.IMAGE)
