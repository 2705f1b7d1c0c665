"""Settles holds by what becomes of the answers: sent means paid, failed means given back (CRED-1).

It follows the event log, so message code knows nothing of credits; the sweep finds what no event tells of.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, Select, and_, func, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.credits.ledger import HELD, TAKEN, give_back, lock_balances, take
from whatsapp_dashboard.events.follower import Follower
from whatsapp_dashboard.events.log import EventRecord
from whatsapp_dashboard.models import CreditHold, Message, Reply

CURSOR = "credits"
DOUBT_LASTS = timedelta(hours=24)
"""An answer of which nobody knows whether it was sent is paid when something proves it within this time."""
_PROVEN = ("delivered", "read")
_BATCH = 500


class Settlement:
    """Follows the answers of all workspaces."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self.follower = Follower(db, CURSOR, _tells_of_an_end, self._settle)

    async def sweep(self) -> int:
        """Settle holds whose end no event told of: of decisions that came to nothing, of deleted accounts, of answers in doubt for a day.
        Returns how many. For the scheduler."""
        count = 0
        while True:
            async with self._db.read() as session:
                ids = [hold_id for hold_id, _ in await session.execute(self._over().limit(_BATCH))]
            if not ids:
                return count
            async with self._db.write() as session:
                # First locked, then looked at anew: an answer that was queued meanwhile is seen with its message.
                mine = select(CreditHold).where(col(CreditHold.id).in_(ids), col(CreditHold.state) == HELD)
                holds = (await session.scalars(mine.order_by(col(CreditHold.id)).with_for_update())).all()
                await lock_balances(session, holds)
                ends = {row[0]: row[1] for row in await session.execute(self._over().where(col(CreditHold.id).in_(ids)))}
                for hold in holds:
                    if hold.id in ends:
                        await (take if ends[hold.id] else give_back)(session, hold, self._clock.now())
            if not ends:
                return count
            count += len(ends)

    def _over(self) -> Select[str, bool]:
        """Held credits whose answer has come to an end, and whether it was sent."""
        since = func.coalesce(col(Message.sent_at), col(CreditHold.created_at))
        doubted = and_(col(Message.status) == "sent", col(Message.unconfirmed), since < self._clock.now() - DOUBT_LASTS)
        unanswered = or_(col(Reply.message_id).is_(None), col(Reply.state) != "pending")
        ended = or_(col(Message.id).is_(None), col(Message.status) == "failed", doubted, _was_sent())
        over = or_(and_(col(CreditHold.message_id).is_(None), unanswered), and_(col(CreditHold.message_id).is_not(None), ended))
        return (
            select(col(CreditHold.id), func.coalesce(_was_sent(), False))
            .outerjoin(Message, col(Message.id) == col(CreditHold.message_id))
            .outerjoin(Reply, col(Reply.message_id) == col(CreditHold.job))
            .where(col(CreditHold.state) == HELD, over)
            .order_by(col(CreditHold.id))
        )

    async def _settle(self, session: AsyncSession, events: Sequence[EventRecord]) -> None:
        ids = {event.message_id for event in events}
        statement = select(CreditHold).where(col(CreditHold.message_id).in_(ids), col(CreditHold.state) != TAKEN)
        # In the order of the sweep, so that the two never wait for each other.
        ordered = statement.order_by(col(CreditHold.id)).with_for_update()
        holds = {hold.message_id: hold for hold in await session.scalars(ordered)}
        await lock_balances(session, holds.values())
        for event in events:
            hold = holds.get(event.message_id)
            if hold is None:
                continue
            if event.data.get("status") == "failed":
                await give_back(session, hold, self._clock.now())
            else:
                await take(session, hold, self._clock.now())


def _tells_of_an_end(event: EventRecord) -> bool:
    if event.type == "message.sent":
        return not event.data.get("unconfirmed")
    if event.type != "message.status":
        return False
    status = event.data.get("status")
    # An echo proves that WhatsApp has it, too.
    return status in (*_PROVEN, "failed") or (status == "sent" and event.data.get("unconfirmed") is False)


def _was_sent() -> ColumnElement[bool]:
    return or_(col(Message.status).in_(_PROVEN), and_(col(Message.status) == "sent", not_(col(Message.unconfirmed))))
