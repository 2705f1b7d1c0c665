"""Whether one account can do its work, check by check (OBS-5): a program asks this where /health/ready speaks of the whole dashboard."""

from __future__ import annotations

from dataclasses import dataclass

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.account_status import AccountStatus
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.errors import NotFound
from whatsapp_dashboard.events.log import last_seq
from whatsapp_dashboard.models import Account
from whatsapp_dashboard.system.ai_trouble import ai_trouble
from whatsapp_dashboard.system.overview import LOOK_BACK


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be right. ``name`` is ``session`` (connected now), ``sending`` (WhatsApp restricts nothing) or ``ai`` (the bot
    is off, or somebody answers); ``detail`` says what is wrong, empty when nothing is."""

    name: str
    ok: bool
    detail: str


class Checks:
    """Looks at accounts; a viewer may."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def of_account(self, who: Principal, account_id: str) -> list[Check]:
        """The checks of one account. Raises :class:`NotFound`."""
        who.require(Role.VIEWER)
        now = self._clock.now()
        async with self._db.read() as session:
            account = await session.get(Account, account_id)
            if account is None or account.workspace_id != who.workspace_id:
                raise NotFound("There is no such account.", code="account_not_found")
            newest = await last_seq(session)
            trouble = await ai_trouble(session, {account.id: account.name}, now, after_seq=newest - LOOK_BACK)
        connected = account.status == AccountStatus.READY
        restricted = account.restricted_until is not None and account.restricted_until > now
        return [
            Check("session", connected, "" if connected else account.status_reason or "The account is not connected."),
            Check("sending", not restricted, account.restriction if restricted else ""),
            Check("ai", not trouble, trouble[0].text if trouble else ""),
        ]
