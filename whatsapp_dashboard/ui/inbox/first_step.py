"""Which step brings the first conversation; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whatsapp_dashboard.accounts.service import SANDBOX
from whatsapp_dashboard.accounts.views import AccountRow
from whatsapp_dashboard.domain.ids import format_phone


@dataclass
class FirstStep:
    """``kind`` is ``sandbox``, ``number``, ``link`` (nothing is linked), ``account`` (there is none), or empty: somebody has written."""

    kind: str = ""
    name: str = ""
    number: str = ""


def first_step(accounts: Sequence[AccountRow], account_id: str = "") -> FirstStep:
    """For the accounts of a workspace, or the one of them that is looked at, of which none has a conversation. Real numbers come first."""
    meant = [row for row in accounts if row.id == account_id] or list(accounts)
    if not meant:
        return FirstStep("account")
    linked = sorted((row for row in meant if row.linked), key=lambda row: row.engine == SANDBOX)
    if not linked:
        return FirstStep("link", meant[0].name)
    first = linked[0]
    return FirstStep("sandbox" if first.engine == SANDBOX else "number", first.name, format_phone(first.phone) or "your number")
