"""Asking for the password again inside a session: before what would let somebody stay who only has the session (SEC-3, SEC-6)."""

from __future__ import annotations

from whatsapp_dashboard.auth import passwords
from whatsapp_dashboard.auth.lockout import Lockout
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.principal import Principal
from whatsapp_dashboard.errors import Invalid, Unauthenticated
from whatsapp_dashboard.models import Operator


class Confirmation:
    """Whether whoever holds the session also knows the password."""

    def __init__(self, db: Database, lockout: Lockout) -> None:
        self._db = db
        self._lockout = lockout

    async def require(self, who: Principal, password: str | None, *, ip: str) -> None:
        """Raise :class:`Invalid` (code ``password_needed`` or ``wrong_password``) unless ``password`` is the caller's own, or
        :class:`TooMany` after five wrong ones."""
        if not password:
            raise Invalid("Enter your own password to do this.", field="current_password", code="password_needed")
        attempt = await self._lockout.begin_confirming(who.operator_id)
        operator = await self.operator(who)
        if not await passwords.verify(password, operator.password_hash):
            await self._lockout.failed(attempt, operator, ip, "password")
            raise Invalid("The current password is not right.", field="current_password", code="wrong_password")
        await self._lockout.succeeded(attempt)

    async def operator(self, who: Principal) -> Operator:
        """The caller's own row. Raises :class:`Unauthenticated` when it is gone."""
        async with self._db.read() as session:
            operator = await session.get(Operator, who.operator_id)
        if operator is None:
            raise Unauthenticated("Your session has ended. Please log in again.")
        return operator
