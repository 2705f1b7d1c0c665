"""Reactions, edits and deletions of earlier messages (MSG-1)."""

from __future__ import annotations

import pytest

from tests.multidevice.convert.build import (
    AT,
    CARLA,
    CARLA_ADDRESS,
    CHANNEL,
    DEV,
    DEV_ADDRESS,
    GROUP,
    GROUP_ADDRESS,
    OWN,
    Notes,
    event,
    info,
    received,
    source,
)
from whatsapp_dashboard.domain.engine_events import MessageEdited, MessageReceived, MessageRevoked, ReactionReceived
from whatsapp_dashboard.engines.multidevice.host.convert.envelope import time_of
from whatsapp_dashboard.engines.multidevice.host.convert.incoming import events_of
from whatsapp_dashboard.engines.multidevice.host.protos import common_pb, e2e_pb

KEY = common_pb.MessageKey(remoteJID=CARLA, fromMe=True, ID="M1")
WHEN = time_of(AT)
P = e2e_pb.ProtocolMessage


def reaction(emoji: str) -> e2e_pb.Message:
    return e2e_pb.Message(reactionMessage=e2e_pb.ReactionMessage(key=KEY, text=emoji))


def change(text: str = "Hello again") -> e2e_pb.Message:
    new = e2e_pb.Message(conversation=text)
    return e2e_pb.Message(protocolMessage=P(key=KEY, type=P.MESSAGE_EDIT, editedMessage=new))


def test_a_reaction_is_set_and_taken_back() -> None:
    """MSG-1: an empty one removes it."""
    assert received(reaction("👍")) == ReactionReceived("M1", CARLA_ADDRESS, CARLA_ADDRESS, "👍", WHEN)
    assert received(reaction("")) == ReactionReceived("M1", CARLA_ADDRESS, CARLA_ADDRESS, "", WHEN)


def test_our_reaction_on_the_phone_is_ours() -> None:
    """MSG-1."""
    found = received(reaction("👍"), info(source(CARLA, OWN, from_me=True)))
    assert found == ReactionReceived("M1", CARLA_ADDRESS, None, "👍", WHEN, from_me=True)


def test_a_reaction_in_a_group_tells_whose_it_is() -> None:
    """MSG-1."""
    found = received(reaction("👍"), info(source(GROUP, DEV)))
    assert found == ReactionReceived("M1", GROUP_ADDRESS, DEV_ADDRESS, "👍", WHEN)


@pytest.mark.parametrize("shape", ["unwrapped by the library", "raw", "disappearing", "bare"])
def test_an_edit_is_told_in_every_shape(shape: str) -> None:
    """MSG-1: the new text of the message it names."""
    wrapped = e2e_pb.Message(editedMessage=e2e_pb.FutureProofMessage(message=change()))
    match shape:
        case "unwrapped by the library":
            found = received(change(), info(edit="1"), IsEdit=True)
        case "raw":
            found = received(wrapped, info(edit="1"))
        case "disappearing":
            found = received(e2e_pb.Message(ephemeralMessage=e2e_pb.FutureProofMessage(message=wrapped)))
        case _:
            found = received(change())
    assert found == MessageEdited("M1", CARLA_ADDRESS, "Hello again", WHEN, sender=CARLA_ADDRESS)


def test_an_edited_caption_is_told_as_the_new_text() -> None:
    """MSG-1."""
    new = e2e_pb.Message(imageMessage=e2e_pb.ImageMessage(caption="New", directPath="/x?y"))
    message = e2e_pb.Message(protocolMessage=P(key=KEY, type=P.MESSAGE_EDIT, editedMessage=new))
    assert received(message) == MessageEdited("M1", CARLA_ADDRESS, "New", WHEN, sender=CARLA_ADDRESS)


def test_an_edit_in_a_channel_has_the_id_of_what_it_changes() -> None:
    """MSG-1: as the library gives it, and as the stanza says it."""
    about = info(source(CHANNEL, CHANNEL), wa_id="M1", edit="3")
    found = received(e2e_pb.Message(conversation="New"), about)
    assert isinstance(found, MessageEdited)
    assert (found.target_wa_id, found.text) == ("M1", "New")
    assert isinstance(received(e2e_pb.Message(conversation="New"), info(wa_id="M1"), IsEdit=True), MessageEdited)


def test_a_deletion_by_the_writer_or_an_administrator_names_the_message() -> None:
    """MSG-1: the first type has the number 0, and is told from none."""
    message = e2e_pb.Message(protocolMessage=P(key=KEY, type=P.REVOKE))
    assert received(message, info(edit="7")) == MessageRevoked("M1", CARLA_ADDRESS, WHEN)
    admin = received(message, info(source(GROUP, DEV), edit="8"))
    assert admin == MessageRevoked("M1", GROUP_ADDRESS, WHEN)
    assert events_of(event(e2e_pb.Message(protocolMessage=P(key=KEY))), Notes()) == []


def test_a_deletion_in_a_channel_has_the_id_of_what_it_deletes() -> None:
    """MSG-1: an empty message with the mark of a deletion."""
    found = received(e2e_pb.Message(), info(source(CHANNEL, CHANNEL), wa_id="M1", edit="8"))
    assert isinstance(found, MessageRevoked)
    assert found.target_wa_id == "M1"


def test_a_pinned_message_is_still_a_message() -> None:
    """MSG-1: the mark of a stanza alone deletes nothing."""
    assert isinstance(received(e2e_pb.Message(conversation="Hello"), info(edit="7")), MessageReceived)


@pytest.mark.parametrize("type", [name for name in P.Type.keys() if name not in ("REVOKE", "MESSAGE_EDIT", "EPHEMERAL_SETTING")])  # noqa: SIM118
def test_what_devices_settle_among_themselves_is_not_told(type: str) -> None:
    """MSG-1: keys, history notices, requests between our own devices."""
    message = e2e_pb.Message(protocolMessage=P(key=KEY, type=P.Type.Value(type)))
    assert events_of(event(message), Notes()) == []


@pytest.mark.parametrize(
    "field",
    [
        "encReactionMessage",
        "encCommentMessage",
        "encEventResponseMessage",
        "secretEncryptedMessage",
        "pinInChatMessage",
        "keepInChatMessage",
    ],
)
def test_changes_that_cannot_be_read_or_shown_are_left_out(field: str) -> None:
    """MSG-1: sealed reactions and edits, pins and keeps."""
    message = e2e_pb.Message()
    getattr(message, field).SetInParent()
    assert events_of(event(message), Notes()) == []


@pytest.mark.parametrize("message", [reaction("👍"), change(), e2e_pb.Message(protocolMessage=P(type=P.REVOKE))])
def test_a_change_of_nothing_is_left_out(message: e2e_pb.Message) -> None:
    """MSG-1: without the id of a message."""
    for part in (message.reactionMessage, message.protocolMessage):
        if message.HasField("reactionMessage") or message.HasField("protocolMessage"):
            part.key.ID = ""
    assert events_of(event(message), Notes()) == []
