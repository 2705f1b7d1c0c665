"""Conversations are found, read and worked on by those who may (MSG-7, AI-8, SEC-6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col

from tests.support.clock import MovableClock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.errors import Forbidden, Invalid, NotFound
from whatsapp_dashboard.messages.conversation_views import ConversationFilters
from whatsapp_dashboard.messages.conversations import ConversationService
from whatsapp_dashboard.models import Account, Contact, Conversation, Event, Message, Operator, Workspace

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Office:
    """A workspace with an account, its operators, and a stranger's workspace beside it."""

    def __init__(self, db: Database, clock: MovableClock) -> None:
        self.db = db
        self.clock = clock
        self.service = ConversationService(db, clock)

    async def open(self) -> Office:
        async with self.db.write() as session:
            mine, other = Workspace(name="Office"), Workspace(name="Mallory's")
            session.add_all([mine, other])
            await session.flush()
            people = {
                name: Operator(workspace_id=workspace.id, username=name, password_hash="-", role=role)
                for name, workspace, role in (
                    ("ana", mine, Role.OWNER),
                    ("ben", mine, Role.OPERATOR),
                    ("vic", mine, Role.VIEWER),
                    ("mallory", other, Role.OWNER),
                )
            }
            session.add_all(people.values())
            self.account = Account(workspace_id=mine.id, name="Shop", engine="sandbox", settings={"takeover_minutes": 30})
            session.add(self.account)
        for name, row in people.items():
            setattr(self, name, Principal(row.id, row.workspace_id, name, Role(row.role), "s"))
        return self

    ana: Principal
    ben: Principal
    vic: Principal
    mallory: Principal

    async def conversation(self, name: str, phone: str, said: list[str], at: datetime = NOON) -> str:
        """A conversation in which the contact said these things, a minute apart, the last at ``at``."""
        async with self.db.write() as session:
            contact = Contact(account_id=self.account.id, phone=phone, push_name=name)
            session.add(contact)
            await session.flush()
            conversation = Conversation(account_id=self.account.id, contact_id=contact.id, last_message_at=at, unread=len(said))
            session.add(conversation)
            await session.flush()
            for index, text in enumerate(said):
                session.add(
                    Message(
                        account_id=self.account.id,
                        conversation_id=conversation.id,
                        contact_id=contact.id,
                        direction="incoming",
                        type="text",
                        body=text,
                        status="received",
                        wa_id=f"{phone}-{index}",
                        at=at - timedelta(minutes=len(said) - 1 - index),
                    )
                )
        return conversation.id


@pytest.fixture
async def office(db: Database, clock: MovableClock) -> Office:
    """An office on each database."""
    return await Office(db, clock).open()


async def test_the_list_pages_from_the_newest_message_without_gaps_or_repeats(office: Office) -> None:
    """MSG-7: also when many conversations were written to in the same moment."""
    made = [await office.conversation(f"C{i}", f"3460000{i:04}", ["hi"], NOON + timedelta(minutes=i // 3)) for i in range(25)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = await office.service.page(office.vic, ConversationFilters(), cursor, limit=4)
        seen += [row.id for row in page.rows]
        if page.older is None:
            break
        cursor = page.older
    assert len(seen) == len(set(seen)) == 25
    assert set(seen) == set(made)
    first = await office.service.get(office.vic, seen[0])
    last = await office.service.get(office.vic, seen[-1])
    assert first.last_message_at > last.last_message_at


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("carla", ["Carla"]),
        ("CARLA", ["Carla"]),
        ("600 11", ["Carla"]),
        ("+34 600-11", ["Carla"]),
        ("refund", ["Dev"]),
        ("100%", ["Dev"]),
        ("50%", []),
        ("_", []),
        ("nobody", []),
        ("' OR 1=1 --", []),
    ],
)
async def test_search_looks_into_names_numbers_and_what_was_said(office: Office, text: str, found: list[str]) -> None:
    """MSG-7: signs with a meaning to databases have none here."""
    await office.conversation("Carla", "34600111222", ["Good morning"])
    await office.conversation("Dev", "919876543210", ["I want a 100% refund"])
    page = await office.service.page(office.ben, ConversationFilters(text=text))
    assert [row.contact_name for row in page.rows] == found


async def test_filters_and_counts_tell_the_same(office: Office) -> None:
    """MSG-7: by account, unread, status and who answers."""
    carla = await office.conversation("Carla", "34600111222", ["a", "b"])
    dev = await office.conversation("Dev", "919876543210", [])
    await office.service.take_over(office.ben, dev)
    closed = await office.conversation("Eve", "34600111223", [])
    await office.service.close(office.ben, closed)

    async def ids(**filters: object) -> set[str]:
        page = await office.service.page(office.ana, ConversationFilters(**filters))  # type: ignore[arg-type]
        return {row.id for row in page.rows}

    assert await ids(unread=True) == {carla}
    assert await ids(answered_by="human") == {dev}
    assert await ids(status="closed") == {closed}
    assert await ids(status="active") == {carla, dev}
    assert await ids(account_id="no-such-account") == set()
    counts = await office.service.counts(office.ana)
    assert (counts.active, counts.unread, counts.human) == (2, 1, 1)


async def test_a_thread_pages_backwards_with_notes_in_their_place(office: Office) -> None:
    """MSG-7: messages and notes in the order of their times."""
    office.clock._start = NOON - timedelta(minutes=2, seconds=30)
    conversation = await office.conversation("Carla", "34600111222", [f"m{i}" for i in range(6)])
    await office.service.add_note(office.ben, conversation, "asked for the invoice")
    newest = await office.service.thread(office.vic, conversation, limit=4)
    assert [item.text for item in newest.items] == ["asked for the invoice", "m3", "m4", "m5"]
    assert newest.items[0].operator == "ben"
    assert newest.older
    older = await office.service.thread(office.vic, conversation, newest.older, limit=4)
    assert [item.text for item in older.items] == ["m0", "m1", "m2"]
    assert older.older is None


async def test_taking_over_pauses_the_bot_for_the_accounts_time_and_handing_back_ends_it(office: Office) -> None:
    """AI-8: with a visible end, and an event for whoever watches."""
    conversation = await office.conversation("Carla", "34600111222", ["hi"])
    taken = await office.service.take_over(office.ben, conversation)
    assert (taken.answered_by, taken.bot_paused_until) == ("human", office.clock.now() + timedelta(minutes=30))
    back = await office.service.hand_back(office.ben, conversation)
    assert (back.answered_by, back.bot_paused_until) == ("bot", None)
    async with office.db.read() as session:
        rows = await session.scalars(select(Event).where(col(Event.conversation_id) == conversation).order_by(col(Event.seq)))
        assert [(row.type, row.data["answered_by"], row.data["by"]) for row in rows] == [
            ("conversation.updated", "human", "ben"),
            ("conversation.updated", "bot", "ben"),
        ]


async def test_doing_the_same_twice_changes_nothing_the_second_time(office: Office) -> None:
    """MSG-7: no second event for what already is."""
    conversation = await office.conversation("Carla", "34600111222", [])
    for _ in range(2):
        await office.service.close(office.ben, conversation)
    for _ in range(2):
        await office.service.mark_unread(office.ben, conversation)
    async with office.db.read() as session:
        rows = (await session.scalars(select(Event).where(col(Event.conversation_id) == conversation))).all()
    assert len(rows) == 2


async def test_notes_are_removed_by_their_writer_or_an_owner(office: Office) -> None:
    """SEC-6: and by nobody else."""
    conversation = await office.conversation("Carla", "34600111222", [])
    by_ana = await office.service.add_note(office.ana, conversation, "ask Ana")
    by_ben = await office.service.add_note(office.ben, conversation, "ask Ben")
    with pytest.raises(Forbidden):
        await office.service.delete_note(office.ben, conversation, by_ana.id)
    await office.service.delete_note(office.ana, conversation, by_ben.id)
    assert [item.text for item in (await office.service.thread(office.vic, conversation)).items] == ["ask Ana"]


@pytest.mark.parametrize("text", ["", "  ", "x" * 4_097])
async def test_a_note_needs_something_to_say(office: Office, text: str) -> None:
    """MSG-7: and has a limit."""
    conversation = await office.conversation("Carla", "34600111222", [])
    with pytest.raises(Invalid):
        await office.service.add_note(office.ben, conversation, text)
    assert (await office.service.thread(office.vic, conversation)).items == ()


@pytest.mark.parametrize("cursor", ["x", "~", "2026-01-01~a", "2026-01-01T00:00:00+00:00~", "2026-01-01T00:00:00~a", "\x00~a"])
async def test_a_damaged_page_address_is_explained(office: Office, cursor: str) -> None:
    """API-1: never a stack trace."""
    conversation = await office.conversation("Carla", "34600111222", [])
    with pytest.raises(Invalid, match="damaged"):
        await office.service.page(office.ana, ConversationFilters(), cursor)
    with pytest.raises(Invalid, match="damaged"):
        await office.service.thread(office.ana, conversation, cursor)


async def test_a_viewer_changes_nothing_and_a_stranger_sees_nothing(office: Office) -> None:
    """SEC-6: checked in the service, once, for pages and API."""
    conversation = await office.conversation("Carla", "34600111222", ["hi"])
    service = office.service
    note = await service.add_note(office.ana, conversation, "ours")

    def writes(who: Principal) -> list[object]:
        return [
            service.take_over(who, conversation),
            service.hand_back(who, conversation),
            service.close(who, conversation),
            service.reopen(who, conversation),
            service.mark_unread(who, conversation),
            service.add_note(who, conversation, "x"),
            service.delete_note(who, conversation, note.id),
            service.rename_contact(who, conversation, "x"),
        ]

    for refused in writes(office.vic):
        with pytest.raises(Forbidden):
            await refused  # type: ignore[misc]
    for refused in [*writes(office.mallory), service.get(office.mallory, conversation), service.thread(office.mallory, conversation)]:
        with pytest.raises(NotFound):
            await refused  # type: ignore[misc]
    assert (await service.page(office.mallory, ConversationFilters())).rows == ()
    assert await service.get_many(office.mallory, [conversation], ConversationFilters()) == []
    row = await service.get(office.ana, conversation)
    assert (row.status, row.answered_by, row.contact_name) == ("active", "bot", "Carla")
