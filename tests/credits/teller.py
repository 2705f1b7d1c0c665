"""A process that answers questions, pays for them, and may be killed at any moment: ``python -m tests.credits.teller DATABASE_URL SEED``.

It says ``ready`` and begins when it is told to. It goes on where another one ended, with what lies in the database, until every question is
decided and every answer has left.
"""

from __future__ import annotations

import asyncio
import random
import sys
from operator import not_

from sqlalchemy import func, select, update
from sqlmodel import col

from tests.support.waiting import until
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.credits.service import CreditService
from whatsapp_dashboard.credits.settling import Settlement
from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.models import Account, CreditHold, Message, Reply

AT_ONCE = 6


class Teller:
    """One process."""

    def __init__(self, url: str, seed: int) -> None:
        self.db, self.dice = Database(url), random.Random(seed)
        self.credits, self.settlement = CreditService(self.db, Clock()), Settlement(self.db, Clock())

    async def decide(self, question: Message, workspace_id: str) -> None:
        """As the router and the AI do: set aside, think, and settle the question with its answer in one write."""
        may = await self.credits.reserve(workspace_id, question.id)
        await asyncio.sleep(self.dice.uniform(0, 0.01))
        fails = self.dice.random() < 0.15
        async with self.db.write() as session:
            state = "answered" if may and not fails else "skipped"
            open_ = update(Reply).where(col(Reply.message_id) == question.id, col(Reply.state) == "pending").values(state=state)
            mine = (await session.scalars(open_.returning(col(Reply.message_id)))).first()
            if not mine or state == "skipped":
                await self.credits.release(session, question.id)
                return
            answer = Message(
                id=new_id(), account_id=question.account_id, conversation_id=question.conversation_id, contact_id=question.contact_id,
                direction="outgoing", type="text", status="queued", origin="ai", in_reply_to=question.id,
            )  # fmt: skip
            session.add(answer)
            await self.credits.bind(session, question.id, answer.id)

    async def send(self, answer: Message, workspace_id: str) -> None:
        """Sent, failed, or cut off and perhaps proven later; the row and its event in one write."""
        await asyncio.sleep(self.dice.uniform(0, 0.01))
        end = self.dice.choices(("sent", "failed", "doubt"), (70, 15, 15))[0]
        about = {"workspace_id": workspace_id, "message_id": answer.id}
        async with self.db.write() as session:
            queued = update(Message).where(col(Message.id) == answer.id, col(Message.status) == "queued")
            status = "failed" if end == "failed" else "sent"
            changed = queued.values(status=status, unconfirmed=end == "doubt", sent_at=Clock().now()).returning(col(Message.id))
            if (await session.scalars(changed)).first() is None:
                return
            if end == "failed":
                record(session, "message.status", **about, data={"status": "failed", "unconfirmed": False})
            else:
                record(session, "message.sent", **about, data={"unconfirmed": end == "doubt"})
        if end == "doubt" and self.dice.random() < 0.5:
            async with self.db.write() as session:
                row = await session.get_one(Message, answer.id)
                row.status, row.unconfirmed = "delivered", False
                record(session, "message.status", **about, data={"status": "delivered", "unconfirmed": False})

    async def work(self) -> None:
        """Until nothing is left to do."""
        await self.settlement.follower.start()
        self.db.on_commit.append(self.settlement.follower.wake)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        while True:
            async with self.db.read() as session:
                workspace_id = (await session.scalars(select(col(Account.workspace_id)))).one()
                asked = select(Message).join(Reply, col(Reply.message_id) == col(Message.id)).where(col(Reply.state) == "pending")
                questions = (await session.scalars(asked.order_by(func.random()).limit(AT_ONCE))).all()
                waiting = select(Message).where(col(Message.status) == "queued").order_by(func.random()).limit(AT_ONCE)
                answers = (await session.scalars(waiting)).all()
            if not questions and not answers:
                break
            decisions = [self.decide(question, workspace_id) for question in questions]
            sends = [self.send(answer, workspace_id) for answer in answers]
            await asyncio.gather(*decisions, *sends, self.settlement.sweep())
        await until(self._is_behind, not_, pause=0.05)
        await self.settlement.follower.stop()
        await self.db.close()
        print("done", flush=True)

    async def _is_behind(self) -> bool:
        """Whether credits are set aside for an answer that has come to an end."""
        await self.settlement.sweep()
        async with self.db.read() as session:
            held = select(func.count()).select_from(CreditHold).join(Message, col(Message.id) == col(CreditHold.message_id))
            over = col(CreditHold.state) == "held", ~col(Message.unconfirmed)
            return bool(await session.scalar(held.where(*over)))


if __name__ == "__main__":
    asyncio.run(Teller(sys.argv[1], int(sys.argv[2])).work())
