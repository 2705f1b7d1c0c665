"""What operators may send and change, and how refusals read (MSG-1, MSG-2, SEC-6, API-5)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from tests.support.clock import MovableClock
from tests.support.pipeline import CARLA, GROUP_JID, Pipeline, pipeline
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.ids import Address, ContactKind
from whatsapp_dashboard.domain.messages import Content, MediaFile, MediaRef, MessageType, Origin, Poll
from whatsapp_dashboard.errors import AppError, Conflict, Forbidden, Invalid, NotFound, TooLarge, Unsupported
from whatsapp_dashboard.models import Conversation, Media, MessageAction

TEXT = MessageType.TEXT
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
NUMBER = "+34600111222"


@pytest.fixture
async def house(db: Database, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Pipeline]:
    """A pipeline with one account in Spain."""
    async with pipeline(db, clock, tmp_path, default_country="ES") as made:
        yield made


async def _send(house: Pipeline, content: Content | None = None, **more: Any) -> Any:
    who = more.pop("who", house.cast.ben)
    where = {"number": NUMBER} if "conversation_id" not in more else {}
    return await house.messages.send(who, house.account, content or Content(TEXT, "hello"), **(where | more))


async def test_viewers_and_strangers_cannot_send(house: Pipeline) -> None:
    """SEC-6: and a stranger is not told that the account exists."""
    with pytest.raises(Forbidden):
        await _send(house, who=house.cast.vic)
    with pytest.raises(NotFound):
        await _send(house, who=house.cast.mallory)
    message = await _send(house)
    for call in (
        house.messages.retry(house.cast.mallory, message.id),
        house.messages.react(house.cast.mallory, message.id, "👍"),
        house.messages.edit(house.cast.mallory, message.id, "x"),
        house.messages.revoke(house.cast.mallory, message.id),
        house.messages.mark_read(house.cast.mallory, message.conversation_id),
    ):
        with pytest.raises(NotFound):
            await call


@pytest.mark.parametrize("number", ["+34600111222", "34600111222", "34600111222@c.us", "600 111 222"])
async def test_a_number_may_be_written_in_any_usual_way(house: Pipeline, number: str) -> None:
    """MSG-2, MSG-10: all of them are the same contact."""
    await house.receive("hi", CARLA)
    await _send(house, number=number)
    await house.until_sent(1)
    assert (await house.contact()).phone == "34600111222"
    assert house.engine.sent[0][1] == CARLA


@pytest.mark.parametrize(
    ("content", "number", "error", "words"),
    [
        (Content(TEXT, "  "), NUMBER, Invalid, "empty"),
        (Content(TEXT, "x" * 65_537), NUMBER, Invalid, "65,537 characters"),
        (Content(TEXT, "x"), "12", Invalid, "number"),
        (Content(TEXT, "x"), "hello", Invalid, "letters"),
        (Content(MessageType.POLL, poll=Poll("Q", ("one",))), NUMBER, Invalid, "2 to 12 options"),
        (Content(MessageType.POLL, poll=Poll("Q", ("a", "a"))), NUMBER, Invalid, "all different"),
        (Content(MessageType.LOCATION), NUMBER, Invalid, "latitude"),
        (Content(MessageType.CONTACT), NUMBER, Invalid, "name"),
        (Content(MessageType.IMAGE), NUMBER, Invalid, "file is needed"),
        (Content(MessageType.IMAGE, media=MediaFile(b"", "image/png")), NUMBER, Invalid, "empty"),
        (Content(MessageType.IMAGE, media=MediaFile(b"<html>", "image/png", "a.png")), NUMBER, Invalid, "text/plain"),
        (Content(MessageType.IMAGE, media=MediaFile(PNG + b"\x00" * 17_000_000, "image/png")), NUMBER, TooLarge, "16 MiB"),
        (Content(MessageType.STICKER, media=MediaFile(PNG, "image/webp")), NUMBER, Unsupported, "received but not sent"),
    ],
)
async def test_what_cannot_be_sent_is_refused_with_a_clear_sentence(
    house: Pipeline, content: Content, number: str, error: type[AppError], words: str
) -> None:
    """MSG-1, MSG-2: and nothing half-done remains."""
    with pytest.raises(error, match=words):
        await _send(house, content, number=number)
    assert await house.messages_of() == []
    assert await house.rows(Media) == []
    assert await house.rows(Conversation) == []


async def test_the_same_idempotency_key_sends_once(house: Pipeline) -> None:
    """API-5: also when both come at the same time; another message under it is refused."""
    first, second = await asyncio.gather(*(_send(house, idempotency_key="k1", origin=Origin.API) for _ in range(2)))
    assert first.id == second.id
    with pytest.raises(Conflict):
        await _send(house, Content(TEXT, "other"), idempotency_key="k1")
    await house.until_sent(1)
    assert len(await house.messages_of()) == 1


async def test_an_operators_message_pauses_the_bot_and_one_by_api_does_not(house: Pipeline) -> None:
    """AI-8: a person answered."""
    await _send(house, origin=Origin.API)
    assert (await house.conversation()).answered_by == "bot"
    await _send(house)
    conversation = await house.conversation()
    assert conversation.answered_by == "human"
    assert conversation.bot_paused_until is not None
    assert (conversation.last_message_preview, conversation.last_message_direction) == ("hello", "outgoing")


async def test_a_file_is_sent_as_what_its_bytes_are(house: Pipeline) -> None:
    """MSG-9: kept once under its hash, the name without folders."""
    picture = Content(MessageType.IMAGE, "look", media=MediaFile(PNG, "text/html", "../../etc/cat.png"))
    await _send(house, picture)
    await _send(house, picture)
    await house.until_sent(2)
    one, two = await house.rows(Media)
    assert (one.mimetype, one.filename, one.size, one.sha256) == ("image/png", "cat.png", len(PNG), two.sha256)
    sent = house.engine.sent[0][2]
    assert isinstance(sent.media, MediaFile)
    assert (sent.media.data, sent.media.mimetype, sent.text) == (PNG, "image/png", "look")
    shown = await house.store.open(house.cast.vic, one.id)
    assert shown.path.read_bytes() == PNG
    with pytest.raises(NotFound):
        await house.store.open(house.cast.mallory, one.id)


async def test_reactions_edits_and_deletions_reach_whatsapp_in_order(house: Pipeline) -> None:
    """MSG-1: the rows change when WhatsApp has accepted."""
    await house.receive("hi")
    message = await _send(house, Content(TEXT, "helo"))
    house.disconnect()
    later = await _send(house, Content(TEXT, "later"))
    with pytest.raises(Conflict, match="not been sent"):
        await house.messages.edit(house.cast.ben, later.id, "x")
    house.connect()
    await house.until_sent(2)
    (incoming,) = await house.messages_of(direction="incoming")
    await house.messages.react(house.cast.ben, incoming.id, "👍")
    await house.messages.edit(house.cast.ben, message.id, "hello")
    await house.messages.revoke(house.cast.ben, message.id)

    async def done() -> bool:
        return not await house.rows(MessageAction)

    await house.until(done)
    wa_id = house.engine.journal[message.id].wa_id
    assert house.engine.acts == [("react", incoming.wa_id, "👍"), ("edit", wa_id, "hello"), ("revoke", wa_id)]
    (row,) = await house.messages_of(id=message.id)
    assert row.body == "hello"
    assert row.revoked_at is not None
    assert (await house.messages_of(id=incoming.id))[0].reactions == {"me": "👍"}
    with pytest.raises(Conflict, match="deleted"):
        await house.messages.edit(house.cast.ben, message.id, "again")


async def test_a_text_can_be_edited_for_fifteen_minutes(house: Pipeline, clock: MovableClock) -> None:
    """MSG-1: as on the phone."""
    message = await _send(house)
    await house.until_sent(1)
    await clock.advance(16 * 60)
    with pytest.raises(Conflict, match="15 minutes"):
        await house.messages.edit(house.cast.ben, message.id, "too late")


async def test_reading_a_conversation_tells_its_writer(house: Pipeline) -> None:
    """MSG-7: exactly the unread messages."""
    for number in range(3):
        await house.receive(f"{number}", wa_id=f"R{number}")
    conversation = await house.conversation()
    await house.messages.mark_read(house.cast.ben, conversation.id)
    assert (await house.conversation()).unread == 0

    async def told() -> bool:
        return ("read", ["R0", "R1", "R2"]) in house.engine.acts

    async def nothing_to_do() -> bool:
        return not await house.rows(MessageAction)

    await house.until(told)
    await house.until(nothing_to_do)
    await house.messages.mark_read(house.cast.ben, conversation.id)
    assert await nothing_to_do(), "they were read already"


async def test_a_number_typed_in_another_way_does_not_change_the_one_whatsapp_gave(house: Pipeline) -> None:
    """MSG-10: Brazil's ninth digit."""
    await house.receive("oi", Address(phone="551187654321"))
    await _send(house, number="+5511987654321")
    await house.until_sent(1)
    assert (await house.contact()).phone == "551187654321"


async def test_a_reply_goes_out_with_what_it_quotes(house: Pipeline) -> None:
    """MSG-1: the words of the quoted message, clipped; a short word for a file without a caption; who wrote it, in a group."""
    photo = Content(MessageType.IMAGE, media=MediaRef({"file": "one"}, "image/jpeg"))
    await house.receive("x" * 1_500, wa_id="LONG")
    await house.receive(content=photo, wa_id="PHOTO")
    await house.receive("in the group", Address(ContactKind.GROUP, jid=GROUP_JID), sender=CARLA, wa_id="GROUPED")
    conversations = {row.wa_id: row.conversation_id for row in await house.messages_of()}
    house.disconnect()
    for quoted, place in (("LONG", "LONG"), ("PHOTO", "LONG"), ("GROUPED", "GROUPED"), ("UNKNOWN", "LONG")):
        await _send(house, Content(TEXT, f"to {quoted}", quoted_id=quoted), conversation_id=conversations[place])
    looks: list[str] = []

    @event.listens_for(house.db.engine.sync_engine, "before_cursor_execute")
    def _count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "substr(message.body" in statement:
            looks.append(statement)

    house.connect()
    await house.until_sent(4)
    sent = {content.text: content for _, _, content in house.engine.sent}
    assert (sent["to LONG"].quoted_text, sent["to LONG"].quoted_sender) == ("x" * 1_000, None)
    assert sent["to PHOTO"].quoted_text == "Photo"
    assert (sent["to GROUPED"].quoted_text, sent["to GROUPED"].quoted_sender) == ("in the group", Address(phone=CARLA.phone))
    assert (sent["to UNKNOWN"].quoted_id, sent["to UNKNOWN"].quoted_text) == ("UNKNOWN", "")
    assert len(looks) == 1, "one look for all of them"
