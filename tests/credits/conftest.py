"""A till: the credits of one database, with everything real but the time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from operator import eq

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from tests.support.cast import Cast, make_cast
from tests.support.clock import MovableClock
from tests.support.waiting import until
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.credits.service import CreditService
from whatsapp_dashboard.credits.settling import Settlement
from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.models import Account, Contact, Conversation, CreditBalance, CreditEntry, CreditHold, Event, Message, Reply


class Till:
    """The credits of one database."""

    def __init__(self, db: Database, clock: MovableClock, cast: Cast) -> None:
        self.db, self.clock, self.cast = db, clock, cast
        self.credits = CreditService(db, clock)
        self.settlement = Settlement(db, clock)
        self.workspace = cast.ana.workspace_id

    async def fill(self, amount: int, price: int = 2) -> None:
        """Billing is on."""
        await self.credits.set_price(self.cast.ana, price)
        if amount:
            await self.credits.top_up(self.cast.ana, amount)

    async def queue(self, job: str) -> str:
        """The answer is queued; its id."""
        message_id = new_id()
        async with self.db.write() as session:
            await self.credits.bind(session, job, message_id)
        return message_id

    async def happens(self, type: str, message_id: str, **data: object) -> None:
        """An event of the answer; returns when it has been followed."""
        async with self.db.write() as session:
            record(session, type, workspace_id=self.workspace, message_id=message_id, data=dict(data))

    async def answer(self, job: str) -> str:
        """Set aside, queued and sent."""
        assert await self.credits.reserve(self.workspace, job)
        message_id = await self.queue(job)
        await self.happens("message.sent", message_id, unconfirmed=False)
        return message_id

    async def until(self, **counts: int) -> None:
        """Wait until so many holds are in these states; those of answers that are paid are ``taken``."""
        for state, count in counts.items():
            await until(partial(self.count, state), partial(eq, count))

    async def count(self, state: str) -> int:
        """Holds in this state."""
        async with self.db.read() as session:
            holds = select(func.count()).select_from(CreditHold).where(col(CreditHold.state) == state)
            return await session.scalar(holds) or 0

    async def told(self) -> int:
        """How often operators were told that the credits are used up."""
        async with self.db.read() as session:
            events = select(func.count()).select_from(Event).where(col(Event.type) == "credits.exhausted")
            return await session.scalar(events) or 0

    async def check(self) -> CreditBalance:
        """The ledger adds up to the balance, line by line; what is held is what the holds say. Returns the balance."""
        async with self.db.read() as session:
            if not self.db.is_sqlite:  # all of it as it was at one moment, as SQLite reads anyway
                await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            balance = await session.get(CreditBalance, self.workspace)
            assert balance is not None
            lines = (await session.scalars(select(CreditEntry).order_by(col(CreditEntry.id)))).all()
            held = await session.scalar(select(func.sum(col(CreditHold.amount))).where(col(CreditHold.state) == "held")) or 0
        total = 0
        for line in lines:
            assert line.balance_before == total
            total += line.amount if line.type == "credit" else -line.amount
            assert line.balance_after == total >= 0
        assert (balance.balance, balance.held) == (total, held)
        return balance


@pytest.fixture
async def till(db: Database, clock: MovableClock) -> AsyncIterator[Till]:
    """An empty till that follows the event log."""
    made = Till(db, clock, await make_cast(db))
    await made.settlement.follower.start()
    db.on_commit.append(made.settlement.follower.wake)
    yield made
    db.on_commit.remove(made.settlement.follower.wake)
    await made.settlement.follower.stop()


class Chat:
    """A conversation whose questions and answers are rows, as the pipeline makes them."""

    def __init__(self, till: Till) -> None:
        self.till = till
        self.account_id, self.contact_id, self.conversation_id = new_id(), new_id(), new_id()

    async def open(self) -> None:
        """An account, and Carla who writes to it."""
        async with self.till.db.write() as session:
            session.add(Account(id=self.account_id, workspace_id=self.till.workspace, name="Bakery", engine="sandbox"))
            await session.flush()
            session.add(Contact(id=self.contact_id, account_id=self.account_id, phone="34600111222", name="Carla"))
            await session.flush()
            session.add(Conversation(id=self.conversation_id, account_id=self.account_id, contact_id=self.contact_id))

    def message(self, direction: str, status: str, **fields: object) -> Message:
        """A message of this conversation, not yet stored."""
        return Message(
            id=new_id(), account_id=self.account_id, conversation_id=self.conversation_id, contact_id=self.contact_id,
            direction=direction, type="text", status=status, **fields,  # type: ignore[arg-type]
        )  # fmt: skip

    async def question(self) -> str:
        """Carla asks; the decision is open. Its id."""
        asked = self.message("incoming", "received")
        async with self.till.db.write() as session:
            session.add(asked)
            await session.flush()
            session.add(Reply(message_id=asked.id, account_id=self.account_id, conversation_id=self.conversation_id))
        return asked.id

    async def answer(self, job: str, status: str = "queued", **fields: object) -> str:
        """The decision is made and its answer queued, in one write; its id."""
        made = self.message("outgoing", status, origin="ai", in_reply_to=job, **fields)
        async with self.till.db.write() as session:
            reply = await session.get(Reply, job)
            assert reply is not None
            reply.state = "answered"
            session.add(made)
            await self.till.credits.bind(session, job, made.id)
        return made.id


@pytest.fixture
async def chat(till: Till) -> Chat:
    """A conversation in Ana's workspace."""
    made = Chat(till)
    await made.open()
    return made
