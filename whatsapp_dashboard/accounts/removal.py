"""The moment in which an account is deleted: one short transaction after which nobody reaches it any more (ACC-1).

What hangs off it may be hundreds of thousands of rows. They are taken away afterwards, a few at a time (system/erasing.py), because on
SQLite all other writers wait for a write to end.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.core.db import insert_ignore
from whatsapp_dashboard.events.log import last_seq
from whatsapp_dashboard.models import Account, AiConfig, AiProvider, Erasure, Reply, SessionCredential, SessionLease, Webhook, Workspace
from whatsapp_dashboard.models.erasure import HIDDEN_NAME, HIDDEN_WORKSPACE

_AT_ONCE = (SessionCredential, SessionLease, AiProvider, AiConfig)
"""Keys, and what would make the bot answer: gone in the same transaction."""


async def hide(session: AsyncSession, account: Account, now: datetime) -> None:
    """Move the account out of its workspace, blank what it is called, delete its keys, and plan the rest, all in the caller's write.

    Every service asks for the workspace of an account: in one that nobody can enter it is gone for pages, API, bots and webhooks alike.
    """
    session.add(Erasure(kind="account", subject_id=account.id, seq=await last_seq(session), created_at=now))
    blank = Workspace(id=HIDDEN_WORKSPACE, name=HIDDEN_NAME, created_at=now)
    await session.execute(insert_ignore(session, Workspace).values(blank.model_dump()))
    account.workspace_id, account.wanted, account.linked = HIDDEN_WORKSPACE, False, False
    account.name = account.description = account.push_name = account.status_reason = ""
    account.phone = account.lid = None
    await session.flush()
    for table in _AT_ONCE:
        await session.execute(delete(table).where(col(table.account_id) == account.id))
    await session.execute(delete(Reply).where(col(Reply.account_id) == account.id, col(Reply.state) == "pending"))
    own = update(Webhook).where(col(Webhook.account_id) == account.id)
    await session.execute(own.values(workspace_id=HIDDEN_WORKSPACE, enabled=False, updated_at=now, secret=None, headers=None))
