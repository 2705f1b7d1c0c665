"""Credits of a workspace: what is there, what is set aside for answers under way, and the ledger (CRED-1, CRED-2)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from whatsapp_dashboard.models.base import created_field, id_field, owned_by, time_field

_BY_PEOPLE = text("related_type = ''")


class CreditBalance(SQLModel, table=True):
    """What a workspace has. Without a row, or with a price of 0, answers cost nothing."""

    __tablename__ = "credit_balance"
    __table_args__ = (CheckConstraint("balance >= held AND held >= 0", name="never_below_zero"),)

    workspace_id: str = Field(primary_key=True, foreign_key="workspace.id", ondelete="CASCADE", max_length=36)
    balance: int = Field(default=0, sa_type=BigInteger)
    held: int = Field(default=0, sa_type=BigInteger)
    """Set aside for answers under way; a part of the balance."""
    price: int = 0
    """Credits for one answer."""
    told_at: datetime | None = time_field()
    """When operators were told that there are too few; None since there were enough again."""
    updated_at: datetime = created_field()


class CreditHold(SQLModel, table=True):
    """Credits set aside for the answer to one message, until it is sent or will not be."""

    __tablename__ = "credit_hold"

    id: str = id_field()
    workspace_id: str = owned_by("workspace.id")
    job: str = Field(max_length=36, unique=True)
    """The incoming message that is answered."""
    amount: int
    state: str = Field(default="held", max_length=16, index=True)
    """``held``, then ``taken`` or ``released``."""
    message_id: str | None = Field(default=None, max_length=36, index=True)
    """The answer, once it is queued."""
    created_at: datetime = created_field()
    settled_at: datetime | None = time_field()


class CreditEntry(SQLModel, table=True):
    """One line of the ledger; lines are added, never changed."""

    __tablename__ = "credit_entry"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_positive"),
        Index("ix_credit_entry_workspace_id_id", "workspace_id", "id"),
        # Few among the lines of answers.
        Index("ix_credit_entry_by_people", "workspace_id", "id", postgresql_where=_BY_PEOPLE, sqlite_where=_BY_PEOPLE),
    )

    id: str = id_field()
    workspace_id: str = owned_by("workspace.id", index=False)
    type: str = Field(max_length=16)
    """``credit`` or ``debit``."""
    amount: int = Field(sa_type=BigInteger)
    balance_before: int = Field(sa_type=BigInteger)
    balance_after: int = Field(sa_type=BigInteger)
    description: str = Field(default="", max_length=255)
    related_type: str = Field(default="", max_length=16)
    """``message`` for an answer; empty for what an operator did."""
    related_id: str | None = Field(default=None, max_length=36)
    operator_id: str | None = Field(default=None, foreign_key="operator.id", ondelete="SET NULL", max_length=36)
    key: str | None = Field(default=None, max_length=320, unique=True)
    """What must not happen twice: the hold of an answer, or a caller's idempotency key."""
    created_at: datetime = created_field()
