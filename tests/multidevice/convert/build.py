"""Events as the library gives them, made with its own protobuf classes: Carla (phone and LID) and Dev write to Ana's account."""

from __future__ import annotations

from dataclasses import dataclass, field

from whatsapp_dashboard.domain.engine_events import ConversationEvent
from whatsapp_dashboard.domain.ids import Address, ContactKind
from whatsapp_dashboard.domain.messages import Content
from whatsapp_dashboard.engines.multidevice.host.convert.book import MessageSecret
from whatsapp_dashboard.engines.multidevice.host.convert.incoming import events_of
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb, neonize_pb

OWN_PHONE, OWN_LID = "34600000001", "900000000000001"
CARLA_PHONE, CARLA_LID = "34600111222", "111222333444555"
DEV_PHONE = "447700900123"
OWN = f"{OWN_PHONE}@s.whatsapp.net"
CARLA, CARLA_HIDDEN = f"{CARLA_PHONE}@s.whatsapp.net", f"{CARLA_LID}@lid"
DEV = f"{DEV_PHONE}@s.whatsapp.net"
GROUP, CHANNEL, STATUS = "120363001@g.us", "120363777@newsletter", "status@broadcast"
CARLA_ADDRESS = Address(phone=CARLA_PHONE, lid=CARLA_LID)
DEV_ADDRESS = Address(phone=DEV_PHONE)
GROUP_ADDRESS = Address(ContactKind.GROUP, jid=GROUP)
AT = 1_790_000_000
"""Seconds since 1970 when everything here was written."""


@dataclass
class Notes:
    """A book with what the tests put into it."""

    own_phone: str = OWN_PHONE
    own_lid: str | None = OWN_LID
    alts: dict[str, str] = field(default_factory=lambda: {CARLA: CARLA_HIDDEN, CARLA_HIDDEN: CARLA})
    polls: dict[str, tuple[str, ...]] = field(default_factory=dict)
    known: dict[str, list[MessageSecret]] = field(default_factory=dict)

    def alt(self, jid: str) -> str | None:
        return self.alts.get(jid)

    def group_name(self, jid: str) -> str:
        return "Shop" if jid == GROUP else ""

    def poll(self, wa_id: str) -> tuple[str, ...] | None:
        return self.polls.get(wa_id)

    def secrets(self, wa_id: str) -> list[MessageSecret]:
        return self.known.get(wa_id, [])


def jid(text: str, device: int = 0) -> neonize_pb.JID:
    user, _, server = text.partition("@")
    return neonize_pb.JID(User=user, Server=server, RawAgent=0, Device=device, Integrator=0, IsEmpty=not text)


def source(
    chat: str = CARLA, sender: str = "", *, from_me: bool = False, sender_alt: str = "", recipient_alt: str = "", device: int = 0
) -> neonize_pb.MessageSource:
    return neonize_pb.MessageSource(
        Chat=jid(chat),
        Sender=jid(sender or (OWN if from_me else chat), device),
        IsFromMe=from_me,
        IsGroup=chat.endswith(("@g.us", "@broadcast")),
        SenderAlt=jid(sender_alt),
        RecipientAlt=jid(recipient_alt),
        BroadcastListOwner=jid(""),
    )


def info(
    where: neonize_pb.MessageSource | None = None, *, wa_id: str = "3EB0AA", name: str = "Carla", edit: str = ""
) -> neonize_pb.MessageInfo:
    return neonize_pb.MessageInfo(
        MessageSource=where or source(),
        ID=wa_id,
        ServerID=0,
        Type="text",
        Pushname=name,
        Timestamp=AT * 1_000,
        Category="",
        Multicast=False,
        MediaType="",
        Edit=edit,
    )


def event(message: e2e_pb.Message, about: neonize_pb.MessageInfo | None = None, **flags: bool) -> neonize_pb.Message:
    """The library's message event, through its bytes as in real life."""
    names = ("IsEphemeral", "IsViewOnce", "IsViewOnceV2", "IsViewOnceV2Extension", "IsDocumentWithCaption", "IsLottieSticker", "IsEdit")
    made = neonize_pb.Message(
        Info=about or info(), Message=message, UnavailableRequestID="", RetryCount=0, **{name: flags.get(name, False) for name in names}
    )
    return neonize_pb.Message.FromString(made.SerializeToString())


def received(message: e2e_pb.Message, about: neonize_pb.MessageInfo | None = None, **flags: bool) -> ConversationEvent:
    """The one event that ``message`` means."""
    (found,) = events_of(event(message, about, **flags), Notes())
    return found


def said(message: e2e_pb.Message, **flags: bool) -> Content:
    """What ``message`` says."""
    content = getattr(received(message, **flags), "content", None)
    assert isinstance(content, Content)
    return content
