"""A way back in for an operator who lost password or second factor, by whoever has the machine's command line (SEC-1)."""

from __future__ import annotations

from sqlalchemy import delete, func, or_, select
from sqlmodel import col

from whatsapp_dashboard.auth import passwords
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.errors import NotFound
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.models import LoginAttempt, LoginSession, Operator


async def reset_access(db: Database, username: str, password: str | None = None) -> tuple[str, str, bool]:
    """Give an operator a new password, take the second factor off, end the sessions and the lock-out, all in one write.

    Without ``password`` one is made. Returns the name as stored, the password, and whether the operator is disabled. Raises
    :class:`NotFound` that lists who there is, and :class:`Invalid` for a password that is too short or too long.
    """
    chosen = password or passwords.generate()
    passwords.check_new(chosen)
    hashed = await passwords.hash_password(chosen)
    name = username.strip().lower()
    async with db.write() as session:
        row = await session.scalar(select(Operator).where(func.lower(col(Operator.username)) == name).with_for_update())
        if row is None:
            names = list(await session.scalars(select(col(Operator.username)).order_by(func.lower(col(Operator.username)))))
            raise NotFound(f"There is no operator named {username}. There {_listed(names)}.")
        row.password_hash, row.totp_enabled, row.totp_secret, row.totp_last_step = hashed, False, None, None
        await session.execute(delete(LoginSession).where(col(LoginSession.operator_id) == row.id))
        # The address is locked out as well: all its failures go, or its owner would have to wait in spite of the new password. Tries to
        # confirm something inside a session stand under the operator's id. Addresses the operator is known at stay known.
        tried = col(LoginAttempt.username).in_((name, row.id))
        addresses = select(col(LoginAttempt.ip)).where(tried)
        await session.execute(delete(LoginAttempt).where(or_(tried, col(LoginAttempt.ip).in_(addresses))))
        data = {"operator_id": row.id, "username": row.username, "role": row.role, "disabled": row.disabled, "by": "command line"}
        record(session, "operator.password_reset", workspace_id=row.workspace_id, data=data)
        return row.username, chosen, row.disabled


def _listed(names: list[str]) -> str:
    if not names:
        return "is none yet: start the dashboard once"
    return ("is only " if len(names) == 1 else "are ") + ", ".join(names)
