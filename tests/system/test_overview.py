"""What the first page says (OBS-1)."""

from __future__ import annotations

from datetime import timedelta

from tests.support.clock import MovableClock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.ids import id_floor
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.models import Account, Contact, Conversation, Message, Workspace
from whatsapp_dashboard.system.overview import Overview

VIC = Principal("vic", "w1", "vic", Role.VIEWER, "s")
MALLORY = Principal("mallory", "w2", "mallory", Role.OWNER, "s")


async def fill(db: Database, clock: MovableClock) -> None:
    """Ana's account with Carla (waits for a person) and Dev (was answered), one failed send, and three events."""
    now = clock.now()
    async with db.write() as session:
        session.add_all([Workspace(id="w1", name="Ana's"), Workspace(id="w2", name="Mallory's")])
        await session.flush()
        session.add(Account(id="sales", workspace_id="w1", name="Sales", engine="sandbox"))
        await session.flush()
        for name, direction, unread in (("carla", "incoming", 2), ("dev", "outgoing", 1)):
            session.add(Contact(id=name, account_id="sales", phone="34600111222" if name == "carla" else "919812345678", name=name.title()))
            await session.flush()
            session.add(
                Conversation(id=name, account_id="sales", contact_id=name, unread=unread, last_message_direction=direction,
                             last_message_preview="Hello?", last_message_at=now - timedelta(minutes=5))
            )  # fmt: skip
        await session.flush()
        for number, (status, age) in enumerate((("failed", 1), ("failed", 30), ("queued", 2), ("sent", 3))):
            at = now - timedelta(hours=age)
            session.add(Message(id=id_floor(at)[:-1] + str(number), account_id="sales", conversation_id="dev", contact_id="dev",
                                direction="outgoing", type="text", status=status, at=at, created_at=at))  # fmt: skip
        record(session, "account.created", workspace_id="w1", account_id="sales", data={"name": "Sales"})
        record(session, "message", workspace_id="w1", account_id="sales", data={})
        record(session, "account.deleted", workspace_id="w1", account_id="gone", data={"name": "Old shop"})


async def test_the_overview_tells_who_waits_what_failed_and_what_happened(db: Database, clock: MovableClock) -> None:
    """OBS-1"""
    await fill(db, clock)
    view = await Overview(db, clock).look(VIC)
    assert (view.waiting_total, view.failed_24h, view.queued) == (1, 1, 1)
    assert [(w.contact_name, w.account_name, w.unread) for w in view.waiting] == [("Carla", "Sales", 2)]
    assert [(e.type, e.account_name) for e in view.recent] == [("account.deleted", "Old shop"), ("account.created", "Sales")]


async def test_the_overview_shows_nothing_of_another_workspace(db: Database, clock: MovableClock) -> None:
    """OBS-1, SEC-6"""
    await fill(db, clock)
    view = await Overview(db, clock).look(MALLORY)
    assert (view.waiting_total, view.failed_24h, view.queued, view.waiting, view.recent) == (0, 0, 0, (), ())
