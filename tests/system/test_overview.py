"""What the first page says (OBS-1)."""

from __future__ import annotations

from datetime import timedelta

from tests.support.clock import MovableClock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.ids import id_floor
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.models import Account, AiCall, AiConfig, AiProvider, Contact, Conversation, Message, Workspace
from whatsapp_dashboard.system.overview import Overview

VIC = Principal("vic", "w1", "vic", Role.VIEWER, "s")
MALLORY = Principal("mallory", "w2", "mallory", Role.OWNER, "s")


async def fill(db: Database, clock: MovableClock) -> None:
    """Ana's account with Carla (waits for a person) and Dev (was answered), one failed send, and six events."""
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
                             last_message_preview="Hello?", last_message_at=now - timedelta(minutes=5),
                             waiting_since=now - timedelta(minutes=7) if name == "carla" else None)
            )  # fmt: skip
        await session.flush()
        for number, (status, age) in enumerate((("failed", 1), ("failed", 30), ("queued", 2), ("sent", 3))):
            at = now - timedelta(hours=age)
            session.add(Message(id=id_floor(at)[:-1] + str(number), account_id="sales", conversation_id="dev", contact_id="dev",
                                direction="outgoing", type="text", status=status, unconfirmed=status != "failed", at=at,
                                created_at=at))  # fmt: skip
        record(session, "account.created", workspace_id="w1", account_id="sales", data={"name": "Sales"})
        record(session, "message", workspace_id="w1", account_id="sales", data={})
        record(session, "webhook.failing", workspace_id="w1", data={"name": "CRM", "error": "Nobody listens."})
        record(session, "credits.changed", workspace_id="w1", data={})
        record(session, "credits.exhausted", workspace_id="w1", data={"balance": 0, "held": 0, "price": 2})
        record(session, "account.deleted", workspace_id="w1", account_id="gone", data={"name": "Old shop"})


async def test_the_overview_tells_who_waits_what_failed_and_what_happened(db: Database, clock: MovableClock) -> None:
    """OBS-1, MSG-4: what is queued to be sent anew is in doubt no more than any other that waits."""
    await fill(db, clock)
    view = await Overview(db, clock).look(VIC)
    assert (view.waiting_total, view.failed_24h, view.queued, view.in_doubt) == (1, 1, 1, 1)
    assert [(w.contact_name, w.account_name, w.since) for w in view.waiting] == [("Carla", "Sales", clock.now() - timedelta(minutes=7))]
    assert [(e.type, e.account_name) for e in view.recent] == [
        ("account.deleted", "Old shop"), ("credits.exhausted", ""), ("webhook.failing", "CRM"), ("account.created", "Sales"),
    ]  # fmt: skip


async def test_the_overview_shows_nothing_of_another_workspace(db: Database, clock: MovableClock) -> None:
    """OBS-1, SEC-6"""
    await fill(db, clock)
    view = await Overview(db, clock).look(MALLORY)
    assert (view.waiting_total, view.failed_24h, view.queued, view.in_doubt, view.waiting, view.recent) == (0, 0, 0, 0, (), ())


async def test_the_overview_tells_of_bots_that_do_not_answer(db: Database, clock: MovableClock) -> None:
    """OBS-1, AI-3: nobody to ask, nobody who answers, today's limit; what is off or well is not named."""
    await fill(db, clock)
    names = ("Broken", "Limited", "Lonely", "Off", "Recovered", "Well")
    async with db.write() as session:
        for name in names:
            session.add(Account(id=name.lower(), workspace_id="w1", name=name, engine="sandbox"))
        await session.flush()
        for name in names:
            settings = {"daily_answers": 1} if name == "Limited" else {}
            session.add(AiConfig(account_id=name.lower(), enabled=name != "Off", settings=settings))
            if name != "Lonely":
                session.add(AiProvider(account_id=name.lower(), position=1, kind="groq", model="m"))
        session.add(AiProvider(account_id="lonely", position=1, kind="groq", model="m", enabled=False))
        session.add(AiCall(workspace_id="w1", account_id="limited", provider_kind="groq", purpose="reply", outcome="ok",
                           created_at=clock.now()))  # fmt: skip
        await session.flush()
        for account_id, kind in (("broken", "ai.answered"), ("broken", "ai.failed"), ("off", "ai.failed"), ("recovered", "ai.failed"),
                                 ("recovered", "ai.answered"), ("well", "ai.answered")):  # fmt: skip
            reason = {"reason": "No provider answered. The key is refused."} if kind == "ai.failed" else {}
            record(session, kind, workspace_id="w1", account_id=account_id, data=reason)
            await session.flush()
    view = await Overview(db, clock).look(VIC)
    assert [(trouble.account_name, trouble.kind) for trouble in view.ai_trouble] == [
        ("Broken", "failing"), ("Limited", "limit"), ("Lonely", "no_provider"),
    ]  # fmt: skip
    assert view.ai_trouble[0].text == "No provider answered. The key is refused."
    assert (await Overview(db, clock).look(MALLORY)).ai_trouble == ()
