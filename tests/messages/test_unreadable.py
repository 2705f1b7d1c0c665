"""Messages that could not be read when they came, and come again under their id (MSG-1, MSG-3, DUR-1)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.clock import MovableClock
from tests.support.pipeline import CARLA, DEV, Pipeline, pipeline
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.engine_events import MessageEdited, MessageReceived
from whatsapp_dashboard.domain.ids import Address, ContactKind
from whatsapp_dashboard.domain.messages import Content, Location, MediaRef, MessageType
from whatsapp_dashboard.models import Media, Reply

WAITING = Content(MessageType.UNSUPPORTED, "Waiting for this message.")
ON = {"auto_reply": {"enabled": True, "text": "Thank you!", "every_minutes": 0}}


@pytest.fixture
async def house(db: Database, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Pipeline]:
    """A pipeline whose account answers everybody with "Thank you!"."""
    async with pipeline(db, clock, tmp_path, **ON) as made:
        yield made


def filled(event: MessageReceived, content: Content) -> MessageReceived:
    return replace(event, content=content)


async def test_bots_never_answer_what_nobody_can_read(house: Pipeline) -> None:
    """AI-8: the log says why."""
    await house.receive(content=WAITING)
    await house.receive(content=Content(MessageType.UNSUPPORTED, "Invitation to the group “Shop”."), chat=DEV)
    await house.settle()
    assert house.engine.sent == []
    assert {reason for _, reason in (await house.replies_of()).values()} == {"It cannot be read here."}


async def test_a_message_takes_the_place_kept_for_it_and_is_answered_once(house: Pipeline) -> None:
    """MSG-3, DUR-1: it is one message, counted once; coming again changes nothing."""
    event = await house.receive(content=WAITING)
    await house.settle()
    (kept,) = await house.messages_of()
    later = filled(event, Content(MessageType.TEXT, "Are you open?", quoted_id="Q1"))
    await asyncio.gather(*(house.inbound.submit(house.account, later) for _ in range(5)))
    await house.until_sent(1)
    await house.inbound.submit(house.account, event)
    await house.inbound.submit(house.account, later)
    await house.settle()
    (message,) = await house.messages_of(direction="incoming")
    assert (message.id, message.type, message.body, message.quoted_wa_id) == (kept.id, "text", "Are you open?", "Q1")
    assert house.engine.texts == ["Thank you!"]
    assert {row.state for row in await house.rows(Reply)} == {"answered"}
    conversation = await house.conversation()
    assert conversation.unread == 1
    assert [(told.data["type"], told.data["body"]) for told in await house.events("message")] == [
        ("unsupported", WAITING.text),
        ("chat", "Are you open?"),
    ]


async def test_the_list_shows_what_it_says_while_nothing_newer_is_there(house: Pipeline) -> None:
    """MSG-7."""
    event = await house.receive(content=WAITING, chat=Address(ContactKind.CHANNEL, jid="1@newsletter"))
    await house.inbound.submit(house.account, filled(event, Content(MessageType.TEXT, "News")))
    conversation = await house.conversation()
    assert (conversation.last_message_preview, conversation.last_message_type) == ("News", "text")
    older = await house.receive(content=WAITING, chat=event.chat)
    await house.receive("Newer", chat=event.chat)
    await house.inbound.submit(house.account, filled(older, Content(MessageType.TEXT, "Older")))
    assert (await house.conversation()).last_message_preview == "Newer"


async def test_a_file_or_a_place_comes_with_all_its_parts(house: Pipeline) -> None:
    """MSG-9: the file is fetched like any other."""
    house.engine.files["f"] = b"%PDF-1.4 offer"
    event, place = await house.receive(content=WAITING), await house.receive(content=WAITING)
    ref = MediaRef({"file": "f"}, "application/pdf", 14, "offer.pdf")
    await house.inbound.submit(house.account, filled(event, Content(MessageType.DOCUMENT, "Our offer", media=ref)))
    await house.inbound.submit(house.account, filled(place, Content(MessageType.LOCATION, location=Location(40.4, -3.7))))
    rows = {row.type: row for row in await house.messages_of(direction="incoming")}
    assert rows["location"].payload["location"]["latitude"] == 40.4
    (media,) = await house.rows(Media)
    assert (rows["document"].media_id, media.filename) == (media.id, "offer.pdf")

    async def fetched() -> bool:
        return (await house.rows(Media))[0].state == "stored"

    await house.until(fetched)


async def test_both_may_come_in_one_batch(house: Pipeline) -> None:
    """DUR-1: when the phone is online already."""
    event = house.event(content=WAITING)
    later = filled(event, Content(MessageType.TEXT, "Are you open?"))
    await asyncio.gather(*(house.inbound.submit(house.account, one) for one in (event, later)))
    await house.until_sent(1)
    assert [row.body for row in await house.messages_of(direction="incoming")] == ["Are you open?"]


async def test_an_edit_that_could_be_read_first_is_not_undone(house: Pipeline) -> None:
    """MSG-1: the newer words stay."""
    event = await house.receive(content=WAITING)
    await house.inbound.submit(house.account, MessageEdited(event.wa_id, CARLA, "Are you open now?", event.at))
    await house.inbound.submit(house.account, filled(event, Content(MessageType.TEXT, "Are you open?")))
    (message,) = await house.messages_of(direction="incoming")
    assert (message.type, message.body) == ("text", "Are you open now?")


async def test_what_we_wrote_on_the_phone_is_filled_too_and_answered_by_nobody(house: Pipeline) -> None:
    """AI-8."""
    event = await house.receive(content=WAITING, from_me=True)
    await house.inbound.submit(house.account, filled(event, Content(MessageType.TEXT, "We are")))
    await house.settle()
    (message,) = await house.messages_of()
    assert (message.body, message.origin) == ("We are", "phone")
    assert house.engine.sent == []
    assert [told.data["body"] for told in await house.events("message.sent")] == [WAITING.text, "We are"]


async def test_history_fills_without_an_answer(house: Pipeline) -> None:
    """ACC-8: what the past brings is never answered."""
    event = await house.receive(content=WAITING, at=house.clock.now() - timedelta(hours=1))
    await house.inbound.submit(house.account, replace(filled(event, Content(MessageType.TEXT, "Old")), history=True))
    await house.settle()
    assert [row.body for row in await house.messages_of()] == ["Old"]
    assert house.engine.sent == []


async def test_somebody_elses_message_with_the_same_id_fills_nothing(house: Pipeline) -> None:
    """MSG-3: ids are unique only inside a chat."""
    event = await house.receive(content=WAITING, chat=CARLA)
    await house.receive("Mine", chat=DEV, wa_id=event.wa_id)
    assert sorted(row.body for row in await house.messages_of(direction="incoming")) == ["Mine", WAITING.text]
