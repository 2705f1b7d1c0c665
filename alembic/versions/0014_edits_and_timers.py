"""Edits that cannot be read, and the timers of conversations with disappearing messages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("message", sa.Column("edit_unreadable", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("conversation", sa.Column("disappear_seconds", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("conversation", sa.Column("disappear_set_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Undo."""
    op.drop_column("conversation", "disappear_set_at")
    op.drop_column("conversation", "disappear_seconds")
    op.drop_column("message", "edit_unreadable")
