"""What pages and the API give and get of credits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

LOW_ANSWERS = 20
"""With fewer answers left than these, people are warned."""


@dataclass(frozen=True, slots=True)
class CreditState:
    """What a workspace has (CRED-1). With a ``price`` of 0 billing is off: answers cost nothing."""

    balance: int
    held: int
    """Set aside for answers under way; a part of the balance."""
    available: int
    price: int
    answers_left: int | None
    """How many more answers can be paid; None while billing is off."""
    exhausted: bool
    """Billing is on, and not one more answer can be paid."""

    @property
    def low(self) -> bool:
        """Billing is on, and few answers are left: fewer than :data:`LOW_ANSWERS`, or none."""
        return self.answers_left is not None and self.answers_left < LOW_ANSWERS


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One line of the ledger (CRED-2)."""

    id: str
    at: datetime
    type: str
    """``credit`` or ``debit``."""
    amount: int
    balance_before: int
    balance_after: int
    description: str
    related_type: str
    related_id: str | None
    operator: str
    """Who did it; empty for answers."""
    contact: str = ""
    """Who was answered: the name, or the phone number."""
    conversation_id: str | None = None
    """Where the answer stands; None for what an operator did, and when the conversation is gone."""


@dataclass(frozen=True, slots=True)
class LedgerFilters:
    """Which lines; empty means all."""

    type: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """Lines, newest first; ``next_cursor`` is empty on the last page."""

    rows: tuple[EntryRow, ...]
    next_cursor: str


@dataclass(frozen=True, slots=True)
class CreditDay:
    """One day, in the time zone asked for."""

    day: str
    """``2026-11-25``."""
    spent: int
    """By answers."""
    added: int
    taken: int
    """Away, by corrections."""
    balance: int
    """At its end."""
