"""Who wrote, where and when (MSG-2, MSG-10)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.multidevice.convert.build import (
    AT,
    CARLA,
    CARLA_ADDRESS,
    CARLA_HIDDEN,
    CARLA_LID,
    CHANNEL,
    DEV,
    DEV_ADDRESS,
    GROUP,
    GROUP_ADDRESS,
    OWN,
    STATUS,
    Notes,
    event,
    info,
    jid,
    received,
    source,
)
from whatsapp_dashboard.domain.engine_events import MessageReceived
from whatsapp_dashboard.domain.ids import Address, ContactKind
from whatsapp_dashboard.engines.multidevice.host.convert.envelope import time_of
from whatsapp_dashboard.engines.multidevice.host.convert.ids import address_of, jid_of
from whatsapp_dashboard.engines.multidevice.host.convert.incoming import events_of
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb, neonize_pb

HELLO = e2e_pb.Message(conversation="Hello")


def of(where: neonize_pb.MessageSource, name: str = "Carla") -> MessageReceived:
    found = received(HELLO, info(where, name=name))
    assert isinstance(found, MessageReceived)
    return found


def test_a_private_message_has_the_contact_as_chat_and_sender() -> None:
    """MSG-10: the phone number and the LID, from the book when the message has only one."""
    found = of(source(CARLA))
    assert (found.chat, found.sender, found.sender_name) == (CARLA_ADDRESS, CARLA_ADDRESS, "Carla")
    assert (found.wa_id, found.from_me, found.history, found.offline) == ("3EB0AA", False, False, False)


def test_a_chat_by_lid_is_known_by_the_phone_number_that_comes_with_it() -> None:
    """MSG-10: SenderAlt wins over the book."""
    found = of(source("999@lid", sender_alt=DEV))
    assert found.chat == Address(phone=DEV_ADDRESS.phone, lid="999")


def test_the_device_of_the_sender_is_dropped() -> None:
    """MSG-10: one person on all devices."""
    found = of(source(GROUP, CARLA, device=12))
    assert found.sender == CARLA_ADDRESS
    assert address_of(jid("34600111222:3@s.whatsapp.net"), Notes()) == CARLA_ADDRESS


def test_what_we_write_on_the_phone_belongs_in_the_chat_with_the_contact() -> None:
    """AI-8: the chat is the recipient, with both identities."""
    found = of(source(CARLA_HIDDEN, OWN, from_me=True, recipient_alt=CARLA), name="")
    assert (found.chat, found.from_me) == (CARLA_ADDRESS, True)


def test_what_we_write_on_the_phone_finds_its_chat_by_the_destination_too() -> None:
    """AI-8: when the stanza's recipient is no address of a chat."""
    about = info(source("", OWN, from_me=True))
    about.DeviceSentMeta.DestinationJID = CARLA
    about.DeviceSentMeta.Phash = ""
    (found,) = events_of(event(HELLO, about), Notes())
    assert isinstance(found, MessageReceived)
    assert found.chat == CARLA_ADDRESS


def test_a_group_message_names_the_group_and_who_wrote() -> None:
    """MSG-1: sender by phone and LID, the group by its subject."""
    found = of(source(GROUP, CARLA_HIDDEN, sender_alt=CARLA))
    assert (found.chat, found.chat_name, found.sender, found.sender_name) == (GROUP_ADDRESS, "Shop", CARLA_ADDRESS, "Carla")


def test_a_channel_and_a_status_keep_their_kind() -> None:
    """MSG-1: bots never answer them, the router knows by the kind."""
    channel, status = of(source(CHANNEL, CHANNEL)), of(source(STATUS, CARLA))
    assert (channel.chat.kind, channel.sender) == (ContactKind.CHANNEL, None)
    assert (status.chat.kind, status.sender) == (ContactKind.STATUS, CARLA_ADDRESS)


def test_a_message_of_somebodys_broadcast_list_is_a_message_of_that_person() -> None:
    """MSG-10: as on the phone; our own list keeps its own chat."""
    assert of(source("1490000000@broadcast", DEV)).chat == DEV_ADDRESS
    assert of(source("1490000000@broadcast", OWN, from_me=True)).chat.kind is ContactKind.BROADCAST


def test_a_business_without_a_push_name_goes_by_its_verified_name() -> None:
    """MSG-7."""
    about = info(name="-")
    about.VerifiedName.Details.verifiedName = "Carla's Shop"
    found = received(HELLO, about)
    assert isinstance(found, MessageReceived)
    assert found.sender_name == "Carla's Shop"


@pytest.mark.parametrize("chat", ["867051314767696@bot", "0@s.whatsapp.net", "1@interop", "abc@s.whatsapp.net", "1@unknown", ""])
def test_who_cannot_be_answered_makes_no_conversation(chat: str) -> None:
    """MSG-2: AI bots, WhatsApp itself and servers nobody knows; no exception."""
    assert events_of(event(HELLO, info(source(chat))), Notes()) == []


def test_a_member_of_a_group_who_is_no_person_leaves_the_message_readable() -> None:
    """MSG-2."""
    assert of(source(GROUP, "867051314767696@bot")).sender is None


def test_hosted_numbers_are_the_same_people() -> None:
    """MSG-10: businesses whose device runs at Meta."""
    assert address_of(jid("34600111222@hosted"), Notes()) == CARLA_ADDRESS
    assert address_of(jid(f"{CARLA_LID}@hosted.lid"), Notes()) == CARLA_ADDRESS


def test_a_message_without_a_usable_id_is_dropped() -> None:
    """MSG-3: nothing could tell it from another."""
    assert events_of(event(HELLO, info(wa_id="")), Notes()) == []
    assert events_of(event(HELLO, info(wa_id="x" * 200)), Notes()) == []


def test_times_come_in_milliseconds_or_seconds() -> None:
    """MSG-1: the library mixes them; nonsense never fails."""
    right = datetime.fromtimestamp(AT, UTC)
    assert of(source()).at == right == time_of(AT) == time_of(AT * 1_000)
    assert time_of(-62_135_596_800_000) == time_of(2**63 - 1) == datetime.fromtimestamp(0, UTC)


def test_an_address_becomes_the_jid_to_send_to() -> None:
    """MSG-2: the phone number preferred, the LID where it is all we have."""
    assert (jid_of(CARLA_ADDRESS).User, jid_of(CARLA_ADDRESS).Server) == ("34600111222", "s.whatsapp.net")
    assert jid_of(Address(lid="5")).Server == "lid"
    assert jid_of(GROUP_ADDRESS).Server == "g.us"
