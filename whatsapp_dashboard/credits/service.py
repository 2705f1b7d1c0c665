"""Credits of workspaces: set aside before an answer is made (CRED-1), topped up and looked at by people (CRED-2)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database, insert_ignore
from whatsapp_dashboard.credits.ledger import HELD, RELEASED, add_entry, forget_if_enough, give_back, locked_balance, set_aside
from whatsapp_dashboard.credits.ledger_query import daily_sums, entry_row, lines, time_zone
from whatsapp_dashboard.credits.views import CreditDay, CreditState, EntryRow, LedgerFilters, LedgerPage
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.errors import Conflict, Invalid
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.models import CreditBalance, CreditEntry, CreditHold

MAX_AMOUNT = 1_000_000_000
MAX_PRICE = 1_000_000
MAX_PAGE = 200
MAX_DAYS = 366


class CreditService:
    """Viewers read, owners change. What the bot does needs nobody: it works by workspace."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    # -- for answers

    async def reserve(self, workspace_id: str, job: str) -> bool:
        """Set aside the price of the answer to the message ``job``. True also when billing is off, or when it is set aside already; False:
        there are too few credits, of which operators are told once."""
        async with self._db.read() as session:
            balance = await session.get(CreditBalance, workspace_id)
        if balance is None or balance.price == 0:
            return True
        price = balance.price
        async with self._db.write() as session:
            # The row comes first, so that of two who ask for the same job at the same moment the second waits for the first.
            blank = CreditHold(workspace_id=workspace_id, job=job, amount=price, state=RELEASED, created_at=self._clock.now())
            await session.execute(insert_ignore(session, CreditHold).values(blank.model_dump()))
            hold = (await session.scalars(_of_job(job))).one()
            if hold.state != RELEASED:
                return True
            if not await set_aside(session, workspace_id, price):
                found = await locked_balance(session, workspace_id)
                if found.balance - found.held < price:
                    self._tell_once(session, found)
                    if hold.id == blank.id:
                        await session.delete(hold)
                    return False
                found.held += price  # topped up at this very moment
            hold.state, hold.amount, hold.message_id, hold.settled_at = HELD, price, None, None
        return True

    async def bind(self, session: AsyncSession, job: str, message_id: str) -> None:
        """In the caller's write: what was set aside for ``job`` pays this answer when it is sent."""
        hold = (await session.scalars(_of_job(job))).one_or_none()
        if hold is not None and hold.state == HELD:
            hold.message_id = message_id

    async def release(self, session: AsyncSession, job: str) -> None:
        """In the caller's write: no answer to ``job`` will be sent."""
        hold = (await session.scalars(_of_job(job))).one_or_none()
        if hold is not None and hold.message_id is None:
            await give_back(session, hold, self._clock.now())

    def _tell_once(self, session: AsyncSession, balance: CreditBalance) -> None:
        if balance.told_at is None:
            balance.told_at = self._clock.now()
            data = {"balance": balance.balance, "held": balance.held, "price": balance.price}
            record(session, "credits.exhausted", workspace_id=balance.workspace_id, data=data)

    # -- reading

    async def state(self, who: Principal) -> CreditState:
        """What the workspace has."""
        who.require(Role.VIEWER)
        async with self._db.read() as session:
            found = await session.get(CreditBalance, who.workspace_id)
        balance = found or CreditBalance(workspace_id=who.workspace_id)
        free = balance.balance - balance.held
        left = free // balance.price if balance.price else None
        return CreditState(balance.balance, balance.held, free, balance.price, left, left == 0)

    async def ledger(self, who: Principal, filters: LedgerFilters, *, cursor: str = "", limit: int = 50) -> LedgerPage:
        """Lines of the ledger, newest first. Raises :class:`Invalid`."""
        who.require(Role.VIEWER)
        if not 1 <= limit <= MAX_PAGE:
            raise Invalid(f"A page has 1 to {MAX_PAGE} lines.", field="limit")
        statement = lines(who.workspace_id, filters, cursor).limit(limit + 1)
        async with self._db.read() as session:
            found = (await session.execute(statement)).all()
        rows = tuple(entry_row(*line) for line in found[:limit])
        return LedgerPage(rows, rows[-1].id if len(found) > limit else "")

    async def everything(self, who: Principal, filters: LedgerFilters) -> AsyncIterator[EntryRow]:
        """All lines that match, newest first, read page by page: for the export."""
        cursor = ""
        while True:
            page = await self.ledger(who, filters, cursor=cursor, limit=MAX_PAGE)
            for row in page.rows:
                yield row
            cursor = page.next_cursor
            if not cursor:
                return

    async def daily(self, who: Principal, days: int = 30, zone: str = "UTC") -> list[CreditDay]:
        """The last ``days`` days in the time zone ``zone``, today included, oldest first. Raises :class:`Invalid`."""
        who.require(Role.VIEWER)
        if not 1 <= days <= MAX_DAYS:
            raise Invalid(f"From 1 to {MAX_DAYS} days.", field="days")
        place = time_zone(zone)
        today = self._clock.now().astimezone(place).date()
        async with self._db.read() as session:
            return await daily_sums(session, who.workspace_id, today, days, place)

    # -- changing

    async def top_up(self, who: Principal, amount: int, *, description: str = "", idempotency_key: str | None = None) -> EntryRow:
        """Add credits; the same key a second time answers the line of the first. Raises :class:`Invalid`, :class:`Conflict`."""
        who.require(Role.OWNER)
        if not 1 <= amount <= MAX_AMOUNT:
            raise Invalid(f"Enter an amount from 1 to {MAX_AMOUNT:,}.", field="amount")
        return await self._move(who, amount, description or "Top-up", idempotency_key)

    async def adjust(self, who: Principal, amount: int, *, description: str, idempotency_key: str | None = None) -> EntryRow:
        """Correct the balance by ``amount``, which may be negative; a reason is needed. Raises :class:`Invalid`, :class:`Conflict`."""
        who.require(Role.OWNER)
        if not amount or abs(amount) > MAX_AMOUNT:
            raise Invalid(f"Enter an amount up to {MAX_AMOUNT:,}, positive or negative.", field="amount")
        if not description.strip():
            raise Invalid("Say why: it stands in the ledger.", field="description")
        return await self._move(who, amount, description, idempotency_key)

    async def set_price(self, who: Principal, price: int) -> CreditState:
        """What an answer costs from now on; 0 turns billing off. Answers under way keep their price."""
        who.require(Role.OWNER)
        if not 0 <= price <= MAX_PRICE:
            raise Invalid(f"Enter a price from 0 to {MAX_PRICE:,} credits.", field="price")
        async with self._db.write() as session:
            balance = await locked_balance(session, who.workspace_id)
            balance.price, balance.updated_at = price, self._clock.now()
            forget_if_enough(balance)
            record(session, "credits.changed", workspace_id=who.workspace_id, data={"price": price, "by": who.username})
        return await self.state(who)

    async def _move(self, who: Principal, amount: int, description: str, idempotency_key: str | None) -> EntryRow:
        words = " ".join(description.split())
        if len(words) > 255:
            raise Invalid("The description has at most 255 characters.", field="description")
        key = f"key:{who.workspace_id}:{idempotency_key}" if idempotency_key else None
        async with self._db.write() as session:
            balance = await locked_balance(session, who.workspace_id)
            before = await session.scalar(select(CreditEntry).where(col(CreditEntry.key) == key)) if key else None
            if before is not None:
                if before.balance_after - before.balance_before != amount:
                    raise Conflict("This idempotency key was used for another amount.", code="key_reused")
                return entry_row(before, who.username)
            if balance.balance + amount < balance.held:
                free = balance.balance - balance.held
                raise Conflict(f"Only {free:,} can be taken away; what is set aside for answers stays.", code="too_few_credits")
            about: dict[str, Any] = {"description": words, "operator_id": who.operator_id, "key": key}
            entry = await add_entry(session, balance, amount, self._clock.now(), **about)
            await session.flush()
        return entry_row(entry, who.username)


def _of_job(job: str) -> Select[CreditHold]:
    return select(CreditHold).where(col(CreditHold.job) == job).with_for_update()
