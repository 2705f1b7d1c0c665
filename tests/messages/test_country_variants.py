"""A person whose number WhatsApp writes in two ways is one contact, and is written to in WhatsApp's way (MSG-2, MSG-10)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.clock import MovableClock
from tests.support.pipeline import Pipeline, pipeline
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.ids import Address, same_phone
from whatsapp_dashboard.domain.messages import ContactCard, Content, MessageType, Poll
from whatsapp_dashboard.errors import Invalid
from whatsapp_dashboard.messages.conversation_views import ConversationFilters
from whatsapp_dashboard.messages.conversations import ConversationService
from whatsapp_dashboard.messages.log import MessageLog
from whatsapp_dashboard.messages.log_views import LogFilters
from whatsapp_dashboard.models import Contact, Conversation, Message

HELLO = Content(MessageType.TEXT, "hello")
PAIRS = [("5215512345678", "525512345678"), ("551187654321", "5511987654321"), ("5491123456789", "541123456789")]
BOTH_WAYS = PAIRS + [(other, one) for one, other in PAIRS]


@pytest.fixture
async def house(db: Database, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Pipeline]:
    """A pipeline with one account in Mexico."""
    async with pipeline(db, clock, tmp_path, default_country="MX") as made:
        yield made


async def two_contacts(house: Pipeline, one: str, other: str, **lids: str) -> None:
    """A database of before: both ways to write the number are contacts, each with a conversation. WhatsApp wrote from ``other``."""
    async with house.db.write() as session:
        for phone in (one, other):
            contact = Contact(account_id=house.account, phone=phone, lid=lids.get(f"_{phone}"), push_name=f"Ana {phone}")
            session.add(contact)
            await session.flush()
            conversation = Conversation(account_id=house.account, contact_id=contact.id, last_message_at=house.clock.now())
            conversation.last_inbound_at = house.clock.now() - timedelta(days=1) if phone == other else None
            session.add(conversation)
            await session.flush()
            session.add(
                Message(
                    account_id=house.account, conversation_id=conversation.id, contact_id=contact.id, wa_id=f"W{phone}", body=phone,
                    direction="incoming" if phone == other else "outgoing", type="text", at=house.clock.now(), status="delivered",
                )
            )  # fmt: skip


def sent_to(house: Pipeline) -> list[str | None]:
    """The numbers the engine was told to send to."""
    return [to.phone for _, to, _ in house.engine.sent]


@pytest.mark.parametrize(("given", "other"), BOTH_WAYS)
async def test_who_wrote_is_answered_however_the_number_is_written(house: Pipeline, given: str, other: str) -> None:
    """MSG-2, MSG-10: by the address of the webhook, with plus, with 00, in the other way; always to where WhatsApp wrote from."""
    await house.receive("hola", Address(phone=given))
    writings = [f"{given}@c.us", f"{given}:3@s.whatsapp.net", f"+{given}", f"00{given}", given, f"{other}@c.us", f"+{other}", other]
    for writing in writings:
        accepted = await house.messages.accept(house.cast.ben, house.account, HELLO, number=writing)
        assert (accepted.number, accepted.other) == (given, None), writing
    await house.until_sent(len(writings))
    assert set(sent_to(house)) == {given}
    assert (await house.contact()).phone == given
    await house.receive("otra vez", Address(phone=other))
    assert (await house.conversation()).unread == 2
    assert (await house.contact()).phone == other, "WhatsApp's last word"


@pytest.mark.parametrize(("known", "typed"), BOTH_WAYS)
async def test_a_first_message_goes_to_the_number_as_whatsapp_knows_it(house: Pipeline, known: str, typed: str) -> None:
    """MSG-10: the look-up tells it; what was typed may reach nobody."""
    house.engine.known_as[typed] = known
    await house.messages.send(house.cast.ben, house.account, HELLO, number=f"+{typed}")
    await house.until_sent(1)
    await house.messages.send(house.cast.ben, house.account, HELLO, number=f"+{typed}")
    await house.until_sent(2)
    assert sent_to(house) == [known, known]
    await house.receive("hola", Address(phone=known, lid="5" + typed))
    assert (await house.contact()).phone == known
    assert (await house.conversation()).unread == 1


@pytest.mark.parametrize(("one", "other"), PAIRS)
@pytest.mark.parametrize("by", ["message", "number", "conversation"])
async def test_two_contacts_of_before_become_one_when_either_is_touched(house: Pipeline, one: str, other: str, by: str) -> None:
    """MSG-10: with the messages of both, told to pages, and written to in the way WhatsApp used."""
    await two_contacts(house, one, other)
    older, younger = await house.rows(Conversation)
    if by == "message":
        await house.receive("hola", Address(phone=other))
    else:
        where = {"number": f"+{one}"} if by == "number" else {"conversation_id": older.id}
        accepted = await house.messages.accept(house.cast.ben, house.account, HELLO, **where)
        assert accepted.number == other
        await house.until_sent(1)
        assert sent_to(house) == [other]
    assert (await house.contact()).phone == other
    kept = await house.conversation()
    assert {message.conversation_id for message in await house.messages_of()} == {kept.id}
    assert len(await house.messages_of()) == 3
    (merged,) = await house.events("conversation.merged")
    assert {merged.conversation_id, merged.data["merged_id"]} == {older.id, younger.id}


async def test_two_people_whatsapp_tells_apart_stay_two(house: Pipeline) -> None:
    """MSG-10: with a hidden identity each, they are not one because their numbers look alike; nor are a fixed line and a mobile phone."""
    one, other = PAIRS[0]
    await two_contacts(house, one, other, **{f"_{one}": "111", f"_{other}": "222"})
    for phone, lid in ((one, "111"), (other, "222")):
        await house.receive("hola", Address(phone=phone, lid=lid))
        await house.messages.send(house.cast.ben, house.account, HELLO, number=f"+{phone}")
    await house.until_sent(2)
    assert sorted(sent_to(house), key=str) == sorted((one, other))
    for phone in ("551123456789", "5511923456789"):
        await house.receive("oi", Address(phone=phone))
    assert len(await house.rows(Contact)) == len(await house.rows(Conversation)) == 4


async def test_the_list_finds_a_person_by_either_way_to_write_the_number(house: Pipeline) -> None:
    """MSG-7, MSG-8, MSG-10: and with signs nobody sees; in the message log too."""
    await house.receive("hola", Address(phone="5215512345678"))
    inbox, log = ConversationService(house.db, house.clock), MessageLog(house.db)
    for text in ("+52 55 1234 5678", "0052 1 55 1234 5678", "525512345678@c.us", "\u202a55 1234\u202c", "٥٥١٢٣٤"):
        page = await inbox.page(house.cast.ben, ConversationFilters(text=text))
        assert [same_phone(row.contact_phone, "525512345678") for row in page.rows] == [True], text
        assert len((await log.page(house.cast.ben, LogFilters(contact=text))).rows) == 1, text


@pytest.mark.parametrize("address", ["777888@lid", "120363000000000001@g.us", "120363000000000009@newsletter", "status@broadcast"])
async def test_other_addresses_are_written_to_as_they_are(house: Pipeline, address: str) -> None:
    """MSG-2: they have no number to tell."""
    accepted = await house.messages.accept(house.cast.ben, house.account, HELLO, number=address)
    assert (accepted.number, accepted.other) == (None, None)
    await house.until_sent(1)
    assert str(house.engine.sent[0][1]) == address


async def test_numbers_on_a_card_are_read_like_recipients(house: Pipeline) -> None:
    """MSG-2: local ones get their country code, each number stands once, and what is no number is refused."""
    phones = ("55 1234 5678", "\u202a+34 685 87 65 83\u202c", "0034685876583", "4534412345")
    card = Content(MessageType.CONTACT, contacts=(ContactCard("Ana", phones),))
    await house.messages.send(house.cast.ben, house.account, card, number="+34600111222")
    await house.until_sent(1)
    (sent,) = house.engine.sent[0][2].contacts
    assert sent.phones == ("+525512345678", "+34685876583", "+4534412345")
    for bad, says in (("12", "short|country code"), ("Reception", "letters"), ("777888@lid", "no phone number")):
        with pytest.raises(Invalid, match=says) as caught:
            await house.messages.send(
                house.cast.ben, house.account, Content(MessageType.CONTACT, contacts=(ContactCard("Ana", (bad,)),)), number="+34600111222"
            )
        assert caught.value.field == "phones"
    poll = Content(MessageType.POLL, "?", poll=Poll("?", ("a", "b"), 1))
    assert await house.messages.send(house.cast.ben, house.account, poll, number="+34600111222")
