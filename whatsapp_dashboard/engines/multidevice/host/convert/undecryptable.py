"""Messages the library could not open yet: the sender's phone is asked to send them again, and they come later."""

from __future__ import annotations

from whatsapp_dashboard.domain.engine_events import MessageReceived
from whatsapp_dashboard.domain.messages import Content, MessageType
from whatsapp_dashboard.engines.multidevice.host.convert.book import Book
from whatsapp_dashboard.engines.multidevice.host.convert.envelope import envelope_of
from whatsapp_dashboard.engines.multidevice.host.protos import neonize_pb

WAITING = "Waiting for this message. It may arrive when the phone is online, or be shown on the phone only."
_BETWEEN_DEVICES = "peer"


def waiting_event(message: neonize_pb.UndecryptableMessage, book: Book) -> MessageReceived | None:
    """What stands in the conversation until the message comes under the same id.

    None for what is not shown by itself: reactions, edits and votes are marked to be hidden while they cannot be read, and what our
    own phone tells its linked devices is for them.
    """
    hidden = message.DecryptFailMode == neonize_pb.UndecryptableMessage.DECRYPT_FAIL_HIDE
    if hidden or message.Info.Category == _BETWEEN_DEVICES:
        return None
    envelope = envelope_of(message.Info, book)
    return envelope.holding(Content(MessageType.UNSUPPORTED, WAITING)) if envelope else None
