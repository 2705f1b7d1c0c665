"""Whatever stands in whichever field of an event, it is stored, on either database; so a field that is added later is covered (MSG-3)."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from pathlib import Path
from typing import Any, get_args

import pytest

from tests.support.clock import MovableClock
from tests.support.pipeline import CARLA, DEV, Pipeline, pipeline
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.engine_events import (
    CallReceived,
    ContactSeen,
    ConversationEvent,
    Disconnected,
    EngineEvent,
    MessageEdited,
    MessageReceived,
    MessageRevoked,
    PollChanged,
    PollVoted,
    ReactionReceived,
    Receipt,
    ReceiptKind,
    TimerChanged,
)
from whatsapp_dashboard.domain.ids import Address, parse_jid
from whatsapp_dashboard.domain.messages import Buttons, ContactCard, Content, Location, MediaRef, MessageType, Poll, Timer
from whatsapp_dashboard.domain.storable import EARLIEST, LATEST, LONGEST_NUMBER, storable
from whatsapp_dashboard.errors import Unavailable
from whatsapp_dashboard.messages.event_text import KINDS, kind_of, read_event, what_of, who_of, write_event
from whatsapp_dashboard.models import Account, Contact, Media, SetAsideEvent
from whatsapp_dashboard.text import clean, clean_all, first_unclean

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
GROUP = parse_jid("120363000000000001@g.us")
POISON: dict[type, tuple[Any, ...]] = {
    str: ("a\x00b", "\x00", "\ud800", "x\udfffy\ud83d", "\ufffe\U0010ffff", "é" * 100_000, "", "\u202e\u0000\ud800" * 50),
    int: (2**31, 2**63, 10**30, -1, -(10**30)),
    float: (math.nan, math.inf, -math.inf, 1e308, 91.0, -1e-320),
    datetime: (
        datetime(1, 1, 1),  # noqa: DTZ001 - an engine may forget the zone
        datetime(9999, 12, 31),  # noqa: DTZ001
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
        datetime(9999, 12, 31, tzinfo=timezone(-timedelta(hours=12))),
        datetime(1969, 12, 31, tzinfo=UTC),
        datetime(1900, 1, 1, tzinfo=UTC),
    ),
}


def _message(**more: Any) -> MessageReceived:
    values = {"wa_id": "WA1", "chat": CARLA, "content": Content(MessageType.TEXT, "hello"), "at": AT, "sender_name": "Carla"}
    return MessageReceived(**(values | more))


def _file(**more: Any) -> MediaRef:
    return MediaRef({"file": "f", "key": ["k", {"deep": "d"}], "at": 7, "part": 0.5}, "application/pdf", 10, "menu.pdf", 3, **more)


def samples() -> list[ConversationEvent]:
    """Events that between them fill every field that an event can have."""
    card = ContactCard("Dev", ("+91 98765 43210",), "BEGIN:VCARD\nEND:VCARD")
    place = Location(41.4, 2.2, "Here", "Main street 1")
    quoting = {"quoted_id": "WA0", "quoted_text": "before", "quoted_type": MessageType.IMAGE, "quoted_sender": DEV}
    quoting |= {"mentions": ("34600111222",)}
    return [
        _message(content=Content(MessageType.TEXT, "hello", **quoting)),
        _message(chat=GROUP, sender=DEV, sender_name="Dev", chat_name="Family"),
        _message(content=Content(MessageType.DOCUMENT, "read this", media=_file())),
        _message(content=Content(MessageType.LOCATION, location=place)),
        _message(content=Content(MessageType.CONTACT, contacts=(card,))),
        _message(content=Content(MessageType.POLL, poll=Poll("When?", ("today", "tomorrow"), 1))),
        _message(content=Content(MessageType.BUTTONS, "Choose", buttons=Buttons(("yes", "no")))),
        _message(history=True, timer=Timer(86_400, AT)),
        _message(content=Content(MessageType.TEXT, "soon gone", timer=Timer(86_400, AT))),
        _message(from_me=True),
        Receipt(("WA1", "WA2"), ReceiptKind.FAILED, AT, CARLA, "blocked"),
        ReactionReceived("WA1", CARLA, DEV, "x", AT),
        MessageEdited("WA1", CARLA, "better", AT, from_me=True, sender=DEV),
        MessageRevoked("WA1", CARLA, AT, from_me=True),
        PollChanged("WA1", CARLA, "Where?", ("here", "there"), AT),
        PollVoted("WA1", CARLA, DEV, ("today",), AT),
        TimerChanged(CARLA, 86_400, AT),
        ContactSeen(CARLA, "Carla", "carla"),
        CallReceived(CARLA, AT, video=True),
    ]


def poisoned(value: Any) -> Iterator[Any]:
    """``value`` with each part in turn made wrong in every way."""
    if isinstance(value, Enum | bool | None):
        return
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            for part in poisoned(getattr(value, field.name)):
                if isinstance(value, Address) and part == "":
                    continue  # no address at all: engines cannot make such a one
                yield replace(value, **{field.name: part})
    elif isinstance(value, tuple | list):
        for position, old in enumerate(value):
            for part in poisoned(old):
                yield type(value)([*value[:position], part, *value[position + 1 :]])
    elif isinstance(value, dict):
        for name, old in value.items():
            yield from ({**value, name: part} for part in poisoned(old))
            yield {**value, name + "\x00\ud800": old}
    else:
        yield from POISON[type(value)]


@pytest.fixture
async def house(db: Database, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Pipeline]:
    """A pipeline with one account; its bots are off."""
    async with pipeline(db, clock, tmp_path) as made:
        yield made


def test_the_samples_fill_every_field_of_every_event() -> None:
    """MSG-3: otherwise the walk would not reach a field that is new."""
    seen: set[tuple[str, str]] = set()
    wanted: set[tuple[str, str]] = set()

    def look(value: Any) -> None:
        if isinstance(value, tuple | list):
            for part in value:
                look(part)
        elif is_dataclass(value):
            wanted.update((type(value).__name__, field.name) for field in fields(value))
            for field in fields(value):
                if (part := getattr(value, field.name)) not in (None, "", (), False):
                    seen.add((type(value).__name__, field.name))
                    look(part)

    events = samples()
    look(events)
    assert {type(event) for event in events} == set(get_args(ConversationEvent)) == set(KINDS.values())
    assert wanted - seen == {("Content", "quoted_from_me"), ("MessageReceived", "offline"), ("ReactionReceived", "from_me")}


async def test_poison_in_any_field_is_stored(house: Pipeline) -> None:
    """MSG-3, DUR-1: text, numbers and times of every field; nothing is refused, nothing set aside, and all of it can be read."""
    number, waiting = 0, []
    for sample in samples():
        for event in poisoned(sample):
            number += 1
            if isinstance(event, MessageReceived) and not event.wa_id:
                continue  # has no identity: tests/messages/test_set_aside.py
            if isinstance(event, MessageReceived) and event.wa_id == "WA1":
                waiting.append(house.inbound.submit(house.account, replace(event, wa_id=f"N{number}")))
            else:
                waiting.append(house.inbound.submit(house.account, event))
    await asyncio.gather(*waiting)
    assert number > 400
    assert [(row.who, row.what, row.reason) for row in await house.rows(SetAsideEvent)] == []
    stored = await house.messages_of()
    assert len(stored) > 250
    for row in [*stored, *await house.rows(Media), *await house.rows(Contact)]:
        json.dumps(row.model_dump(mode="json"), ensure_ascii=False, allow_nan=False).encode()


async def test_ids_that_are_cut_stay_different(house: Pipeline) -> None:
    """MSG-3: two messages do not become one because their ids are too long, or hold what cannot be stored."""
    ids = ["x" * 200 + "1", "x" * 200 + "2", "A", "A\x00", "A\ud800", "A\ud801"]
    for number, wa_id in enumerate(ids):
        await house.receive(f"{number}", wa_id=wa_id)
        await house.receive("again", wa_id=wa_id)
    assert [row.body for row in await house.messages_of()] == ["0", "1", "2", "3", "4", "5"]
    await house.inbound.submit(house.account, MessageEdited(ids[1], CARLA, "changed", AT))
    assert [row.body for row in await house.messages_of()] == ["0", "changed", "2", "3", "4", "5"]


def test_what_is_storable_stays_the_same_object() -> None:
    """MSG-3: nothing is copied that need not be; bytes and the engine's own numbers are left alone."""
    for sample in samples():
        assert storable(sample) is sample
    assert storable({"token": 1}) == {"token": 1}
    file = storable(MediaRef({"n": 2**60, "t": "a\x00"}, size=2**40))
    assert (file.token, file.size) == ({"n": 2**60, "t": "a"}, LONGEST_NUMBER)


def test_times_and_places_come_into_range() -> None:
    """MSG-3: a time without a zone counts as UTC; a place that is nowhere is left out."""
    assert storable(_message(at=datetime(9999, 12, 31, tzinfo=UTC))).at == LATEST
    assert storable(_message(at=datetime(1, 1, 1, tzinfo=UTC))).at == EARLIEST
    assert storable(_message(at=AT.replace(tzinfo=None))).at == AT
    nowhere = storable(_message(content=Content(MessageType.LOCATION, location=Location(math.nan, 2.0))))
    assert (nowhere.content.type, nowhere.content.location) == (MessageType.LOCATION, None)


def test_session_events_are_made_storable_too() -> None:
    """ACC-5: every class of event survives the walk and comes out storable."""
    assert {*get_args(ConversationEvent)} < {*get_args(EngineEvent)}
    told = storable(Disconnected("connection_lost", "why\x00\ud800" * 1_000, datetime(9999, 12, 31, tzinfo=UTC)))  # type: ignore[arg-type]
    assert (len(told.reason), "\x00" in told.reason, told.until) == (500, False, LATEST)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("plain", "plain"),
        ("a\x00b", "ab"),
        ("\x00", ""),
        ("a\ud800c", "a\ufffdc"),
        ("cut \ud83d", "cut \ufffd"),
        ("\udc00\ud83d", "\ufffd\ufffd"),
        ("\ud83d\ude00", "\U0001f600"),
        ("متجر \U0001f600", "متجر \U0001f600"),
    ],
)
def test_what_cannot_be_stored_is_left_out(given: str, kept: str) -> None:
    """MSG-3, API-1: NUL goes, half a pair is replaced, halves that belong together are joined."""
    assert clean(given) == kept
    assert clean(kept) == kept
    assert clean_all({given: [given, (given, 1, None)]}) == {kept: [kept, (kept, 1, None)]}
    assert first_unclean([("n", given)]) == (None if given == kept else "n")


def test_an_event_becomes_text_and_comes_back() -> None:
    """DUR-1: whatever is in it; and it can be said in words."""
    for sample in samples():
        for event in (sample, *poisoned(sample)):
            written = write_event(event)
            assert written.isascii()
            assert "\x00" not in written
            if "NaN" not in written:
                assert read_event(kind_of(event), written) == event
            who_of(event).encode()
            what_of(event).encode()


async def test_while_the_program_stops_nothing_is_taken(house: Pipeline) -> None:
    """SEC-9: what is not stored is not acknowledged."""
    await house.inbound.stop()
    with pytest.raises(Unavailable):
        await house.receive("late")
    assert await house.messages_of() == []
    assert len(await house.rows(Account)) == 1
