"""What comes in is stored once, in order, for the right person (MSG-3, MSG-4, MSG-10, ACC-8, DUR-1)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.clock import MovableClock
from tests.support.pipeline import CARLA, DEV, GROUP_JID, Pipeline, pipeline
from tests.support.waiting import PATIENCE
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.engine_events import (
    CallReceived,
    ContactSeen,
    MessageEdited,
    MessageRevoked,
    PollVoted,
    ReactionReceived,
    Receipt,
    ReceiptKind,
)
from whatsapp_dashboard.domain.ids import Address, ContactKind, parse_jid
from whatsapp_dashboard.domain.messages import Content, MessageType, Poll
from whatsapp_dashboard.errors import NotFound
from whatsapp_dashboard.models import Contact, Conversation, Event, Note, ParkedEvent, Reply

GROUP = parse_jid(GROUP_JID)


@pytest.fixture
async def house(db: Database, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Pipeline]:
    """A pipeline with one account; its bots are off."""
    async with pipeline(db, clock, tmp_path) as made:
        yield made


async def test_a_message_is_stored_with_its_conversation_event_and_decision(house: Pipeline) -> None:
    """MSG-3, DUR-1: all in one write."""
    event = await house.receive("good morning")
    (message,) = await house.messages_of()
    conversation = await house.conversation()
    contact = await house.contact()
    assert (message.body, message.wa_id, message.direction, message.status) == ("good morning", event.wa_id, "incoming", "received")
    assert (contact.phone, contact.lid, contact.push_name) == (CARLA.phone, CARLA.lid, "Carla")
    assert (conversation.unread, conversation.last_message_preview, conversation.last_message_id) == (1, "good morning", message.id)
    (told,) = await house.events("message")
    assert told.data["from"] == "34600111222@c.us"
    assert told.data["to"] == "34911000000@c.us"
    assert (told.data["type"], told.data["body"], told.data["is_group"], told.data["has_media"]) == ("chat", "good morning", False, False)
    assert told.data["timestamp"] == int(event.at.timestamp() * 1000)
    assert (told.message_id, told.conversation_id) == (message.id, conversation.id)
    assert len(await house.rows(Reply)) == 1


async def test_the_same_message_again_changes_nothing(house: Pipeline) -> None:
    """MSG-3: after a reconnect WhatsApp tells old news; nothing is stored, counted or answered twice."""
    event = await house.receive("once")
    await asyncio.gather(*(house.inbound.submit(house.account, event) for _ in range(5)))
    await house.inbound.submit(house.account, replace(event, chat=Address(lid=CARLA.lid), offline=True))
    assert len(await house.messages_of()) == 1
    assert len(await house.rows(Reply)) == 1
    assert (await house.conversation()).unread == 1
    assert len(await house.events("message")) == 1


async def test_messages_of_one_account_keep_their_order(house: Pipeline) -> None:
    """DUR-2: also when hundreds are submitted at once."""
    events = [house.event(f"{number:03}", CARLA if number % 2 else DEV) for number in range(300)]
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(house.inbound.submit(house.account, event) for event in events))
    assert [row.body for row in await house.messages_of()] == [f"{number:03}" for number in range(300)]


async def test_an_event_of_a_deleted_account_is_refused(house: Pipeline) -> None:
    """ACC-1: its session may still talk for a moment."""
    results = await asyncio.gather(
        house.inbound.submit("gone", house.event()), house.inbound.submit(house.account, house.event("mine")), return_exceptions=True
    )
    assert isinstance(results[0], NotFound)
    assert [row.body for row in await house.messages_of()] == ["mine"]


async def test_text_that_no_database_stores_is_cleaned(house: Pipeline) -> None:
    """MSG-3: a NUL or half a surrogate pair in a message does not lose it."""
    await house.receive("a\x00b\ud800c", sender_name="Car\x00la")
    (message,) = await house.messages_of()
    assert message.body == "ab\ufffdc"
    assert (await house.contact()).push_name == "Carla"


async def test_history_is_stored_and_triggers_nothing(house: Pipeline) -> None:
    """ACC-8: never answered, never new, never unread."""
    now = house.clock.now()
    await house.receive("live", at=now)
    for number in range(3):
        await house.receive(f"old {number}", at=now - timedelta(days=2), history=True)
    bodies = [row.body for row in await house.messages_of()]
    assert bodies[-1] == "live"
    assert sorted(bodies) == ["live", "old 0", "old 1", "old 2"]
    conversation = await house.conversation()
    assert (conversation.unread, conversation.last_message_preview) == (1, "live")
    assert len(await house.rows(Reply)) == 1
    assert len(await house.events("message")) == 1
    assert sum(event.data["count"] for event in await house.events("history.synced")) == 3


async def test_groups_channels_and_status_are_kept_apart(house: Pipeline) -> None:
    """ACC-8: stored, told with ``is_group``, and named."""
    await house.receive("to all", GROUP, sender=CARLA, chat_name="Family")
    await house.receive("news", parse_jid("123@newsletter"), chat_name="Daily")
    await house.receive("my day", parse_jid("status@broadcast"), sender=CARLA)
    contacts = {contact.kind: contact for contact in await house.rows(Contact)}
    assert set(contacts) == {"group", "channel", "status"}
    assert contacts["group"].push_name == "Family"
    told = (await house.events("message"))[0].data
    assert (told["is_group"], told["group_name"], told["from"], told["from_name"]) == (True, "Family", GROUP_JID, "Carla")
    assert (await house.messages_of())[0].sender_address == "34600111222@s.whatsapp.net"


async def test_a_new_message_reopens_a_closed_conversation(house: Pipeline) -> None:
    """MSG-7: nobody is left unheard."""
    await house.receive("first")
    async with house.db.write() as session:
        row = await session.get(Conversation, (await house.conversation()).id)
        assert row
        row.status, row.closed_at = "closed", house.clock.now()
    await house.receive("second")
    assert (await house.conversation()).status == "active"
    assert (await house.conversation()).closed_at is None


async def test_a_hidden_and_a_known_number_become_one_contact_when_they_prove_to_be_one(house: Pipeline) -> None:
    """MSG-10, MSG-2: messages and notes move, the conversation that stays tells it."""
    await house.receive("by number", Address(phone=CARLA.phone))
    await house.receive("by hidden id", Address(lid=CARLA.lid))
    first, second = await house.rows(Conversation)
    async with house.db.write() as session:
        session.add(Note(conversation_id=second.id, text="prefers mail"))
    await house.inbound.submit(house.account, ContactSeen(CARLA, name="Carla Ruiz"))
    contact, conversation = await house.contact(), await house.conversation()
    assert (contact.phone, contact.lid, contact.name) == (CARLA.phone, CARLA.lid, "Carla Ruiz")
    assert conversation.id == first.id
    assert conversation.unread == 2
    assert conversation.last_message_preview == "by hidden id"
    assert {(row.contact_id, row.conversation_id) for row in await house.messages_of()} == {(contact.id, conversation.id)}
    assert (await house.rows(Note))[0].conversation_id == conversation.id
    assert {row.conversation_id for row in await house.rows(Reply)} == {conversation.id}
    (merged,) = await house.events("conversation.merged")
    assert (merged.conversation_id, merged.data["merged_id"]) == (conversation.id, second.id)


async def test_both_ways_to_write_a_number_are_one_contact(house: Pipeline) -> None:
    """MSG-10: Brazil with and without the ninth digit."""
    await house.receive("long", Address(phone="5511987654321"))
    await house.receive("short", Address(phone="551187654321"))
    assert (await house.contact()).phone == "551187654321"
    assert len(await house.messages_of()) == 2


async def test_what_happens_to_a_message_before_it_arrives_is_not_lost(house: Pipeline) -> None:
    """MSG-3, MSG-4: WhatsApp does not keep the order."""
    at, me = house.clock.now(), house.account
    poll = Content(MessageType.POLL, "Lunch?", poll=Poll("Lunch?", ("Yes", "No")))
    early = [
        ReactionReceived("WA1", CARLA, CARLA, "👍", at),
        MessageEdited("WA1", CARLA, "edited", at),
        PollVoted("WA2", CARLA, CARLA, ("Yes",), at),
        MessageRevoked("WA3", CARLA, at),
        Receipt(("WA4",), ReceiptKind.READ, at, CARLA),
    ]
    for event in early:
        await house.inbound.submit(me, event)
    assert len(await house.rows(ParkedEvent)) == 5
    await house.receive("original", wa_id="WA1")
    await house.receive(wa_id="WA2", content=poll)
    await house.receive("gone", wa_id="WA3")
    await house.receive("from the phone", wa_id="WA4", from_me=True)
    one, two, three, four = await house.messages_of()
    assert (one.reactions, one.body, one.edited_at) == ({"34600111222@s.whatsapp.net": "👍"}, "edited", at)
    assert two.votes == {"34600111222@s.whatsapp.net": ["Yes"]}
    assert three.revoked_at == at
    assert (four.status, four.read_at, four.delivered_at) == ("read", at, at)
    assert await house.rows(ParkedEvent) == []


async def test_parked_events_are_forgotten_after_a_week(house: Pipeline, clock: MovableClock) -> None:
    """MSG-4: receipts of messages that never come do not pile up."""
    await house.inbound.submit(house.account, Receipt(("NEVER",), ReceiptKind.READ, clock.now()))
    await clock.advance(6 * 86_400)
    await house.inbound.tick()
    assert len(await house.rows(ParkedEvent)) == 1
    await clock.advance(2 * 86_400)
    await house.inbound.tick()
    assert await house.rows(ParkedEvent) == []


async def test_another_chat_cannot_change_a_message(house: Pipeline) -> None:
    """MSG-3: an edit or revoke counts only in the conversation it came from."""
    await house.receive("Carla's", wa_id="SAME")
    at = house.clock.now()
    await house.receive("hi", DEV)
    await house.inbound.submit(house.account, MessageEdited("SAME", DEV, "forged", at))
    await house.inbound.submit(house.account, MessageRevoked("SAME", DEV, at))
    await house.inbound.submit(house.account, ReactionReceived("SAME", DEV, DEV, "x", at))
    message = (await house.messages_of(wa_id="SAME"))[0]
    assert (message.body, message.revoked_at, message.reactions) == ("Carla's", None, {})


async def test_reactions_can_be_changed_and_taken_back(house: Pipeline) -> None:
    """MSG-1: the last one of each sender counts."""
    event = await house.receive("look")
    for emoji in ("👍", "❤️", "❤️", ""):
        await house.inbound.submit(house.account, ReactionReceived(event.wa_id, CARLA, CARLA, emoji, house.clock.now()))
    assert (await house.messages_of())[0].reactions == {}
    assert [row.data["emoji"] for row in await house.events("message.reaction")] == ["👍", "❤️", ""]


async def test_writing_from_the_phone_pauses_the_bot(house: Pipeline) -> None:
    """AI-8: a person answered."""
    await house.receive("question")
    await house.receive("my own answer", from_me=True)
    conversation = await house.conversation()
    assert (conversation.answered_by, conversation.unread) == ("human", 0)
    assert conversation.bot_paused_until == house.clock.now() + timedelta(minutes=240)
    (sent,) = await house.messages_of(direction="outgoing")
    assert (sent.origin, sent.status) == ("phone", "sent")
    (told,) = await house.events("conversation.updated")
    assert told.data["answered_by"] == "human"


async def test_a_call_is_only_told(house: Pipeline) -> None:
    """ENG-1: nothing is stored but the event."""
    await house.inbound.submit(house.account, CallReceived(CARLA, house.clock.now(), video=True))
    (told,) = await house.events("call")
    assert told.data["video"] is True
    assert await house.messages_of() == []


async def test_recovered_messages_say_so(house: Pipeline) -> None:
    """ACC-10: what waited while the account was offline is marked."""
    await house.receive("missed", offline=True)
    assert (await house.messages_of())[0].recovered is True
    assert (await house.rows(Event, type="message"))[0].data["recovered"] is True


def test_kinds_of_contact_are_what_the_pages_expect() -> None:
    """ACC-8: names of kinds are stored."""
    assert {kind.value for kind in ContactKind} == {"person", "group", "channel", "broadcast", "status"}


async def test_a_message_that_can_be_read_only_much_later_is_shown_and_not_answered(
    db: Database, clock: MovableClock, tmp_path: Path
) -> None:
    """ACC-10: bots do not answer what is older than the account's limit."""
    async with pipeline(db, clock, tmp_path, auto_reply={"enabled": True, "text": "Thank you!", "every_minutes": 0}) as house:
        at = clock.now()
        await house.receive(content=Content(MessageType.UNSUPPORTED, "Waiting for this message."), wa_id="LATE", at=at)
        await house.settle()
        await clock.advance(3_600)
        await house.receive("here I am", wa_id="LATE", at=at)
        await house.settle()
        assert (await house.conversation()).last_message_preview == "here I am"
        assert house.engine.sent == []
