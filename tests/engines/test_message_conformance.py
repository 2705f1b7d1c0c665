"""What every engine brings in and sends out (ENG-6, MSG-1)."""

from __future__ import annotations

import asyncio
from operator import not_

import pytest

from tests.engines.harness import SMALL_FILE, Harness, Rig
from tests.support.waiting import until
from whatsapp_dashboard.domain.engine_events import (
    CallReceived,
    MessageEdited,
    MessageReceived,
    MessageRevoked,
    PollVoted,
    ReactionReceived,
    Receipt,
    ReceiptKind,
)
from whatsapp_dashboard.domain.ids import Address, ContactKind
from whatsapp_dashboard.domain.messages import ContactCard, Content, Location, MediaFile, MediaRef, MessageKey, MessageType, Poll
from whatsapp_dashboard.engines.base import Capability
from whatsapp_dashboard.errors import Permanent

HELLO = Content(MessageType.TEXT, "Hello")
FILES = {
    MessageType.IMAGE: MediaFile(b"\x89PNG\r\n\x1a\n" + bytes(300), "image/png", "photo.png"),
    MessageType.VIDEO: MediaFile(b"\0\0\0\x18ftypmp42" + bytes(300), "video/mp4", "clip.mp4"),
    MessageType.AUDIO: MediaFile(b"ID3" + bytes(300), "audio/mpeg", "song.mp3"),
    MessageType.VOICE: MediaFile(b"OggS" + bytes(300), "audio/ogg; codecs=opus", ""),
    MessageType.DOCUMENT: SMALL_FILE,
}
CONTENTS = {
    Capability.TEXT: Content(MessageType.TEXT, "Grüße 👋 مرحبا"),
    Capability.IMAGE: Content(MessageType.IMAGE, "a caption", media=FILES[MessageType.IMAGE]),
    Capability.VIDEO: Content(MessageType.VIDEO, media=FILES[MessageType.VIDEO]),
    Capability.AUDIO: Content(MessageType.VOICE, media=FILES[MessageType.VOICE]),
    Capability.DOCUMENT: Content(MessageType.DOCUMENT, "the offer", media=SMALL_FILE),
    Capability.LOCATION: Content(MessageType.LOCATION, location=Location(41.3874, 2.1686, "Plaza", "Barcelona")),
    Capability.CONTACT: Content(MessageType.CONTACT, contacts=(ContactCard("Dev", ("919812345678",)),)),
    Capability.POLL: Content(MessageType.POLL, "Lunch?", poll=Poll("Lunch?", ("Pizza", "Soup"))),
}
ELSEWHERE = {
    Capability.QR,
    Capability.PAIRING_CODE,
    Capability.BUTTONS,
    Capability.REACTION,
    Capability.EDIT,
    Capability.REVOKE,
    Capability.MARK_READ,
    Capability.TYPING,
    Capability.DOWNLOAD,
    Capability.LOOKUP,
}


def needs(harness: Harness, capability: Capability) -> None:
    """Skip when the engine says it cannot do this."""
    if capability not in harness.engine.capabilities:
        pytest.skip(f"this engine has no {capability.value}")


def digits(phones: tuple[str, ...]) -> list[str]:
    """Cards write the same number in different ways."""
    return ["".join(filter(str.isdigit, phone)) for phone in phones]


def test_every_capability_has_its_test() -> None:
    """ENG-6: a capability added to the contract must be exercised here."""
    assert set(CONTENTS) | ELSEWHERE == set(Capability)


@pytest.mark.parametrize("capability", list(CONTENTS), ids=lambda capability: capability.value)
async def test_what_is_sent_arrives_as_it_was(linked: Rig, capability: Capability) -> None:
    """MSG-1, outgoing."""
    needs(linked.harness, capability)
    content = CONTENTS[capability]
    result = await linked.engine.send("key-1", await linked.harness.carla(), content)
    [arrived] = await linked.harness.arrived()
    assert arrived.wa_id == result.wa_id
    assert arrived.type == content.type.value
    assert arrived.text == content.text
    if isinstance(content.media, MediaFile):
        assert arrived.file == content.media.data


@pytest.mark.parametrize("capability", list(CONTENTS), ids=lambda capability: capability.value)
async def test_what_a_contact_sends_comes_in_as_it_was(linked: Rig, capability: Capability) -> None:
    """MSG-1, incoming; files come as a reference and are fetched on demand."""
    content = CONTENTS[capability]
    wa_id = await linked.harness.carla_sends(content)
    event = await linked.wait_for(MessageReceived)
    assert event.wa_id == wa_id
    assert event.chat == await linked.harness.carla()
    assert event.sender == event.chat
    assert event.sender_name
    assert not event.from_me
    assert not event.history
    got = event.content
    assert (got.type, got.text, got.location, got.poll) == (content.type, content.text, content.location, content.poll)
    assert [(card.name, digits(card.phones)) for card in got.contacts] == [(card.name, digits(card.phones)) for card in content.contacts]
    if isinstance(content.media, MediaFile):
        assert isinstance(got.media, MediaRef)
        needs(linked.harness, Capability.DOWNLOAD)
        file = await linked.engine.download(got.media)
        assert file.data == content.media.data
        assert file.mimetype == content.media.mimetype
        if content.type is MessageType.DOCUMENT:
            assert file.filename == content.media.filename


async def test_a_sticker_comes_in(linked: Rig) -> None:
    """MSG-1: stickers come in only."""
    webp = MediaFile(b"RIFF\x10\0\0\0WEBPVP8 " + bytes(60), "image/webp", "")
    await linked.harness.carla_sends(Content(MessageType.STICKER, media=webp))
    assert (await linked.wait_for(MessageReceived)).content.type is MessageType.STICKER


@pytest.mark.parametrize("megabytes", [6, pytest.param(60, marks=pytest.mark.full)])
async def test_a_large_file_goes_both_ways(linked: Rig, megabytes: int) -> None:
    """MSG-9, up to its largest."""
    needs(linked.harness, Capability.DOWNLOAD)
    big = MediaFile(bytes(range(256)) * (megabytes * 4096), "application/zip", "big.zip")
    await linked.engine.send("big", await linked.harness.carla(), Content(MessageType.DOCUMENT, media=big))
    assert (await linked.harness.arrived())[0].file == big.data
    await linked.harness.carla_sends(Content(MessageType.DOCUMENT, media=big))
    ref = (await linked.wait_for(MessageReceived)).content.media
    assert isinstance(ref, MediaRef)
    assert ref.size == len(big.data)
    assert (await linked.engine.download(ref)).data == big.data


async def test_a_file_that_is_gone_is_a_permanent_error(linked: Rig) -> None:
    """ENG-1."""
    needs(linked.harness, Capability.DOWNLOAD)
    with pytest.raises(Permanent):
        await linked.engine.download(MediaRef({"media": "nothing"}))


async def test_the_same_key_sends_one_message_also_after_a_restart(linked: Rig) -> None:
    """DUR-1: effects happen once."""
    carla = await linked.harness.carla()
    first = await linked.engine.send("key-1", carla, HELLO)
    again = await linked.engine.send("key-1", carla, HELLO)
    await linked.restart()
    later = await linked.engine.send("key-1", carla, HELLO)
    both = await asyncio.gather(*(linked.engine.send("key-2", carla, Content(MessageType.TEXT, "two")) for _ in range(5)))
    assert first.wa_id == again.wa_id == later.wa_id
    assert first.at == later.at
    assert len({result.wa_id for result in both}) == 1
    assert [one.text for one in await linked.harness.arrived()] == ["Hello", "two"]


async def test_sends_arrive_in_the_order_they_were_made(linked: Rig) -> None:
    """DUR-2."""
    carla = await linked.harness.carla()
    for number in range(50):
        await linked.engine.send(f"key-{number}", carla, Content(MessageType.TEXT, str(number)))
    assert [one.text for one in await linked.harness.arrived()] == [str(number) for number in range(50)]


async def test_messages_come_in_in_the_order_they_were_written(linked: Rig) -> None:
    """DUR-2."""
    sent = [await linked.harness.carla_sends(Content(MessageType.TEXT, str(number))) for number in range(200)]
    events = await linked.wait_for_many(MessageReceived, 200)
    assert [event.wa_id for event in events] == sent


async def test_receipts_tell_delivered_and_read(linked: Rig) -> None:
    """MSG-4."""
    result = await linked.engine.send("key-1", await linked.harness.carla(), HELLO)
    delivered = await linked.wait_for(Receipt)
    assert delivered.kind is ReceiptKind.DELIVERED
    assert result.wa_id in delivered.wa_ids
    await linked.harness.carla_reads()
    read = await linked.wait_for(Receipt, lambda event: event.kind is ReceiptKind.READ)
    assert result.wa_id in read.wa_ids
    assert read.chat == await linked.harness.carla()


async def test_replies_name_the_message_they_answer(linked: Rig) -> None:
    """MSG-1."""
    question = await linked.harness.carla_sends(HELLO)
    answer = Content(MessageType.TEXT, "Yes", quoted_id=question)
    result = await linked.engine.send("key-1", await linked.harness.carla(), answer)
    assert (await linked.harness.arrived())[0].quoted_id == question
    thanks = await linked.harness.carla_sends(Content(MessageType.TEXT, "Thanks"), quoted=result.wa_id)
    event = await linked.wait_for(MessageReceived, lambda event: event.wa_id == thanks)
    assert event.content.quoted_id == result.wa_id
    assert event.content.quoted_from_me


async def test_reactions_go_both_ways(linked: Rig) -> None:
    """MSG-1."""
    needs(linked.harness, Capability.REACTION)
    carla = await linked.harness.carla()
    result = await linked.engine.send("key-1", carla, HELLO)
    await linked.harness.carla_reacts(result.wa_id, "❤️")
    event = await linked.wait_for(ReactionReceived)
    assert (event.target_wa_id, event.emoji, event.sender, event.from_me) == (result.wa_id, "❤️", carla, False)
    await linked.harness.carla_reacts(result.wa_id, "")
    assert (await linked.wait_for_many(ReactionReceived, 2))[1].emoji == ""
    await linked.engine.react("key-2", MessageKey(result.wa_id, carla, from_me=True), "👍")
    assert (await linked.harness.arrived())[0].reactions == ("👍",)


async def test_edits_go_both_ways(linked: Rig) -> None:
    """MSG-1."""
    needs(linked.harness, Capability.EDIT)
    carla = await linked.harness.carla()
    wa_id = await linked.harness.carla_sends(HELLO)
    await linked.harness.carla_edits(wa_id, "Hello there")
    event = await linked.wait_for(MessageEdited)
    assert (event.target_wa_id, event.text, event.chat) == (wa_id, "Hello there", carla)
    result = await linked.engine.send("key-1", carla, HELLO)
    for _ in range(2):
        await linked.engine.edit("key-2", MessageKey(result.wa_id, carla, from_me=True), "Good evening")
    [arrived] = await linked.harness.arrived()
    assert arrived.edited
    assert arrived.text == "Good evening"


async def test_deletions_go_both_ways(linked: Rig) -> None:
    """MSG-1."""
    needs(linked.harness, Capability.REVOKE)
    carla = await linked.harness.carla()
    wa_id = await linked.harness.carla_sends(HELLO)
    await linked.harness.carla_revokes(wa_id)
    event = await linked.wait_for(MessageRevoked)
    assert (event.target_wa_id, event.chat) == (wa_id, carla)
    result = await linked.engine.send("key-1", carla, HELLO)
    await linked.engine.revoke("key-2", MessageKey(result.wa_id, carla, from_me=True))
    assert (await linked.harness.arrived())[0].revoked


async def test_votes_come_in_complete_and_can_be_taken_back(linked: Rig) -> None:
    """MSG-1."""
    needs(linked.harness, Capability.POLL)
    carla = await linked.harness.carla()
    result = await linked.engine.send("key-1", carla, CONTENTS[Capability.POLL])
    await linked.harness.carla_votes(result.wa_id, ["Soup"])
    event = await linked.wait_for(PollVoted)
    assert (event.target_wa_id, event.voter, event.options) == (result.wa_id, carla, ("Soup",))
    await linked.harness.carla_votes(result.wa_id, [])
    assert (await linked.wait_for_many(PollVoted, 2))[1].options == ()


async def test_typing_is_seen(linked: Rig) -> None:
    """ENG-1."""
    needs(linked.harness, Capability.TYPING)
    carla = await linked.harness.carla()
    await linked.engine.set_typing(carla, True)
    await until(linked.harness.sees_typing)
    await linked.engine.set_typing(carla, False)
    await until(linked.harness.sees_typing, not_)


async def test_what_the_owner_writes_on_the_phone_is_from_me(linked: Rig) -> None:
    """AI-8: a person took over on the phone itself."""
    wa_id = await linked.harness.owner_sends("I will call you")
    event = await linked.wait_for(MessageReceived)
    assert event.wa_id == wa_id
    assert event.from_me
    assert event.chat == await linked.harness.carla()


@pytest.mark.parametrize("video", [False, True], ids=["voice", "video"])
async def test_a_call_is_told(linked: Rig, video: bool) -> None:
    """ENG-1: told, never taken."""
    await linked.harness.carla_calls(video=video)
    event = await linked.wait_for(CallReceived)
    assert (event.chat.phone, event.video) == ((await linked.harness.carla()).phone, video)


async def test_group_messages_name_the_group_and_the_writer(linked: Rig) -> None:
    """ACC-8."""
    await linked.harness.group_sends("Who plays?")
    event = await linked.wait_for(MessageReceived)
    assert event.chat.kind is ContactKind.GROUP
    assert event.chat_name
    assert event.sender is not None
    assert event.sender.is_person


async def test_numbers_are_looked_up(linked: Rig) -> None:
    """ACC-11."""
    needs(linked.harness, Capability.LOOKUP)
    carla = await linked.harness.carla()
    assert carla.phone
    found = await linked.engine.lookup(carla.phone)
    assert found.exists
    assert found.address == carla
    absent = linked.harness.absent_number()
    assert not (await linked.engine.lookup(absent)).exists
    with pytest.raises(Permanent, match="not on WhatsApp"):
        await linked.engine.send("key-1", Address(phone=absent), HELLO)
