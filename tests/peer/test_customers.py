"""Two customers talk to each other through the protocol peer: proves the peer and the phones without any engine of ours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.peer.client import PeerClient
from tests.peer.customer import Customer
from tests.peer.customer_process import PhoneError
from tests.peer.customers import Customers
from tests.peer.process import PeerProcess
from whatsapp_dashboard.domain.messages import ContactCard, Content, Location, MediaFile, MessageType, Poll

pytestmark = pytest.mark.slow

CARLA, DEV = "34600111001", "34600111002"


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PeerProcess]:
    """The protocol peer."""
    process = PeerProcess(tmp_path_factory.mktemp("peer"))
    process.start()
    yield process
    process.stop()


@pytest.fixture
async def control(peer: PeerProcess) -> AsyncIterator[PeerClient]:
    """The peer's control, with nobody on it."""
    async with peer.client() as client:
        await client.forget()
        yield client


@pytest.fixture
async def customers(peer: PeerProcess, control: PeerClient) -> AsyncIterator[Customers]:
    """The phones, switched on."""
    async with Customers(peer.info, control.scan) as phones:
        yield phones


@pytest.fixture
async def carla(customers: Customers) -> Customer:
    """A linked customer."""
    return await customers.add("carla", CARLA)


@pytest.fixture
async def dev(customers: Customers) -> Customer:
    """Another one."""
    return await customers.add("dev", DEV)


async def test_customers_write_to_each_other_and_see_the_ticks(carla: Customer, dev: Customer) -> None:
    """MSG-1, MSG-4: text both ways, quoting, delivered and read."""
    asked = await carla.send(DEV, "Are you open today?")
    question = await dev.wait_received("Are you open today?")
    assert question.wa_id == asked.wa_id
    assert CARLA in question.chat or CARLA in (question.chat_alt or "")
    assert (await carla.wait_ticks(asked.wa_id, "delivered")).read is None
    await dev.read(question.wa_id)
    await carla.wait_ticks(asked.wa_id, "read")
    await dev.send(question.chat, Content(MessageType.TEXT, "Until six.", quoted_id=question.wa_id))
    answer = await carla.wait_received("Until six.")
    assert (answer.content.quoted_id, answer.content.quoted_text) == (asked.wa_id, "Are you open today?")
    assert answer.content.quoted_from_me


async def test_what_a_customer_does_to_a_message_is_seen_on_it(carla: Customer, dev: Customer) -> None:
    """MSG-3: reaction, edit, revoke, and votes in polls of both."""
    sent = await carla.send(DEV, "Two tickets please")
    got = await dev.wait_received("Two tickets please")
    await dev.react(got.wa_id, "👍")
    assert "👍" in (await carla.wait_changes(sent.wa_id, lambda changes: bool(changes.reactions))).reactions.values()
    await carla.edit(sent.wa_id, "Three tickets please")
    assert (await dev.wait_received("Three tickets please")).wa_id == sent.wa_id
    await carla.revoke(sent.wa_id)
    assert (await dev.wait_received(where=lambda message: message.revoked)).wa_id == sent.wa_id
    poll = await carla.send(DEV, Content(MessageType.POLL, poll=Poll("Which day?", ("Monday", "Tuesday"))))
    seen = await dev.wait_received(type=MessageType.POLL)
    assert seen.content.poll == Poll("Which day?", ("Monday", "Tuesday"))
    await dev.vote(seen.wa_id, "Tuesday")
    changes = await carla.wait_changes(poll.wa_id, lambda changes: bool(changes.votes))
    assert list(changes.votes.values()) == [("Tuesday",)]


async def test_customers_send_files_places_and_contacts(carla: Customer, dev: Customer) -> None:
    """MSG-1: every kind of content a phone sends; files arrive byte for byte."""
    files = {
        MessageType.IMAGE: MediaFile(b"\xff\xd8image" * 200, "image/jpeg"),
        MessageType.VIDEO: MediaFile(b"video" * 300, "video/mp4"),
        MessageType.AUDIO: MediaFile(b"audio" * 100, "audio/mpeg"),
        MessageType.VOICE: MediaFile(b"voice" * 100, "audio/ogg; codecs=opus"),
        MessageType.DOCUMENT: MediaFile(b"%PDF-1.4 price list", "application/pdf", "prices.pdf"),
        MessageType.STICKER: MediaFile(b"RIFFwebp" * 10, "image/webp"),
    }
    for kind, file in files.items():
        caption = "look" if kind in (MessageType.IMAGE, MessageType.VIDEO, MessageType.DOCUMENT) else ""
        await carla.send(DEV, Content(kind, caption, media=file))
        got = await dev.wait_received(type=kind)
        assert (got.text, got.content.media.mimetype, got.content.media.size) == (caption, file.mimetype, len(file.data))
        assert (await dev.download(got.wa_id)).data == file.data
    await carla.send(DEV, Content(MessageType.LOCATION, location=Location(40.4, -3.7, "Shop", "Main street 1")))
    assert (await dev.wait_received(type=MessageType.LOCATION)).content.location == Location(40.4, -3.7, "Shop", "Main street 1")
    await carla.send(DEV, Content(MessageType.CONTACT, contacts=(ContactCard("Ana", ("+34600111222",)),)))
    card = (await dev.wait_received(type=MessageType.CONTACT)).content.contacts[0]
    assert (card.name, card.phones) == ("Ana", ("+34600111222",))


async def test_a_customer_who_was_away_gets_what_waited_and_keeps_the_identity(carla: Customer, dev: Customer) -> None:
    """ACC-10, seen from the other side."""
    await carla.send(DEV, "before")
    await dev.wait_received("before")
    await dev.disconnect()
    waiting = await carla.send(DEV, "while you were away")
    await dev.reconnect()
    message = await dev.wait_received("while you were away")
    assert message.wa_id == waiting.wa_id
    assert message.offline


async def test_a_group_hears_its_members(customers: Customers, control: PeerClient, carla: Customer, dev: Customer) -> None:
    """MSG-2: groups, with a vote by somebody who is not the one who asked."""
    eve = await customers.add("eve", "34600111003")
    group = await control.group("Football", [CARLA, DEV, eve.number])
    sent = await carla.send(group, Content(MessageType.POLL, poll=Poll("Saturday?", ("yes", "no"))))
    for member in (dev, eve):
        heard = await member.wait_received(type=MessageType.POLL)
        assert (heard.wa_id, heard.chat) == (sent.wa_id, group)
        await member.vote(heard.wa_id, "yes")
    changes = await carla.wait_changes(sent.wa_id, lambda changes: len(changes.votes) == 2)
    assert set(changes.votes.values()) == {("yes",)}


async def test_a_phone_comes_back_after_a_drop_and_not_after_a_log_out(control: PeerClient, carla: Customer, dev: Customer) -> None:
    """ACC-7, seen from the other side: what a well-behaved client does."""
    await control.drop(DEV)
    await dev.wait_state("closed")
    await dev.wait_state("open")
    await carla.send(DEV, "are you back?")
    await dev.wait_received("are you back?")
    await control.log_out(DEV)
    await dev.wait_state("logged_out")
    with pytest.raises(PhoneError, match="not connected"):
        await dev.send(CARLA, "hello?")


async def test_a_number_that_was_linked_anew_is_written_to_there(
    customers: Customers, control: PeerClient, carla: Customer, dev: Customer
) -> None:
    """ACC-7: those who knew the old device are told of the new one."""
    await carla.send(DEV, "to your old device")
    await dev.wait_received("to your old device")
    await control.log_out(DEV)
    await dev.wait_state("logged_out")
    anew = await customers.add("dev anew", DEV)
    await carla.send(DEV, "to your new device")
    await anew.wait_received("to your new device")
    await anew.send(CARLA, "thanks")
    await carla.wait_received("thanks")


async def test_typing_is_seen(carla: Customer, dev: Customer) -> None:
    """ENG-1: presence."""
    await carla.presence(DEV, "composing")
    await dev.wait_typing("composing")


async def test_a_stream_counts_answers_and_their_order(customers: Customers, carla: Customer, dev: Customer) -> None:
    """Load: an echo bot answers each text once, in order."""
    await dev.echo()
    stream = await customers.stream(["carla"], to=DEV, count=20, per_second=50)
    report = await stream.report(wait=20)
    assert report.done
    load = report.customers["carla"]
    assert (load.missing, load.repeated, load.out_of_order, load.failed) == ([], [], 0, ())
    assert report.latency(0.95) < 5
    print(report.per_second, report.latency(0.5), report.latency(0.95))
