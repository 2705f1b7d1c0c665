"""Chats whose messages disappear: the timer is read from messages, settings and history, and set on what goes out (MSG-12)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.multidevice.convert.build import AT, CARLA, CARLA_ADDRESS, GROUP, Notes, info, received, source
from tests.multidevice.convert.test_outgoing import UPLOAD
from whatsapp_dashboard.domain.engine_events import MessageReceived, TimerChanged
from whatsapp_dashboard.domain.messages import ContactCard, Content, Location, MediaFile, MessageType, Poll, Timer
from whatsapp_dashboard.engines.multidevice.host.convert.envelope import time_of
from whatsapp_dashboard.engines.multidevice.host.convert.history import history_events
from whatsapp_dashboard.engines.multidevice.host.convert.outgoing import message_of
from whatsapp_dashboard.engines.multidevice.host.convert.unwrap import unwrap
from whatsapp_dashboard.engines.multidevice.host.protos import common_pb, e2e_pb, history_pb, web_pb

DAY, SET_AT = 86_400, 1_789_000_000
CONTEXT = e2e_pb.ContextInfo(expiration=DAY, ephemeralSettingTimestamp=SET_AT)
TIMER = Timer(DAY, datetime.fromtimestamp(SET_AT, UTC))
CARD = ContactCard("Dev", ("919812345678",))


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_message_tells_the_timer_of_its_chat(wrapped: bool) -> None:
    """MSG-12: bare, and in the wrapper of older phones; without the time it was set, with none at all."""
    said = e2e_pb.Message(extendedTextMessage=e2e_pb.ExtendedTextMessage(text="Hi", contextInfo=CONTEXT))
    message = e2e_pb.Message(ephemeralMessage=e2e_pb.FutureProofMessage(message=said)) if wrapped else said
    found = received(message)
    assert isinstance(found, MessageReceived)
    assert found.timer == TIMER
    photo = e2e_pb.ImageMessage(directPath="/x?y", contextInfo=e2e_pb.ContextInfo(expiration=DAY))
    assert getattr(received(e2e_pb.Message(imageMessage=photo)), "timer", None) == Timer(DAY)
    assert getattr(received(e2e_pb.Message(conversation="Hi")), "timer", "?") is None


@pytest.mark.parametrize("seconds", [DAY, 0])
def test_setting_and_switching_off_the_timer_is_told(seconds: int) -> None:
    """MSG-12: by the contact or on our own phone."""
    part = e2e_pb.ProtocolMessage(type=e2e_pb.ProtocolMessage.EPHEMERAL_SETTING, ephemeralExpiration=seconds)
    for from_me in (False, True):
        about = info(source(CARLA, "34600000001@s.whatsapp.net" if from_me else CARLA, from_me=from_me))
        assert received(e2e_pb.Message(protocolMessage=part), about) == TimerChanged(CARLA_ADDRESS, seconds, time_of(AT))


def test_history_tells_the_timer_behind_the_messages() -> None:
    """MSG-12, ACC-8: of the chat as it is now, not of old messages; a chat that says nothing changes nothing."""
    old = e2e_pb.Message(extendedTextMessage=e2e_pb.ExtendedTextMessage(text="Hi", contextInfo=CONTEXT))
    row = web_pb.WebMessageInfo(key=common_pb.MessageKey(remoteJID=CARLA, ID="A"), message=old, messageTimestamp=AT)
    chat = history_pb.Conversation(ID=CARLA, ephemeralExpiration=0, ephemeralSettingTimestamp=SET_AT)
    chat.messages.add().message.CopyFrom(row)
    sync = history_pb.HistorySync(syncType=0, conversations=[chat, history_pb.Conversation(ID=GROUP)])
    *_, message, timer = history_events(sync, Notes())
    assert (getattr(message, "timer", "?"), timer) == (None, TimerChanged(CARLA_ADDRESS, 0, TIMER.set_at or time_of(0)))


@pytest.mark.parametrize(
    "content",
    [
        Content(MessageType.TEXT, "Hi", timer=TIMER),
        Content(MessageType.LOCATION, location=Location(1, 2), timer=TIMER),
        Content(MessageType.CONTACT, contacts=(CARD,), timer=TIMER),
        Content(MessageType.CONTACT, contacts=(CARD, CARD), timer=TIMER),
        Content(MessageType.POLL, poll=Poll("Lunch?", ("Yes", "No")), timer=TIMER),
        *(
            Content(kind, caption, media=MediaFile(b"x", "a/b", "x"), timer=TIMER)
            for kind, caption in (
                (MessageType.IMAGE, "c"),
                (MessageType.VIDEO, ""),
                (MessageType.AUDIO, ""),
                (MessageType.VOICE, ""),
                (MessageType.DOCUMENT, ""),
                (MessageType.DOCUMENT, "c"),
            )
        ),
    ],
    ids=lambda content: f"{content.type.value}{len(content.contacts) or ''}{content.text and ' with words'}",
)
def test_every_kind_of_message_carries_the_timer(content: Content) -> None:
    """MSG-12."""
    made = message_of(content, secret=bytes(32), upload=UPLOAD, book=Notes(), chat=CARLA_ADDRESS)
    part = next(part for field, part in unwrap(made).message.ListFields() if field.name != "messageContextInfo")
    assert (part.contextInfo.expiration, part.contextInfo.ephemeralSettingTimestamp) == (DAY, SET_AT)


def test_without_a_timer_nothing_changes() -> None:
    """MSG-12: a plain text stays one."""
    made = message_of(Content(MessageType.TEXT, "Hi"), secret=bytes(32), upload=None, book=Notes(), chat=CARLA_ADDRESS)
    assert made.conversation == "Hi"
