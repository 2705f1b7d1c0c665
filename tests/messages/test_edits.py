"""Edits: by whom they count, what cannot be read, polls that change, and what the inbox's list shows of it (MSG-1, MSG-12)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.clock import MovableClock
from tests.support.pipeline import CARLA, DEV, GROUP_JID, Pipeline, pipeline
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.engine_events import MessageEdited, MessageRevoked, PollChanged
from whatsapp_dashboard.domain.ids import Address, parse_jid
from whatsapp_dashboard.domain.messages import Content, MessageType, Poll
from whatsapp_dashboard.messages.conversations import ConversationService
from whatsapp_dashboard.models import Message

GROUP = parse_jid(GROUP_JID)


@pytest.fixture
async def house(db: Database, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Pipeline]:
    """A pipeline with one account; its bots are off."""
    async with pipeline(db, clock, tmp_path) as made:
        yield made


async def edit(house: Pipeline, wa_id: str, text: str, chat: Address = CARLA, *, later: float = 1, **more: object) -> None:
    at = house.clock.now() + timedelta(seconds=later)
    await house.inbound.submit(house.account, MessageEdited(wa_id, chat, text, at, **more))  # type: ignore[arg-type]


async def the_message(house: Pipeline) -> Message:
    (found,) = await house.messages_of()
    return found


async def test_an_edit_that_cannot_be_read_marks_the_message(house: Pipeline) -> None:
    """MSG-12: what it said before stays; it is told once; an edit that can be read takes the mark away."""
    await house.receive("5 mm", wa_id="M1")
    for _ in range(2):
        await edit(house, "M1", "", readable=False)
    message = await the_message(house)
    assert (message.body, message.edit_unreadable, message.edited_at is not None) == ("5 mm", True, True)
    (told,) = await house.events("message.edited")
    assert (told.data["body"], told.data["readable"]) == ("5 mm", False)
    (item,) = (await ConversationService(house.db, house.clock).thread(house.cast.ben, message.conversation_id)).items
    assert (item.text, item.edited, item.edit_unreadable) == ("5 mm", True, True)
    await edit(house, "M1", "8 mm", later=2)
    message = await the_message(house)
    assert (message.body, message.edit_unreadable) == ("8 mm", False)


async def test_a_message_that_comes_after_its_unreadable_edit_says_what_it_says(house: Pipeline) -> None:
    """MSG-12, MSG-3: whichever comes first, and when the text comes into the place kept for it."""
    await edit(house, "M1", "", readable=False)
    waiting = await house.receive(content=Content(MessageType.UNSUPPORTED, "Waiting for this message."), wa_id="M1")
    assert (await the_message(house)).edit_unreadable
    await house.receive("5 mm", wa_id="M1", at=waiting.at)
    message = await the_message(house)
    assert (message.body, message.edit_unreadable) == ("5 mm", True)


async def test_nobody_changes_what_somebody_else_wrote(house: Pipeline) -> None:
    """MSG-3, SEC-4: not what we wrote, not what another member of a group wrote; only a group's administrator may delete."""
    await house.receive("Ours", wa_id="M1", from_me=True)
    await edit(house, "M1", "We give everything away")
    await house.inbound.submit(house.account, MessageRevoked("M1", CARLA, house.clock.now()))
    await house.receive("Dev's", GROUP, wa_id="M2", sender=DEV)
    await edit(house, "M2", "forged", GROUP, sender=CARLA)
    await edit(house, "M2", "forged", GROUP, from_me=True)
    assert [(one.body, one.edited_at, one.revoked_at) for one in await house.messages_of()] == [("Ours", None, None), ("Dev's", None, None)]
    await edit(house, "M1", "Ours, better", from_me=True)
    await edit(house, "M2", "Dev's, better", GROUP, sender=Address(lid=DEV.lid, phone=DEV.phone))
    await house.inbound.submit(house.account, MessageRevoked("M2", GROUP, house.clock.now()))
    assert [(one.body, one.revoked_at is None) for one in await house.messages_of()] == [("Ours, better", True), ("Dev's, better", False)]


async def test_a_changed_poll_has_its_new_options(house: Pipeline) -> None:
    """MSG-12: its question when that changed; only a poll can change so."""
    poll = Content(MessageType.POLL, poll=Poll("Lunch?", ("Yes", "No"), 2))
    await house.receive(content=poll, wa_id="M1")
    at = house.clock.now()
    await house.inbound.submit(house.account, PollChanged("M1", CARLA, "", ("Yes", "No", "Late"), at))
    message = await the_message(house)
    assert message.payload["poll"] == {"question": "Lunch?", "options": ["Yes", "No", "Late"], "selectable": 2}
    await house.inbound.submit(house.account, PollChanged("M1", CARLA, "Dinner?", ("Yes", "No"), at))
    message = await the_message(house)
    assert (message.body, message.payload["poll"]["question"]) == ("Dinner?", "Dinner?")
    assert (await house.events("message.edited"))[0].data["options"] == ["Yes", "No", "Late"]
    await house.receive("no poll", DEV, wa_id="M2")
    await house.inbound.submit(house.account, PollChanged("M2", DEV, "Dinner?", ("Yes",), at))
    assert (await house.messages_of(wa_id="M2"))[0].payload == {}


async def test_the_list_shows_what_the_last_message_says_now(house: Pipeline) -> None:
    """MSG-7: after an edit and after a deletion, by the contact or by us; an older message changes nothing there."""
    await house.receive("first", wa_id="M1")
    await house.receive("Helo", wa_id="M2")
    await edit(house, "M1", "changed")
    await edit(house, "M2", "Hello")
    assert (await house.conversation()).last_message_preview == "Hello"
    await house.inbound.submit(house.account, MessageRevoked("M2", CARLA, house.clock.now()))
    assert (await house.conversation()).last_message_preview == "This message was deleted"
    ours = await house.say_as_ben("Until sixx")
    await house.until_sent(1)
    await house.messages.edit(house.cast.ben, ours.id, "Until six")

    async def shown() -> bool:
        return (await house.conversation()).last_message_preview == "Until six"

    await house.until(shown)
