"""Changes sealed with the secret of the message they change: edits, reactions, comments, answers to events (MSG-12)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.multidevice.convert.build import (
    AT,
    CARLA,
    CARLA_ADDRESS,
    CARLA_HIDDEN,
    DEV,
    DEV_ADDRESS,
    GROUP,
    GROUP_ADDRESS,
    OWN,
    OWN_LID,
    Notes,
    event,
    info,
    source,
)
from tests.support.sealing import IV, SECRET, change, sealed, sealed_edit
from whatsapp_dashboard.domain.engine_events import ConversationEvent, MessageEdited, MessageReceived, PollChanged, ReactionReceived
from whatsapp_dashboard.domain.messages import MessageType
from whatsapp_dashboard.engines.multidevice.host.convert.book import MessageSecret
from whatsapp_dashboard.engines.multidevice.host.convert.envelope import time_of
from whatsapp_dashboard.engines.multidevice.host.convert.incoming import events_of
from whatsapp_dashboard.engines.multidevice.host.convert.message_secrets import history_secrets, secret_of
from whatsapp_dashboard.engines.multidevice.host.protos import common_pb, e2e_pb, history_pb, neonize_pb, web_pb

WHEN = time_of(AT)
TYPES = e2e_pb.SecretEncryptedMessage


def told(
    message: e2e_pb.Message, about: neonize_pb.MessageInfo | None = None, *, known: str = CARLA, **book: Any
) -> ConversationEvent | None:
    """What it means when the secret of M1, which ``known`` wrote, is remembered."""
    secrets = {"M1": [MessageSecret(known, SECRET)]} if known else {}
    found = events_of(event(message, about), Notes(known=secrets, **book))
    return found[0] if found else None


@pytest.mark.parametrize("name", [CARLA, CARLA_HIDDEN])
@pytest.mark.parametrize("known", [CARLA, CARLA_HIDDEN])
@pytest.mark.parametrize("chat", [CARLA, CARLA_HIDDEN])
def test_an_edit_is_read_whichever_name_its_phone_used(name: str, known: str, chat: str) -> None:
    """MSG-12, MSG-10: phone number or LID in the key, in the chat, and with the message it changes."""
    found = told(sealed_edit("8 mm", name), info(source(chat)), known=known)
    assert found == MessageEdited("M1", CARLA_ADDRESS, "8 mm", WHEN, sender=CARLA_ADDRESS)


def test_an_edit_whose_secret_is_not_known_marks_the_message() -> None:
    """MSG-12: and one that was damaged on the way."""
    closed = MessageEdited("M1", CARLA_ADDRESS, "", WHEN, sender=CARLA_ADDRESS, readable=False)
    assert told(sealed_edit("8 mm", CARLA), known="") == closed
    damaged = sealed_edit("8 mm", CARLA)
    damaged.secretEncryptedMessage.encPayload = damaged.secretEncryptedMessage.encPayload[:-1] + b"?"
    assert told(damaged) == closed
    damaged.secretEncryptedMessage.encIV = b""
    assert told(damaged) == closed
    assert told(change(TYPES.MESSAGE_EDIT, sealed(b"\xff\xff", "Message Edit", CARLA, CARLA))) == closed


def test_nobody_edits_what_somebody_else_wrote() -> None:
    """MSG-12, SEC-4: a member of a group who seals an edit of Carla's message with its secret is not believed."""
    about = info(source(GROUP, DEV))
    assert told(sealed_edit("forged", CARLA, DEV), about, known=CARLA) is None
    assert told(sealed_edit("forged", DEV, DEV), about, known=CARLA) is None


def test_an_edit_in_a_group_says_who_made_it() -> None:
    """MSG-12."""
    found = told(sealed_edit("8 mm", DEV), info(source(GROUP, DEV)), known=DEV)
    assert found == MessageEdited("M1", GROUP_ADDRESS, "8 mm", WHEN, sender=DEV_ADDRESS)


@pytest.mark.parametrize("name", [OWN, f"{OWN_LID}@lid"])
@pytest.mark.parametrize("known", [OWN, f"{OWN_LID}@lid"])
def test_our_own_edit_on_the_phone_is_ours(name: str, known: str) -> None:
    """MSG-12, AI-8."""
    found = told(sealed_edit("8 mm", name), info(source(CARLA, OWN, from_me=True)), known=known)
    assert found == MessageEdited("M1", CARLA_ADDRESS, "8 mm", WHEN, from_me=True)


def test_an_edited_caption_is_the_new_text() -> None:
    """MSG-12."""
    caption = e2e_pb.Message(imageMessage=e2e_pb.ImageMessage(caption="New", directPath="/x?y"))
    inner = e2e_pb.Message(protocolMessage=e2e_pb.ProtocolMessage(type=e2e_pb.ProtocolMessage.MESSAGE_EDIT, editedMessage=caption))
    found = told(change(TYPES.MESSAGE_EDIT, sealed(inner.SerializeToString(), "Message Edit", CARLA, CARLA)))
    assert isinstance(found, MessageEdited)
    assert found.text == "New"


def test_an_edited_event_says_what_it_is_now() -> None:
    """MSG-12."""
    plain = e2e_pb.Message(eventMessage=e2e_pb.EventMessage(name="Tasting", startTime=1_790_000_000)).SerializeToString()
    found = told(change(TYPES.EVENT_EDIT, sealed(plain, "Event Edit", CARLA, CARLA)))
    assert isinstance(found, MessageEdited)
    assert "Tasting" in found.text


def test_an_edited_poll_has_its_new_question_and_options() -> None:
    """MSG-12."""
    options = [e2e_pb.PollCreationMessage.Option(optionName=name) for name in ("Pizza", "Soup", "Rice")]
    plain = e2e_pb.Message(pollCreationMessage=e2e_pb.PollCreationMessage(name="Dinner?", options=options)).SerializeToString()
    found = told(change(TYPES.POLL_EDIT, sealed(plain, "Poll Edit", CARLA, CARLA)))
    assert found == PollChanged("M1", CARLA_ADDRESS, "Dinner?", ("Pizza", "Soup", "Rice"), WHEN)


def test_anybody_in_the_chat_may_add_an_option_to_a_poll() -> None:
    """MSG-12: the one who adds is another one than the one who asked."""
    added = e2e_pb.PollAddOptionMessage(addOption=e2e_pb.PollCreationMessage.Option(optionName="Rice"))
    plain = e2e_pb.Message(pollAddOptionMessage=added).SerializeToString()
    message = change(TYPES.POLL_ADD_OPTION, sealed(plain, "Poll Add Option", CARLA, DEV))
    about = info(source(GROUP, DEV))
    assert told(message, about, polls={"M1": ("Pizza", "Soup")}) == PollChanged("M1", GROUP_ADDRESS, "", ("Pizza", "Soup", "Rice"), WHEN)
    assert told(message, about, polls={}) is None
    assert told(message, about, polls={"M1": ("Pizza", "Rice")}) is None


def test_a_sealed_reaction_is_a_reaction() -> None:
    """MSG-12: as communities send them."""
    plain = e2e_pb.ReactionMessage(text="👍").SerializeToString()
    key = common_pb.MessageKey(remoteJID=GROUP, participant=CARLA, ID="M1")
    part = e2e_pb.EncReactionMessage(targetMessageKey=key, encPayload=sealed(plain, "Enc Reaction", CARLA, DEV), encIV=IV)
    message = e2e_pb.Message(encReactionMessage=part)
    assert told(message, info(source(GROUP, DEV))) == ReactionReceived("M1", GROUP_ADDRESS, DEV_ADDRESS, "👍", WHEN)
    assert told(message, info(source(GROUP, DEV)), known="") is None


def test_a_sealed_comment_is_a_message_about_another_one() -> None:
    """MSG-12: and one that cannot be read says so."""
    plain = e2e_pb.Message(conversation="Me too").SerializeToString()
    key = common_pb.MessageKey(remoteJID=GROUP, participant=CARLA, ID="M1")
    part = e2e_pb.EncCommentMessage(targetMessageKey=key, encPayload=sealed(plain, "Enc Comment", CARLA, DEV), encIV=IV)
    for known, text, kind in ((CARLA, "Me too", MessageType.TEXT), ("", "could not be read", MessageType.UNSUPPORTED)):
        found = told(e2e_pb.Message(encCommentMessage=part), info(source(GROUP, DEV)), known=known)
        assert isinstance(found, MessageReceived)
        assert (found.content.type, found.content.quoted_id, text in found.content.text) == (kind, "M1", True)


def test_an_answer_to_an_event_is_told() -> None:
    """MSG-12: it is sealed together with who answers."""
    response = e2e_pb.EventResponseMessage(response=e2e_pb.EventResponseMessage.GOING, extraGuestCount=2).SerializeToString()
    key = common_pb.MessageKey(remoteJID=GROUP, participant=CARLA, ID="M1")
    payload = sealed(response, "Event Response", CARLA, DEV, beside=f"M1\0{DEV}".encode())
    part = e2e_pb.EncEventResponseMessage(eventCreationMessageKey=key, encPayload=payload, encIV=IV)
    for known, text in ((CARLA, "Comes to the event, with 2 more."), ("", "could not be read")):
        found = told(e2e_pb.Message(encEventResponseMessage=part), info(source(GROUP, DEV)), known=known)
        assert isinstance(found, MessageReceived)
        assert text in found.content.text
        assert found.content.type is MessageType.UNSUPPORTED


@pytest.mark.parametrize("kind", [TYPES.UNKNOWN, TYPES.MESSAGE_SCHEDULE])
def test_sealed_kinds_that_are_not_for_people_are_noted_and_left_out(kind: int, caplog: pytest.LogCaptureFixture) -> None:
    """MSG-12: with a line in the log."""
    assert told(change(kind, b"whatever")) is None
    assert "left out" in caplog.text


def test_the_secret_of_a_message_is_found_in_every_wrapper() -> None:
    """MSG-12: beside the text, outside a disappearing message, in a copy from the phone."""
    plain = e2e_pb.Message(conversation="5 mm", messageContextInfo=e2e_pb.MessageContextInfo(messageSecret=SECRET))
    wrapped = e2e_pb.Message(ephemeralMessage=e2e_pb.FutureProofMessage(message=plain))
    copy = e2e_pb.Message(deviceSentMessage=e2e_pb.DeviceSentMessage(message=plain))
    for message in (plain, wrapped, copy):
        assert secret_of(event(message)) == ("3EB0AA", CARLA, SECRET)
    assert secret_of(event(e2e_pb.Message(conversation="5 mm"))) is None


def test_the_secrets_of_the_past_come_with_history() -> None:
    """MSG-12: written beside the message or inside it, with who wrote it."""
    said = e2e_pb.Message(conversation="5 mm", messageContextInfo=e2e_pb.MessageContextInfo(messageSecret=SECRET))
    rows = [
        web_pb.WebMessageInfo(key=common_pb.MessageKey(remoteJID=CARLA, ID="A"), message=said),
        web_pb.WebMessageInfo(key=common_pb.MessageKey(remoteJID=CARLA, fromMe=True, ID="B"), messageSecret=SECRET),
        web_pb.WebMessageInfo(key=common_pb.MessageKey(remoteJID=CARLA, ID="C")),
    ]
    chat = history_pb.Conversation(ID=CARLA, messages=[history_pb.HistorySyncMsg(message=row) for row in rows])
    group = history_pb.Conversation(ID=GROUP)
    group.messages.add().message.CopyFrom(web_pb.WebMessageInfo(key=common_pb.MessageKey(ID="D"), participant=DEV, messageSecret=SECRET))
    found = list(history_secrets(history_pb.HistorySync(syncType=0, conversations=[chat, group]), Notes()))
    assert found == [("A", CARLA, SECRET), ("B", OWN, SECRET), ("D", DEV, SECRET)]
