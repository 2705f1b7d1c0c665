"""What only the owner's phone can send, as the multi-device engine tells it: names, the past, the owner's own changes, second tries."""

from __future__ import annotations

import base64

import pytest

from tests.engines.harness import SMALL_FILE, Rig
from tests.engines.multidevice_harness import MultideviceHarness
from tests.peer.stage import Stage
from whatsapp_dashboard.domain.engine_events import ContactSeen, MessageEdited, MessageReceived, MessageRevoked, ReactionReceived, Ready
from whatsapp_dashboard.domain.messages import MediaRef, MessageType

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("harness", ["multidevice"], indirect=True)]

PAST = [
    {"id": "3AOLD1", "from_me": False, "text": "Are you open today?", "timestamp": 1_700_000_000},
    {"id": "3AOLD2", "from_me": True, "text": "Until six", "timestamp": 1_700_000_060},
]


class Phones:
    """The owner's phone and that of a contact, by their numbers."""

    def __init__(self, owner: str) -> None:
        self._stage = Stage.get()
        self.owner, self.contact = owner, self._stage.new_number()

    async def do(self, verb: str, **arguments: object) -> str:
        """A verb of the peer's control; its answer as text."""
        return str(await self._stage.do(self._stage.peer.do(verb, **arguments)))

    async def owner_does(self, verb: str, **arguments: object) -> str:
        """Something that the owner does to the contact."""
        return await self.do(verb, number=self.owner, to=self.contact, **arguments)


@pytest.fixture
async def phones(harness: MultideviceHarness) -> Phones:
    """Both phones are switched on."""
    made = Phones(await harness.owner_number())
    await made.do("phone", number=made.contact, name="Carla Gomez")
    return made


async def test_a_new_link_brings_the_past_and_the_names(rig: Rig, phones: Phones) -> None:
    """ACC-7, ACC-8: history is marked as such; names come with it, and the owner's new name when it changes."""
    conversation = {"number": phones.contact, "name": "Carla", "messages": PAST}
    await phones.do("history_on_link", number=phones.owner, conversations=[conversation])
    await rig.link()
    old = await rig.wait_for_many(MessageReceived, 2)
    assert [(event.wa_id, event.from_me, event.history) for event in old] == [("3AOLD1", False, True), ("3AOLD2", True, True)]
    assert all(event.chat.phone == phones.contact for event in old)
    assert (await rig.wait_for(ContactSeen)).name == "Carla"
    assert rig.of(Ready)[0].push_name == "Ana's shop"


async def test_what_the_owner_changes_on_the_phone_is_told(linked: Rig, phones: Phones) -> None:
    """MSG-1, AI-8: an edit, a reaction, a file and a deletion."""
    sent = await phones.owner_does("owner_sends", text="Until sixx")
    assert (await linked.wait_for(MessageReceived)).from_me
    await phones.owner_does("owner_edits", target=sent, text="Until six")
    edited = await linked.wait_for(MessageEdited)
    assert (edited.target_wa_id, edited.text, edited.chat.phone) == (sent, "Until six", phones.contact)
    await phones.owner_does("owner_reacts", target=sent, emoji="👍", from_me=True)
    reaction = await linked.wait_for(ReactionReceived)
    assert (reaction.target_wa_id, reaction.emoji, reaction.from_me) == (sent, "👍", True)
    await phones.owner_does("owner_revokes", target=sent)
    assert (await linked.wait_for(MessageRevoked)).target_wa_id == sent


async def test_a_file_from_the_phone_is_fetched(linked: Rig, phones: Phones) -> None:
    """MSG-9."""
    data = base64.b64encode(SMALL_FILE.data).decode()
    sent = await phones.owner_does("owner_sends_file", data=data, mimetype=SMALL_FILE.mimetype, filename=SMALL_FILE.filename)
    event = await linked.wait_for(MessageReceived, lambda event: event.wa_id == sent)
    assert event.content.type is MessageType.DOCUMENT
    assert isinstance(event.content.media, MediaRef)
    assert (await linked.engine.download(event.content.media)).data == SMALL_FILE.data


async def test_a_picture_to_be_opened_once_is_told_of(linked: Rig, phones: Phones) -> None:
    """MSG-1: WhatsApp gives it to phones only; the conversation shows that there was one."""
    sent = await phones.do("owner_sends_view_once", number=phones.contact, to=phones.owner)
    event = await linked.wait_for(MessageReceived, lambda event: event.wa_id == sent)
    assert (event.content.type, event.chat.phone, event.from_me) == (MessageType.UNSUPPORTED, phones.contact, False)


async def test_a_message_that_could_not_be_read_comes_again(linked: Rig, phones: Phones) -> None:
    """MSG-3: first it is told that one waits, then it is there, under the same id."""
    sent = await phones.do("owner_sends", number=phones.contact, to=phones.owner, text="Hello", spoilt=True)
    waiting, read = await linked.wait_for_many(MessageReceived, 2, lambda event: event.wa_id == sent)
    assert waiting.content.type is MessageType.UNSUPPORTED
    assert (read.content.type, read.content.text, read.from_me) == (MessageType.TEXT, "Hello", False)
