"""Who wrote a message, where and when: the part of an event that does not depend on what it says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from whatsapp_dashboard.domain.engine_events import MessageReceived
from whatsapp_dashboard.domain.ids import Address, ContactKind
from whatsapp_dashboard.domain.messages import Content, Timer
from whatsapp_dashboard.engines.multidevice.host.convert.book import Book
from whatsapp_dashboard.engines.multidevice.host.convert.ids import MAX_ID, address_of, address_of_text, text_of
from whatsapp_dashboard.engines.multidevice.host.protos import neonize_pb

_MILLISECONDS = 100_000_000_000
"""Times above this are in milliseconds: in seconds it is the year 5138."""
_LAST = 4_102_444_800  # the year 2100


@dataclass(frozen=True, slots=True)
class Envelope:
    """The outside of one message."""

    wa_id: str
    chat: Address
    at: datetime
    from_me: bool
    sender: Address | None
    sender_name: str = ""
    chat_name: str = ""

    def holding(self, content: Content, *, history: bool = False, timer: Timer | None = None) -> MessageReceived:
        """The event of a message that says ``content`` in a chat with this ``timer``."""
        return MessageReceived(
            wa_id=self.wa_id,
            chat=self.chat,
            content=content,
            at=self.at,
            from_me=self.from_me,
            sender=self.sender,
            sender_name=self.sender_name,
            chat_name=self.chat_name,
            history=history,
            timer=timer,
        )


def time_of(stamp: int) -> datetime:
    """A time in UTC from seconds or milliseconds since 1970, which the library mixes; nonsense becomes 1970."""
    seconds = stamp / 1_000 if stamp > _MILLISECONDS else float(stamp)
    return datetime.fromtimestamp(seconds if 0 <= seconds <= _LAST else 0, UTC)


def envelope_of(info: neonize_pb.MessageInfo, book: Book) -> Envelope | None:
    """The outside of a message. None when its chat is nobody we could show or answer."""
    source = info.MessageSource
    if not info.ID or len(info.ID) > MAX_ID:
        return None
    if source.IsFromMe:
        chat = address_of(source.Chat, book, source.RecipientAlt) or address_of_text(info.DeviceSentMeta.DestinationJID, book)
    else:
        chat = address_of(source.Chat, book, source.SenderAlt)
    if chat is None:
        return None
    sender = chat if chat.is_person else None
    if not chat.is_person and text_of(source.Sender) != text_of(source.Chat):
        sender = address_of(source.Sender, book, source.SenderAlt)
    if chat.kind is ContactKind.BROADCAST and not source.IsFromMe:
        # A message of somebody's broadcast list belongs in the chat with that person, as on the phone.
        if sender is None:
            return None
        chat = sender
    return Envelope(
        wa_id=info.ID,
        chat=chat,
        at=time_of(info.Timestamp),
        from_me=source.IsFromMe,
        sender=sender,
        sender_name=_name(info),
        chat_name=book.group_name(str(chat)) if chat.kind is ContactKind.GROUP else "",
    )


def _name(info: neonize_pb.MessageInfo) -> str:
    """What the sender calls themselves; phones without a name send a dash."""
    name = info.Pushname.strip()
    return name if name not in ("", "-") else info.VerifiedName.Details.verifiedName
