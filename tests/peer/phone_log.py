"""What the owner sees on the phone: every message that reached it, readable when somebody asks."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.peer.signal import SignalError
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb

KEPT = 5000
"""Messages a phone remembers."""


@dataclass
class Entry:
    """One message; its content is only decrypted when it is asked for, because most tests never ask."""

    id: str
    chat: str
    """The other side: a number, or the JID of a group."""
    sender: str
    """The number that wrote it."""
    from_me: bool
    read: Callable[[], e2e_pb.Message] = field(repr=False)
    timestamp: int = field(default_factory=lambda: int(time.time()))
    _message: e2e_pb.Message | None = field(default=None, repr=False)

    @property
    def message(self) -> e2e_pb.Message | None:
        """The content, unwrapped from a copy between own devices; None when the phone could not read it."""
        if self._message is None:
            try:
                message = self.read()
            except SignalError:
                return None
            self._message = message.deviceSentMessage.message if message.HasField("deviceSentMessage") else message
        return self._message

    def plain(self) -> dict[str, Any]:
        """The entry as tests and history want it."""
        message = self.message or e2e_pb.Message()
        return {
            "id": self.id,
            "chat": self.chat,
            "participant": self.sender if "@" in self.chat and not self.from_me else "",
            "from_me": self.from_me,
            "text": text_of(message),
            "message": message,
            "timestamp": self.timestamp,
        }


def text_of(message: e2e_pb.Message) -> str:
    """The text of a message, an empty one when it has none."""
    if message.HasField("editedMessage"):
        return text_of(message.editedMessage.message.protocolMessage.editedMessage)
    return message.conversation or message.extendedTextMessage.text or message.imageMessage.caption or message.documentMessage.caption


class PhoneLog:
    """The messages of one phone, in the order they came."""

    def __init__(self) -> None:
        """An empty log."""
        self._entries: deque[Entry] = deque(maxlen=KEPT)

    def __iter__(self) -> Iterator[Entry]:
        """The entries, oldest first."""
        return iter(self._entries)

    def __len__(self) -> int:
        """How many messages the phone remembers."""
        return len(self._entries)

    def add(self, entry: Entry) -> None:
        """Remember a message."""
        self._entries.append(entry)

    def find(self, message_id: str) -> Entry | None:
        """The message with this id."""
        return next((entry for entry in self._entries if entry.id == message_id), None)

    def before(self, chat: str, anchor: str, timestamp: int, count: int) -> list[Entry]:
        """Up to ``count`` messages of a chat that came before the message ``anchor``, or not after ``timestamp`` (seconds) without it."""
        entries = [entry for entry in self._entries if entry.chat == chat]
        at = next((place for place, entry in enumerate(entries) if entry.id == anchor), None)
        if at is not None:
            entries = entries[:at]
        elif timestamp:
            entries = [entry for entry in entries if entry.timestamp <= timestamp]
        return entries[-count:] if count > 0 else entries
