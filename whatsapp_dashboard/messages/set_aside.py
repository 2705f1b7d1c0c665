"""What people do with events that could not be stored: look at them, try them again, discard them (DUR-1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.outage import is_outage
from whatsapp_dashboard.domain.engine_events import MessageReceived
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.errors import Conflict, Invalid, NotFound
from whatsapp_dashboard.messages.aside import reason_of, tell
from whatsapp_dashboard.messages.event_text import read_event
from whatsapp_dashboard.messages.inbound import Inbound
from whatsapp_dashboard.models import Account, SetAsideEvent

log = structlog.get_logger(__name__)

MAX_PAGE = 200


@dataclass(frozen=True, slots=True)
class SetAsideRow:
    """One event that waits for a person. ``content`` is all of it, as JSON in ASCII."""

    id: str
    account_id: str
    account_name: str
    kind: str
    who: str
    what: str
    reason: str
    attempts: int
    created_at: datetime
    tried_at: datetime
    content: str


@dataclass(frozen=True, slots=True)
class SetAsidePage:
    """A page, oldest first. ``next`` is the cursor of the page behind it, empty on the last one; ``total`` counts all of them."""

    rows: tuple[SetAsideRow, ...]
    next: str
    total: int


@dataclass(frozen=True, slots=True)
class Retried:
    """How trying many again went."""

    stored: int
    refused: int


class SetAsideEvents:
    """The events set aside in the asking operator's workspace. Viewers read, operators try again and discard."""

    def __init__(self, db: Database, clock: Clock, inbound: Inbound) -> None:
        self._db = db
        self._clock = clock
        self._inbound = inbound

    async def counts(self, who: Principal) -> dict[str, int]:
        """How many each account has; accounts without any are left out."""
        who.require(Role.VIEWER)
        statement = (
            select(col(SetAsideEvent.account_id), func.count())
            .join(Account, col(Account.id) == col(SetAsideEvent.account_id))
            .where(col(Account.workspace_id) == who.workspace_id)
            .group_by(col(SetAsideEvent.account_id))
        )
        async with self._db.read() as session:
            return {row[0]: row[1] for row in await session.execute(statement)}

    async def page(self, who: Principal, account_id: str = "", *, cursor: str = "", limit: int = 50) -> SetAsidePage:
        """What waits, of one account or of all. ``cursor`` is :attr:`SetAsidePage.next` of the page before. Raises :class:`NotFound`,
        :class:`Invalid`."""
        who.require(Role.VIEWER)
        if not 1 <= limit <= MAX_PAGE:
            raise Invalid(f"A page has 1 to {MAX_PAGE} events.", field="limit")
        conditions = [col(Account.workspace_id) == who.workspace_id]
        if account_id:
            conditions.append(col(SetAsideEvent.account_id) == account_id)
        joined = select(SetAsideEvent, col(Account.name)).join(Account, col(Account.id) == col(SetAsideEvent.account_id)).where(*conditions)
        counted = select(func.count()).select_from(SetAsideEvent).join(Account, col(Account.id) == col(SetAsideEvent.account_id))
        wanted = joined.where(col(SetAsideEvent.id) > cursor) if cursor else joined
        async with self._db.read() as session:
            if account_id:
                await _check_account(session, who, account_id)
            found = (await session.execute(wanted.order_by(col(SetAsideEvent.id)).limit(limit + 1))).all()
            total = await session.scalar(counted.where(*conditions)) or 0
        rows = tuple(_row(event, name) for event, name in found[:limit])
        return SetAsidePage(rows, rows[-1].id if len(found) > limit else "", total)

    async def retry(self, who: Principal, account_id: str, event_id: str) -> None:
        """Store it now, as the message that it is. Raises :class:`NotFound`, and :class:`Conflict` with the reason when it still cannot
        be stored."""
        who.require(Role.OPERATOR)
        row = await self._owned(who, account_id, event_id)
        try:
            await self._again(row)
        except NotFound:
            raise
        except Exception as error:
            if is_outage(error):
                raise
            log.warning("an event still cannot be stored", account_id=account_id, kind=row.kind, reason=reason_of(error))
            await self._still_refused(row, error)
            raise Conflict(f"It still cannot be stored. {reason_of(error)}", code="still_refused") from None

    async def retry_all(self, who: Principal, account_id: str) -> Retried:
        """Try all of an account, in the order in which they came."""
        who.require(Role.OPERATOR)
        async with self._db.read() as session:
            await _check_account(session, who, account_id)
            mine = select(col(SetAsideEvent.id)).where(col(SetAsideEvent.account_id) == account_id)
            waiting: Sequence[str] = (await session.scalars(mine.order_by(col(SetAsideEvent.id)))).all()
        stored = refused = 0
        for event_id in waiting:
            try:
                await self.retry(who, account_id, event_id)
                stored += 1
            except NotFound:
                continue
            except Conflict:
                refused += 1
        return Retried(stored, refused)

    async def discard(self, who: Principal, account_id: str, event_id: str) -> None:
        """Remove it for good. Raises :class:`NotFound`."""
        who.require(Role.OPERATOR)
        row = await self._owned(who, account_id, event_id)
        async with self._db.write() as session:
            await session.execute(delete(SetAsideEvent).where(col(SetAsideEvent.id) == event_id))
            tell(session, "inbound.discarded", who.workspace_id, row)

    # -- inside

    async def _again(self, row: SetAsideEvent) -> None:
        event = read_event(row.kind, row.content)
        if isinstance(event, MessageReceived) and not event.history:
            event = replace(event, offline=True)  # late: bots answer it only while that makes sense (ACC-10)

        async def done(session: AsyncSession) -> None:
            gone = await session.execute(delete(SetAsideEvent).where(col(SetAsideEvent.id) == row.id).returning(col(SetAsideEvent.id)))
            if gone.scalar() is None:
                raise NotFound("This event has been stored or discarded meanwhile.", code="event_not_found")
            workspace_id = await session.scalar(select(col(Account.workspace_id)).where(col(Account.id) == row.account_id))
            tell(session, "inbound.stored", workspace_id, row)

        await self._inbound.store_with(row.account_id, event, done)

    async def _still_refused(self, row: SetAsideEvent, error: Exception) -> None:
        changed = {"attempts": SetAsideEvent.attempts + 1, "reason": reason_of(error), "tried_at": self._clock.now()}
        async with self._db.write() as session:
            await session.execute(update(SetAsideEvent).where(col(SetAsideEvent.id) == row.id).values(**changed))

    async def _owned(self, who: Principal, account_id: str, event_id: str) -> SetAsideEvent:
        async with self._db.read() as session:
            await _check_account(session, who, account_id)
            row = await session.get(SetAsideEvent, event_id)
        if row is None or row.account_id != account_id:
            raise NotFound("There is no such event. It may have been stored or discarded meanwhile.", code="event_not_found")
        return row


async def _check_account(session: AsyncSession, who: Principal, account_id: str) -> None:
    account = await session.get(Account, account_id)
    if account is None or account.workspace_id != who.workspace_id:
        raise NotFound("There is no such account.", code="account_not_found")


def _row(event: SetAsideEvent, account_name: str) -> SetAsideRow:
    values = {name: getattr(event, name) for name in SetAsideRow.__dataclass_fields__ if name != "account_name"}
    return SetAsideRow(**values, account_name=account_name)

