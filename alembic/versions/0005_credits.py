"""Credits: balances, holds, the ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_BY_PEOPLE = {"postgresql_where": sa.text("related_type = ''"), "sqlite_where": sa.text("related_type = ''")}


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "credit_balance",
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("balance >= held AND held >= 0", name="ck_credit_balance_never_below_zero"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name="fk_credit_balance_workspace_id_workspace", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("workspace_id", name="pk_credit_balance"),
    )
    op.create_table(
        "credit_hold",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("job", sa.String(length=36), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("message_id", sa.String(length=36), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name="fk_credit_hold_workspace_id_workspace", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_credit_hold"),
        sa.UniqueConstraint("job", name="uq_credit_hold_job"),
    )
    op.create_index("ix_credit_hold_workspace_id", "credit_hold", ["workspace_id"])
    op.create_index("ix_credit_hold_state", "credit_hold", ["state"])
    op.create_index("ix_credit_hold_message_id", "credit_hold", ["message_id"])
    op.create_table(
        "credit_entry",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("balance_before", sa.BigInteger(), nullable=False),
        sa.Column("balance_after", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.String(length=255), nullable=False),
        sa.Column("related_type", sa.String(length=16), nullable=False),
        sa.Column("related_id", sa.String(length=36), nullable=True),
        sa.Column("operator_id", sa.String(length=36), nullable=True),
        sa.Column("key", sa.String(length=320), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name="ck_credit_entry_amount_positive"),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name="fk_credit_entry_operator_id_operator", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name="fk_credit_entry_workspace_id_workspace", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_credit_entry"),
        sa.UniqueConstraint("key", name="uq_credit_entry_key"),
    )
    op.create_index("ix_credit_entry_workspace_id_id", "credit_entry", ["workspace_id", "id"])
    op.create_index("ix_credit_entry_by_people", "credit_entry", ["workspace_id", "id"], **_BY_PEOPLE)


def downgrade() -> None:
    """Undo."""
    for table in ("credit_entry", "credit_hold", "credit_balance"):
        op.drop_table(table)
