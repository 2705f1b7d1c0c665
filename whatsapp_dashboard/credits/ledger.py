"""Moves credits: every change of a balance is a line of the ledger in the same transaction, so that they always agree (CRED-2, DUR-1)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.core.db import insert_ignore
from whatsapp_dashboard.domain.ids import id_after
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.models import CreditBalance, CreditEntry, CreditHold

HELD, TAKEN, RELEASED = "held", "taken", "released"


async def locked_balance(session: AsyncSession, workspace_id: str) -> CreditBalance:
    """The balance of a workspace, made when it is not there yet; nobody else changes it until this write ends."""
    await session.execute(insert_ignore(session, CreditBalance).values(CreditBalance(workspace_id=workspace_id).model_dump()))
    statement = select(CreditBalance).where(col(CreditBalance.workspace_id) == workspace_id).with_for_update()
    return (await session.scalars(statement.execution_options(populate_existing=True))).one()


async def lock_balances(session: AsyncSession, holds: Iterable[CreditHold]) -> None:
    """Lock the balances of all ``holds`` in one order, so that writes about several workspaces never wait for each other."""
    for workspace_id in sorted({hold.workspace_id for hold in holds}):
        await locked_balance(session, workspace_id)


async def add_entry(session: AsyncSession, balance: CreditBalance, amount: int, now: datetime, **about: str | None) -> CreditEntry:
    """Change the balance (which the caller has locked) by ``amount`` (not 0), with its line. The caller has checked that it suffices."""
    last = await session.scalar(select(func.max(col(CreditEntry.id))).where(col(CreditEntry.workspace_id) == balance.workspace_id))
    entry = CreditEntry(
        # Lines stand in the order in which they were written, also when the clocks of several processes differ.
        id=id_after(last or "", now),
        workspace_id=balance.workspace_id,
        type="credit" if amount > 0 else "debit",
        amount=abs(amount),
        balance_before=balance.balance,
        balance_after=balance.balance + amount,
        created_at=now,
        **about,  # type: ignore[arg-type]
    )
    session.add(entry)
    balance.balance += amount
    balance.updated_at = now
    forget_if_enough(balance)
    record(
        session,
        "credits.changed",
        workspace_id=balance.workspace_id,
        message_id=entry.related_id if entry.related_type == "message" else None,
        data={"type": entry.type, "amount": entry.amount, "balance": balance.balance},
    )
    return entry


def forget_if_enough(balance: CreditBalance) -> None:
    """Operators are told anew when credits run out again after there were enough for an answer, or while nothing is billed."""
    if balance.balance - balance.held >= balance.price:
        balance.told_at = None


async def set_aside(session: AsyncSession, workspace_id: str, amount: int) -> bool:
    """Hold ``amount``, if so much is available: one conditional statement, safe at any number at once."""
    free = col(CreditBalance.balance) - col(CreditBalance.held)
    mine = update(CreditBalance).where(col(CreditBalance.workspace_id) == workspace_id, free >= amount)
    changed = await session.execute(mine.values(held=col(CreditBalance.held) + amount).returning(col(CreditBalance.workspace_id)))
    return changed.first() is not None


async def take(session: AsyncSession, hold: CreditHold, now: datetime) -> None:
    """The answer was sent: it is paid, once. One whose credits were given back is paid too, if there are enough."""
    if hold.state == TAKEN:
        return
    if hold.state == RELEASED and not await set_aside(session, hold.workspace_id, hold.amount):
        return
    balance = await locked_balance(session, hold.workspace_id)
    balance.held -= hold.amount
    hold.state, hold.settled_at = TAKEN, now
    about = {"related_type": "message", "related_id": hold.message_id, "key": f"answer:{hold.id}", "description": "Answer by AI"}
    await add_entry(session, balance, -hold.amount, now, **about)


async def give_back(session: AsyncSession, hold: CreditHold, now: datetime) -> None:
    """No answer was sent: what was set aside is free again."""
    if hold.state != HELD:
        return
    balance = await locked_balance(session, hold.workspace_id)
    balance.held -= hold.amount
    hold.state, hold.settled_at = RELEASED, now
    forget_if_enough(balance)
