"""One person is one contact and one conversation, whatever WhatsApp tells first (MSG-10)."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from tests.support.clock import MovableClock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.engine_events import ContactSeen, ConversationEvent, MessageReceived
from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import Content, MessageType
from whatsapp_dashboard.messages.inbound import Inbound
from whatsapp_dashboard.models import Account, Contact, Conversation, Message, Workspace
from whatsapp_dashboard.models.base import metadata

PHONES = ("5511987654321", "551187654321")
LID = "4242"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)

FACES = (
    Address(phone=PHONES[0]),
    Address(phone=PHONES[1]),
    Address(lid=LID),
    Address(phone=PHONES[0], lid=LID),
    Address(phone=PHONES[1], lid=LID),
)
STEPS = st.lists(st.tuples(st.sampled_from(FACES), st.sampled_from(["in", "out", "seen", "again"])), min_size=1, max_size=12)


def _events(steps: list[tuple[Address, str]]) -> list[ConversationEvent]:
    """What the engine tells; at the end it tells which addresses belong together."""
    found: list[ConversationEvent] = []
    for number, (face, kind) in enumerate(steps):
        if kind == "seen":
            found.append(ContactSeen(face, push_name="Carla"))
        else:
            wa_id = "W0" if kind == "again" else f"W{number}"
            found.append(MessageReceived(wa_id, face, Content(MessageType.TEXT, wa_id), AT, from_me=kind == "out"))
    return [*found, ContactSeen(FACES[3])]


async def _run(steps: list[tuple[Address, str]], batched: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        db = Database(f"sqlite+aiosqlite:///{Path(folder) / 'x.db'}")
        async with db.engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        async with db.write() as session:
            workspace = Workspace(name="W")
            session.add(workspace)
            await session.flush()
            account = Account(workspace_id=workspace.id, name="A", engine="x")
            session.add(account)
        inbound = Inbound(db, MovableClock())
        events = _events(steps)
        if batched:
            await asyncio.gather(*(inbound.submit(account.id, event) for event in events))
        else:
            for event in events:
                await inbound.submit(account.id, event)
        async with db.read() as session:
            (contact,) = (await session.scalars(select(Contact))).all()
            conversations = (await session.scalars(select(Conversation))).all()
            messages = (await session.scalars(select(Message))).all()
        expected = {(event.wa_id, event.from_me) for event in events if isinstance(event, MessageReceived)}
        assert contact.lid == LID
        assert contact.phone in PHONES
        assert {(row.wa_id, row.direction == "outgoing") for row in messages} == expected
        assert len(messages) == len(expected)
        assert len(conversations) == (1 if expected else 0)
        assert {row.contact_id for row in messages} <= {contact.id}
        assert {row.conversation_id for row in messages} == {row.id for row in conversations}
        async with db.write() as session:
            await session.execute(delete(Account))
        await db.close()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS, batched=st.booleans())
def test_any_order_of_events_leaves_one_contact_and_one_conversation_with_all_messages(
    steps: list[tuple[Address, str]], batched: bool
) -> None:
    """MSG-10, MSG-3: hidden identity, both ways to write the number, duplicates; one by one or in one batch."""
    asyncio.run(_run(steps, batched))
